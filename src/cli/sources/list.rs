//! How each source stands: when it spoke, how often, what may still be asked, and what to do where it is silent.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::super::{Paint, Verdict, safe, show_faults};
use super::named;
use crate::ground::Clock;
use crate::model::time::{Span, between, from_millis};
use crate::sources::hooks::{self, NamedHook};
use crate::sources::http::place_of;
use crate::sources::{FetchError, Named};
use crate::store::sources::{SourceState, StreamState, all};
use crate::store::subscriptions::Subscription;
use crate::store::{Store, pauses, subscriptions};

/// Lists the sources and hooks of the settings; the answer is no where one of them is blind.
pub(super) fn list(file: Option<&Path>, json: bool) -> anyhow::Result<Verdict> {
    let Some((config, named)) = named(file)? else { return Ok(Verdict::Wrong) };
    let hooks = match hooks::read(&config.sheet, &named) {
        Ok(hooks) => hooks,
        Err(faults) => {
            show_faults(&faults);
            return Ok(Verdict::Wrong);
        }
    };
    let base = config.base_url.as_deref().unwrap_or("");
    let store = config.database().exists().then(|| Store::open(&config.database())).transpose()?;
    let states: BTreeMap<String, SourceState> = match &store {
        Some(store) => store.read(all)?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    let hubs: BTreeMap<&str, Subscription> = match &store {
        Some(store) => hubs(store, &named)?,
        None => BTreeMap::new(),
    };
    let blind = named.iter().any(|n| standing(states.get(&n.name)) == "blind");
    let verdict = if blind { Verdict::No } else { Verdict::Done };
    if json {
        let row = |n: &Named| {
            let state = states.get(&n.name);
            serde_json::json!({
                "name": n.name, "kind": n.kind, "standing": standing(state), "remedy": state.map_or("", remedy),
                "state": state.map(without_cursors),
                "topics": n.topics, "notes": n.notes, "hub": hubs.get(n.name.as_str()),
            })
        };
        let hook = |h: &NamedHook| {
            let state = states.get(&h.name);
            let standing = if state.is_some() { "well" } else { "new" };
            serde_json::json!({
                "name": h.name, "kind": h.kind, "hook": format!("{base}{}", hooks::path(&h.name)), "standing": standing, "remedy": "",
                "state": state.map(without_cursors),
            })
        };
        say!("{}", serde_json::Value::from(named.iter().map(row).chain(hooks.iter().map(hook)).collect::<Vec<_>>()));
        return Ok(verdict);
    }
    let (paint, now) = (Paint::new(), Clock::System.now());
    for source in &named {
        let state = states.get(&source.name);
        let word = match standing(state) {
            "blind" => paint.bad("blind   "),
            "degraded" | "failing" => paint.warm(&format!("{:<8}", standing(state))),
            other => format!("{other:<8}"),
        };
        let detail = state.map_or_else(|| "not asked yet".to_owned(), |s| detail(s, now));
        say!("{word}  {:<24} {:<13} {detail}", safe(&source.name, 24), source.kind);
        let mut lines = state.map(trouble).unwrap_or_default();
        lines.extend(state.filter(|_| source.source.live().is_some()).map(|s| connection(&s.stream, now)));
        lines.extend(hubs.get(source.name.as_str()).map(|hub| told_by(hub, now)));
        lines.extend(source.notes.iter().map(|note| safe(note, 200)));
        for line in lines {
            say!("{:10}{}", "", paint.dim(&line));
        }
    }
    for hook in &hooks {
        let state = states.get(&hook.name);
        let word = if state.is_some() { "well" } else { "new" };
        let detail = state.map_or_else(|| "not called yet".to_owned(), |s| called(s, now));
        let address = format!("{base}{}", hooks::path(&hook.name));
        say!(
            "{word:<8}  {:<24} {:<13} {detail}; called at {address}",
            safe(&hook.name, 24),
            format!("hook {}", hook.kind)
        );
        for line in state.map(trouble).unwrap_or_default() {
            say!("{:10}{}", "", paint.dim(&line));
        }
    }
    for (host, until) in store.map(|s| s.read(pauses::all)).transpose()?.unwrap_or_default() {
        let left = between(now, until);
        if left > Span::ZERO {
            say!("{} is left alone for another {}, as it asked", safe(&host, 100), rough(left));
        }
    }
    if named.is_empty() && hooks.is_empty() {
        say!("No sources yet. Add [[source]] tables to vakt.toml; `vakt sources kinds` shows what there is.");
    }
    Ok(verdict)
}

fn hubs<'n>(store: &Store, named: &'n [Named]) -> anyhow::Result<BTreeMap<&'n str, Subscription>> {
    let mut out = BTreeMap::new();
    for source in named.iter().filter(|n| n.source.wants_hub()) {
        let hub = store.read(|c| subscriptions::of_source(c, &source.name))?;
        out.extend(hub.map(|hub| (source.name.as_str(), hub)));
    }
    Ok(out)
}

