//! The words around a draft that waits, in the languages of those who are asked: in the mail and on the page.

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    /// ISO 639-1 code.
    pub code: &'static str,
    /// A draft waits for the reader.
    pub waits: &'static str,
    /// The reader's own draft is approved.
    pub yours_approved: &'static str,
    /// The reader's own draft was sent back.
    pub yours_back: &'static str,
    /// An approved text is the reader's to post.
    pub to_post: &'static str,
    /// The reader's approved text was handed over and has arrived nowhere.
    pub undelivered: &'static str,
    /// Approved by, before names.
    pub approved_by: &'static str,
    /// Before the words of a text that is to be posted.
    pub as_it_stands: &'static str,
    /// A machine has proposed the text.
    pub machine: &'static str,
    /// Written by, before a name.
    pub written: &'static str,
    /// On the link.
    pub read: &'static str,
    /// Before the digits of the mail, and where they are typed.
    pub digits: &'static str,
    /// Before what the voice guide wants otherwise.
    pub findings: &'static str,
    /// Before the command.
    pub also: &'static str,
    /// On the button that approves.
    pub approve: &'static str,
    /// On the button that sends it back.
    pub reject: &'static str,
    /// Why it is sent back.
    pub reason: &'static str,
    /// It is approved.
    pub approved: &'static str,
    /// It was sent back.
    pub rejected: &'static str,
    /// It is out of the house.
    pub out: &'static str,
    /// Others were faster, or the text is another one.
    pub changed: &'static str,
    /// It cannot be approved.
    pub unfit: &'static str,
    /// No reason was given.
    pub unsaid: &'static str,
    /// Those are not the digits.
    pub wrong: &'static str,
    /// Too many wrong ones.
    pub too_often: &'static str,
    /// The button was pressed before anybody could have read.
    pub again: &'static str,
    /// The link leads nowhere.
    pub dead: &'static str,
}

impl Words {
    /// The words of every language.
    pub(super) fn all() -> &'static [&'static Words] {
        &WORDS
    }

    /// The words for somebody who reads these languages, best first; English where none is known.
    pub fn of(languages: &[String]) -> &'static Words {
        let of = |language: &String| WORDS.iter().find(|w| w.code == language);
        languages.iter().find_map(of).copied().unwrap_or(&EN)
    }
}

static EN: Words = Words {
    code: "en",
    waits: "A draft waits for your approval",
    yours_approved: "Your draft is approved",
    yours_back: "Your draft comes back",
    to_post: "An approved text is yours to post",
    undelivered: "Your approved text has arrived nowhere",
    approved_by: "approved by",
    as_it_stands: "Please post it exactly as it stands here",
    machine: "Proposed by a machine: read every word",
    written: "written by",
    read: "Read it and decide",
    digits: "The four digits",
    findings: "The voice guide wants otherwise",
    also: "Or on the command line",
    approve: "I approve this text",
    reject: "Send it back",
    reason: "Why it goes back",
    approved: "You have approved it.",
    rejected: "It is sent back with your reason.",
    out: "It is handed over already.",
    changed: "The text has been changed or decided on meanwhile. Nothing has changed by this page; a new text comes with a new mail.",
    unfit: "It cannot be approved as it is:",
    unsaid: "Please say why it goes back. Nothing has changed.",
    wrong: "Those are not the digits in the mail. Nothing has changed.",
    too_often: "Too many wrong codes. Use `vakt draft approve`, or ask somebody who can.",
    again: "Please read it and press once more: nothing has changed yet.",
    dead: "This link is not valid, or no longer. Nothing has changed.",
};

static WORDS: [&Words; 5] = [&EN, &SV, &DE, &IT, &ES];

static SV: Words = Words {
    code: "sv",
    waits: "Ett utkast väntar på ditt godkännande",
    yours_approved: "Ditt utkast är godkänt",
    yours_back: "Ditt utkast kommer tillbaka",
    to_post: "En godkänd text är din att publicera",
    undelivered: "Din godkända text har inte kommit fram",
    approved_by: "godkänd av",
    as_it_stands: "Publicera den precis som den står här",
    machine: "Föreslagen av en maskin: läs vartenda ord",
    written: "skrivet av",
    read: "Läs det och ta ställning",
    digits: "De fyra siffrorna",
    findings: "Språkguiden vill ha det annorlunda",
    also: "Eller på kommandoraden",
    approve: "Jag godkänner texten",
    reject: "Skicka tillbaka",
    reason: "Varför det går tillbaka",
    approved: "Du har godkänt det.",
    rejected: "Det går tillbaka med din förklaring.",
    out: "Det är redan överlämnat.",
    changed: "Texten har ändrats eller avgjorts under tiden. Den här sidan har inte ändrat något; en ny text kommer med ett nytt mejl.",
    unfit: "Det kan inte godkännas som det är:",
    unsaid: "Skriv varför det går tillbaka. Inget har ändrats.",
    wrong: "Det är inte siffrorna i mejlet. Inget har ändrats.",
    too_often: "För många felaktiga koder. Använd `vakt draft approve` eller be någon som kan.",
    again: "Läs det och tryck en gång till: inget har ändrats än.",
    dead: "Länken gäller inte, eller inte längre. Inget har ändrats.",
};

