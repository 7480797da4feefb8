//! Where mails go: through relays, or into a folder while there is none.

use std::path::PathBuf;
use std::sync::Arc;

use super::mail::{Mailer, SendError};
use super::{Outcome, folder};

/// Where mails go.
#[derive(Debug, Clone)]
pub enum Post {
    /// Through relays.
    Relays(Arc<Mailer>),
    /// Into a folder, while there is no relay.
    Folder(PathBuf),
}

impl Post {
    /// Sends one mail once, by whichever relay takes it; `file` is its name in the folder.
    pub async fn send(&self, from: &str, file: &str, to: &str, bytes: &[u8]) -> Outcome {
        match self {
            Post::Relays(mailer) => match mailer.send(from, to, bytes).await {
                Ok(accepted) => Outcome::Taken(accepted.relay),
                Err(SendError::Later { reason }) => Outcome::later(reason),
                Err(SendError::Never { reason }) => Outcome::Never(reason),
            },
            Post::Folder(dir) => {
                let (dir, file, bytes) = (dir.clone(), file.to_owned(), bytes.to_vec());
                match tokio::task::spawn_blocking(move || folder::drop_mail(&dir, &file, &bytes)).await {
                    Ok(Ok(path)) => Outcome::Taken(path.display().to_string()),
                    Ok(Err(e)) => Outcome::later(format!("the mail folder cannot be written: {e}")),
                    Err(_) => Outcome::later("the mail folder's thread panicked"),
                }
            }
        }
    }
}