/// What is kept of a source, without how far it was read: that is in its own words, and among them may be addresses with
/// what lets vakt in.
fn without_cursors(state: &SourceState) -> serde_json::Value {
    let mut shown = serde_json::json!(state);
    for at in ["", "/stream"] {
        if let Some(kept) = shown.pointer_mut(at).and_then(serde_json::Value::as_object_mut) {
            kept.remove("cursor");
        }
    }
    shown
}

/// How a connection stands.
fn connection(s: &StreamState, now: Timestamp) -> String {
    let since = |at: i64| rough(between(from_millis(at), now));
    let ends = if s.ends > 0 { format!(", ended {} times so far", s.ends) } else { String::new() };
    match (s.since, s.error.as_str()) {
        (0, "") => "not connected yet".to_owned(),
        (0, why) => {
            let wait = rough(between(now, from_millis(s.due)));
            format!("not connected: {}; tried again in {wait}{ends}", safe(why, 150))
        }
        (at, _) => format!("connected for {}{ends}", since(at)),
    }
}

/// How its hub stands.
fn told_by(hub: &Subscription, now: Timestamp) -> String {
    let place = safe(&place_of(&hub.hub), 100);
    let left = between(now, from_millis(hub.until));
    match hub.error.as_str() {
        "" if left > Span::ZERO => format!("{place} tells what is new, for another {}", rough(left)),
        "" => format!("{place} was asked to tell what is new, and has not answered yet"),
        why => format!("{place} does not tell what is new: {}", safe(why, 150)),
    }
}

fn standing(state: Option<&SourceState>) -> &'static str {
    match state {
        None => "new",
        Some(s) if !s.blind.is_empty() => "blind",
        Some(s) if s.failures > 0 => "failing",
        Some(s) if !s.degraded.is_empty() => "degraded",
        Some(_) => "well",
    }
}

fn detail(s: &SourceState, now: Timestamp) -> String {
    let mut parts = vec![format!("{} mentions", s.mentions)];
    let ago = |at: i64| rough(between(from_millis(at), now));
    if s.last_new > 0 {
        parts.push(format!("last new {} ago", ago(s.last_new)));
    }
    if s.habit > 0.0 {
        parts.push(format!("usually every {}", rough(Span::millis(s.habit as i64))));
    }
    if s.last_ok > 0 && s.failures == 0 {
        parts.push(format!("read {} ago", ago(s.last_ok)));
    }
    match between(now, from_millis(s.due)) {
        wait if wait > Span::ZERO => parts.push(format!("next in {}", rough(wait))),
        _ => parts.push("next now".to_owned()),
    }
    if let Some(left) = s.quota_left {
        let until = between(now, from_millis(s.quota_until));
        let more = if until > Span::ZERO { format!(", more in {}", rough(until)) } else { String::new() };
        parts.push(format!("{left} requests left{more}"));
    }
    if s.gaps > 0 {
        parts.push(format!("{} gaps", s.gaps));
    }
    parts.join(", ")
}

