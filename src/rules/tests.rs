//! Rules read from texts: what is right, and every mistake at once.

use super::*;
use crate::model::Network;

const PEOPLE: &str = r#"
[[person]]
name = "anna"
email = "anna@acme.example"
languages = ["sv"]
time_zone = "Europe/Stockholm"
[[person]]
name = "bo"
email = "bo@acme.example"
[[team]]
name = "pr"
members = ["anna", "bo"]
[[policy]]
name = "pr"
steps = [{ notify = ["pr"], wait = "15m" }]
"#;

const TOPIC: &str =
    "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nowner = \"pr\"\nquery = \"acme\"\nlanguages = [\"sv\", \"en\"]\n";

const ALERT: &str = r#"
[[alert]]
name = "acme-negative"
topics = ["acme"]
window = "15m"
condition = "mentions >= 5 && surprise >= 4.0"
severity = "escalate"
raise = [{ to = "crisis", when = "reach > 250000" }]
group_by = ["topic"]
playbook = "fire"
escalation = "pr"
remind = "30m"
"#;

const PLAYBOOK: &str = "+++\nname = \"fire\"\nseverity_targets = { crisis = \"15m\" }\napprovers = [\"anna\"]\n+++\n\n## First ten minutes\nThink.\n\n## Checklist\n- [ ] **PR lead** · due 10m · Read *all* of it\n- [ ] Breathe\n\n## Do\n- Answer\n\n## Don't\n- Guess\n\n## Statements\n### sv\nVi på {{ brand }} tittar på det.\n### en\nWe are looking into it.\n";

fn read(files: &[(&str, &str)]) -> Result<Rules, Vec<Fault>> {
    let now = "2026-11-28T12:00:00Z".parse().expect("an instant");
    Rules::read(files.iter().map(|(name, text)| Sheet::new(*name, *text)).collect(), now)
}

fn all<'a>() -> Vec<(&'a str, &'a str)> {
    vec![
        ("rules/people.toml", PEOPLE),
        ("rules/topics/acme.toml", TOPIC),
        ("rules/alerts/acme.toml", ALERT),
        ("rules/playbooks/fire.md", PLAYBOOK),
        (
            "rules/lexicon/house.toml",
            "ignore = [\"war zone\"]\n[sentiment]\n\"hot\" = 0.2\n[[site]]\nhost = \"post.example\"\ntier = 1\nreach = 1000\n",
        ),
    ]
}

#[test]
fn what_is_right_is_meant() {
    let rules = read(&all()).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    assert_eq!((rules.topics.len(), rules.alerts.len(), rules.playbooks.len()), (1, 1, 1));
    assert_eq!(rules.warnings, []);
    let playbook = rules.playbook("fire").expect("it is there");
    let guide = playbook.guide("de").expect("everybody has one");
    assert_eq!((guide.checklist[0].role.as_str(), guide.checklist[0].what.as_str()), ("PR lead", "Read all of it"));
    assert_eq!(guide.checklist[1].what, "Breathe");
    assert_eq!(playbook.statement("sv").map(|s| s.text.as_str()), Some("Vi på {{ brand }} tittar på det."));
    assert_eq!(rules.house.site("www2.post.example").tier, 1);
    assert_eq!(rules.house.sentiment.len(), 2);
    let reached = rules.people.reach(&["pr".into(), "anna".into()], Timestamp::UNIX_EPOCH);
    assert_eq!(reached.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["anna", "bo"]);
}

