//! A letter's own words, in the languages of the people who are called.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::incident::Notice;

/// The words of one language.
pub(super) struct Words {
    pub(super) code: &'static str,
    pub(super) mentions: &'static str,
    pub(super) within: &'static str,
    pub(super) usual: &'static str,
    pub(super) negative: &'static str,
    pub(super) since: &'static str,
    pub(super) hot: &'static str,
    pub(super) why: &'static str,
    pub(super) seen: &'static str,
    pub(super) threshold: &'static str,
    pub(super) raised: &'static str,
    pub(super) at_most: &'static str,
    pub(super) seldom: &'static str,
    pub(super) fresh: &'static str,
    /// Messages that were not sent beyond the person's daily budget, and the incidents they are about.
    pub(super) held: &'static str,
    pub(super) incidents: &'static str,
    /// Above the posts that are planned for the next hours.
    pub(super) planned: &'static str,
    /// Nothing of it has happened.
    pub(super) exercise: &'static str,
    /// One incident, before its number.
    pub(super) incident: &'static str,
    pub(super) floods: &'static str,
    pub(super) chart: &'static str,
    pub(super) loudest: &'static str,
    pub(super) copies: &'static str,
    pub(super) sites: &'static str,
    pub(super) followers: &'static str,
    pub(super) reached: &'static str,
    pub(super) told: &'static str,
    pub(super) you: &'static str,
    pub(super) first: &'static str,
    pub(super) checklist: &'static str,
    pub(super) due: &'static str,
    pub(super) dos: &'static str,
    pub(super) donts: &'static str,
    pub(super) say: &'static str,
    pub(super) take: &'static str,
    /// On the button that takes it, beside the digits that it asks for, and on the link that undoes it.
    pub(super) pressed: &'static str,
    pub(super) typed: &'static str,
    pub(super) undo: &'static str,
    pub(super) details: &'static str,
    pub(super) people: &'static str,
    pub(super) has_it: &'static str,
    pub(super) over: &'static str,
    /// Opened, reopened, raised, escalated, reminder, acknowledged, resolved.
    notices: [&'static str; 12],
    /// The chart in words, around the most mentions of a quarter of an hour and the usual level.
    drawn: [&'static str; 2],
    /// Monday first.
    days: [&'static str; 7],
    /// What parts thousands.
    thousands: &'static str,
    /// What parts a number from its fraction.
    point: char,
}

impl Words {
    /// The words of a language; English where it is none of the five.
    pub(super) fn of(code: &str) -> &'static Words {
        ALL.iter().find(|w| w.code == code).copied().unwrap_or(&EN)
    }

    pub(super) fn notice(&self, notice: Notice) -> &'static str {
        let index = match notice {
            Notice::Opened => 0,
            Notice::Reopened => 1,
            Notice::Raised => 2,
            Notice::Escalated => 3,
            Notice::Reminder => 4,
            Notice::Acknowledged => 5,
            Notice::Resolved => 6,
            Notice::Lapsed => 7,
            Notice::Assigned => 8,
            Notice::Snoozed => 9,
            Notice::Lowered => 10,
            Notice::Merged => 11,
        };
        self.notices.get(index).copied().unwrap_or("")
    }

    /// A day of the week and a time of day, in a time zone.
    pub(super) fn time(&self, at: Timestamp, zone: &TimeZone) -> String {
        let at = at.to_zoned(zone.clone());
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
        format!("{} {}", self.days.get(day).copied().unwrap_or(""), at.strftime("%H:%M"))
    }

    /// A number with at most so many places, as people read it.
    pub(super) fn decimal(&self, x: f64, places: usize) -> String {
        let text = format!("{x:.places$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if text == "-0" { "0".to_owned() } else { text.replace('.', &self.point.to_string()) }
    }

    /// What the chart shows, in words.
    pub(super) fn drawn(&self, most: u64, usual: f64) -> String {
        let [begin, middle] = self.drawn;
        format!("{begin} {}, {middle} {}", self.number(most), self.decimal(usual, 1))
    }

    /// A number as people read it.
    pub(super) fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(self.thousands);
            }
            out.push(c);
        }
        out
    }
}

