//! Letters and parcels that name somebody who is erased, or quote them, sent or not.

use super::{Erasure, QUOTES};
use crate::channels::short::{Said, Short};
use crate::channels::strike;
use crate::store::{Stored, outbox};

/// Letters that are read at once.
const LETTERS: u32 = 50;

impl Erasure<'_> {
    /// Letters after the last one seen: those that wait go on without what was erased, those done with become stubs.
    pub(super) fn letters(&mut self) -> Stored<()> {
        self.parcels()?;
        loop {
            let some = self.store.read(|c| outbox::bodies_after(c, self.letters_seen, LETTERS))?;
            let Some((last, _)) = some.last() else { return Ok(()) };
            self.letters_seen = *last;
            let touched = some.iter().filter(|(_, body)| self.strike.touches(body) || self.posts(body));
            for (id, body) in touched.cloned().collect::<Vec<_>>() {
                let posts = self.posts(&body);
                let (struck, stub) = (self.strike.out_of(&body), strike::stub(&body, self.receipt.id));
                let at = self.receipt.at;
                let hand_over = self.hand_over(id)?;
                let done = self.store.write_blocking(move |tx| {
                    let Some(now) = outbox::stands(tx, id)? else { return Ok(None) };
                    let waits = now.state == "waiting" && !posts;
                    outbox::rewrite(tx, id, if waits { &struck } else { &stub })?;
                    if posts && now.state == "waiting" {
                        outbox::failed(tx, id, QUOTES, at)?;
                        if let Some((hand_over, message)) = &hand_over {
                            hand_over.carry_out(tx, message, at)?;
                        }
                    }
                    let sent = now.state == "delivered" && !now.relay.ends_with(".eml");
                    Ok(Some((now.incident, waits, sent)))
                })?;
                if let Some((incident, waits, sent)) = done {
                    self.receipt.struck += u64::from(waits);
                    self.receipt.stubbed += u64::from(!waits);
                    self.receipt.sent += u64::from(sent);
                    self.touch(incident);
                }
            }
        }
    }

    /// Drafts on their way out: one that waits is not published any more, one that is out is a record without the names.
    fn parcels(&mut self) -> Stored<()> {
        for (id, body) in self.store.read(outbox::parcels)? {
            let Some((mut short, said)) = Short::read(&body).and_then(|s| s.said.clone().map(|said| (s, said))) else {
                continue;
            };
            let left = self.struck(&said.text);
            if left == said.text {
                continue;
            }
            short.said = Some(Said { text: left, ..said });
            let (bytes, now, hand_over) = (short.bytes(), self.receipt.at, self.hand_over(id)?);
            self.store.write_blocking(move |tx| {
                outbox::rewrite(tx, id, &bytes)?;
                match outbox::stands(tx, id)? {
                    Some(m) if m.state == "waiting" => outbox::failed(tx, id, QUOTES, now)?,
                    _ => return Ok(()),
                }
                match &hand_over {
                    Some((hand_over, message)) => hand_over.carry_out(tx, message, now),
                    None => Ok(()),
                }
            })?;
            self.receipt.stubbed += 1;
        }
        Ok(())
    }
}
