//! Texts made for measuring: wire copies, reposts, quotes, campaigns, and texts that only look alike.

/// One text with the story that it belongs to.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) title: String,
    pub(crate) story: u32,
    /// What was done to it.
    pub(crate) kind: &'static str,
}

/// Words of one language: of content, the usual ones first, then of no content; comments; short posts that are all of
/// different stories.
struct Tongue {
    content: &'static str,
    small: &'static str,
    comments: [&'static str; 3],
    read_on: &'static str,
    short: [&'static str; 8],
}

const TONGUES: [Tongue; 5] = [
    Tongue {
        content: "Acme kettle company water customers handle safety hot factory product quality price shops model years repair plastic \
                  steam warranty engineers market kitchen report workers lid winter sales owner country design button fire cable \
                  heat spring supply weeks answer office cities family review trade metal dealer plan growth inspection letters \
                  garden boat summer minister union rules figures glass tests children evening brand store north delivery costs \
                  morning website bank machine region court decision meeting energy packaging switch colour partner future promise",
        small: "the a of in to and for with on that was is from by has but not their after at its will",
        comments: ["This is beyond belief.", "Well, who would have thought?", "Please read this, all of you:"],
        read_on: "Read more on our site.",
        short: [
            "Acme kettle burned my hand",
            "Acme kettle burned my table",
            "Acme kettle burned my daughter's hand",
            "My Acme kettle leaks after two weeks",
            "My Acme kettle leaks after two days",
            "Love my new Acme kettle so much",
            "Never buying from Acme again",
            "Acme support never answers the phone",
        ],
    },
    Tongue {
        content: "Acme vattenkokare företaget vatten kunder handtag säkerhet het fabrik produkt kvalitet pris butiker modell år \
                  reparation plast ånga garanti ingenjörer marknad kök rapport arbetare lock vinter försäljning ägare land form \
                  knapp brand sladd värme vår leverans veckor svar kontor städer familj recension handel metall återförsäljare \
                  plan tillväxt besiktning brev trädgård båt sommar minister facket regler siffror glas tester barn kväll märke \
                  lager norr kostnader morgon webbplats bank maskin region domstol beslut möte energi förpackning färg framtid",
        small: "och att det som en på är av för med till den har inte om ett men var efter vid sin",
        comments: ["Det här är ofattbart.", "Ja, vem kunde ha anat det?", "Läs detta, allihop:"],
        read_on: "Läs mer på vår sajt.",
        short: [
            "Acmes vattenkokare brände min hand",
            "Acmes vattenkokare brände mitt bord",
            "Acmes vattenkokare brände min dotters hand",
            "Min kokare läcker efter två veckor",
            "Min kokare läcker efter två dagar",
            "Älskar min nya vattenkokare från Acme",
            "Köper aldrig något av Acme igen",
            "Acmes kundtjänst svarar aldrig i telefon",
        ],
    },
    Tongue {
        content: "Acme Wasserkocher Unternehmen Wasser Kunden Griff Sicherheit heiß Fabrik Produkt Qualität Preis Läden Modell Jahre \
                  Reparatur Kunststoff Dampf Garantie Ingenieure Markt Küche Bericht Arbeiter Deckel Winter Absatz Besitzer Land \
                  Gestaltung Schalter Feuer Kabel Hitze Frühling Lieferung Wochen Antwort Büro Städte Familie Bewertung Handel \
                  Metall Händler Plan Wachstum Prüfung Briefe Garten Boot Sommer Minister Gewerkschaft Regeln Zahlen Glas Tests \
                  Kinder Abend Marke Lager Norden Kosten Morgen Webseite Bank Maschine Gegend Gericht Beschluss Treffen Energie",
        small: "der die das und in zu den mit von auf für ist nicht ein eine auch es an nach bei aus wird",
        comments: ["Das ist nicht zu fassen.", "Wer hätte das gedacht?", "Bitte lest das alle:"],
        read_on: "Weiterlesen",
        short: [
            "Acme Wasserkocher hat meine Hand verbrannt",
            "Acme Wasserkocher hat meinen Tisch verbrannt",
            "Acme Wasserkocher hat die Hand meiner Tochter verbrannt",
            "Mein Kocher tropft nach zwei Wochen",
            "Mein Kocher tropft nach zwei Tagen",
            "Ich liebe meinen neuen Kocher von Acme",
            "Nie wieder kaufe ich etwas von Acme",
            "Bei Acme geht niemand ans Telefon",
        ],
    },
    Tongue {
        content: "Acme bollitore azienda acqua clienti manico sicurezza caldo fabbrica prodotto qualità prezzo negozi modello anni \
                  riparazione plastica vapore garanzia ingegneri mercato cucina rapporto operai coperchio inverno vendite \
                  proprietario paese disegno pulsante fuoco cavo calore primavera consegna settimane risposta ufficio città \
                  famiglia recensione commercio metallo rivenditore piano crescita ispezione lettere giardino barca estate \
                  ministro sindacato regole cifre vetro prove bambini sera marchio magazzino nord costi mattina sito banca",
        small: "il la di che e in un per con non una è da del i le si al come ma più dei nel",
        comments: ["Non ci posso credere.", "E chi lo avrebbe mai detto?", "Leggete tutti, per favore:"],
        read_on: "Leggi tutto",
        short: [
            "Il bollitore Acme mi ha bruciato la mano",
            "Il bollitore Acme mi ha bruciato il tavolo",
            "Il bollitore Acme ha bruciato la mano a mia figlia",
            "Il mio bollitore perde dopo due settimane",
            "Il mio bollitore perde dopo due giorni",
            "Adoro il mio nuovo bollitore Acme",
            "Non comprerò mai più niente da Acme",
            "Il servizio clienti Acme non risponde mai",
        ],
    },
    Tongue {
        content: "Acme hervidor empresa agua clientes asa seguridad caliente fábrica producto calidad precio tiendas modelo años \
                  reparación plástico vapor garantía ingenieros mercado cocina informe obreros tapa invierno ventas dueño país \
                  diseño botón fuego cable calor primavera entrega semanas respuesta oficina ciudades familia reseña comercio \
                  metal vendedor plan crecimiento inspección cartas jardín barco verano ministro sindicato normas cifras vidrio \
                  pruebas niños tarde marca almacén norte costes mañana sitio banco máquina región tribunal decisión reunión",
        small: "el la de que y en un por con no una es los del se las lo al como más pero sus le",
        comments: ["Esto es increíble.", "¿Y quién lo habría pensado?", "Leed esto todos, por favor:"],
        read_on: "Leer más",
        short: [
            "El hervidor Acme me quemó la mano",
            "El hervidor Acme me quemó la mesa",
            "El hervidor Acme quemó la mano de mi hija",
            "Mi hervidor gotea después de dos semanas",
            "Mi hervidor gotea después de dos días",
            "Me encanta mi nuevo hervidor Acme",
            "Nunca más compraré nada de Acme",
            "El servicio de Acme nunca contesta",
        ],
    },
];

/// Numbers at random, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn between(&mut self, a: usize, b: usize) -> usize {
        a + self.below(b - a + 1)
    }
}

