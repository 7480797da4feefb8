//! Subscriptions to the hubs of feeds, and what hubs have delivered until it is read.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Stored;

/// A subscription to what a feed publishes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Name of the source.
    #[serde(skip)]
    pub source: String,
    /// The end of the address that the hub tells; nobody else knows it.
    #[serde(skip)]
    pub token: String,
    /// What the hub signs with.
    #[serde(skip)]
    pub secret: String,
    /// The hub.
    pub hub: String,
    /// The feed's own address, by which the hub knows it.
    pub topic: String,
    /// When the hub was asked last, milliseconds since 1970.
    pub asked: i64,
    /// How long the hub has promised to tell, milliseconds since 1970; 0 before it has.
    pub until: i64,
    /// When the hub last delivered something, milliseconds since 1970.
    pub heard: i64,
    /// Why there is none; empty where there is.
    pub error: String,
}

fn read(r: &rusqlite::Row<'_>) -> rusqlite::Result<(String, String, String, String)> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
}

fn one(c: &Connection, sql: &str, key: &str) -> Stored<Option<Subscription>> {
    let Some((source, token, secret, state)) = c.prepare_cached(sql)?.query_row([key], read).optional()? else {
        return Ok(None);
    };
    Ok(Some(Subscription { source, token, secret, ..serde_json::from_str(&state)? }))
}

/// The subscription of a source.
///
/// # Errors
/// When the database cannot be read.
pub fn of_source(c: &Connection, source: &str) -> Stored<Option<Subscription>> {
    one(c, "SELECT source, token, secret, state FROM subscriptions WHERE source = ?1", source)
}

/// The subscription whose address ends with a token.
///
/// # Errors
/// When the database cannot be read.
pub fn of_token(c: &Connection, token: &str) -> Stored<Option<Subscription>> {
    one(c, "SELECT source, token, secret, state FROM subscriptions WHERE token = ?1", token)
}

/// The subscription of a source to a feed at a hub, which gets an address and a secret of its own where it is new.
///
/// # Errors
/// When the database cannot be written.
pub fn begin(c: &Connection, source: &str, hub: &str, topic: &str) -> Stored<Option<Subscription>> {
    let known = of_source(c, source)?.filter(|s| s.hub == hub && s.topic == topic);
    if known.is_some() {
        return Ok(known);
    }
    let state =
        serde_json::to_string(&Subscription { hub: hub.into(), topic: topic.into(), ..Subscription::default() })?;
    c.execute(
        "INSERT OR REPLACE INTO subscriptions
         VALUES (?1, lower(hex(randomblob(16))), lower(hex(randomblob(32))), ?2)",
        [source, &state],
    )?;
    of_source(c, source)
}

/// Keeps how a subscription stands.
///
/// # Errors
/// When the database cannot be written.
pub fn keep(c: &Connection, s: &Subscription) -> Stored<()> {
    c.prepare_cached("UPDATE subscriptions SET state = ?2 WHERE token = ?1")?
        .execute([&s.token, &serde_json::to_string(s)?])?;
    Ok(())
}

/// The sources that have subscriptions.
///
/// # Errors
/// When the database cannot be read.
pub fn sources(c: &Connection) -> Stored<Vec<String>> {
    let mut q = c.prepare_cached("SELECT source FROM subscriptions ORDER BY source")?;
    Ok(q.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// Ends the subscription of a source: whoever tells it something is told that it is gone.
///
/// # Errors
/// When the database cannot be written.
pub fn end(c: &Connection, source: &str) -> Stored<()> {
    c.prepare_cached("DELETE FROM subscriptions WHERE source = ?1")?.execute([source])?;
    Ok(())
}

/// What a hub has delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// Name of the source.
    pub source: String,
    /// Its media type, as the hub gave it.
    pub media: String,
    /// The document.
    pub body: Vec<u8>,
}

/// Documents that may wait to be read, and the bytes of them together.
const MOST: i64 = 500;
const MOST_BYTES: i64 = 64 << 20;

/// Takes in what a hub has delivered; `false` where too much waits already.
///
/// # Errors
/// When the database cannot be written.
pub fn deliver(c: &Connection, source: &str, media: &str, body: &[u8]) -> Stored<bool> {
    let sql = "SELECT count(*), coalesce(sum(length(body)), 0) FROM deliveries";
    let (n, bytes): (i64, i64) = c.prepare_cached(sql)?.query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    if n >= MOST || bytes >= MOST_BYTES {
        return Ok(false);
    }
    c.prepare_cached("INSERT INTO deliveries (source, media, body) VALUES (?1, ?2, ?3)")?
        .execute(params![source, media, body])?;
    Ok(true)
}

/// The first that waits.
///
/// # Errors
/// When the database cannot be read.
pub fn first(c: &Connection) -> Stored<Option<Delivery>> {
    let mut q = c.prepare_cached("SELECT id, source, media, body FROM deliveries ORDER BY id LIMIT 1")?;
    let row =
        |r: &rusqlite::Row<'_>| Ok(Delivery { id: r.get(0)?, source: r.get(1)?, media: r.get(2)?, body: r.get(3)? });
    Ok(q.query_row([], row).optional()?)
}

/// It was read.
///
/// # Errors
/// When the database cannot be written.
pub fn done(c: &Connection, id: i64) -> Stored<()> {
    c.prepare_cached("DELETE FROM deliveries WHERE id = ?1")?.execute([id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hub_has_an_address_and_a_secret_of_its_own() {
        let mut c = Connection::open_in_memory().expect("it opens");
        super::super::migrations().to_latest(&mut c).expect("it is new");
        let begin = |hub: &str| begin(&c, "news", hub, "https://a.example/feed").expect("written").expect("there");
        let first = begin("https://hub.example/");
        assert_eq!((first.token.len(), first.secret.len()), (32, 64));
        assert_eq!(begin("https://hub.example/"), first);
        let other = begin("https://other.example/");
        assert!(other.token != first.token && other.secret != first.secret);
        assert_eq!(of_token(&c, &first.token).expect("read"), None, "an old address is nobody's");
        keep(&c, &Subscription { until: 7, ..other.clone() }).expect("written");
        assert_eq!(of_token(&c, &other.token).expect("read").map(|s| s.until), Some(7));
        assert_eq!(sources(&c).expect("read"), ["news"]);
        end(&c, "news").expect("written");
        assert_eq!(of_token(&c, &other.token).expect("read"), None);
    }

    #[test]
    fn deliveries_are_read_in_order_and_bounded() {
        let mut c = Connection::open_in_memory().expect("it opens");
        super::super::migrations().to_latest(&mut c).expect("it is new");
        for n in 0..MOST {
            assert!(deliver(&c, "news", "application/atom+xml", n.to_string().as_bytes()).expect("written"));
        }
        assert!(!deliver(&c, "news", "", b"more").expect("written"));
        let one = first(&c).expect("read").expect("there");
        assert_eq!((one.body.as_slice(), one.source.as_str()), (&b"0"[..], "news"));
        done(&c, one.id).expect("written");
        assert_eq!(first(&c).expect("read").map(|d| d.body), Some(b"1".to_vec()));
    }
}