#[test]
fn every_mistake_at_once() {
    let mut files = all();
    files[0].1 = "[[person]]\nname = \"anna\"\nemail = \"anna\\r\\nBcc: x@y\"\n[[team]]\nname = \"pr\"\nmembers = [\"ana\"]\n[[policy]]\nname = \"pr\"\nsteps = []\n";
    files[1].1 = "[[topic]]\nname = \"acme\"\nknd = \"brand\"\nquery = \"\"\"\nacme AND tool OR hammer\"\"\"\nlanguages = [\"xx\"]\n";
    files[2].1 = "[[alert]]\nname = \"a\"\ntopics = [\"acm\"]\nserverity = \"crisis\"\ncondition = \"mentoins >= 5\"\nplaybook = \"fires\"\nescalation = \"pr\"\ngroup_by = [\"languge\"]\n";
    files[3].1 =
        "+++\nname = \"fire\"\napprovers = [\"annna\"]\n+++\n## Cheklist\n## Statements\n### sv\n{{ barnd }}\n";
    let faults = read(&files).expect_err("it is full of them");
    insta::assert_snapshot!(fault::render_all(&faults, false));
}

#[test]
fn names_given_twice_and_lonely_policies() {
    let mut files = all();
    files.push(("rules/topics/more.toml", TOPIC));
    let faults = read(&files).expect_err("two topics of one name");
    assert!(faults[0].message.contains("two topics named `acme`"), "{faults:?}");
    let mut files = all();
    let lonely = PEOPLE.replace("notify = [\"pr\"]", "notify = [\"anna\"]");
    files[0].1 = &lonely;
    let rules = read(&files).expect("a warning is no error");
    assert!(rules.warnings[0].message.contains("one person only"));
}

const DUTY: &str = r#"
[[person]]
name = "anna"
full_name = "Anna Alm"
email = "anna@acme.example"
phone = "+46 (0)70"
quiet_hours = ["22-07"]
[[person]]
name = "everybody"
email = "bo@acme.example"
phone = "+46 70 123 45 67"
wake_for = "crisis"
[[schedule]]
name = "night"
layers = [
  { rotation = [], every = "12h", hand_over = "Mo 9" },
  { rotation = ["anna", "ana"], every = "3d", hand_over = "Mon 09:00", start = 2026-01-06, only = ["Mon-Fir"] },
]
overrides = [{ person = "bo", from = "Christmas", to = 2026-12-24 }, { person = "anna", from = 2026-12-24, to = 2026-12-24 }]
ics = "oncal.ics"
[[schedule]]
name = "empty"
time_zone = "Europe/Stokholm"
[[policy]]
name = "pr"
steps = [{ notify = ["nigth"], only = ["Mon-Fri 08:00-18:00"], from = "escalte" }, { notify = ["everybody"], working_day = true }]
holidays = ["holidays-se"]
"#;

#[test]
fn mistakes_of_duty_are_told_at_once() {
    let mut files = all();
    files[0].1 = DUTY;
    files.push(("rules/oncall.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"));
    let faults = read(&files).expect_err("it is full of them");
    insta::assert_snapshot!(fault::render_all(&faults, false));
}

/// People with a schedule of two, and policies beside the usual one.
fn on_duty(schedule: &str, policies: &str) -> String {
    format!("{PEOPLE}\n[[schedule]]\nname = \"on-call\"\ntime_zone = \"Europe/Stockholm\"\n{schedule}\n{policies}")
}

fn warned(people: &str, more: &[(&str, &str)]) -> String {
    let mut files = all();
    files[0].1 = people;
    files.extend_from_slice(more);
    let rules = read(&files).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    rules.warnings.iter().map(Fault::brief).collect::<Vec<_>>().join("\n")
}