impl Tongue {
    fn word(&self, d: &mut Dice) -> String {
        if d.below(100) < 40 {
            let small: Vec<&str> = self.small.split_whitespace().collect();
            return small[d.below(small.len())].to_owned();
        }
        if d.below(100) < 6 {
            return d.between(2, 3000).to_string();
        }
        // The usual words come more often than the others.
        let all: Vec<&str> = self.content.split_whitespace().collect();
        let x = d.below(1000) as f64 / 1000.0;
        let n = (x * x * all.len() as f64) as usize;
        all[n.min(all.len() - 1)].to_owned()
    }

    fn words(&self, d: &mut Dice, n: usize) -> Vec<String> {
        let mut out: Vec<String> = (0..n).map(|_| self.word(d)).collect();
        let mut left = 0;
        for i in 0..n {
            if left == 0 {
                left = d.between(7, 15);
                let mut cs = out[i].chars();
                out[i] = cs.next().into_iter().flat_map(char::to_uppercase).chain(cs).collect();
                if i > 0 {
                    out[i - 1].push('.');
                }
            }
            left -= 1;
        }
        out[n - 1].push('.');
        out
    }

    fn edited(&self, d: &mut Dice, words: &[String], percent: usize) -> Vec<String> {
        let mut out = Vec::new();
        for w in words {
            match d.below(100) < percent {
                false => out.push(w.clone()),
                true => match d.below(3) {
                    0 => {}
                    1 => out.push(self.word(d)),
                    _ => out.extend([w.clone(), self.word(d)]),
                },
            }
        }
        out
    }
}

const HANDLES: [&str; 6] = ["@ann", "@the_daily", "@kettle_fan", "@ben77", "@nyheter", "@casa.mia"];
const TAGS: [&str; 6] = ["#acme", "#kettle", "#fail", "#boycottacme", "#news", "#hot"];

