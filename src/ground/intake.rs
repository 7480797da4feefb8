//! From what a source told to what is stored: cleaned, dated, told apart, analysed, in one transaction with the cursor.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::plain::{self, by_content, identity};
use super::{Fresh, Ground};
use crate::engine::answers;
use crate::engine::stories::WINDOW;
use crate::model::time::Span;
use crate::model::{Answer, Capture, Mention};
use crate::store::answers as kept_answers;
use crate::store::counts::Counts;
use crate::store::erasures::Tombstones;
use crate::store::mentions::{self, Identity, Put, TopicIds};
use crate::store::{StoreError, Stored, Transaction};
use crate::store::{sketches, withdrawn};
use crate::text::Terms;
use crate::text::fingerprint::Print;

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Receipt {
    /// Mentions that are new.
    pub new: usize,
    /// Mentions that were known and have changed.
    pub edited: usize,
    /// Mentions that were known.
    pub known: usize,
    /// Captures without any text.
    pub empty: usize,
    /// Mentions of authors who were erased; they are not stored.
    pub forgotten: usize,
    /// Mentions that were deleted where they were published, and leave.
    #[serde(skip)]
    pub withdrawn: usize,
}

/// Captures of one source.
#[derive(Debug)]
pub struct Batch {
    /// Name of the source.
    pub source: String,
    /// What it told.
    pub captures: Vec<Capture>,
    /// It is the source's first: history, which warms the baselines and never rings.
    pub history: bool,
    /// The source was not read for a while: what has no date may be as old as that, and is history too.
    pub undated_is_old: bool,
    /// It is an archive: history too, whose dates are believed however old they are.
    pub archive: bool,
}

/// What became of things that a source told before.
#[derive(Debug, Default)]
pub struct Followed {
    /// What they say now; those that nobody knows are passed over.
    pub changed: Vec<Capture>,
    /// Those that were taken back, by the ids that the source gives to captures, or looks them up by.
    pub gone: Vec<String>,
    /// Accounts that were closed, by how all begins that the source looks theirs up by.
    pub closed: Vec<String>,
}

/// Mentions of one account that was closed.
const MOST_OF_ONE: u32 = 10_000;

/// Publication is believed from so long before arrival (F50).
const OLDEST: Span = Span::days(30);

/// Batches larger than this are analysed on a thread of their own.
const SMALL: usize = 16;

