//! Which column of a table is which part of a mention, guessed from the names that tools give them.

use std::ops::RangeInclusive;

/// A part of a mention that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The id that the tool gave it.
    Id,
    /// When it was published.
    Published,
    /// The time of day, where the date stands alone.
    Time,
    /// The headline.
    Title,
    /// What it says.
    Text,
    /// Where it is found.
    Url,
    /// The site, for telling the network.
    Site,
    /// The author's name.
    Author,
    /// The author's handle.
    Handle,
    /// Followers of the author.
    Followers,
    /// Whether the network vouches for the author.
    Verified,
    /// The language.
    Language,
    /// The network, or the kind of page.
    Network,
    /// People reached.
    Reach,
    /// Likes, reposts, comments and the like; several columns are added up.
    Engagement,
    /// Post, reply, repost, quote, comment or review.
    Kind,
    /// Subreddit, group, page or board.
    Channel,
    /// The country.
    Country,
    /// Tags.
    Tags,
    /// Stars of a review.
    Rating,
}

/// Every field: its word, and the names of columns that hold it, the best first; `|` stands between them. Names are
/// compared without case, spaces, signs and what stands in brackets. English, German, Swedish, Italian, Spanish.
const FIELDS: &[(Field, &str, &str)] = &[
    (
        Field::Id,
        "id",
        "id|resourceid|mentionid|postid|documentid|articleid|guid|uniqueid|nativeid|externalid|messageid|tweetid",
    ),
    (
        Field::Published,
        "published",
        "published|publishedat|publishedon|publicationdate|publisheddate|publishdate|publishtime|pubdate|datetime|\
         dateandtime|datetimeutc|dateutc|date|createdat|createdtime|created|timestamp|timestamputc|postedat|posted|\
         postdate|at|veröffentlicht|veröffentlichtam|veröffentlichungsdatum|erscheinungsdatum|zeitpunkt|zeitstempel|\
         datumundzeit|datum|publicerad|publicerat|publiceringsdatum|tidpunkt|datadipubblicazione|pubblicato|dataora|\
         dataeora|data|fechadepublicación|fechadepublicacion|publicado|fechayhora|fecha",
    ),
    (Field::Time, "time", "time|timeofday|uhrzeit|zeit|tid|klockslag|ora|orario|hora"),
    (
        Field::Title,
        "title",
        "title|headline|subject|titel|überschrift|schlagzeile|betreff|rubrik|ämne|titolo|oggetto|título|titulo|titular|\
         asunto",
    ),
    (
        Field::Text,
        "text",
        "text|fulltext|content|body|message|mentioncontent|mentiontext|posttext|posttextcontent|tweettext|mention|\
         openingtext|hitsentence|snippet|mentionsnippet|excerpt|description|summary|caption|post|volltext|inhalt|\
         nachricht|beitrag|textauszug|erwähnung|innehåll|brödtext|meddelande|inlägg|utdrag|omnämnande|testo|contenuto|\
         messaggio|menzione|estratto|texto|contenido|mensaje|cuerpo|mención|mencion|extracto",
    ),
    (
        Field::Url,
        "url",
        "url|link|permalink|posturl|mentionurl|pageurl|articleurl|originalurl|sourceurl|messageurl|href|uri|linkurl|\
         webadresse|adresse|webbadress|länk|länkadress|collegamento|indirizzo|enlace|vínculo",
    ),
    (
        Field::Site,
        "site",
        "site|domainurl|domain|sourcedomain|website|host|hostname|sourcename|source|medium|outlet|publication|publisher|\
         webseite|webbplats|sajt|quelle|källa|sito|dominio|fonte|sitio|fuente|medio",
    ),
    (
        Field::Author,
        "author",
        "author|authorname|extraauthorattributesname|displayname|fullname|username|influencer|sender|from|byline|\
         profilename|fromname|autor|verfasser|absender|benutzer|författare|skribent|avsändare|användare|autore|mittente|\
         utente|remitente|usuario",
    ),
    (
        Field::Handle,
        "handle",
        "handle|authorhandle|authorusername|extraauthorattributesshortname|screenname|userscreenname|twitterhandle|\
         accountname|account|username|benutzername|konto|användarnamn|nomeutente|nombredeusuario|cuenta",
    ),
    (
        Field::Followers,
        "followers",
        "followers|authorfollowers|followerscount|followercount|numberoffollowers|xfollowers|twitterfollowers|\
         userfollowerscount|extraauthorattributesfollowers|subscribers|follower|anzahlfollower|abonnenten|följare|\
         antalföljare|seguaci|iscritti|seguidores",
    ),
    (
        Field::Verified,
        "verified",
        "verified|authorverified|xverified|twitterverified|isverified|verifiziert|verifierad",
    ),
    (Field::Language, "language", "language|lang|languagecode|sprache|språk|lingua|idioma"),
    (
        Field::Network,
        "network",
        "network|pagetype|sourcetype|contentsource|contentsourcename|socialnetwork|platform|mediatype|channeltype|\
         netzwerk|plattform|quellentyp|quelltyp|medientyp|nätverk|källtyp|mediatyp|rete|piattaforma|tipodifonte|\
         tipodimedia|red|redsocial|plataforma|tipodefuente|tipodemedio|type|typ|category|kategorie|kategori|categoria",
    ),
    (
        Field::Reach,
        "reach",
        "reach|potentialreach|estimatedreach|globalreach|reachnew|audience|potentialaudience|circulation|monthlyvisitors|\
         impressions|reichweite|räckvidd|portata|copertura|alcance",
    ),
    (
        Field::Engagement,
        "engagement",
        "engagement|engagements|totalengagement|totalengagements|socialengagement|interactions|totalinteractions|\
         interaktionen|engagemang|interaktioner|interazioni|coinvolgimento|interacciones|interacción",
    ),
    (Field::Kind, "kind", "kind|engagementtype|posttype|messagetype|threadentrytype|mentiontype|interactiontype"),
    (
        Field::Channel,
        "channel",
        "channel|subreddit|board|group|groupname|page|pagename|forum|gruppe|seite|grupp|sida|gruppo|grupo",
    ),
    (Field::Country, "country", "countrycode|country|sourcecountry|land|ländercode|landskod|paese|país|pais"),
    (Field::Tags, "tags", "tags|tag|labels|categories|schlagwörter|taggar|etichette|etiquetas"),
    (
        Field::Rating,
        "rating",
        "rating|stars|reviewrating|starrating|bewertung|sterne|betyg|valutazione|puntuación|valoración",
    ),
];

