//! Walks through listings of a server on this machine that grows, fails and forgets.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::sources::Limits;
use crate::sources::http::tests::{local, now, path, reply, serve};
use crate::sources::told::Told;

/// A board whose pages hold ten items each, newest first; an item is the minute of its publication.
#[derive(Default)]
struct Board {
    items: Vec<i64>,
    /// Pages that answer with this status.
    broken: Vec<(usize, &'static str)>,
    /// The board shows no more than this.
    most: usize,
    asked: Vec<String>,
}

const SIZE: usize = 10;

fn answer(board: &Mutex<Board>, head: &str) -> Vec<u8> {
    let mut board = board.lock().unwrap();
    let at = path(head).to_owned();
    board.asked.push(at.clone());
    let page: usize = at.rsplit("page=").next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if let Some((_, status)) = board.broken.iter().find(|(n, _)| *n == page) {
        return reply(status, "retry-after: 60\r\n", b"{\"error\":\"not now\"}");
    }
    let mut items = board.items.clone();
    items.sort_unstable_by(|a, b| b.cmp(a));
    items.truncate(board.most);
    let more = items.len() > (page + 1) * SIZE;
    let shown: Vec<i64> = items.into_iter().skip(page * SIZE).take(SIZE).collect();
    reply("200 OK", "x-ratelimit-remaining: 40\r\n", json!({ "items": shown, "more": more }).to_string().as_bytes())
}

/// How late the board shows things, in minutes.
const LATE: i64 = 5;

struct Board1 {
    name: &'static str,
    base: Url,
}

impl Listing for Board1 {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let mut url = self.base.clone();
        url.set_path(self.name);
        url.set_query(Some("page=0"));
        url
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::mins(if self.name == "/slow" { 300 } else { LATE })
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for minute in answer.body.list("/items").iter().filter_map(Value::as_i64) {
            let text = format!("item {minute}");
            let capture = Capture { native_id: Some(text.clone()), text, ..Capture::default() };
            page.add(Some(at(minute)), Some(capture));
        }
        page.rest = match self.name {
            "/paced" => Some(Span::millis(20)),
            name => name.starts_with("/rare").then_some(Span::secs(5)),
        };
        let number: usize = asked.query().unwrap_or("").trim_start_matches("page=").parse().unwrap();
        if answer.body.is("/more") {
            let mut next = asked.clone();
            next.set_query(Some(&format!("page={}", number + 1)));
            page.next = Some(next);
        }
        Ok(page)
    }
}

fn at(minute: i64) -> Timestamp {
    now() - Span::hours(100) + Span::mins(minute)
}

struct World {
    board: Arc<Mutex<Board>>,
    place: Place,
    http: Http,
    base: Url,
    cursor: Value,
}