#[test]
fn hours_without_anybody_are_found() {
    let round = "layers = [{ rotation = [\"anna\", \"bo\"] }]";
    let office = "layers = [{ rotation = [\"anna\", \"bo\"], only = [\"Mon-Fri 08:00-18:00\"] }]";
    let over = "layers = [{ rotation = [\"anna\"], start = 2028-01-03 }]";
    let calls = |steps: &str, more: &str| format!("[[policy]]\nname = \"duty\"\nsteps = [{steps}]\n{more}");
    let both = calls("{ notify = [\"on-call\"] }, { notify = [\"pr\"] }", "");
    let alone = calls("{ notify = [\"on-call\"] }", "");
    let when = "{ notify = [\"pr\"], only = [\"Mon-Fri 08:00-18:00\"] }";
    let open = calls(when, "time_zone = \"Europe/Stockholm\"");
    let closed = calls(when, "time_zone = \"Europe/Stockholm\"\nlast_resort = [\"anna\"]");
    assert_eq!(warned(&on_duty(round, &both), &[]), "");
    assert_eq!(warned(&on_duty(round, &closed), &[]), "");
    let said: Vec<String> = [(office, &both), (office, &alone), (over, &alone), (round, &open)]
        .iter()
        .map(|(schedule, policy)| warned(&on_duty(schedule, policy), &[]))
        .collect();
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn a_schedule_follows_a_calendar() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:On call: bo\nDTSTART;TZID=Europe/Stockholm:20261127T090000\n\
        DTEND;TZID=Europe/Stockholm:20261204T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Rota\nATTENDEE;CN=X:mailto:Anna@acme.example\nDTSTART;TZID=Europe/Stockholm:20261204T090000\n\
        DTEND;TZID=Europe/Stockholm:20261211T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Office party\nDTSTART:20261218T170000Z\nEND:VEVENT\nEND:VCALENDAR\n";
    let people = on_duty("ics = \"oncall.ics\"", "");
    let said = warned(&people, &[("rules/oncall.ics", text)]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("rules/oncall.ics:15: the event `Office party` names nobody"), "{said}");
    let mut files = all();
    files[0].1 = &people;
    files.push(("rules/oncall.ics", text));
    let rules = read(&files).expect("it is in order");
    let schedule = rules.people.schedule("on-call").expect("it is there");
    let who = |at: &str| schedule.who(at.parse().expect("an instant")).join(" ");
    assert_eq!((who("2026-12-01T00:00:00Z"), who("2026-12-04T08:00:00Z")), ("bo".into(), "anna".into()));
    assert_eq!(who("2027-10-01T06:59:59Z"), "anna", "by the clock on the wall");
    assert_eq!(who("2027-10-01T07:00:00Z"), "bo");
}

#[test]
fn days_off_are_those_of_the_calendars_named() {
    let policy = "[[policy]]\nname = \"duty\"\ntime_zone = \"Europe/Berlin\"\nholidays = [\"days\"]\n\
        steps = [{ notify = [\"pr\"], working_day = true }, { notify = [\"bo\"] }]\n";
    let people = on_duty("layers = [{ rotation = [\"anna\"] }]", policy);
    let days = "start,end,title\n2026-12-24,2026-12-26,Christmas\n2026-12-30 10:00,,Meeting\n";
    let mut files = all();
    files[0].1 = &people;
    files.extend([("rules/calendar/days.csv", days), ("rules/calendar/c.toml", "time_zone = \"Europe/Berlin\"\n")]);
    let rules = read(&files).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    let policy = rules.people.policy("duty").expect("it is there");
    assert_eq!(
        policy.days_off.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["2026-12-24", "2026-12-25", "2026-12-26"]
    );
}

#[test]
fn silence_is_watched_of_sources_that_there_are() {
    let quiet = "[[alert]]\nname = \"quiet\"\nsilence_of = [\"bbc-busines\", \"wire\"]\nescalation = \"pr\"\n";
    let mut files = all();
    files.push(("rules/alerts/quiet.toml", quiet));
    let rules = read(&files).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    let faults: Vec<String> = rules.unheard(&["bbc-business", "wire"]).iter().map(Fault::brief).collect();
    assert_eq!(faults, ["rules/alerts/quiet.toml:3: there is no source `bbc-busines` (did you mean `bbc-business`?)"]);
}

#[test]
fn an_empty_directory_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(Rules::load(dir.path(), Timestamp::UNIX_EPOCH).is_err());
    assert!(Rules::load(&dir.path().join("missing"), Timestamp::UNIX_EPOCH).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        for name in ["rules/people.toml", "rules/topics/x.toml", "rules/alerts/x.toml", "rules/playbooks/x.md", "rules/lexicon/x.toml", "rules/calendar/x.ics", "rules/x.ics"] {
            drop(read(&[(name, &text)]));
        }
    }
}