/// What engagement is made of where no column holds all of it.
const PARTS: &str = "likes|likecount|favorites|favourites|favoritecount|xlikes|twitterlikes|facebooklikes|instagramlikes|\
     linkedinlikes|reactions|comments|commentcount|numberofcomments|replies|replycount|xreplies|twitterreplies|\
     facebookcomments|instagramcomments|linkedincomments|redditcomments|shares|sharecount|facebookshares|\
     linkedinshares|reposts|retweets|retweetcount|xreposts|twitterretweets|quotes|gefälltmir|kommentare|geteilt|\
     gillamarkeringar|kommentarer|delningar|mipiace|commenti|condivisioni|megusta|comentarios|compartidos";

impl Field {
    /// Every field, in the order that people are shown.
    pub fn all() -> impl Iterator<Item = Field> + Clone {
        FIELDS.iter().map(|(field, ..)| *field)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, word, _)| word)
    }

    /// The field of that word.
    pub fn of(word: &str) -> Option<Field> {
        FIELDS.iter().find(|(_, own, _)| *own == word).map(|(field, ..)| *field)
    }
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    let bare = name.split_once(['(', '[']).map_or(name, |(before, _)| before);
    let bare = if bare.trim().is_empty() { name } else { bare };
    bare.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a cell reads like the name of a column.
pub(super) fn is_name(cell: &str) -> bool {
    let name = plain(cell);
    cell.len() <= 60
        && (FIELDS.iter().any(|(.., names)| names.split('|').any(|n| n == name)) || PARTS.split('|').any(|n| n == name))
}

/// Which columns hold which field; most fields have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, Vec<usize>)>);

/// A wish about the mapping that cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongMap {
    /// Not `field=Column`.
    #[error("`{0}` is no mapping; write `field=Column`, or `field=` to leave the field out")]
    Form(String),
    /// There is no such field.
    #[error("there is no field `{0}`: {1}")]
    Field(String, String),
    /// There is no such column.
    #[error("there is no column `{0}`: {1}")]
    Column(String, String),
}

/// A wish: a field, and the column that holds it, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The field.
    pub field: Field,
    /// The name of its column; empty where the field is left out.
    pub column: String,
}

impl Wish {
    /// Reads `field=Column`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Wish, WrongMap> {
        let (word, column) = text.split_once('=').ok_or_else(|| WrongMap::Form(text.to_owned()))?;
        let word = word.trim().to_lowercase();
        let field = Field::of(&word).ok_or_else(|| {
            WrongMap::Field(word.clone(), crate::config::fault::suggest(&word, Field::all().map(Field::word)))
        })?;
        Ok(Wish { field, column: column.trim().to_owned() })
    }
}