static DE: Words = Words {
    code: "de",
    waits: "Ein Entwurf wartet auf Ihre Freigabe",
    yours_approved: "Ihr Entwurf ist freigegeben",
    yours_back: "Ihr Entwurf kommt zurück",
    to_post: "Ein freigegebener Text wartet darauf, dass Sie ihn veröffentlichen",
    undelivered: "Ihr freigegebener Text ist nicht angekommen",
    approved_by: "freigegeben von",
    as_it_stands: "Bitte genau so veröffentlichen, wie er hier steht",
    machine: "Von einer Maschine vorgeschlagen: Bitte jedes Wort lesen",
    written: "verfasst von",
    read: "Lesen und entscheiden",
    digits: "Die vier Ziffern",
    findings: "Der Sprachleitfaden möchte es anders",
    also: "Oder auf der Kommandozeile",
    approve: "Ich gebe den Text frei",
    reject: "Zurückgeben",
    reason: "Warum er zurückgeht",
    approved: "Sie haben ihn freigegeben.",
    rejected: "Er geht mit Ihrer Begründung zurück.",
    out: "Er ist bereits übergeben.",
    changed: "Der Text wurde inzwischen geändert oder entschieden. Diese Seite hat nichts geändert; ein neuer Text kommt mit einer neuen Mail.",
    unfit: "So kann er nicht freigegeben werden:",
    unsaid: "Bitte sagen Sie, warum er zurückgeht. Nichts hat sich geändert.",
    wrong: "Das sind nicht die Ziffern in der Mail. Nichts hat sich geändert.",
    too_often: "Zu viele falsche Codes. Verwenden Sie `vakt draft approve`, oder bitten Sie jemanden darum.",
    again: "Bitte lesen und noch einmal drücken: es hat sich noch nichts geändert.",
    dead: "Dieser Link gilt nicht oder nicht mehr. Nichts hat sich geändert.",
};

static IT: Words = Words {
    code: "it",
    waits: "Una bozza attende la Sua approvazione",
    yours_approved: "La Sua bozza è approvata",
    yours_back: "La Sua bozza torna indietro",
    to_post: "Un testo approvato attende che Lei lo pubblichi",
    undelivered: "Il Suo testo approvato non è arrivato",
    approved_by: "approvato da",
    as_it_stands: "Lo pubblichi esattamente come sta qui",
    machine: "Proposto da una macchina: legga ogni parola",
    written: "scritta da",
    read: "Leggere e decidere",
    digits: "Le quattro cifre",
    findings: "La guida di stile chiede altro",
    also: "Oppure dalla riga di comando",
    approve: "Approvo il testo",
    reject: "Rimandare indietro",
    reason: "Perché torna indietro",
    approved: "L'ha approvata.",
    rejected: "Torna indietro con la Sua motivazione.",
    out: "È già stata consegnata.",
    changed: "Nel frattempo il testo è cambiato o è stato deciso. Questa pagina non ha cambiato nulla; un nuovo testo arriva con una nuova mail.",
    unfit: "Così com'è non può essere approvata:",
    unsaid: "Scriva perché torna indietro. Non è cambiato nulla.",
    wrong: "Non sono le cifre della mail. Non è cambiato nulla.",
    too_often: "Troppi codici errati. Usi `vakt draft approve` o chieda a chi può farlo.",
    again: "La legga e prema ancora una volta: non è ancora cambiato nulla.",
    dead: "Questo link non è valido, o non lo è più. Non è cambiato nulla.",
};

static ES: Words = Words {
    code: "es",
    waits: "Un borrador espera su aprobación",
    yours_approved: "Su borrador está aprobado",
    yours_back: "Su borrador vuelve",
    to_post: "Un texto aprobado espera a que usted lo publique",
    undelivered: "Su texto aprobado no ha llegado",
    approved_by: "aprobado por",
    as_it_stands: "Publíquelo exactamente como está aquí",
    machine: "Propuesto por una máquina: lea cada palabra",
    written: "escrito por",
    read: "Leerlo y decidir",
    digits: "Las cuatro cifras",
    findings: "La guía de estilo pide otra cosa",
    also: "O en la línea de órdenes",
    approve: "Apruebo el texto",
    reject: "Devolverlo",
    reason: "Por qué se devuelve",
    approved: "Lo ha aprobado.",
    rejected: "Se devuelve con su explicación.",
    out: "Ya se ha entregado.",
    changed: "Entretanto el texto ha cambiado o se ha decidido. Esta página no ha cambiado nada; un texto nuevo llega con un correo nuevo.",
    unfit: "No puede aprobarse tal como está:",
    unsaid: "Diga por qué se devuelve. Nada ha cambiado.",
    wrong: "No son las cifras del correo. Nada ha cambiado.",
    too_often: "Demasiados códigos erróneos. Use `vakt draft approve` o pídaselo a quien pueda.",
    again: "Léalo y pulse una vez más: todavía no ha cambiado nada.",
    dead: "Este enlace no es válido, o ya no lo es. Nada ha cambiado.",
};