const VOICE: &str = "networks = [\"x\", \"bluesky\"]\n[[voice]]\nspelling = [\"Acme\"]\n[[voice]]\nlanguage = \"sv\"\navoid = [{ words = [\"enstaka händelse\"], instead = \"säg hur många\" }]\n";

#[test]
fn a_playbook_speaks_every_language_and_network() {
    let long = "Vi tittar på det. ".repeat(17);
    let playbook = PLAYBOOK
        .replace("approvers = [\"anna\"]", "approvers = [\"anna\"]\ntitle = \"Fire\"\ntitles = { sv = \"Brand\" }")
        .replace("## Do\n", "### sv\n- [ ] **PR-ledaren** · Läs *allt*\n- [ ] Andas\n\n## Do\n")
        .replace("\nThink.\n", "\nThink.\n### sv\nTänk.\n")
        .replace(
            "tittar på det.\n",
            &format!("tittar på det.\n#### x, bluesky\nKort: {{{{ link }}}}\n#### instagram\n{long}\n\nSlut.\n"),
        );
    let mut files = all();
    files[3].1 = &playbook;
    files.push(("rules/voice.toml", VOICE));
    let rules = read(&files).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    assert_eq!(rules.warnings, []);
    let playbook = rules.playbook("fire").expect("it is there");
    let (all, sv) = (playbook.guide("de").expect("one"), playbook.guide("sv").expect("one"));
    assert_eq!((all.title.as_str(), sv.title.as_str(), sv.first.as_str()), ("Fire", "Brand", "Tänk."));
    assert_eq!((sv.checklist[0].role.as_str(), sv.checklist[0].due), ("PR-ledaren", all.checklist[0].due));
    assert_eq!(sv.dos, all.dos, "what is not said in a language is said as to everybody");
    let said = |network| playbook.statement_for("sv", network).map(|s| s.text.clone());
    assert_eq!(said(Some(Network::X)), said(Some(Network::Bluesky)));
    assert!(said(Some(Network::Instagram)).is_some_and(|t| t.ends_with(". Vi tittar på det.\n\nSlut.")));
    assert_eq!(said(Some(Network::Sms)), said(None));
}

#[test]
fn what_a_playbook_says_wrongly_is_told_at_once() {
    let playbook = PLAYBOOK
        .replace("approvers = [\"anna\"]", "approvers = [\"anna\", \"bo\"]\napprovals = 2\ntitles = { xx = \"?\" }")
        .replace(
            "## Do\n",
            "### sv\n- [ ] Läs allt\n### de\n- [ ] **PR** · due 1h · Lesen\n- [ ] **PR** · Atmen\n## Do\n",
        )
        .replace("- Guess\n", "- Guess\n### sv\n- Gissa\n- Gräla\n#### x\nHej\n")
        .replace("på det.\n", &format!("på det.\n#### x\n{} {{{{ link }}}}\n#### xing\nHej\n", "lång ".repeat(60)))
        .replace("We are looking into it.", &format!("ACME is. {}\n#### x\nOne.\n#### x\nTwo.\n", "long ".repeat(70)));
    let voice = VOICE
        .replace("\"bluesky\"", "\"blusky\"")
        .replace("language = \"sv\"", "language = \"sv\"\nadress = \"formal\"");
    let mut files = all();
    files[3].1 = &playbook;
    files.push(("rules/voice.toml", &voice));
    let faults = read(&files).expect_err("it is full of them");
    insta::assert_snapshot!(faults.iter().map(Fault::brief).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_voice_guide_looks_over_what_may_be_said() {
    let playbook =
        PLAYBOOK.replace("tittar på det.", &format!("på ACME ser en enstaka\nhändelse. {}", "lång ".repeat(60)));
    let mut files = all();
    files[3].1 = &playbook;
    files.push(("rules/voice.toml", VOICE));
    let rules = read(&files).unwrap_or_else(|f| panic!("{}", fault::render_all(&f, false)));
    insta::assert_snapshot!(fault::render_all(&rules.warnings, false));
}