/// How a hook stands, which is called and never asked.
fn called(s: &SourceState, now: Timestamp) -> String {
    let ago = |at: i64| rough(between(from_millis(at), now));
    let new = if s.last_new > 0 { format!(", last new {} ago", ago(s.last_new)) } else { String::new() };
    format!("{} mentions{new}, called {} ago", s.mentions, ago(s.last_ok))
}

/// What is wrong, in words, and what to do about it.
fn trouble(s: &SourceState) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = [&s.blind, &s.error, &s.degraded].into_iter().find(|w| !w.is_empty()) {
        lines.push(safe(why, 200));
    }
    if !remedy(s).is_empty() {
        lines.push(format!("→ {}", remedy(s)));
    }
    if s.skipped > 0 {
        lines.push(format!("{} items could not be read, the last: {}", s.skipped, safe(&s.skipped_last, 100)));
    }
    lines
}

fn remedy(s: &SourceState) -> &'static str {
    match s.failures {
        0 if !s.blind.is_empty() => "look at the place: is it silent, or does it say what vakt no longer understands?",
        _ => FetchError::remedy(&s.error_class),
    }
}

/// A length of time in its largest unit, as people say it.
fn rough(span: Span) -> String {
    match span.as_millis() / 1000 {
        s if s < 120 => format!("{} s", s.max(0)),
        s if s < 2 * 3600 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_and_trouble_says_what_to_do() {
        let now = from_millis(1_000_000_000_000);
        let ago = |s: Span| now.as_millisecond() - s.as_millis();
        let state = SourceState {
            mentions: 7,
            last_new: ago(Span::mins(50)),
            last_ok: ago(Span::secs(30)),
            habit: 900_000.0,
            due: now.as_millisecond() + 30_000,
            quota_left: Some(12),
            quota_until: now.as_millisecond() + 240_000,
            ..SourceState::default()
        };
        assert_eq!(
            detail(&state, now),
            "7 mentions, last new 50 min ago, usually every 15 min, read 30 s ago, next in 30 s, 12 requests left, more in 4 min"
        );
        assert!(trouble(&state).is_empty());
        let open = StreamState { since: ago(Span::hours(3)), ends: 2, ..StreamState::default() };
        assert_eq!(connection(&open, now), "connected for 3 h, ended 2 times so far");
        let due = now.as_millisecond() + 8_000;
        let closed = StreamState { error: "it answered 401".into(), due, ..StreamState::default() };
        assert_eq!(connection(&closed, now), "not connected: it answered 401; tried again in 8 s");
        let hub = Subscription {
            hub: "https://hub.example/?k=1".into(),
            until: now.as_millisecond() + 1,
            ..Subscription::default()
        };
        assert_eq!(told_by(&hub, now), "https://hub.example/ tells what is new, for another 0 s");
        let failing =
            SourceState { failures: 2, error: "it answered 401".into(), error_class: "unauthorized".into(), ..state };
        assert_eq!(standing(Some(&failing)), "failing");
        assert!(
            trouble(&failing).get(1).is_some_and(|l| l.starts_with("→ check the token")),
            "{:?}",
            trouble(&failing)
        );
    }

    #[test]
    fn cursors_are_not_shown() {
        let kept = serde_json::json!({ "url": "https://u:canary@a.example/" });
        let stream = StreamState { cursor: kept.clone(), since: 7, ..StreamState::default() };
        let shown = without_cursors(&SourceState { cursor: kept, mentions: 3, stream, ..SourceState::default() });
        assert_eq!((&shown["mentions"], &shown["stream"]["since"]), (&3.into(), &7.into()));
        assert!(!shown.to_string().contains("cursor") && !shown.to_string().contains("canary"), "{shown}");
    }

    #[test]
    fn every_failure_has_a_remedy() {
        for class in [
            "setup",
            "address",
            "refused_address",
            "dns",
            "connect",
            "tls",
            "timeout",
            "unauthorized",
            "secret",
            "gone",
            "status",
            "rate_limited",
            "paused",
            "redirect",
            "robots",
            "too_large",
            "decode",
        ] {
            assert!(!FetchError::remedy(class).is_empty(), "{class}");
        }
    }
}
