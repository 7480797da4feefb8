//! The way out: what was stored of an author leaves every place that has it, and does not come back.
//!
//! Tombstones come first, so that nothing more comes in; then letters and notes, since they are found by the mentions;
//! the mentions last, so that an erasure that was cut short finds them again. Letters that are composed meanwhile are
//! refused by the mark (see [`erasures::mark`]), and those stored just before are found by a second look.

mod drafts;
mod letters;

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Ground;
use crate::channels::folder;
use crate::channels::strike::{self, ERASED, Strike};
use crate::model::Mention;
use crate::store::authors::{self, Glimpse};
use crate::store::erasures::{self, Receipt, Scope, Tombstones};
use crate::store::mentions::{self, TopicIds};
use crate::store::{Store, StoreError, Stored, incidents, outbox};

/// Why what waits is not sent any more.
const QUOTES: &str = "it quotes somebody who was erased";

/// What keeps an erasure from being carried out.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder with mails.
    #[error("cannot read or write {path}; see to it, and erase again")]
    Folder {
        /// The file or the folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Mentions looked at, and deleted, in one go.
const LOOK: u32 = 20_000;
const CHUNK: usize = 500;
/// Letters looked at in one go.
const LETTERS: u32 = 50;
/// A text shorter than this is too common to be struck out of notes.
const TELLING: usize = 24;

/// Whom to forget, and where.
#[derive(Debug, Clone)]
pub struct Who {
    name: String,
    network: Option<String>,
    source: Option<String>,
}

impl Who {
    /// A name or a handle, with or without `@`, in one network or in what one source tells, or anywhere.
    pub fn new(name: &str, network: Option<&str>, source: Option<&str>) -> Who {
        let plain = |s: &str| s.trim().to_lowercase();
        Who {
            name: plain(name.trim().trim_start_matches('@')),
            network: network.map(plain),
            source: source.map(str::to_owned),
        }
    }

    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty()
    }

    fn wrote(&self, g: &Glimpse<'_>) -> bool {
        let is =
            |who: &str| who.eq_ignore_ascii_case(&self.name) || (!who.is_ascii() && who.to_lowercase() == self.name);
        (is(g.handle) || is(g.name))
            && self.network.as_ref().is_none_or(|n| g.network == n)
            && self.source.as_ref().is_none_or(|s| g.source == s)
    }

    /// Whether a text names `@handle`.
    fn is_named_in(&self, text: &str) -> bool {
        text.match_indices('@').filter_map(|(at, _)| text.get(at + 1..)).any(|rest| {
            let end = word_end(rest, &self.name).and_then(|end| rest.get(end..));
            end.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    }
}

/// Where a word that a text begins with ends, whatever its case.
fn word_end(text: &str, lower: &str) -> Option<usize> {
    let mut wanted = lower.chars();
    for (at, c) in text.char_indices() {
        if !c.to_lowercase().all(|c| wanted.next() == Some(c)) {
            return None;
        }
        if wanted.as_str().is_empty() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// A text without a word, wherever it stands by itself and whatever its case.
fn without(text: &str, lower: &str) -> String {
    let (mut out, mut rest, mut inside) = (String::new(), text, false);
    while let Some(c) = rest.chars().next() {
        let end = word_end(rest, lower).filter(|_| !inside && !lower.is_empty());
        let after = end.and_then(|end| rest.get(end..)).filter(|a| !a.starts_with(char::is_alphanumeric));
        match after {
            Some(after) => {
                out.push_str(ERASED);
                (rest, inside) = (after, false);
            }
            None => {
                out.push(c);
                (rest, inside) = (rest.get(c.len_utf8()..).unwrap_or(""), c.is_alphanumeric());
            }
        }
    }
    out
}

/// What there is of an author.
#[derive(Debug, Default)]
pub struct Found {
    /// The mentions.
    pub mentions: Vec<Mention>,
    /// How many others name the handle in their text.
    pub named: u64,
    /// Messages that quote the mentions.
    pub letters: usize,
    /// Incidents that those are about.
    pub incidents: BTreeSet<i64>,
    looked_upto: i64,
}

/// Looks for an author.
///
/// # Errors
/// When the store cannot be read.
pub fn find(store: &Store, who: &Who) -> Stored<Found> {
    let mut found = find_after(store, who, 0)?;
    let strike = strike_of(who, &found.mentions);
    let mut last = 0;
    loop {
        let some = store.read(|c| outbox::bodies_after(c, last, LETTERS))?;
        let Some((id, _)) = some.last() else { break };
        last = *id;
        for (id, _) in some.iter().filter(|(_, body)| strike.touches(body)) {
            found.letters += 1;
            found.incidents.extend(store.read(|c| outbox::stands(c, *id))?.map(|s| s.incident));
        }
    }
    Ok(found)
}

fn find_after(store: &Store, who: &Who, after: i64) -> Stored<Found> {
    let mut found = Found { looked_upto: after, ..Found::default() };
    let mut ids = Vec::new();
    while let Some(last) = store.read(|c| {
        authors::look_through(c, found.looked_upto, LOOK, |g| match who.wrote(g) {
            true => ids.push(g.id),
            false => found.named += u64::from(who.is_named_in(g.text) || who.is_named_in(g.title)),
        })
    })? {
        found.looked_upto = last;
    }
    found.mentions = store.read(|c| mentions::of_ids(c, &ids))?;
    Ok(found)
}

fn strike_of(who: &Who, mentions: &[Mention]) -> Strike {
    let mut strike = Strike::of(mentions);
    // A source is not named in a letter, so what one source told is found by its mentions alone.
    if who.source.is_none() {
        strike.author(&who.name, who.network.as_deref());
    }
    strike
}

/// An erasure being carried out.
pub struct Erasure<'a> {
    ground: &'a Ground,
    store: &'a Store,
    mail_dir: &'a Path,
    mentions: Vec<Mention>,
    names: BTreeSet<String>,
    strike: Strike,
    letters_seen: i64,
    /// What was done so far.
    pub receipt: Receipt,
}

impl<'a> Erasure<'a> {
    /// Erases what was found: when it returns, neither the store nor the mail folder have it any more, and what the
    /// author writes from now on is refused.
    ///
    /// # Errors
    /// When something cannot be read or written: it is to be done again then.
    pub fn carry_out(
        ground: &'a Ground,
        mail_dir: &'a Path,
        who: &Who,
        found: Found,
        reason: &str,
        now: Timestamp,
    ) -> Result<Erasure<'a>, ErasureError> {
        let store = &ground.store;
        let receipt = lay(store, who, &found.mentions, reason, now)?;
        // What came in between the look and the tombstone.
        let late = find_after(store, who, found.looked_upto)?;
        let mut mentions = found.mentions;
        mentions.extend(late.mentions);
        let mut names = BTreeSet::from([who.name.clone()]);
        names.extend(mentions.iter().flat_map(|m| [m.author.name.to_lowercase(), m.author.handle.to_lowercase()]));
        names.remove("");
        let strike = strike_of(who, &mentions);
        let mut erasure = Erasure { ground, store, mail_dir, mentions, names, strike, letters_seen: 0, receipt };
        erasure.notes()?;
        erasure.drafts(now)?;
        erasure.letters()?;
        erasure.identities()?;
        erasure.remove()?;
        erasure.look_again()?;
        Ok(erasure)
    }

    /// Takes mentions away that were deleted where they were published, with what quotes them; their numbers stay, and
    /// so do their authors. What was done.
    ///
    /// # Errors
    /// As for [`Erasure::carry_out`].
    pub fn withdraw(
        ground: &'a Ground,
        mail_dir: &'a Path,
        mentions: Vec<Mention>,
        now: Timestamp,
    ) -> Result<Receipt, ErasureError> {
        let strike = Strike::alone(&mentions);
        let receipt = Receipt { at: now, ..Receipt::default() };
        let mut erasure = Erasure {
            ground,
            store: &ground.store,
            mail_dir,
            mentions,
            names: BTreeSet::new(),
            strike,
            letters_seen: 0,
            receipt,
        };
        erasure.notes()?;
        erasure.drafts(now)?;
        erasure.letters()?;
        erasure.remove()?;
        // What was under way meanwhile.
        erasure.letters()?;
        erasure.folder()?;
        Ok(erasure.receipt)
    }

    /// Looks once more for letters and mails that were under way.
    ///
    /// # Errors
    /// As for [`Erasure::carry_out`].
    pub fn look_again(&mut self) -> Result<(), ErasureError> {
        self.letters()?;
        self.folder()?;
        self.keep()?;
        Ok(())
    }

    /// Keeps the receipt as it is now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep(&self) -> Stored<()> {
        let receipt = self.receipt.clone();
        self.store.write_blocking(move |tx| erasures::put(tx, &receipt).map(|_| ()))
    }

    /// Names and words of theirs in what people noted on the incidents that were about them.
    fn notes(&mut self) -> Stored<()> {
        let topics: HashSet<&String> = self.mentions.iter().flat_map(|m| &m.topics).collect();
        let all = self.store.read(|c| incidents::latest(c, u32::MAX))?;
        let about: HashSet<i64> = all.iter().filter(|i| topics.contains(&i.topic)).map(|i| i.id).collect();
        let mut changed = Vec::new();
        for (line, incident, text) in self.store.read(incidents::notes)? {
            let left = self.struck(&text);
            if about.contains(&incident) && left != text {
                self.strike.note(&text, &left);
                self.receipt.notes += 1;
                self.touch(incident);
                changed.push((line, incident, left));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.store.write_blocking(move |tx| {
            for (line, number, left) in &changed {
                let before = incidents::timeline_line(tx, *line)?;
                incidents::renote(tx, *line, left)?;
                if let Some(mut incident) = incidents::get(tx, *number)?
                    && let Some(ack) = incident.ack.as_mut().filter(|a| Some(&a.note) == before.as_ref())
                {
                    ack.note.clone_from(left);
                    incidents::update(tx, &incident)?;
                }
            }
            Ok(())
        })
    }

    fn struck(&self, text: &str) -> String {
        let telling = |s: &&String| s.len() >= TELLING || s.contains("://");
        let words = self.mentions.iter().flat_map(|m| [&m.url, &m.title, &m.text]).filter(telling);
        let left = words.fold(text.to_owned(), |t, word| t.replace(word.as_str(), ERASED));
        self.names.iter().fold(left, |t, name| without(&t, name))
    }

    /// Whether it gives somebody a text to post that is not said any more.
    fn posts(&self, mail: &[u8]) -> bool {
        strike::posted(mail).is_some_and(|text| self.struck(&text) != text)
    }

    fn touch(&mut self, incident: i64) {
        if incident != 0 && !self.receipt.incidents.contains(&incident) {
            self.receipt.incidents.push(incident);
        }
    }

    fn identities(&mut self) -> Stored<()> {
        let ids: HashSet<i64> = self.mentions.iter().map(|m| m.id).collect();
        let hashes = self.store.read(|c| authors::identities(c, &ids))?;
        for some in hashes.chunks(CHUNK) {
            let some = some.to_vec();
            self.receipt.identities += some.len() as u64;
            self.store.write_blocking(move |tx| {
                let tombstones = Tombstones::begin(tx)?;
                for hash in some {
                    tombstones.lay_identity(tx, hash)?;
                    authors::forget_identity(tx, hash)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn remove(&mut self) -> Stored<()> {
        for some in self.mentions.chunks(CHUNK) {
            let some = some.to_vec();
            let (gone, seq) = self.store.write_blocking(move |tx| {
                let (mut seq, mut ids, mut gone) = (mentions::last_seq(tx)?, TopicIds::default(), 0);
                for m in &some {
                    // As it is now: its topics may be others since it was found.
                    let Some(m) = mentions::get(tx, m.id)? else { continue };
                    gone += u64::from(mentions::remove(tx, &m, true, &mut seq, &mut ids)?);
                }
                ids.close(tx)?;
                erasures::move_mark(tx)?;
                Ok((gone, seq))
            })?;
            self.receipt.mentions += gone;
            self.receipt.seq = seq;
        }
        Ok(())
    }

    /// Mails in the folder, which stands in for a relay where there is none.
    fn folder(&mut self) -> Result<(), ErasureError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| ErasureError::Folder { path, source }
        };
        let list = match std::fs::read_dir(self.mail_dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            list => list.map_err(wrong(self.mail_dir))?,
        };
        for path in list.flatten().map(|f| f.path()).filter(|p| p.is_file()) {
            let bytes = std::fs::read(&path).map_err(wrong(&path))?;
            if !self.strike.touches(&bytes) && !self.posts(&bytes) {
                continue;
            }
            match (path.extension().is_some_and(|e| e == "eml"), path.file_stem().and_then(|s| s.to_str())) {
                (true, Some(name)) => {
                    folder::drop_mail(self.mail_dir, name, &strike::stub(&bytes, self.receipt.id))
                        .map_err(wrong(&path))?;
                }
                // Half of a mail, from a writing that was cut short.
                _ => std::fs::remove_file(&path).map_err(wrong(&path))?,
            }
            self.receipt.files += 1;
        }
        Ok(())
    }
}

/// Lays the tombstones of an author: for the name as it was asked for, and for the handles that it goes with.
fn lay(store: &Store, who: &Who, mentions: &[Mention], reason: &str, now: Timestamp) -> Stored<Receipt> {
    let networks: BTreeSet<String> = match &who.network {
        Some(network) => BTreeSet::from([network.clone()]),
        None => mentions.iter().map(|m| m.network.clone()).collect(),
    };
    let handles: BTreeSet<(String, String)> = mentions
        .iter()
        .filter(|m| !m.author.handle.is_empty())
        .map(|m| (m.network.clone(), m.author.handle.clone()))
        .collect();
    let (who, reason) = (who.clone(), reason.to_owned());
    store.write_blocking(move |tx| {
        let tombstones = Tombstones::begin(tx)?;
        let mut first = None;
        let mut lay = |network: &str, name: &str| -> Stored<()> {
            let scope = who.source.as_deref().map_or(Scope::Network(network), Scope::Source);
            let hash = tombstones.lay_author(tx, scope, name)?;
            first.get_or_insert(hash);
            Ok(())
        };
        networks.iter().try_for_each(|network| lay(network, &who.name))?;
        handles.iter().try_for_each(|(network, handle)| lay(network, handle))?;
        let mut receipt = Receipt { at: now, reason, tombstone: first.unwrap_or_default(), ..Receipt::default() };
        receipt.id = erasures::put(tx, &receipt)?;
        Ok(receipt)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_where_they_stand_alone() {
        assert_eq!(
            without("Ask ÅSA Berg, not Åsa Bergman or påsa bergs", "åsa berg"),
            "Ask [erased], not Åsa Bergman or påsa bergs"
        );
        assert_eq!(without("a, A.", "a"), "[erased], [erased].");
        let who = Who::new("@Canary_7", None, None);
        let named = ["hi @canary_7!", "@CANARY_7"].iter().all(|t| who.is_named_in(t));
        assert!(named && !who.is_named_in("@canary_71 canary_7 a@b"));
    }
}
