//! The files of a rules directory: what each is by where it stands, and their texts, bounded and regular.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{calendar, cases};
use crate::config::fault::{self, Fault, Sheet};

/// Largest file of rules, and largest calendar: other programs write those, and write much.
const MOST_BYTES: u64 = 1 << 20;
const MOST_CALENDAR: u64 = 4 << 20;
/// Deepest folder below the rules directory.
const DEEPEST: usize = 4;

/// What a file of the rules holds.
pub(super) enum Part {
    Topics,
    Alerts,
    People,
    Lexicon,
    Playbook,
    Voice,
    Searches,
    Reports,
    Tests,
    Calendar,
    CalendarSettings,
    /// A calendar beside `people.toml`.
    Feed,
}

/// What a file is, by where it stands: `topics/x.toml`, `people.toml`, `playbooks/x.md`.
pub(super) fn kind_of(name: &str) -> Option<Part> {
    let path = Path::new(name);
    let folder = path.parent().and_then(Path::file_name).and_then(|f| f.to_str()).unwrap_or("");
    let file = path.file_name().and_then(|f| f.to_str()).unwrap_or("");
    match (folder, path.extension().and_then(|e| e.to_str())) {
        (_, Some("toml")) if file == "people.toml" => Some(Part::People),
        (_, Some("toml")) if file == "voice.toml" => Some(Part::Voice),
        (_, Some("toml")) if file == "reports.toml" => Some(Part::Reports),
        ("topics", Some("toml")) => Some(Part::Topics),
        ("alerts", Some("toml")) => Some(Part::Alerts),
        ("lexicon", Some("toml")) => Some(Part::Lexicon),
        ("playbooks", Some("md")) => Some(Part::Playbook),
        ("searches", Some("toml")) => Some(Part::Searches),
        ("tests", Some("toml")) => Some(Part::Tests),
        ("calendar", Some("ics" | "csv" | "xlsx")) => Some(Part::Calendar),
        ("calendar", Some("toml")) => Some(Part::CalendarSettings),
        (_, Some("ics")) => Some(Part::Feed),
        _ => None,
    }
}

/// The texts of a rules directory in the order of their names, without its tests.
pub(super) fn read_dir(dir: &Path) -> (Vec<Arc<Sheet>>, Vec<Fault>) {
    read_below(dir, dir.to_owned())
}

/// The texts below a folder of a rules directory. Only regular files inside of it are read, and only of a sensible size.
pub(super) fn read_below(dir: &Path, folder: PathBuf) -> (Vec<Arc<Sheet>>, Vec<Fault>) {
    let tests = dir.join(cases::FOLDER);
    let (mut sheets, mut faults) = (Vec::new(), Vec::new());
    let root = match dir.canonicalize() {
        Ok(root) => root,
        Err(e) => {
            let sheet = Sheet::new(dir.display().to_string(), "");
            let fault = Fault::error(&sheet, 0..0, format!("the rules directory cannot be read: {e}"));
            return (sheets, vec![fault.help("set `rules_dir`, or make the directory")]);
        }
    };
    let mut waiting = vec![(folder.clone(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let read = std::fs::read_dir(&folder).and_then(|all| all.map(|e| e.map(|e| e.path())).collect());
        let mut entries: Vec<_> = match read {
            Ok(entries) => entries,
            Err(e) => {
                let sheet = Sheet::new(folder.display().to_string(), "");
                let fault = Fault::error(&sheet, 0..0, format!("the folder cannot be read: {e}"));
                faults.push(fault.help("let the user that runs vakt read it"));
                continue;
            }
        };
        entries.sort();
        for path in entries {
            let other = path == tests || (folder == tests && cases::is_data(&path));
            if other || is_no_rule(&path) {
                continue;
            }
            let name = path.display().to_string();
            let mut wrong = |message: &str, help: String| {
                faults.push(Fault::error(&Sheet::new(name.clone(), ""), 0..0, message).help(help));
            };
            let inside = path.canonicalize().is_ok_and(|p| p.starts_with(&root));
            // A file that went away meanwhile is no mistake.
            let Ok(facts) = std::fs::metadata(&path) else { continue };
            if !inside {
                wrong("this leads out of the rules directory and is not read", "put the file itself there".into());
                continue;
            }
            if facts.is_dir() {
                match depth < DEEPEST {
                    true => waiting.push((path, depth + 1)),
                    false => {
                        wrong("this folder lies too deep and is not read", format!("use at most {DEEPEST} levels"))
                    }
                }
                continue;
            }
            let Some(part) = kind_of(&name) else {
                wrong("no part of the rules reads this file", misplaced(&path));
                continue;
            };
            if !facts.is_file() {
                wrong("this is no regular file and is not read", "put a file there".into());
                continue;
            }
            let most = if matches!(part, Part::Calendar | Part::Feed) { MOST_CALENDAR } else { MOST_BYTES };
            let text = match facts.len() > most {
                true => Err(format!("it is larger than {} MiB", most >> 20)),
                false => read_text(&path),
            };
            match text {
                Ok(text) => sheets.push(Sheet::new(name, text)),
                Err(why) => {
                    let sheet = Sheet::new(name, "");
                    faults.push(Fault::error(&sheet, 0..0, format!("the file cannot be read: {why}")));
                }
            }
        }
    }
    sheets.sort_by(|a, b| a.name.cmp(&b.name));
    (sheets, faults)
}

/// Folders of the rules that hold something.
const FOLDERS: [&str; 7] = ["topics", "alerts", "playbooks", "lexicon", "searches", "calendar", cases::FOLDER];

/// Hidden files, what editors and package managers leave behind, and pages for people.
fn is_no_rule(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let left = ["~", ".bak", ".tmp", ".swp", ".orig", ".rej", ".dpkg-dist", ".dpkg-new", ".dpkg-old"];
    // Excel's own lock beside an open workbook begins with ~$.
    name.starts_with(['.', '#'])
        || name.starts_with("~$")
        || left.iter().any(|end| name.ends_with(end))
        || name == "README.md"
}

/// Where a file that nothing reads was probably meant to be.
fn misplaced(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).and_then(|f| f.to_str()).unwrap_or("");
    let file = path.file_name().and_then(|f| f.to_str()).unwrap_or("");
    if FOLDERS.contains(&folder) {
        let ending = match folder {
            "playbooks" => "md",
            "calendar" => "ics, .csv, .xlsx or .toml",
            _ => "toml",
        };
        return format!("files of {folder}/ end in .{ending}");
    }
    match (fault::nearest(folder, FOLDERS), fault::nearest(file, ["people.toml", "voice.toml", "reports.toml"])) {
        (Some(meant), _) => format!("did you mean the folder `{meant}`?"),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => format!("put it into one of {}/, or take it away", FOLDERS.join("/, ")),
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    if path.extension().is_some_and(|e| e == "xlsx") {
        return calendar::book::csv(&bytes);
    }
    let text = String::from_utf8(bytes).map_err(|e| format!("byte {} is not UTF-8", e.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