async fn world(names: &[&'static str]) -> World {
    let board = Arc::new(Mutex::new(Board { most: usize::MAX, items: (0..100).collect(), ..Board::default() }));
    let shown = board.clone();
    let (base, _) = serve(move |head| answer(&shown, head)).await;
    let base = Url::parse(&base).unwrap();
    let http = Http::new("", Limits::default()).unwrap();
    World { board, place: place(&base, names), http, base, cursor: Value::Null }
}

fn place(base: &Url, names: &[&'static str]) -> Place {
    let listing = |name: &&'static str| Box::new(Board1 { name, base: base.clone() }) as Box<dyn Listing>;
    Place::open(local(), names.iter().map(listing).collect())
}

impl World {
    async fn fetch_at(&mut self, when: Timestamp) -> Result<Brought, FetchError> {
        self.board.lock().unwrap().asked.clear();
        let brought = self.place.fetch(&self.http, &self.cursor, when).await?;
        self.cursor = brought.cursor.clone();
        Ok(brought)
    }

    async fn fetch(&mut self) -> Brought {
        self.fetch_at(now()).await.unwrap()
    }

    fn publish(&self, minutes: std::ops::Range<i64>) {
        self.board.lock().unwrap().items.extend(minutes);
    }

    fn asked(&self) -> usize {
        self.board.lock().unwrap().asked.len()
    }
}

fn minutes(brought: &Brought) -> Vec<i64> {
    let mut out: Vec<i64> =
        brought.captures.iter().map(|c| c.text.trim_start_matches("item ").parse().unwrap()).collect();
    out.sort_unstable();
    out
}

/// The page that a listing reads out of an answer to its first question.
pub(in crate::sources) fn page_of(listing: &dyn Listing, body: Value) -> Page {
    let answer = Answer { body, headers: Default::default() };
    listing.read(&answer, &listing.first(None)).unwrap()
}

/// The address that a listing asks first.
pub(in crate::sources) fn asked_of(listing: &dyn Listing, since: Option<Timestamp>) -> String {
    listing.first(since).into()
}

impl Page {
    pub(in crate::sources) fn gone(&self) -> &[String] {
        &self.gone
    }

    pub(in crate::sources) fn captures(&self) -> Vec<&Capture> {
        self.items.iter().map(|(_, capture)| capture).collect()
    }
}

#[tokio::test]
async fn reads_down_to_what_is_known_and_no_further() {
    let mut w = world(&["/board"]).await;
    let first = w.fetch().await;
    assert_eq!((minutes(&first), first.anew, first.gap), ((80..100).collect(), true, false));
    assert_eq!(first.quota.map(|q| q.left), Some(40));
    w.publish(100..125);
    let second = w.fetch().await;
    // A little of what is known comes again, for edits and for what the board shows late.
    assert_eq!((minutes(&second), second.anew, second.gap), ((85..125).collect(), false, false));
    let third = w.fetch().await;
    assert_eq!((w.asked(), third.gap), (1, false), "nothing new costs one page");
}

#[tokio::test]
async fn what_the_first_fetch_left_out_is_never_news() {
    let mut w = world(&["/slow"]).await;
    assert_eq!(minutes(&w.fetch().await), (80..100).collect::<Vec<_>>());
    w.publish(100..103);
    let second = w.fetch().await;
    assert_eq!(minutes(&second), (80..103).collect::<Vec<_>>());
    assert!(!second.gap && w.asked() <= 3, "{}", w.asked());
}

#[tokio::test]
async fn what_could_not_be_read_is_read_next_time() {
    let mut w = world(&["/board"]).await;
    w.fetch().await;
    w.publish(100..150);
    w.board.lock().unwrap().broken = vec![(2, "500 Broken")];
    let second = w.fetch().await;
    assert_eq!(minutes(&second), (130..150).collect::<Vec<_>>());
    assert!(second.degraded.as_deref().is_some_and(|why| why.contains("not now")), "{:?}", second.degraded);
    // More is published, so the pages have moved on: what is read twice does no harm.
    w.publish(150..155);
    w.board.lock().unwrap().broken.clear();
    let third = w.fetch().await;
    let (all, whole) = (minutes(&third), (100..130).chain(150..155));
    assert!(whole.clone().all(|m| all.contains(&m)), "{all:?}");
    assert_eq!((third.degraded, third.gap), (None, false));
    assert!(!w.cursor.to_string().contains("holes"), "{}", w.cursor);
    // A hole that can never be read is a gap in the end.
    w.publish(155..200);
    w.board.lock().unwrap().broken = (1..40).map(|n| (n, "404 Gone")).collect();
    let mut gaps = 0;
    for _ in 0..8 {
        gaps += usize::from(w.fetch().await.gap);
    }
    assert!(gaps == 1 && !w.cursor.to_string().contains("\"tries\":5"), "{gaps} {}", w.cursor);
}

#[tokio::test]
async fn more_than_one_fetch_can_bring_is_brought_by_the_next() {
    let mut w = world(&["/board"]).await;
    w.fetch().await;
    w.publish(100..450);
    let second = w.fetch().await;
    assert_eq!((minutes(&second), second.gap), ((250..450).collect(), false));
    let third = w.fetch().await;
    let all = minutes(&third);
    assert!((100..250).all(|m| all.contains(&m)) && !third.gap, "{all:?}");
    assert!(!w.cursor.to_string().contains("holes"), "{}", w.cursor);
}

#[tokio::test]
async fn a_board_that_rolled_over_is_a_gap() {
    let mut w = world(&["/board"]).await;
    w.fetch().await;
    w.board.lock().unwrap().most = 30;
    w.publish(100..120);
    assert!(!w.fetch().await.gap, "it still shows what is known");
    w.publish(120..180);
    assert!(w.fetch().await.gap);
    assert!(!w.fetch().await.gap);
}

#[tokio::test]
async fn a_host_that_wants_rest_ends_the_fetch() {
    let mut w = world(&["/board", "/other"]).await;
    w.fetch().await;
    w.publish(100..130);
    w.board.lock().unwrap().broken = vec![(1, "429 Too Many")];
    let second = w.fetch().await;
    assert_eq!(minutes(&second), (120..130).collect::<Vec<_>>());
    assert_eq!(w.asked(), 2, "the other listing is not asked");
    assert!(second.degraded.is_some());
    let error = w.fetch_at(now() + Span::secs(30)).await.unwrap_err();
    assert_eq!((error.class(), error.retry_after()), ("paused", Some(Span::secs(30))));
    w.board.lock().unwrap().broken.clear();
    let third = w.fetch_at(now() + Span::mins(1)).await.unwrap();
    let all = minutes(&third);
    assert!((95..130).all(|m| all.iter().filter(|n| **n == m).count() >= 1), "{all:?}");
    assert_eq!(third.degraded, None);
}

#[tokio::test]
async fn a_moment_that_a_host_asks_for_between_pages_is_waited_for() {
    let mut w = world(&["/paced"]).await;
    w.fetch().await;
    w.publish(100..130);
    let second = w.fetch_at(now() + Span::secs(10)).await.unwrap();
    let all = minutes(&second);
    assert!((100..130).all(|m| all.contains(&m)), "{all:?}");
    assert_eq!((second.gap, second.degraded), (false, None));
}

#[tokio::test]
async fn whoever_waited_longest_comes_first() {
    let mut w = world(&["/rare1", "/rare2", "/rare3"]).await;
    w.board.lock().unwrap().items = vec![1];
    let mut asked = String::new();
    for fetch in 0..6 {
        let brought = w.fetch_at(now() + Span::secs(fetch * 10)).await.unwrap();
        assert_eq!((brought.degraded, brought.gap), (None, false));
        asked += &w.board.lock().unwrap().asked.join(" ").replace("?page=0", " ");
    }
    assert_eq!(asked.trim(), "/rare1 /rare2 /rare3 /rare1 /rare2 /rare3");
}

#[tokio::test]
async fn what_is_asked_anew_is_history_and_hides_nothing() {
    let mut w = world(&["/board"]).await;
    w.fetch().await;
    w.publish(100..110);
    w.place = place(&w.base, &["/board", "/more"]);
    let second = w.fetch().await;
    assert!(second.anew && w.board.lock().unwrap().asked.iter().all(|at| at.starts_with("/more")));
    let third = w.fetch().await;
    assert!(!third.anew && (100..110).all(|m| minutes(&third).contains(&m)));
    // A listing that is asked no more is forgotten, and one that cannot be read does not stop the others.
    w.place = place(&w.base, &["/board"]);
    w.fetch().await;
    assert!(!w.cursor.to_string().contains("/more"));
}