impl Mapping {
    /// The mapping of columns by their names and what was wished.
    ///
    /// # Errors
    /// A wish for a column that is not there.
    pub fn guess(columns: &[String], wishes: &[Wish]) -> Result<Mapping, WrongMap> {
        let mut out: Vec<(Field, Vec<usize>)> = Vec::new();
        let mut taken = vec![false; columns.len()];
        let mut take = |at: usize| taken.get_mut(at).is_some_and(|t| !std::mem::replace(t, true));
        for wish in wishes.iter().filter(|w| !w.column.is_empty()) {
            let exact = columns.iter().position(|c| *c == wish.column);
            let at = exact.or_else(|| columns.iter().position(|c| c.eq_ignore_ascii_case(&wish.column)));
            let at = at.ok_or_else(|| {
                let known = columns.iter().map(String::as_str).filter(|c| !c.is_empty());
                WrongMap::Column(wish.column.clone(), crate::config::fault::suggest(&wish.column, known))
            })?;
            take(at);
            out.push((wish.field, vec![at]));
        }
        let plains: Vec<String> = columns.iter().map(|c| plain(c)).collect();
        for (field, _, names) in FIELDS.iter().filter(|(f, ..)| !wishes.iter().any(|w| w.field == *f)) {
            let mut found = names.split('|').filter_map(|name| plains.iter().position(|p| p == name));
            if let Some(at) = found.find(|at| take(*at)) {
                out.push((*field, vec![at]));
            } else if *field == Field::Engagement {
                let parts = plains.iter().enumerate().filter(|(_, p)| PARTS.split('|').any(|name| name == *p));
                let parts: Vec<usize> = parts.map(|(at, _)| at).filter(|at| take(*at)).collect();
                out.extend((!parts.is_empty()).then_some((*field, parts)));
            }
        }
        let mut mapping = Mapping(out);
        mapping.name_people(&plains, wishes);
        mapping.0.sort_unstable();
        Ok(mapping)
    }

    /// Where an account and the name of a person stand apart, the account is the handle.
    fn name_people(&mut self, plains: &[String], wishes: &[Wish]) {
        let wished = |f: Field| wishes.iter().any(|w| w.field == f);
        if self.column(Field::Handle).is_some() || wished(Field::Handle) || wished(Field::Author) {
            return;
        }
        let full = plains.iter().position(|p| matches!(p.as_str(), "fullname" | "displayname"));
        if let (Some(full), Some(author)) = (full, self.column(Field::Author))
            && full != author
        {
            self.0.retain(|(f, _)| *f != Field::Author);
            self.0.extend([(Field::Author, vec![full]), (Field::Handle, vec![author])]);
        }
    }

    /// Leaves a field out.
    pub fn leave_out(&mut self, field: Field) {
        self.0.retain(|(f, _)| *f != field);
    }

    /// The columns of a field.
    pub fn columns(&self, field: Field) -> &[usize] {
        self.0.iter().find(|(f, _)| *f == field).map_or(&[], |(_, columns)| columns)
    }

    /// The first column of a field.
    pub fn column(&self, field: Field) -> Option<usize> {
        self.columns(field).first().copied()
    }

    /// The field that a column holds.
    pub fn field(&self, column: usize) -> Option<Field> {
        self.0.iter().find(|(_, columns)| columns.contains(&column)).map(|(field, _)| *field)
    }
}

/// Rows among which the names of the columns stand.
const HEAD: usize = 20;

/// Which of the first rows names the columns, counted from 0: what reads most like names; exports of several tools have
/// lines about themselves above it. `wished` are names that the call knows.
pub(super) fn header<'a>(rows: impl Iterator<Item = Vec<&'a str>>, wished: &[String]) -> usize {
    let mut best = (0, 0, 0usize);
    for (n, row) in rows.take(HEAD).enumerate() {
        let known = row.iter().filter(|c| is_name(c) || wished.iter().any(|w| w == *c)).count();
        let filled = row.iter().filter(|c| is_word(c)).count();
        // One known name is chance, as in a line of words about the export.
        let known = if known >= 2 || row.len() <= 2 { known } else { 0 };
        if (known, filled) > (best.0, best.1) {
            best = (known, filled, n);
        }
    }
    best.2
}

