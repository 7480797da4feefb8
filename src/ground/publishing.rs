//! What is about to be published while something is wrong: letters ask to hold it back, and the tool that publishes it is
//! told to pause, and to go on.

use jiff::Timestamp;

use super::Letterhead;
use crate::channels::letter::Brief;
use crate::channels::short;
use crate::engine::incident::Call;
use crate::model::people::PUBLISHING;
use crate::model::time::Span;
use crate::model::{Alert, Incident, Notice, People, Person, Planned, Status, TopicKind};
use crate::rules::Rules;
use crate::store::outbox::{self, By, Message};
use crate::store::{Connection, Stored};

/// Posts of the next hours are told: a night and the morning after it.
const AHEAD: Span = Span::hours(12);

/// What is to be published in the next hours about what an incident is about, soonest first. News of competitors hold up
/// nothing of one's own.
pub(super) fn planned<'r>(rules: &'r Rules, alert: &Alert, incident: &Incident, now: Timestamp) -> Vec<&'r Planned> {
    if rules.topic(&incident.topic).is_some_and(|t| t.kind == TopicKind::Competitor) {
        return Vec::new();
    }
    let concerned = |p: &Planned| p.concerns(&incident.topic) || alert.topics.iter().any(|t| p.concerns(t));
    let soon = |p: &Planned| p.touches(now, now + AHEAD) && (p.whole_day || p.from >= now);
    let mut out: Vec<&Planned> = rules.calendar.iter().filter(|p| p.is_post() && soon(p) && concerned(p)).collect();
    out.sort_by_key(|p| p.from);
    out
}

/// What an order to the publishing tool says besides the incident.
pub(super) struct About<'a> {
    pub(super) alert: &'a Alert,
    pub(super) brand: &'a str,
    pub(super) house: &'a Letterhead,
}

/// The order that follows for the tool: to pause at the first call that is severe enough, to go on once it is over, whether
/// people are told of that or not. Each stands until the other is given.
pub(super) fn order(
    c: &Connection,
    people: &People,
    incident: &Incident,
    calls: &[Call],
    about: &About<'_>,
    now: Timestamp,
) -> Stored<Option<Message>> {
    let Some(way) = people.publishing.as_ref().filter(|_| incident.drill.is_none() && !incident.shadow) else {
        return Ok(None);
    };
    // A part rings no more; the whole has an order of its own.
    let over = incident.status == Status::Resolved || calls.iter().any(|call| call.notice == Notice::Merged);
    let severe = incident.severity >= way.from && calls.iter().any(|call| !call.notice.asks_nothing());
    let given = outbox::count_of(c, PUBLISHING, incident.id)?;
    let paused = !given.is_multiple_of(2);
    let order = match (over, paused) {
        (true, true) => "resume",
        (false, false) if severe => "pause",
        _ => return Ok(None),
    };
    let domain = about.house.domain();
    let id = format!("publishing.{}.{}.{given}@{domain}", incident.id, incident.opened.as_second());
    let nobody = Person { name: PUBLISHING.to_owned(), full_name: PUBLISHING.to_owned(), ..Person::default() };
    let brief = Brief {
        notice: if over { Notice::Resolved } else { Notice::Opened },
        incident,
        alert: about.alert,
        brand: about.brand,
        mentions: &[],
        hot: &[],
        chart: None,
        playbook: None,
        person: &nobody,
        told: &[],
        held: &[],
        planned: &[],
        taken_by: None,
        base_url: about.house.base_url.as_deref(),
        door: None,
        digits: None,
        now,
        from_domain: domain,
    };
    let mut short = short::compose(&brief, true);
    short.publishing = Some(order.to_owned());
    Ok(Some(Message {
        id: 0,
        message_id: id,
        incident: Some(incident.id),
        person: PUBLISHING.to_owned(),
        by: By { channel: way.channel.clone(), ..By::default() },
        address: String::new(),
        subject: short.headline.clone(),
        body: short.bytes(),
        created: now,
        attempts: 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;
    use crate::model::people::Way;
    use crate::store::Store;

    fn house() -> Letterhead {
        Letterhead {
            from: "vakt <v@acme.example>".into(),
            operator: "o@acme.example".into(),
            base_url: None,
            most_an_hour: 200,
            operator_reach: Vec::new(),
        }
    }

    #[test]
    fn posts_of_the_next_hours_about_the_same_are_told() {
        let now = Timestamp::UNIX_EPOCH + Span::days(10);
        let post = |name: &str, after: i64, topics: &[&str]| Planned {
            name: name.into(),
            from: now + Span::hours(after),
            to: now + Span::hours(after + 1),
            topics: topics.iter().map(|t| (*t).to_owned()).collect(),
            channel: "instagram".into(),
            ..Planned::default()
        };
        let mut match_day = post("match day", 2, &[]);
        match_day.channel.clear();
        let mut all_day = post("greeting", -8, &[]);
        (all_day.to, all_day.whole_day) = (now + Span::hours(16), true);
        let calendar = vec![
            post("tomorrow", 20, &[]),
            post("tonight", 6, &["acme"]),
            post("soon", 1, &[]),
            post("out already", -1, &[]),
            post("of another brand", 1, &["globex"]),
            match_day,
            all_day,
        ];
        let rules = Rules { calendar, ..Rules::default() };
        let incident = Incident { topic: "acme".into(), ..crate::engine::incident::tests::opened() };
        let told = planned(&rules, &Alert::default(), &incident, now);
        assert_eq!(told.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["greeting", "soon", "tonight"]);
    }

    #[test]
    fn it_pauses_once_and_goes_on_only_where_it_paused() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let way = Way { channel: "studio".into(), to: String::new(), from: Severity::Escalate };
        let people = People { publishing: Some(way), ..People::default() };
        let alert = Alert::default();
        let given = |severity, notice, shadow| {
            let status = if notice == Notice::Resolved { Status::Resolved } else { Status::Open };
            let incident = Incident { severity, shadow, status, ..crate::engine::incident::tests::opened() };
            // Of what is muted nobody is told that it is over.
            let told = [Call { notice, notify: Vec::new() }];
            let calls = if notice == Notice::Resolved { &[][..] } else { &told[..] };
            let about = About { alert: &alert, brand: "Acme", house: &house() };
            let order =
                store.read(|c| order(c, &people, &incident, calls, &about, Timestamp::UNIX_EPOCH)).expect("read");
            let text = order.as_ref().and_then(|m| short::Short::read(&m.body)).and_then(|s| s.publishing);
            if let Some(message) = order {
                store.write_blocking(move |tx| outbox::put(tx, &message)).expect("written");
            }
            text.unwrap_or_default()
        };
        assert_eq!(given(Severity::Review, Notice::Opened, false), "");
        assert_eq!(given(Severity::Review, Notice::Resolved, false), "", "it never paused");
        assert_eq!(given(Severity::Crisis, Notice::Opened, true), "", "a rule that is only tried out");
        assert_eq!(given(Severity::Escalate, Notice::Acknowledged, false), "");
        assert_eq!(given(Severity::Escalate, Notice::Raised, false), "pause");
        given(Severity::Crisis, Notice::Raised, false);
        let waiting = store.read(|c| outbox::due(c, "studio", Timestamp::UNIX_EPOCH, 9)).expect("read");
        assert_eq!(waiting.len(), 1, "once for an incident");
        assert_eq!(given(Severity::Crisis, Notice::Resolved, false), "resume");
        assert_eq!(given(Severity::Crisis, Notice::Resolved, false), "");
        assert_eq!(given(Severity::Crisis, Notice::Reopened, false), "pause", "it is back");
    }
}
