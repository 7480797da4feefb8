//! What the operator is told: blind sources, refused rules. Through the same outbox as everything else.

use jiff::Timestamp;

use crate::channels::letter::{self, Note};
use crate::channels::mail;
use crate::ground::Ground;
use crate::model::Person;
use crate::store::Stored;
use crate::store::audit::Line;
use crate::store::outbox::{self, By, Message};

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
    send(ground, "blind", &subject, &text, now).await
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
    send(ground, "log", &format!("[vakt] the log of acts: {} lines", line.id), &text, now).await
}

/// Says that all is well to whoever waits for it: once it no longer comes, they know.
///
/// # Errors
/// When the message cannot be stored.
pub async fn heartbeat(ground: &Ground, address: &str, now: Timestamp) -> Stored<()> {
    let text = "vakt is on watch: its sources are asked, its escalations are in time, and its mail is taken. When these mails \
                no longer come, something is wrong with it or on the way.\n";
    send_to(ground, address, "heartbeat", "[vakt] heartbeat: all is well", text, now).await
}

async fn send(ground: &Ground, about: &str, subject: &str, text: &str, now: Timestamp) -> Stored<()> {
    send_to(ground, &ground.house.operator, about, subject, text, now).await
}

async fn send_to(ground: &Ground, address: &str, about: &str, subject: &str, text: &str, now: Timestamp) -> Stored<()> {
    let address = address.to_owned();
    let person = Person {
        name: "operator".into(),
        full_name: "Operator".into(),
        email: address.clone(),
        languages: vec!["en".into()],
        time_zone: "UTC".into(),
        ..Person::default()
    };
    let message_id = format!("operator.{about}.{}@{}", now.as_millisecond(), ground.house.domain());
    let note = letter::note(&Note { subject, text, message_id: &message_id });
    let body = match mail::envelope_bytes(&note, &ground.house.from, &person, now) {
        Ok(body) => body,
        Err(e) => {
            tracing::error!(error = %e, "a message to the operator cannot be composed");
            return Ok(());
        }
    };
    let message = Message {
        id: 0,
        message_id,
        incident: None,
        person: person.name,
        by: By::default(),
        address,
        subject: note.subject,
        body,
        created: now,
        attempts: 0,
    };
    ground.store.write(move |tx| outbox::put(tx, &message)).await?;
    ground.bells.deliver.notify_one();
    Ok(())
}
