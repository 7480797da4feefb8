//! Drafts in lines for a terminal, or as JSON.

use jiff::tz::TimeZone;

use super::super::{Paint, safe};
use super::lint;
use crate::engine::drafts::whom;
use crate::engine::wording::Kind;
use crate::model::draft::State;
use crate::model::{Draft, Voice};

pub(super) fn list(found: &[Draft], json: bool) -> anyhow::Result<()> {
    if json {
        say!("{}", serde_json::to_string(found)?);
        return Ok(());
    }
    if found.is_empty() {
        say!("Nothing waits to be said.");
    }
    let paint = Paint::new();
    for d in found {
        let state = format!("{:<11}", d.state.as_str());
        let state = if d.state == State::Approved { paint.good(&state) } else { paint.warm(&state) };
        let place = d.network.map_or("any", |n| n.as_str());
        let count = format!("{}/{}", d.approvals.len(), d.asked);
        let by = if d.by_machine().is_some() { "(by a machine) " } else { "" };
        say!("{:>4}  {state}  {count}  {:<2}  {place:<9}  {by}{}", d.id, d.language, paint.dim(&safe(&d.text, 70)));
    }
    Ok(())
}

fn day(at: jiff::Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A draft with all that is to know about it before it is approved.
pub(super) fn one(d: &Draft, voice: &Voice, reads: &str, json: bool) -> anyhow::Result<()> {
    let kind = if d.reply { Kind::Reply } else { Kind::Statement };
    let look = lint::look(&d.text, voice, &d.language, d.network, kind);
    if json {
        say!("{}", serde_json::json!({ "draft": d, "length": look.length, "findings": look.findings }));
        return Ok(());
    }
    let paint = Paint::new();
    let about = match (d.about.incident, d.about.mention) {
        (Some(n), _) => format!(" · incident {n}"),
        (None, Some(n)) => format!(" · reply to mention {n}"),
        (None, None) => String::new(),
    };
    let place = d.network.map_or(String::new(), |n| format!(" · {}", n.title()));
    let name = paint.bold(&format!("draft {}, version {}", d.id, d.version));
    say!("{name} · {} · {}{place}{about}", d.state.as_str(), d.language);
    say!("written by {}, {}", d.authors.join(", "), day(d.written));
    if let Some(model) = d.by_machine() {
        say!(
            "{}",
            paint.warm(&format!(
                "proposed by a machine ({}), which no person has changed: read every word",
                safe(model, 60)
            ))
        );
    } else if let Some(machine) = &d.machine {
        say!(
            "{}",
            paint.dim(&format!("version {} was proposed by a machine ({})", machine.version, safe(&machine.model, 60)))
        );
    }
    say!("");
    for line in d.text.lines() {
        say!("  {}", safe(line, 4000));
    }
    say!("");
    look.tell(&d.text, reads, paint);
    let tone = voice.at(&d.language, d.network).tone;
    if !tone.is_empty() && d.state == State::Waiting {
        say!("{}", paint.dim(&tone));
    }
    for a in &d.approvals {
        say!("{} approved by {}", paint.good("✓"), a.by);
    }
    for past in d.past.iter().rev() {
        say!("{}", paint.dim(&format!("version {} by {}, {}:", past.version, past.by, day(past.at))));
        for line in past.text.lines() {
            say!("  {}", paint.dim(&safe(line, 4000)));
        }
    }
    match d.state {
        State::Waiting => say!("{} of {} approvals; ask {}", d.approvals.len(), d.asked, whom(d)),
        State::Approved => say!("approved; `vakt draft hand-over {} --as NAME` gives it out", d.id),
        State::Rejected => {
            if let Some(mark) = &d.rejected {
                say!("rejected by {}: {}", mark.by, safe(&mark.note, 500));
            }
        }
        State::HandedOver => {
            if let Some(mark) = &d.handed_over {
                let to = if mark.note.is_empty() { String::new() } else { format!(": {}", safe(&mark.note, 500)) };
                say!("handed over by {}{to}", mark.by);
            }
        }
    }
    Ok(())
}