static EN: Words = Words {
    code: "en",
    mentions: "mentions",
    within: "in",
    usual: "usual",
    negative: "negative",
    since: "since",
    hot: "New in the talk",
    why: "Why it rang",
    seen: "seen",
    threshold: "threshold",
    raised: "Raised to",
    at_most: "Usually at most",
    seldom: "one time in a thousand more than",
    fresh: "For the first time",
    held: "Held back beyond your messages a day",
    incidents: "incidents",
    planned: "About to be published: hold it back?",
    incident: "incident",
    exercise: "This is an exercise: nothing of it has happened. Act as if it had, and publish nothing.",
    floods: "the rule floods; incidents kept back",
    chart: "Last 12 hours by quarter of an hour: all mentions, negative ones dark, the usual level dashed",
    loudest: "The loudest",
    copies: "copies",
    sites: "sites",
    followers: "reach",
    reached: "Reaches",
    told: "Called so far",
    you: "you",
    first: "First ten minutes",
    checklist: "Checklist",
    due: "within",
    dos: "Do",
    donts: "Don't",
    say: "What may be said",
    take: "To take it, so that nobody else is called",
    pressed: "I take it",
    typed: "It asks for these digits",
    undo: "Not right? Undo it, and people are called again",
    details: "All about it",
    people: "people",
    has_it: "has it",
    over: "It is calm again.",
    notices: [
        "new",
        "back again",
        "raised",
        "nobody has it yet",
        "reminder",
        "taken",
        "over",
        "still not over",
        "assigned to you",
        "put off",
        "made milder",
        "part of",
    ],
    drawn: ["Mentions in the last 12 hours by quarter of an hour: at most", "usual"],
    days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    thousands: ",",
    point: '.',
};

static SV: Words = Words {
    code: "sv",
    mentions: "omnämnanden",
    within: "på",
    usual: "normalt",
    negative: "negativa",
    since: "sedan",
    hot: "Nytt i samtalet",
    why: "Varför det ringer",
    seen: "sett",
    threshold: "gräns",
    raised: "Höjt till",
    at_most: "Vanligen högst",
    seldom: "en gång på tusen fler än",
    fresh: "För första gången",
    held: "Hålls inne utöver dina meddelanden per dag",
    incidents: "händelser",
    planned: "På väg att publiceras: hålla inne?",
    incident: "händelse",
    exercise: "Detta är en övning: inget av det har hänt. Gör som om det hade hänt, men publicera ingenting.",
    floods: "regeln svämmar över; incidenter som hölls inne",
    chart: "Senaste 12 timmarna per kvart: alla omnämnanden, negativa mörka, normal nivå streckad",
    loudest: "Det som hörs mest",
    copies: "kopior",
    sites: "sajter",
    followers: "räckvidd",
    reached: "Når",
    told: "Larmade hittills",
    you: "du",
    first: "De första tio minuterna",
    checklist: "Checklista",
    due: "inom",
    dos: "Gör",
    donts: "Gör inte",
    say: "Vad som får sägas",
    take: "Ta ärendet, så att ingen annan larmas",
    pressed: "Jag tar det",
    typed: "Den frågar efter dessa siffror",
    undo: "Fel? Ångra, så larmas folk igen",
    details: "Allt om det",
    people: "personer",
    has_it: "har det",
    over: "Det är lugnt igen.",
    notices: [
        "nytt",
        "tillbaka",
        "höjt",
        "ingen har tagit det",
        "påminnelse",
        "taget",
        "över",
        "fortfarande inte över",
        "tilldelat dig",
        "uppskjutet",
        "nedtonat",
        "del av",
    ],
    drawn: ["Omnämnanden de senaste 12 timmarna per kvart: högst", "normalt"],
    days: ["mån", "tis", "ons", "tor", "fre", "lör", "sön"],
    thousands: "\u{a0}",
    point: ',',
};