/// Stores a batch. `also` runs in the same transaction, with the receipt: it keeps the source's cursor.
///
/// # Errors
/// The store's. Nothing of the batch, nor of `also`, is stored then.
pub async fn accept(
    ground: &Arc<Ground>,
    batch: Batch,
    now: Timestamp,
    also: impl FnOnce(&Transaction<'_>, &Receipt) -> Stored<()> + Send + 'static,
) -> Stored<Receipt> {
    follow(ground, batch, Followed::default(), now, also).await
}

/// The same, with what became of what the source told before.
///
/// # Errors
/// As for [`accept`].
pub async fn follow(
    ground: &Arc<Ground>,
    batch: Batch,
    followed: Followed,
    now: Timestamp,
    also: impl FnOnce(&Transaction<'_>, &Receipt) -> Stored<()> + Send + 'static,
) -> Stored<Receipt> {
    ground.shelf.pace().await;
    let (closed, source) = (followed.closed, batch.source.clone());
    let gone: Vec<i64> = followed.gone.iter().map(|id| plain::by_name(&batch.source, id)).collect();
    let changed = followed.changed;
    let (prepared, receipt) = if batch.captures.len() + changed.len() <= SMALL {
        prepare(ground, batch, changed, now)?
    } else {
        // No more at once than there are cores: what a thread remembers of words is worth more than its turn.
        let desk = ground.desks.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let ground = ground.clone();
        let work = tokio::task::spawn_blocking(move || {
            let prepared = prepare(&ground, batch, changed, now);
            drop(desk);
            prepared
        });
        work.await.map_err(|_| StoreError::Closed)??
    };
    let shelf = ground.clone();
    let work = move |tx: &Transaction<'_>| {
        let mut receipt = receipt;
        let mut seq = mentions::last_seq(tx)?;
        let (mut counts, mut ids) = (Counts::default(), TopicIds::default());
        let mut fresh = Vec::new();
        let tombstones = Tombstones::of(tx)?;
        for Prepared { mut mention, identity, terms, sketch, answer } in prepared {
            if let Some(tombstones) = &tombstones
                && tombstones.refuse(tx, &mention, &identity)?
            {
                receipt.forgotten += 1;
                continue;
            }
            match mentions::put(tx, &mention, &identity, &mut seq, &mut ids)? {
                Put::New(id) => {
                    receipt.new += 1;
                    counts.add(&mention, &mention.topics);
                    mention.id = id;
                    if let Some(print) = sketch {
                        sketches::put(tx, id, mention.story, mention.at, &print)?;
                    }
                    if let Some(answer) = answer {
                        kept_answers::put(tx, &Answer { mention: id, ..answer })?;
                    }
                    fresh.push(Fresh { seq, mention, terms });
                }
                Put::Edited(id) => {
                    // With other words it is there again, if it had been taken back.
                    withdrawn::done(tx, &[id])?;
                    receipt.edited += 1;
                }
                Put::Known(_) => receipt.known += 1,
            }
        }
        counts.write(tx, &mut ids)?;
        ids.close(tx)?;
        // After what is new: something may be said and taken back in one breath.
        for name in gone {
            if let Some(mention) = mentions::named(tx, name)? {
                withdrawn::note(tx, mention, now)?;
                receipt.withdrawn += 1;
            }
        }
        for beginning in closed {
            for mention in mentions::looked_up_below(tx, &source, &beginning, MOST_OF_ONE)? {
                withdrawn::note(tx, mention, now)?;
                receipt.withdrawn += 1;
            }
        }
        also(tx, &receipt)?;
        Ok((receipt, fresh))
    };
    // In the order of the commits, so that whoever reads on finds no gap.
    let shelve = move |(receipt, fresh): (Receipt, Vec<Fresh>)| {
        shelf.shelf.put(fresh);
        receipt
    };
    let receipt = ground.store.write_then(work, shelve).await?;
    if receipt.forgotten > 0 {
        metrics::counter!("vakt_forgotten_total").increment(receipt.forgotten as u64);
    }
    if receipt.new + receipt.edited > 0 {
        ground.bells.watch.notify_one();
        ground.bells.index.notify_one();
    }
    Ok(receipt)
}

/// A mention that may be stored.
struct Prepared {
    mention: Mention,
    identity: Identity,
    terms: Terms,
    /// What its story is known by, where that is to be kept.
    sketch: Option<Print>,
    /// Its place in the queue of answers; its number is still to come.
    answer: Option<Answer>,
}

/// Everything that needs no transaction.
fn prepare(ground: &Ground, batch: Batch, changed: Vec<Capture>, now: Timestamp) -> Stored<(Vec<Prepared>, Receipt)> {
    let knowledge = ground.knowledge();
    let mut receipt = Receipt::default();
    let mut plain: Vec<(Mention, Identity, Option<String>, bool)> = Vec::with_capacity(batch.captures.len());
    let first_changed = batch.captures.len();
    let mut ids: HashMap<i64, i64> = HashMap::new();
    let oldest = if batch.archive { plain::first_ever() } else { now - OLDEST };
    for (n, capture) in batch.captures.into_iter().chain(changed).enumerate() {
        let (hint, native) = (capture.language.clone(), capture.native_id.clone());
        let history = batch.history || batch.archive || (batch.undated_is_old && capture.published.is_none());
        let mention = plain::mention(&knowledge, &batch.source, capture, history, oldest, now);
        if mention.text.is_empty() && mention.title.is_empty() {
            receipt.empty += 1;
            continue;
        }
        let mut identity = identity(&mention, native.as_deref());
        if *ids.entry(identity.told).or_insert(identity.content) != identity.content {
            // Two different items under one id: the second is known by what it says (F49).
            identity.told = by_content(&mention, identity.content);
        }
        plain.push((mention, identity, hint, n >= first_changed));
    }
    // What is known and unchanged is not analysed again: most of what a feed tells, most of the time.
    let identities: Vec<Identity> = plain.iter().map(|(_, i, ..)| *i).collect();
    let known = ground.store.read(|c| mentions::known(c, &identities))?;
    let mut out = Vec::with_capacity(plain.len());
    for (mut mention, identity, hint, only_known) in plain {
        if only_known && !known.contains_key(&identity.told) {
            continue;
        }
        let same = known.get(&identity.told) == Some(&identity.content)
            || (!known.contains_key(&identity.told) && identity.placed.is_some_and(|p| known.contains_key(&p)));
        if same && known.contains_key(&identity.told) {
            receipt.known += 1;
            continue;
        }
        let (terms, print, wants) = {
            let analysis = knowledge.analyse(&mut mention, hint.as_deref());
            (analysis.terms, analysis.print, analysis.wants)
        };
        let answer = match knowledge.answers_for(&mention) {
            true => answers::queued(&mention, &wants, &knowledge.rules.people.answers, now),
            false => None,
        };
        let placed = ground.stories().assign(&print, identity.told, mention.at);
        mention.story = placed.story;
        // What is older than the stories that go on is not read back either.
        let sketch = (placed.keep && mention.at >= now - WINDOW).then_some(print);
        mention.newcomer = plain::is_newcomer(&mention, &mut ground.heard());
        out.push(Prepared { mention, identity, terms, sketch, answer });
    }
    Ok((out, receipt))
}
