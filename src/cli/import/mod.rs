//! `vakt import`: history from files that other tools wrote, and from vakt's own exports.

mod bring;
mod progress;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;

use super::{Refused, Verdict, runtime, settings, warn};
use crate::config::Config;
use crate::daemon::{DaemonError, DataLock};
use crate::ground::{Clock, Ground};
use crate::rules::Rules;
use crate::sources::archive::{Archive, ArchiveError, Field, Known, Mapping, Order, Plan, Reading, Wish};
use crate::stages::reload;
use crate::store::Store;

/// Import history from JSONL, CSV or XLSX: it warms what is usual, and never rings.
#[derive(Debug, Args)]
#[command(
    after_help = "Columns are guessed from their names; --dry-run shows how, and stores nothing. An import that was \
                  interrupted goes on where it was when the same command is run again."
)]
pub(super) struct Import {
    /// Files: exports of vakt or of other tools, as JSONL, JSON, CSV or XLSX
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show the mapping of the columns and the first three mentions, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Take a field from a column, as in published=Datum; or leave it out, as in reach=
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    map: Vec<String>,
    /// The source that mentions are filed under [default: import- and the file's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The network of mentions whose columns and addresses do not tell it
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// The language of mentions whose columns do not tell it
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The zone of times without an offset, such as Europe/Stockholm [default: the system's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// In dates of numbers alone, such as 3/4/2026, the day stands first
    #[arg(long, conflicts_with = "month_first")]
    day_first: bool,
    /// In dates of numbers alone, such as 3/4/2026, the month stands first
    #[arg(long)]
    month_first: bool,
    /// Begin at the beginning, though the file was imported before; what is known is not stored twice
    #[arg(long)]
    again: bool,
    /// Print the summary as JSON, one object a file
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let wishes: Vec<Wish> =
            self.map.iter().map(|w| Wish::parse(w)).collect::<Result<_, _>>().map_err(|e| Refused(e.to_string()))?;
        let zone = match &self.time_zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name)
                .map_err(|_| Refused(format!("there is no time zone `{name}`; write for example Europe/Stockholm")))?,
        };
        let config = settings(file)?;
        let mut ground = None;
        let mut worst = Verdict::Done;
        for path in &self.files {
            let archive = open(path, &wishes)?;
            let Some(plan) = self.plan(&archive, &wishes, &zone)? else { return Ok(Verdict::Wrong) };
            if self.dry_run {
                show::examples(&archive, &plan);
                continue;
            }
            match show::verdict_of_sample(&archive, &plan) {
                Verdict::Done => {}
                other => {
                    worst = other;
                    continue;
                }
            }
            let (ground, watched) = match &ground {
                Some(both) => both,
                None => ground.insert(stand(&config)?),
            };
            let source = source_of(path, self.source.as_deref());
            let job = bring::Job { archive, plan, source, again: self.again };
            let sum = runtime()?.block_on(bring::bring(ground, job))?;
            show::summary(path, &sum, *watched, self.json)?;
            if sum.read > 0 && sum.skipped == sum.read {
                worst = Verdict::No;
            }
        }
        Ok(worst)
    }

    /// How the rows become mentions, told to people; `None` where they cannot.
    fn plan(&self, archive: &Archive, wishes: &[Wish], zone: &TimeZone) -> anyhow::Result<Option<Plan>> {
        let mapping = archive.mapping(wishes).map_err(|e| Refused(e.to_string()))?;
        let (order, why) = self.order(archive, &mapping)?;
        // A column that says it holds UTC does.
        let utc = archive.says_utc(&mapping);
        let zone = if utc && self.time_zone.is_none() { TimeZone::UTC } else { zone.clone() };
        let plan = Plan {
            mapping,
            reading: Reading { order, zone },
            network: self.network.clone(),
            language: self.language.clone(),
        };
        show::mapping(archive, &plan, why.as_deref(), self.json);
        let missing = |field: Field| plan.mapping.column(field).is_none();
        if missing(Field::Text) && missing(Field::Title) {
            warn("vakt: no column holds what mentions say; name it with --map text=COLUMN");
            return Ok(None);
        }
        let unwished = !wishes.iter().any(|w| w.field == Field::Published);
        if missing(Field::Published) && unwished {
            warn(
                "vakt: no column holds when mentions were published; name it with --map published=COLUMN, or write \
                 --map published= to date them all now",
            );
            return Ok(None);
        }
        Ok(Some(plan))
    }

    /// Which of day and month stands first, and how that is known, where it matters.
    fn order(&self, archive: &Archive, mapping: &Mapping) -> anyhow::Result<(Order, Option<String>)> {
        if self.month_first {
            return Ok((Order::MonthFirst, None));
        }
        if self.day_first {
            return Ok((Order::DayFirst, None));
        }
        let (order, known) = archive.order(mapping)?;
        let first = if order == Order::DayFirst { "day first" } else { "month first" };
        let why = match known {
            Known::Told(text) => Some(format!("{first}, as in `{}`", super::safe(&text, 40))),
            Known::Either => None,
            Known::Halves => Some("month first, as is usual beside AM and PM; --day-first if that is wrong".to_owned()),
            Known::Nothing => {
                Some("day first, though no date in the file tells; --month-first if that is wrong".to_owned())
            }
        };
        Ok((order, why))
    }
}