static DE: Words = Words {
    code: "de",
    mentions: "Erwähnungen",
    within: "in",
    usual: "üblich",
    negative: "negativ",
    since: "seit",
    hot: "Neu im Gespräch",
    why: "Warum es klingelt",
    seen: "gesehen",
    threshold: "Schwelle",
    raised: "Angehoben auf",
    at_most: "Üblich sind höchstens",
    seldom: "einmal in tausend mehr als",
    fresh: "Zum ersten Mal",
    held: "Zurückgehalten über Ihre Nachrichten pro Tag hinaus",
    incidents: "Vorfälle",
    planned: "Steht vor der Veröffentlichung: zurückhalten?",
    incident: "Vorfall",
    exercise: "Dies ist eine Übung: Nichts davon ist geschehen. Handeln Sie wie im Ernstfall, aber veröffentlichen Sie nichts.",
    floods: "die Regel schlägt zu oft an; zurückgehaltene Vorfälle",
    chart: "Die letzten 12 Stunden je Viertelstunde: alle Erwähnungen, negative dunkel, das Übliche gestrichelt",
    loudest: "Die lautesten Stimmen",
    copies: "Kopien",
    sites: "Seiten",
    followers: "Reichweite",
    reached: "Erreicht",
    told: "Bisher alarmiert",
    you: "Sie",
    first: "Die ersten zehn Minuten",
    checklist: "Checkliste",
    due: "binnen",
    dos: "Tun",
    donts: "Nicht tun",
    say: "Was gesagt werden darf",
    take: "Übernehmen, damit niemand sonst alarmiert wird",
    pressed: "Ich übernehme",
    typed: "Gefragt wird nach diesen Ziffern",
    undo: "Nicht richtig? Rückgängig machen, dann wird wieder alarmiert",
    details: "Alles dazu",
    people: "Menschen",
    has_it: "hat es übernommen",
    over: "Es ist wieder ruhig.",
    notices: [
        "neu",
        "wieder da",
        "angehoben",
        "noch von niemandem übernommen",
        "Erinnerung",
        "übernommen",
        "vorbei",
        "noch immer nicht vorbei",
        "Ihnen zugewiesen",
        "aufgeschoben",
        "herabgestuft",
        "gehört zu",
    ],
    drawn: ["Erwähnungen der letzten 12 Stunden je Viertelstunde: höchstens", "üblich"],
    days: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    thousands: ".",
    point: ',',
};

static IT: Words = Words {
    code: "it",
    mentions: "menzioni",
    within: "in",
    usual: "di solito",
    negative: "negative",
    since: "dalle",
    hot: "Nuovo nei discorsi",
    why: "Perché suona",
    seen: "visto",
    threshold: "soglia",
    raised: "Alzato a",
    at_most: "Di solito al massimo",
    seldom: "una volta su mille più di",
    fresh: "Per la prima volta",
    held: "Trattenuti oltre i tuoi messaggi al giorno",
    incidents: "incidenti",
    planned: "In uscita a breve: trattenere?",
    incident: "incidente",
    exercise: "Questa è un'esercitazione: non è successo nulla di tutto ciò. Agisca come se fosse vero, ma non pubblichi niente.",
    floods: "la regola scatta troppo; incidenti trattenuti",
    chart: "Ultime 12 ore per quarto d'ora: tutte le menzioni, scure le negative, tratteggiato il livello abituale",
    loudest: "Le voci più forti",
    copies: "copie",
    sites: "siti",
    followers: "portata",
    reached: "Raggiunge",
    told: "Avvisati finora",
    you: "Lei",
    first: "I primi dieci minuti",
    checklist: "Lista di controllo",
    due: "entro",
    dos: "Che cosa fare",
    donts: "Che cosa non fare",
    say: "Che cosa si può dire",
    take: "Per prenderlo in carico, così che nessun altro sia chiamato",
    pressed: "Me ne occupo io",
    typed: "Chiede queste cifre",
    undo: "Non è giusto? Annullare, e si avvisa di nuovo",
    details: "Tutti i dettagli",
    people: "persone",
    has_it: "l'ha preso in carico",
    over: "È tornata la calma.",
    notices: [
        "nuovo",
        "di nuovo",
        "alzato",
        "nessuno l'ha ancora preso",
        "promemoria",
        "preso in carico",
        "finito",
        "non è ancora finito",
        "assegnato a Lei",
        "rimandato",
        "abbassato",
        "parte di",
    ],
    drawn: ["Menzioni delle ultime 12 ore per quarto d'ora: al massimo", "di solito"],
    days: ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
    thousands: ".",
    point: ',',
};

