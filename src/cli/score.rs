//! `vakt score`: everything that vakt hears in a text, with its reasons.

use std::io::{BufRead, Read};
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{Paint, Refused, Verdict, safe, settings, warn};
use crate::config::fault::any_error;
use crate::ground::{Clock, Knowledge};
use crate::model::Mention;
use crate::query::Doc;
use crate::rules::Rules;
use crate::text::intent::Intent;
use crate::text::language;
use crate::text::sentiment::{Label, Reason};
use crate::text::tokens::Tokens;

/// One text: language, sentiment, intent, topics, and why.
///
/// The house's words and the topics are those of the rules directory, where there is one.
#[derive(Debug, Args)]
pub(super) struct Scored {
    /// The text; without it, or with -, every line of standard input is one
    text: Option<String>,
    /// The language tag that its source declares, such as sv or de-AT
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Tell the sentiment toward this topic as well
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Print as JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// Longest line of standard input, in bytes.
const LONGEST: u64 = 1 << 20;

/// What is told of a text.
#[derive(Debug, Serialize)]
struct Told<'a> {
    text: &'a str,
    language: &'a str,
    /// Share that the model gives the language.
    language_confidence: f32,
    /// −1..1, or nothing where the language is not scored.
    sentiment: Option<f32>,
    label: Label,
    confidence: f32,
    why: &'a [Reason],
    intent: Intent,
    /// Every intent that the text shows, strongest first.
    intents: Vec<(Intent, f32)>,
    needs_answer: bool,
    topics: &'a [String],
    toward: Vec<Toward>,
}

#[derive(Debug, Serialize)]
struct Toward {
    topic: String,
    sentiment: f32,
    label: Label,
    why: Vec<Reason>,
}

impl Scored {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let knowledge = Knowledge::new(self.rules(file)?, 0);
        if let Some(topic) = &self.topic
            && knowledge.rules.topic(topic).is_none()
        {
            let names: Vec<&str> = knowledge.rules.topics.iter().map(|t| t.name.as_str()).collect();
            return Err(Refused(format!("there is no topic `{topic}`; the rules have {}", names.join(", "))).into());
        }
        match self.text.as_deref().filter(|t| *t != "-") {
            Some(text) => self.tell(&knowledge, text)?,
            None => {
                let mut input = std::io::stdin().lock();
                loop {
                    let mut line = Vec::new();
                    if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                        break;
                    }
                    let line = String::from_utf8_lossy(&line);
                    if !line.trim().is_empty() {
                        self.tell(&knowledge, line.trim())?;
                    }
                }
            }
        }
        Ok(Verdict::Done)
    }

    /// The rules directory, where there is one; rules that cannot be used are told and left out.
    fn rules(&self, file: Option<&Path>) -> anyhow::Result<Rules> {
        let dir = settings(file)?.rules_dir;
        if !dir.is_dir() {
            return Ok(Rules::default());
        }
        match Rules::load(&dir, Clock::System.now()) {
            Ok(rules) => Ok(rules),
            Err(faults) => {
                let errors = faults.iter().filter(|f| any_error(std::slice::from_ref(*f))).count();
                warn(&format!("{}: {errors} mistakes, so no topics and no house words; see vakt check", dir.display()));
                Ok(Rules::default())
            }
        }
    }

    fn tell(&self, knowledge: &Knowledge, text: &str) -> anyhow::Result<()> {
        let mut m = Mention::of_text(text, Clock::System.now());
        let analysis = knowledge.analyse(&mut m, self.lang.as_deref());
        let (_, share) = language::guess(&Tokens::read(text), self.lang.as_deref());
        let doc = Doc::analysed(&m, &analysis);
        let (_, mut toward) = knowledge.topics(&doc);
        if let Some(topic) = &self.topic
            && !toward.iter().any(|(t, _)| t == topic)
            && m.topics.contains(topic)
        {
            // The only name of the text: what it feels, it feels toward that.
            toward.push((topic.clone(), analysis.score.clone()));
        }
        if let Some(topic) = &self.topic {
            toward.retain(|(t, _)| t == topic);
        }
        let told = Told {
            text,
            language: analysis.language,
            language_confidence: share,
            sentiment: m.sentiment,
            label: analysis.score.label,
            confidence: analysis.score.confidence,
            why: &analysis.score.why,
            intent: analysis.wants.intent,
            intents: analysis.wants.shown.clone(),
            needs_answer: analysis.wants.needs_answer,
            topics: &m.topics,
            toward: toward
                .into_iter()
                .map(|(topic, s)| Toward { topic, sentiment: s.value, label: s.label, why: s.why })
                .collect(),
        };
        if self.json {
            say!("{}", serde_json::to_string(&told)?);
        } else {
            show(&told, self.topic.as_deref());
        }
        Ok(())
    }
}

fn felt(paint: Paint, label: Label, text: &str) -> String {
    match label {
        Label::Negative => paint.bad(text),
        Label::Positive => paint.good(text),
        Label::Neutral => paint.bold(text),
        Label::Unscored => paint.dim(text),
    }
}

fn reasons(paint: Paint, why: &[Reason]) -> String {
    let one = |r: &Reason| {
        let text = format!("{} {:+.2}", safe(&r.term, 40), r.weight);
        if r.weight < 0.0 { paint.wrap("31", &text) } else { paint.wrap("32", &text) }
    };
    why.iter().map(one).collect::<Vec<_>>().join(&paint.dim(" · "))
}

fn show(told: &Told<'_>, topic: Option<&str>) {
    let paint = Paint::new();
    let head = |name: &str| paint.dim(&format!("{name:<10}"));
    say!("{}", safe(told.text, 200));
    say!(
        "  {}{} {}",
        head("language"),
        told.language,
        paint.dim(&format!("({:.0} %)", told.language_confidence * 100.0))
    );
    match told.sentiment {
        Some(value) => {
            let what = format!("{value:+.2} {}", told.label.as_str());
            let sure = paint.dim(&format!("({:.0} %)", told.confidence * 100.0));
            say!("  {}{} {sure}", head("sentiment"), felt(paint, told.label, &what));
        }
        None => say!("  {}{}", head("sentiment"), paint.dim("unscored: vakt was not measured on this language")),
    }
    if !told.why.is_empty() {
        say!("  {}{}", head("because"), reasons(paint, told.why));
    }
    let intents: Vec<String> = told.intents.iter().skip(1).map(|(i, _)| i.as_str().to_owned()).collect();
    let also = if intents.is_empty() { String::new() } else { paint.dim(&format!(" (also {})", intents.join(", "))) };
    let answer = if told.needs_answer { paint.warm(", needs an answer") } else { String::new() };
    say!("  {}{}{also}{answer}", head("intent"), paint.bold(told.intent.as_str()));
    if !told.topics.is_empty() {
        say!("  {}{}", head("topics"), told.topics.join(", "));
    }
    for t in &told.toward {
        let what = format!("{:+.2} {}", t.sentiment, t.label.as_str());
        say!("  {}{}: {}  {}", head("toward"), t.topic, felt(paint, t.label, &what), reasons(paint, &t.why));
    }
    if let Some(topic) = topic.filter(|t| !told.topics.iter().any(|own| own == t)) {
        say!("  {}{topic}: the text is not about it", head("toward"));
    }
}