/// Whether a cell could name something: short, and no number.
fn is_word(cell: &str) -> bool {
    const LENGTH: RangeInclusive<usize> = 1..=60;
    LENGTH.contains(&cell.trim().len()) && !cell.trim().starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(header: &str) -> String {
        let columns: Vec<String> = header.split(',').map(|c| c.trim().to_owned()).collect();
        let mapping = Mapping::guess(&columns, &[]).expect("no wishes");
        let pair = |(field, at): &(Field, Vec<usize>)| {
            let names: Vec<&str> = at.iter().map(|i| columns[*i].as_str()).collect();
            format!("{}={}", field.word(), names.join("+"))
        };
        mapping.0.iter().map(pair).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_headers_of_common_tools() {
        assert_eq!(
            mapped(
                "Query Id, Date, Title, Snippet, Full Text, Url, Domain, Sentiment, Page Type, Language, Country Code, Author, Full Name, Reach (new), Impact, Followers"
            ),
            "published=Date, title=Title, text=Full Text, url=Url, site=Domain, author=Full Name, handle=Author, followers=Followers, language=Language, network=Page Type, reach=Reach (new), country=Country Code"
        );
        assert_eq!(
            mapped(
                "published, title, content, url, domain_url, lang, sourcetype, extra_author_attributes.name, extra_author_attributes.short_name, reach, engagement"
            ),
            "published=published, title=title, text=content, url=url, site=domain_url, author=extra_author_attributes.name, handle=extra_author_attributes.short_name, language=lang, network=sourcetype, reach=reach, engagement=engagement"
        );
        assert_eq!(
            mapped(
                "Date, Headline, URL, Opening Text, Hit Sentence, Source, Influencer, Country, Language, Reach, Sentiment, Key Phrases"
            ),
            "published=Date, title=Headline, text=Opening Text, url=URL, site=Source, author=Influencer, language=Language, reach=Reach, country=Country"
        );
        assert_eq!(
            mapped(
                "Date, Title, Mention, Link, Domain, Category, Author, Followers count, Estimated reach, Likes, Comments, Shares"
            ),
            "published=Date, title=Title, text=Mention, url=Link, site=Domain, author=Author, followers=Followers count, network=Category, reach=Estimated reach, engagement=Likes+Comments+Shares"
        );
        assert_eq!(
            mapped("Timestamp (UTC), Message, Permalink, Network, Message Type, Sender Screen Name, From, Likes"),
            "published=Timestamp (UTC), text=Message, url=Permalink, author=From, network=Network, engagement=Likes, kind=Message Type"
        );
    }

    #[test]
    fn five_languages() {
        for header in [
            "Datum, Überschrift, Inhalt, Link, Autor, Sprache, Reichweite",
            "Publiceringsdatum, Rubrik, Innehåll, Länk, Författare, Språk, Räckvidd",
            "Data, Titolo, Testo, Collegamento, Autore, Lingua, Portata",
            "Fecha, Título, Contenido, Enlace, Autor, Idioma, Alcance",
        ] {
            let fields: String = mapped(header).split(", ").map(|p| p.split_once('=').expect("a pair").0).collect();
            assert_eq!(fields, "publishedtitletexturlauthorlanguagereach", "{header}");
        }
    }

    #[test]
    fn vakts_own_exports() {
        let mut head = Vec::new();
        crate::report::csv::head(&mut head).expect("memory");
        assert_eq!(
            mapped(String::from_utf8(head).expect("ASCII").trim()),
            "id=id, published=published, title=title, text=text, url=url, site=site, author=author, handle=handle, followers=followers, language=language, network=network, reach=reach, engagement=engagement"
        );
    }

    #[test]
    fn wishes_come_first() {
        let columns: Vec<String> = ["When", "Text", "Snippet"].map(str::to_owned).to_vec();
        let wishes = ["published=when", "text=Snippet", "title="].map(|w| Wish::parse(w).expect("a wish"));
        let mapping = Mapping::guess(&columns, &wishes).expect("they are there");
        assert_eq!((mapping.column(Field::Published), mapping.column(Field::Text)), (Some(0), Some(2)));
        assert_eq!((mapping.field(1), mapping.column(Field::Title)), (None, None));
        let wrong = Mapping::guess(&columns, &[Wish::parse("url=Snipet").expect("a wish")]).expect_err("not there");
        assert!(wrong.to_string().contains("did you mean `Snippet`?"), "{wrong}");
        assert!(Wish::parse("publised=When").expect_err("no field").to_string().contains("`published`"));
        assert!(Wish::parse("text").is_err());
    }

    #[test]
    fn the_header_stands_below_a_preamble() {
        let rows =
            ["Report:,Acme brand", "From:,2026-01-01,To:,2026-02-01", "", "Date,Title,Snippet,Url", "2026-01-02,a,b,c"];
        assert_eq!(header(rows.iter().map(|r| r.split(',').collect()), &[]), 3);
        assert_eq!(header(["a,b,c", "1,2,3"].iter().map(|r| r.split(',').collect()), &[]), 0);
        assert_eq!(
            header(["x,y", "When,What"].iter().map(|r| r.split(',').collect()), &["When".into(), "What".into()]),
            1
        );
    }
}