static ES: Words = Words {
    code: "es",
    mentions: "menciones",
    within: "en",
    usual: "lo habitual",
    negative: "negativas",
    since: "desde",
    hot: "Nuevo en la conversación",
    why: "Por qué suena",
    seen: "visto",
    threshold: "umbral",
    raised: "Elevado a",
    at_most: "Lo habitual es como máximo",
    seldom: "una vez entre mil más de",
    fresh: "Por primera vez",
    held: "Retenidos por encima de sus mensajes al día",
    incidents: "incidentes",
    planned: "A punto de publicarse: ¿retener?",
    incident: "incidente",
    exercise: "Esto es un simulacro: no ha ocurrido nada. Actúe como si fuera real, pero no publique nada.",
    floods: "la regla se dispara en exceso; incidentes retenidos",
    chart: "Últimas 12 horas por cuartos de hora: todas las menciones, oscuras las negativas, a trazos el nivel habitual",
    loudest: "Las voces más fuertes",
    copies: "copias",
    sites: "sitios",
    followers: "alcance",
    reached: "Llega a",
    told: "Avisados hasta ahora",
    you: "usted",
    first: "Los primeros diez minutos",
    checklist: "Lista de comprobación",
    due: "en",
    dos: "Hacer",
    donts: "No hacer",
    say: "Qué se puede decir",
    take: "Para hacerse cargo, y que no se llame a nadie más",
    pressed: "Me hago cargo",
    typed: "Pide estas cifras",
    undo: "¿No es correcto? Deshacer, y se vuelve a avisar",
    details: "Todos los detalles",
    people: "personas",
    has_it: "se hace cargo",
    over: "Ha vuelto la calma.",
    notices: [
        "nuevo",
        "de vuelta",
        "elevado",
        "nadie se ha hecho cargo",
        "recordatorio",
        "asumido",
        "terminado",
        "sigue sin terminar",
        "asignado a usted",
        "aplazado",
        "rebajado",
        "parte de",
    ],
    drawn: ["Menciones de las últimas 12 horas por cuartos de hora: como máximo", "lo habitual"],
    days: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
    thousands: ".",
    point: ',',
};

static ALL: [&Words; 5] = [&EN, &SV, &DE, &IT, &ES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(Words::of("de").number(1_250_000), "1.250.000");
        assert_eq!(Words::of("en").number(999), "999");
        assert_eq!(Words::of("xx").number(12_000), "12,000");
        assert_eq!(Words::of("sv").decimal(0.25, 2), "0,25");
        assert_eq!((Words::of("en").decimal(3.0, 2), Words::of("en").decimal(-0.001, 2)), ("3".into(), "0".into()));
        assert_eq!(Words::of("de").drawn(1200, 0.5).split(": ").nth(1), Some("höchstens 1.200, üblich 0,5"));
        assert_eq!(Words::of("it").time(Timestamp::UNIX_EPOCH, &TimeZone::UTC), "gio 00:00");
    }
}