fn open(path: &Path, wishes: &[Wish]) -> anyhow::Result<Archive> {
    let wished: Vec<String> = wishes.iter().map(|w| w.column.clone()).filter(|c| !c.is_empty()).collect();
    Archive::open(path, &wished).map_err(|e| match e {
        ArchiveError::Form { .. } => Refused(e.to_string()).into(),
        ArchiveError::File { .. } => e.into(),
    })
}

/// The ground that mentions are stored on, and whether a daemon is on watch over it.
fn stand(config: &Config) -> anyhow::Result<(Arc<Ground>, bool)> {
    let refused = || Refused("the rules have mistakes, or there are none; `vakt check` shows what".into());
    let path = config.database();
    let now = Clock::System.now();
    let rules = Rules::load(&config.rules_dir, now).ok();
    if rules.is_none() && !path.exists() {
        return Err(refused().into());
    }
    // Whoever gets the lock is alone; it is let go at once, so that the daemon may start meanwhile.
    let watched = match DataLock::take(&config.data_dir) {
        Ok(lock) => {
            drop(lock);
            false
        }
        Err(DaemonError::Running { .. }) => true,
        Err(e) => return Err(e.into()),
    };
    let store = Store::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let rules = rules.map_or_else(|| reload::last_good(&store, now), |r| Ok(Some(r)))?.ok_or_else(refused)?;
    let ground = Ground::new(store, Clock::System, rules, crate::daemon::letterhead(config))?;
    Ok((ground, watched))
}

/// The source that a file's mentions are filed under: `source:import-*` finds all of them.
fn source_of(path: &Path, named: Option<&str>) -> String {
    if let Some(name) = named.map(str::trim).filter(|n| !n.is_empty()) {
        return crate::text::clean::one_line(name, 100);
    }
    let stem = path.file_stem().map(|s| s.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    crate::text::clean::one_line(&format!("import-{}", words.join("-")), 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str]) -> Import {
        #[derive(clap::Parser)]
        struct Alone {
            #[command(flatten)]
            import: Import,
        }
        let words = ["vakt"].iter().chain(words).chain(&["file"]);
        <Alone as clap::Parser>::try_parse_from(words).expect("a call").import
    }

    fn archive(text: &str) -> (tempfile::TempDir, Archive) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.csv");
        std::fs::write(&path, text).expect("written");
        let archive = Archive::open(&path, &[]).expect("an archive");
        (dir, archive)
    }

    #[test]
    fn the_order_of_day_and_month_is_looked_for_in_the_whole_column() {
        let order = |words: &[&str], text: &str| {
            let (_dir, archive) = archive(text);
            let mapping = Mapping::guess(&archive.columns, &[]).expect("no wishes");
            call(words).order(&archive, &mapping).expect("it is read")
        };
        let open = format!("Date,Text\n{}", "03/04/2024,Acme\n".repeat(3000));
        assert_eq!(order(&[], &format!("{open}04/25/2024,Acme\n")).0, Order::MonthFirst);
        let (first, why) = order(&[], &format!("{open}25/04/2024,Acme\n"));
        assert_eq!((first, why.as_deref()), (Order::DayFirst, Some("day first, as in `25/04/2024`")));
        let (first, why) = order(&[], &open);
        assert!(first == Order::DayFirst && why.expect("told").contains("--month-first"));
        assert_eq!(order(&[], &open.replace("2024,", "2024 1:00 PM,")).0, Order::MonthFirst);
        assert_eq!(order(&["--month-first"], &open), (Order::MonthFirst, None));
        assert_eq!(order(&["--day-first"], &format!("{open}04/25/2024,Acme\n")), (Order::DayFirst, None));
        assert_eq!(order(&[], "Date,Text\n2024-04-03,Acme\n"), (Order::DayFirst, None));
    }

    #[test]
    fn ids_that_repeat_are_none_and_utc_in_a_header_is_believed() {
        let zone = TimeZone::get("Europe/Stockholm").expect("bundled");
        let plan = |words: &[&str], text: &str| {
            let (_dir, archive) = archive(text);
            let import = call(words);
            let wishes: Vec<Wish> = import.map.iter().map(|w| Wish::parse(w).expect("a wish")).collect();
            import.plan(&archive, &wishes, &zone).expect("it is read").expect("a plan")
        };
        let text = "Id,Date (UTC),Text\n1,2024-04-03 10:00,Acme a\n1,2024-04-03 10:00,Acme b\n";
        let guessed = plan(&[], text);
        assert_eq!((guessed.mapping.column(Field::Id), &guessed.reading.zone), (None, &TimeZone::UTC));
        assert_eq!(plan(&["--map", "id=Id"], text).mapping.column(Field::Id), Some(0));
        let other = plan(&[], "Id,Date,Text\n1,2024-04-03,Acme a\n2,2024-04-03,Acme b\n");
        assert_eq!((other.mapping.column(Field::Id), other.reading.zone), (Some(0), zone.clone()));
    }

    #[test]
    fn sources_have_names_that_queries_can_say() {
        let name = |path: &str| source_of(Path::new(path), None);
        assert_eq!(name("/tmp/Brandwatch Export (März 2026).csv"), "import-brandwatch-export-märz-2026");
        assert_eq!(name("acme.jsonl"), "import-acme");
        assert_eq!(source_of(Path::new("acme.csv"), Some(" old tool ")), "old tool");
    }
}