fn pick<'a>(d: &mut Dice, of: &[&'a str]) -> &'a str {
    of[d.below(of.len())]
}

/// All texts in an order at random.
pub(crate) fn texts(seed: u64) -> Vec<Made> {
    let mut d = Dice(seed);
    let mut out: Vec<Made> = Vec::new();
    let mut story = 0u32;
    for tongue in &TONGUES {
        for _ in 0..15 {
            story += 1;
            wire(tongue, story, &mut d, &mut out);
        }
        for _ in 0..15 {
            story += 1;
            story = posts(tongue, story, &mut d, &mut out);
        }
        for _ in 0..10 {
            story += 1;
            let n = d.between(14, 24);
            let words = tongue.words(&mut d, n);
            for _ in 0..8 {
                let mut copy = words.clone();
                for _ in 0..d.between(1, 2) {
                    let at = d.below(n);
                    copy[at] = tongue.word(&mut d);
                }
                let (to, tag, other) = (pick(&mut d, &HANDLES), pick(&mut d, &TAGS), pick(&mut d, &TAGS));
                let text = match d.below(3) {
                    0 => format!("{to} {} {tag} {other}", copy.join(" ")),
                    1 => format!("{} {tag} 🔥🔥", copy.join(" ")),
                    _ => copy.join(" ").to_lowercase(),
                };
                out.push(Made { text, title: String::new(), story, kind: "campaign" });
            }
        }
        for text in tongue.short {
            story += 1;
            out.push(Made { text: text.to_owned(), title: String::new(), story, kind: "short" });
        }
        for _ in 0..60 {
            story += 1;
            let n = d.between(5, 60);
            let text = tongue.words(&mut d, n).join(" ");
            out.push(Made { text, title: String::new(), story, kind: "unrelated" });
        }
    }
    for i in (1..out.len()).rev() {
        out.swap(i, d.below(i + 1));
    }
    out
}

fn wire(t: &Tongue, story: u32, d: &mut Dice, out: &mut Vec<Made>) {
    let n = d.between(70, 220);
    let (head, n_head) = (t.words(d, 9), d.between(7, 9));
    let head = head[..n_head].join(" ").trim_end_matches('.').to_owned();
    let words = t.words(d, n);
    let mut put = |title: String, text: String, kind| out.push(Made { text, title, story, kind });
    put(head.clone(), words.join(" "), "original");
    for (percent, kind) in [(5, "edited 5 %"), (10, "edited 10 %"), (15, "edited 15 %")] {
        let body = t.edited(d, &words, percent).join(" ");
        put(format!("{head} | The Daily Example"), format!("NEWSWIRE - {body} {}", t.read_on), kind);
        let body = t.edited(d, &words, percent).join(" ");
        let other = t.words(d, 8).join(" ");
        put(other, format!("STOCKHOLM (Newswire) – {body}"), kind);
    }
    for _ in 0..2 {
        let upto = n * d.between(25, 60) / 100;
        put(head.clone(), format!("{}… {}", words[..upto].join(" "), t.read_on), "shortened");
        let upto = n * d.between(25, 60) / 100;
        put(String::new(), format!("{} [...] https://news.example/{story}", words[..upto].join(" ")), "shortened");
    }
}

fn posts(t: &Tongue, story: u32, d: &mut Dice, out: &mut Vec<Made>) -> u32 {
    let n = d.between(12, 40);
    let words = t.words(d, n);
    let text = words.join(" ");
    let mut next = story;
    let mut put = |story, text: String, kind| out.push(Made { text, title: String::new(), story, kind });
    put(story, text.clone(), "original");
    for _ in 0..2 {
        let (who, other) = (pick(d, &HANDLES), pick(d, &HANDLES));
        put(story, format!("RT {who}: {text}"), "repost");
        let short: String = format!("RT {who}: {text}").chars().take(110).collect();
        put(story, format!("{short}…"), "repost, cut");
        put(story, format!("{text} via {who} https://x.example/{story}"), "via");
        put(story, format!("{other} {} {} {}", text.to_uppercase(), pick(d, &TAGS), pick(d, &TAGS)), "tagged");
        let comment = t.comments[d.below(3)];
        put(story, format!("{comment} \"{text}\""), "quote");
        put(story, format!("{text}\n\n{comment}"), "quote");
        // Quotes a line and says much of its own.
        next += 1;
        let (line, own) = (d.between(6, 11), d.between(25, 50));
        let own = t.words(d, own).join(" ");
        put(next, format!("{who} \"{}\" {own}", words[..line].join(" ")), "reply");
    }
    next
}
