//! Rules read from texts: what is right, and every mistake at once.

use super::*;

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
    assert_eq!(playbook.checklist[0].role, "PR lead");
    assert_eq!(playbook.checklist[0].what, "Read all of it");
    assert_eq!(playbook.checklist[1].what, "Breathe");
    assert_eq!(playbook.statement("sv").map(|s| s.text.as_str()), Some("Vi på {{ brand }} tittar på det."));
    assert_eq!(rules.house.site("www2.post.example").tier, 1);
    assert_eq!(rules.house.sentiment.len(), 2);
    let reached = rules.people.reach(&["pr".into(), "anna".into()]);
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

#[test]
fn an_empty_directory_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(Rules::load(dir.path(), Timestamp::UNIX_EPOCH).is_err());
    assert!(Rules::load(&dir.path().join("missing"), Timestamp::UNIX_EPOCH).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        for name in ["rules/people.toml", "rules/topics/x.toml", "rules/alerts/x.toml", "rules/playbooks/x.md", "rules/lexicon/x.toml"] {
            drop(read(&[(name, &text)]));
        }
    }
}
