//! By which channels a person is told: mail with the evidence, the first way at once, and each other when those before it
//! fail.

use crate::model::people::{MAIL, Way};
use crate::model::time::Span;
use crate::model::{Notice, Person, Severity};

/// A way that has not been taken by then is not waited for: the next one goes as well (F23).
pub const PATIENCE: Span = Span::secs(90);

/// One message to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg<'p> {
    /// The way; `None` for mail.
    pub way: Option<&'p Way>,
    /// Its place among ways of which one is enough, the first 0; `None` for what goes whatever becomes of the others.
    pub place: Option<u32>,
}

/// The messages by which a person is told something. What asks nothing goes by the channels that brought what it is about,
/// which `carried` knows. Nobody is left without any.
pub fn legs<'p>(
    person: &'p Person,
    severity: Severity,
    notice: Notice,
    carried: impl Fn(&Way) -> bool,
) -> Vec<Leg<'p>> {
    let way = |w: &'p Way| if w.channel == MAIL { None } else { Some(w) };
    let mail = Leg { way: None, place: None };
    let listed = person.reach.iter().any(|w| w.channel == MAIL);
    let mut out: Vec<Leg<'p>> = if listed { Vec::new() } else { vec![mail] };
    if notice.asks_nothing() {
        out.extend(person.reach.iter().filter(|w| carried(w)).map(|w| Leg { way: way(w), place: None }));
    } else {
        let ways = person.reach.iter().filter(|w| w.from <= severity);
        out.extend(ways.zip(0..).map(|(w, place)| Leg { way: way(w), place: Some(place) }));
    }
    if out.is_empty() { vec![mail] } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(ways: &[(&str, Severity)]) -> Person {
        let way = |(channel, from): &(&str, Severity)| Way { channel: (*channel).into(), to: "x".into(), from: *from };
        Person { reach: ways.iter().map(way).collect(), ..Person::default() }
    }

    fn told(person: &Person, severity: Severity, notice: Notice, carried: &[&str]) -> String {
        let legs = legs(person, severity, notice, |w| carried.contains(&w.channel.as_str()));
        let name = |l: &Leg<'_>| l.way.map_or("mail", |w| &w.channel).to_owned();
        let said = |l: &Leg<'_>| name(l) + &l.place.map(|p| p.to_string()).unwrap_or_default();
        legs.iter().map(said).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn mail_always_and_the_others_in_their_order() {
        use Severity::*;
        let anna = person(&[("push", Review), ("sms", Escalate), ("page", Crisis)]);
        let opened = |severity| told(&anna, severity, Notice::Opened, &[]);
        assert_eq!([Watch, Review, Crisis].map(opened), ["mail", "mail push0", "mail push0 sms1 page2"]);
        let closed = |carried: &[&str]| told(&anna, Crisis, Notice::Resolved, carried);
        assert_eq!([closed(&[]), closed(&["page"])], ["mail", "mail page"]);
        let bo = person(&[("push", Escalate), ("mail", Escalate)]);
        assert_eq!(told(&bo, Crisis, Notice::Escalated, &[]), "push0 mail1");
        assert_eq!(told(&bo, Crisis, Notice::Acknowledged, &["push"]), "push");
        assert_eq!(told(&bo, Watch, Notice::Opened, &[]), "mail", "in doubt somebody is told");
        assert_eq!(told(&bo, Watch, Notice::Resolved, &[]), "mail");
        assert_eq!(told(&person(&[]), Crisis, Notice::Opened, &[]), "mail");
    }
}
