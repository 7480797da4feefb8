//! `voice.toml`: how the brand speaks, everywhere, in a language, on a network.

use crate::config::fault::suggest;
use crate::config::written::{At, Form};
use crate::engine::wording;
use crate::model::voice::{Address, Avoided, Manner};
use crate::model::{Network, Voice};
use crate::text::language;

/// Most words and names of one part of the guide: each of them is looked for in every draft.
const MOST: usize = 500;

pub(super) fn read(form: Form<'_>, out: &mut Voice) {
    for name in form.texts("networks") {
        if let Some(network) = network(&form, &name).filter(|n| !out.networks.contains(n)) {
            out.networks.push(network);
        }
    }
    for manner in form.tables("voice", "part of the voice guide") {
        out.manners.push(read_one(manner));
    }
    form.finish();
    out.manners.sort_by_key(|m| (m.network.is_some(), m.language.is_some()));
}

fn network(form: &Form<'_>, name: &At<String>) -> Option<Network> {
    let found = Network::parse(&name.value);
    if found.is_none() {
        let help = suggest(&name.value, Network::ALL.map(Network::as_str));
        form.desk.error(name.span.clone(), format!("there is no network `{}` to speak on", name.value), help);
    }
    found
}

fn read_one(form: Form<'_>) -> Manner {
    let language = form.text("language").and_then(|l| match language::known(&l.value) {
        language::UNKNOWN => {
            let message = format!("`{}` is no language", l.value);
            form.desk.error(l.span, message, "write an ISO 639-1 code such as \"sv\"");
            None
        }
        code => Some(code.to_owned()),
    });
    let network = form.text("network").and_then(|n| network(&form, &n));
    let address = form.choice("address", &["formal", "informal"], Address::parse);
    if let (Some(address), Some(language)) = (&address, &language)
        && !wording::has_forms(language)
    {
        let message = format!("vakt knows no forms of address of `{language}`");
        form.desk.error(address.span.clone(), message, "say it for sv, de, it, es, fr or nl; elsewhere take it out");
    }
    let most = |key| form.number(key, 0..=100).and_then(|n| usize::try_from(n.value).ok());
    let texts = |key| form.texts(key).into_iter().map(|t| t.value).take(MOST).collect::<Vec<String>>();
    let manner = Manner {
        tone: form.text("tone").map(|t| t.value).unwrap_or_default(),
        address: address.map(|a| a.value),
        emoji: most("emoji"),
        hashtags: most("hashtags"),
        exclamations: most("exclamations"),
        sign_offs: texts("sign_offs"),
        spelling: texts("spelling"),
        avoid: form.tables("avoid", "thing to avoid").into_iter().flat_map(avoided).take(MOST).collect(),
        language,
        network,
    };
    form.finish();
    manner
}

fn avoided(form: Form<'_>) -> Vec<Avoided> {
    let words = form.texts("words");
    let instead = form.must_text("instead").map(|i| i.value).unwrap_or_default();
    if words.is_empty() {
        form.desk.error(form.span.clone(), "there are no words to avoid here", "write words = [\"…\"]");
    }
    for word in &words {
        let bare = word.value.trim_end_matches('*').trim();
        if bare.is_empty() || bare.contains('*') {
            let message = format!("`{}` is nothing that can be looked for", word.value);
            form.desk.error(word.span.clone(), message, "write words, with a `*` at their end for any ending");
        }
    }
    let out = words.iter().map(|w| Avoided { words: w.value.clone(), instead: instead.clone() }).collect();
    form.finish();
    out
}
