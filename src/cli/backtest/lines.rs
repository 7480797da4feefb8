//! The past from a file of JSON, one mention a line, in any order: read twice, first for the times, then in their order, so
//! that memory holds 40 bytes a line and no texts.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::super::{Refused, safe, warn};
use crate::ground::{Knowledge, Rehearsal};
use crate::model::time::from_millis;
use crate::model::{Author, Mention};
use crate::sources::archive::{Archive, Cell, Field, Hint, MOST_ROW, Mapping, Order, Plan, Reading, hint};

/// Bad lines that are shown.
const SHOWN: usize = 5;

/// Where a mention stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Event time, milliseconds.
    at: i64,
    id: i64,
    offset: u64,
    length: u32,
    /// It carries vakt's own analysis.
    analysed: bool,
}

/// What tells when a line's mention was published, and that vakt has analysed it.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(borrow, default)]
    at: Option<Cow<'a, str>>,
    #[serde(default)]
    topics: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    received: Option<serde::de::IgnoredAny>,
}

/// A line as `vakt search --json` writes it, as far as the engine needs it.
#[derive(Deserialize)]
#[serde(default)]
struct Told {
    source: String,
    network: String,
    site: String,
    title: String,
    text: String,
    author: Author,
    language: String,
    sentiment: Option<f32>,
    toward: Vec<(String, f32)>,
    intent: String,
    reach: u64,
    engagement: u64,
    tier: u8,
    story: i64,
    topics: Vec<String>,
    kind: String,
    newcomer: bool,
}

impl Default for Told {
    fn default() -> Told {
        Told {
            source: String::new(),
            network: String::new(),
            site: String::new(),
            title: String::new(),
            text: String::new(),
            author: Author::default(),
            language: "und".into(),
            sentiment: None,
            toward: Vec::new(),
            intent: String::new(),
            reach: 0,
            engagement: 0,
            tier: 0,
            story: 0,
            topics: Vec::new(),
            kind: String::new(),
            newcomer: false,
        }
    }
}

impl Told {
    fn mention(self, id: i64, at: Timestamp) -> Mention {
        Mention {
            id,
            source: self.source,
            network: self.network,
            site: self.site,
            title: self.title,
            author: self.author,
            language: self.language,
            sentiment: self.sentiment,
            toward: self.toward,
            intent: self.intent,
            reach: self.reach,
            engagement: self.engagement,
            tier: self.tier,
            // Without a story it is one of its own.
            story: if self.story == 0 { id } else { self.story },
            topics: self.topics,
            kind: self.kind,
            newcomer: self.newcomer,
            ..Mention::of_text(&self.text, at)
        }
    }
}

/// A copy of standard input, which is removed at the end.
#[derive(Debug)]
struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn spool() -> anyhow::Result<Spool> {
    let path = std::env::temp_dir().join(format!("vakt-backtest-{}.jsonl", std::process::id()));
    let wrong = || format!("cannot write {}", path.display());
    let mut file = File::options().write(true).create_new(true).open(&path).with_context(wrong)?;
    let spool = Spool(path.clone());
    std::io::copy(&mut std::io::stdin().lock(), &mut file).with_context(wrong)?;
    Ok(spool)
}

/// How lines without an analysis become mentions.
#[derive(Debug)]
struct Raw {
    archive: Archive,
    plan: Plan,
}

impl Raw {
    fn open(path: &Path) -> anyhow::Result<Raw> {
        let archive = Archive::open(path, &[]).map_err(|e| Refused(e.to_string()))?;
        let mapping = Mapping::guess(&archive.columns, &[]).map_err(|e| Refused(e.to_string()))?;
        if mapping.column(Field::Published).is_none() {
            return Err(Refused(format!(
                "{}: no field holds when mentions were published; name it `published`",
                path.display()
            ))
            .into());
        }
        let column = mapping.column(Field::Published);
        let dates = archive.sample.iter().flat_map(|row| &row.cells).filter_map(|cells| cells.get(column?));
        let order = dates.filter_map(|cell| match cell {
            Cell::Text(text) => Some(hint(text)),
            _ => None,
        });
        let order = order.filter_map(|h| if let Hint::Only(order) = h { Some(order) } else { None }).next();
        let reading = Reading { order: order.unwrap_or(Order::DayFirst), zone: TimeZone::UTC };
        Ok(Raw { archive, plan: Plan { mapping, reading, network: None, language: None } })
    }

    fn capture(&self, line: &[u8]) -> Result<crate::model::Capture, String> {
        self.archive.object(line).and_then(|cells| self.plan.capture(&cells))
    }
}

/// The past in a file.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    places: Vec<Place>,
    raw: Option<Raw>,
    _spool: Option<Spool>,
}

