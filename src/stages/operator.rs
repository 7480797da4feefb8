//! What the operator is told: blind sources, refused rules, channels that take nothing. Through the same outbox as
//! everything else, by mail and by the channels of `[operator]`.

use jiff::Timestamp;

use crate::channels::letter::{self, Note};
use crate::channels::{mail, short};
use crate::ground::Ground;
use crate::model::Person;
use crate::model::people::MAIL;
use crate::store::Stored;
use crate::store::audit::Line;
use crate::store::outbox::{self, By, Message, Stuck};

/// Tells of the sources that are blind now; an empty list says that all see again.
///
/// # Errors
/// When the message cannot be stored.
pub async fn blind(ground: &Ground, sources: &[(String, String)], now: Timestamp) -> Stored<()> {
    let subject = match sources {
        [] => "[vakt] all sources are read again".to_owned(),
        [(name, _)] => format!("[vakt] blind: {name} is not heard"),
        many => format!("[vakt] blind: {} sources are not heard", many.len()),
    };
    let mut text = String::new();
    for (name, why) in sources {
        text.push_str(&format!("{name}: {why}\n"));
    }
    text.push_str(if sources.is_empty() {
        "Every source that was blind is read again.\n"
    } else {
        "\nWhat is said there is not seen until this is mended. `vakt sources` shows how each source stands.\n"
    });
    send_but(ground, &Told { about: "blind", subject: &subject, text: &text, over: sources.is_empty() }, None, now)
        .await
}

/// Tells that the disk is nearly full.
///
/// # Errors
/// When the message cannot be stored.
pub async fn disk_full(ground: &Ground, now: Timestamp) -> Stored<()> {
    let text = "The disk of the data directory is nearly full. Sources are not read and pushes are answered with 503 until \
                there is room again; what is stored already still rings. Free some space, or move data_dir to a larger disk.\n";
    send(ground, "disk", "[vakt] the disk is nearly full; nothing more is read", text, now).await
}

/// Tells that changed rules were refused, and which mistakes they have.
///
/// # Errors
/// When the message cannot be stored.
pub async fn rules_refused(ground: &Ground, faults: &str, now: Timestamp) -> Stored<()> {
    let text = format!("The rules were changed and have mistakes. The last good rules stay in force.\n\n{faults}\n");
    send(ground, "rules", "[vakt] the rules have mistakes; the last good ones stay in force", &text, now).await
}

/// Tells the head of the log of acts: kept in a mailbox, it shows whether somebody has cut the log off or written it anew.
///
/// # Errors
/// When the message cannot be stored.
pub async fn log_head(ground: &Ground, line: &Line, now: Timestamp) -> Stored<()> {
    let text = format!(
        "The log of acts has {} lines, the last of {:.0}. The hash of the last one is\n\n  {}\n\nKeep this mail. \
         `vakt audit verify --head {}` says whether the log still holds that line, and all before it as they were written.\n",
        line.id, line.at, line.hash, line.hash
    );
    let subject = format!("[vakt] the log of acts: {} lines", line.id);
    let told = Told { about: "log", subject: &subject, text: &text, over: false };
    // A mailbox keeps it; a telephone need not ring for it.
    put(ground, mailed(ground, &ground.house.operator, &told, now).into_iter().collect()).await
}

/// Says that all is well to whoever waits for it: once it no longer comes, they know.
///
/// # Errors
/// When the message cannot be stored.
pub async fn heartbeat(ground: &Ground, address: &str, now: Timestamp) -> Stored<()> {
    let text = "vakt is on watch: its sources are asked, its escalations are in time, and its mail is taken. When these mails \
                no longer come, something is wrong with it or on the way.\n";
    let told = Told { about: "heartbeat", subject: "[vakt] heartbeat: all is well", text, over: false };
    put(ground, mailed(ground, address, &told, now).into_iter().collect()).await
}

/// Tells by the other ways that one takes nothing.
///
/// # Errors
/// When the message cannot be stored.
pub async fn stuck(ground: &Ground, stuck: &Stuck, now: Timestamp) -> Stored<()> {
    let Stuck { channel, oldest, error } = stuck;
    let subject = format!("[vakt] nothing goes out by {channel} since {}", oldest.strftime("%H:%M UTC"));
    let text = format!(
        "Messages by {channel} are not taken since {oldest:.0}, and are tried again until they are. Last answer: {error}\n\n\
         `vakt doctor` shows how the relays stand, `vakt doctor --channel NAME` tries a channel.\n"
    );
    let note = Told { about: &format!("stuck.{channel}"), subject: &subject, text: &text, over: false };
    send_but(ground, &note, Some(channel), now).await
}

/// What is told.
struct Told<'a> {
    /// A word for what it is about.
    about: &'a str,
    subject: &'a str,
    text: &'a str,
    /// It says that something is over.
    over: bool,
}

async fn send(ground: &Ground, about: &str, subject: &str, text: &str, now: Timestamp) -> Stored<()> {
    send_but(ground, &Told { about, subject, text, over: false }, None, now).await
}

/// Tells by mail and by the operator's channels, but not by one of them.
async fn send_but(ground: &Ground, told: &Told<'_>, but: Option<&str>, now: Timestamp) -> Stored<()> {
    let mut messages = Vec::new();
    if but != Some(MAIL) {
        messages.extend(mailed(ground, &ground.house.operator, told, now));
    }
    let thread = format!("operator.{}@{}", told.about, ground.house.domain());
    let short = short::operator(&thread, told.subject, told.over, now);
    for way in ground.house.operator_reach.iter().filter(|w| Some(w.channel.as_str()) != but) {
        let id = format!("{}.operator.{}.{}@{}", way.channel, told.about, now.as_millisecond(), ground.house.domain());
        let by = By { channel: way.channel.clone(), ..By::default() };
        let (address, body) = (way.to.clone(), short.bytes());
        messages.push(Message { by, address, body, ..message(id, told.subject.to_owned(), now) });
    }
    put(ground, messages).await
}

async fn put(ground: &Ground, messages: Vec<Message>) -> Stored<()> {
    ground.store.write(move |tx| messages.iter().try_for_each(|m| outbox::put(tx, m))).await?;
    ground.bells.deliver.notify_one();
    Ok(())
}

fn mailed(ground: &Ground, address: &str, told: &Told<'_>, now: Timestamp) -> Option<Message> {
    let person = Person {
        name: "operator".into(),
        full_name: "Operator".into(),
        email: address.to_owned(),
        languages: vec!["en".into()],
        time_zone: "UTC".into(),
        ..Person::default()
    };
    let id = format!("operator.{}.{}@{}", told.about, now.as_millisecond(), ground.house.domain());
    let note = letter::note(&Note { subject: told.subject, text: told.text, message_id: &id });
    match mail::envelope_bytes(&note, &ground.house.from, &person, now) {
        Ok(body) => Some(Message { address: person.email, body, ..message(id, note.subject, now) }),
        Err(e) => {
            tracing::error!(error = %e, "a message to the operator cannot be composed");
            None
        }
    }
}

/// A mail to the operator, without its body.
fn message(message_id: String, subject: String, now: Timestamp) -> Message {
    Message {
        id: 0,
        message_id,
        incident: None,
        person: "operator".into(),
        by: By::default(),
        address: String::new(),
        subject,
        body: Vec::new(),
        created: now,
        attempts: 0,
    }
}