impl Lines {
    /// Looks through a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Lines> {
        let spool = if path.as_os_str() == "-" { Some(spool()?) } else { None };
        let path = spool.as_ref().map_or(path, |s| &s.0).to_owned();
        let mut lines = Lines { path, places: Vec::new(), raw: None, _spool: spool };
        lines.look()?;
        lines.places.sort_unstable();
        // The same mention of two exports is one.
        lines.places.dedup_by_key(|p| (p.at, p.id));
        Ok(lines)
    }

    fn look(&mut self) -> anyhow::Result<()> {
        let path = self.path.clone();
        let wrong = || format!("cannot read {}", path.display());
        let file = File::open(&self.path).with_context(wrong)?;
        let mut text = BufReader::with_capacity(1 << 20, file);
        let (mut line, mut offset, mut bad) = (Vec::new(), 0u64, 0usize);
        for number in 1i64.. {
            line.clear();
            let read = text.read_until(b'\n', &mut line).with_context(wrong)?;
            if read == 0 {
                break;
            }
            let begin = offset;
            offset += read as u64;
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() {
                continue;
            }
            if number == 1 && trimmed.starts_with(&[0x1f, 0x8b]) {
                return Err(Refused("the input is packed with gzip; unpack it first (`gunzip`)".into()).into());
            }
            match self.place(trimmed, number, begin, read) {
                Ok(place) => self.places.push(place),
                Err(why) if why.downcast_ref::<Refused>().is_some() => return Err(why),
                Err(why) => {
                    bad += 1;
                    if bad <= SHOWN {
                        warn(&format!("line {number}: {}", safe(&format!("{why:#}"), 200)));
                    }
                }
            }
        }
        if bad > 0 {
            warn(&format!("vakt: {bad} lines are no mentions, and are left out"));
        }
        if self.places.is_empty() {
            return Err(Refused(format!("{}: there are no mentions in it", self.path.display())).into());
        }
        Ok(())
    }

    fn place(&mut self, line: &[u8], number: i64, offset: u64, read: usize) -> anyhow::Result<Place> {
        anyhow::ensure!(read <= MOST_ROW, "it is longer than 1 MiB");
        let length = u32::try_from(read)?;
        let head: Option<Head<'_>> = serde_json::from_slice(line).ok();
        let analysed = head.filter(|h| h.topics.is_some() && h.received.is_some());
        if let Some((at, head)) = analysed.as_ref().and_then(|h| Some((h.at.as_deref()?, h))) {
            let at: Timestamp = at.parse().map_err(|_| anyhow::anyhow!("`{at}` is no time"))?;
            let id = head.id.as_ref().and_then(serde_json::Value::as_i64).filter(|id| *id > 0).unwrap_or(-number);
            return Ok(Place { at: at.as_millisecond(), id, offset, length, analysed: true });
        }
        if self.raw.is_none() {
            self.raw = Some(Raw::open(&self.path)?);
        }
        let capture = self.raw.as_ref().map(|raw| raw.capture(line));
        let capture = capture.unwrap_or(Err("it cannot be read".into())).map_err(anyhow::Error::msg)?;
        let at = capture.published.context("it has no date")?;
        Ok(Place { at: at.as_millisecond(), id: -number, offset, length, analysed: false })
    }

    /// How many there are in an interval of event time.
    pub(super) fn count(&self, from: Timestamp, to: Timestamp) -> usize {
        self.within(from, to).len()
    }

    /// Event time of the last.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.places.last().map(|p| from_millis(p.at))
    }

    fn within(&self, from: Timestamp, to: Timestamp) -> &[Place] {
        let place = |at: Timestamp| self.places.partition_point(|p| p.at < at.as_millisecond());
        self.places.get(place(from)..place(to)).unwrap_or(&[])
    }

    /// Hands out the mentions of an interval of event time, in order.
    pub(super) fn each(
        &self,
        knowledge: &Knowledge,
        from: Timestamp,
        to: Timestamp,
        each: &mut dyn FnMut(&Mention),
    ) -> anyhow::Result<()> {
        let wrong = || format!("cannot read {}", self.path.display());
        let mut text = BufReader::with_capacity(64 << 10, File::open(&self.path).with_context(wrong)?);
        let mut rehearsal = Rehearsal::new(knowledge);
        let (mut line, mut at) = (Vec::new(), 0u64);
        for place in self.within(from, to) {
            match i64::try_from(place.offset).ok().zip(i64::try_from(at).ok()) {
                // What follows is mostly in the buffer.
                Some((next, now)) => text.seek_relative(next - now).with_context(wrong)?,
                None => drop(text.seek(SeekFrom::Start(place.offset)).with_context(wrong)?),
            }
            line.resize(usize::try_from(place.length).unwrap_or(0), 0);
            text.read_exact(&mut line).with_context(wrong)?;
            at = place.offset + u64::from(place.length);
            if place.analysed {
                let told: Told = serde_json::from_slice(line.trim_ascii())
                    .map_err(|e| Refused(format!("a mention of {} cannot be read: {e}", from_millis(place.at))))?;
                each(&told.mention(place.id, from_millis(place.at)));
            } else if let Some(raw) = &self.raw
                && let Ok(capture) = raw.capture(line.trim_ascii())
                && let Some(m) = rehearsal.mention("backtest", capture, from_millis(place.at), false)
            {
                each(&Mention { id: place.id, ..m });
            }
        }
        Ok(())
    }
}
