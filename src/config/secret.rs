//! Secrets: never in the text of the configuration, only where it says they are.

use std::path::PathBuf;

use secrecy::SecretString;

use super::written::Form;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// A systemd credential of that name.
    Credential(String),
    /// A file; a line end after the secret does not count.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// A secret that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file or credential cannot be read.
    #[error("the secret in {place} cannot be read")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Credentials were named, and systemd handed over none.
    #[error(
        "the credential `{0}` is not there: $CREDENTIALS_DIRECTORY is not set, add LoadCredential={0}: to the unit"
    )]
    NoCredentials(String),
    /// The variable is not set.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// There is nothing in it.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

impl SecretRef {
    /// Reads `{ credential = "…" }`, `{ file = "…" }` or `{ env = "…" }`.
    pub fn read(form: Form<'_>) -> Option<SecretRef> {
        let credential = form.text("credential").map(|a| SecretRef::Credential(a.value));
        let file = form.text("file").map(|a| SecretRef::File(a.value.into()));
        let env = form.text("env").map(|a| SecretRef::Env(a.value));
        let span = form.span.clone();
        let desk = form.desk;
        form.finish();
        let mut found: Vec<SecretRef> = [credential, file, env].into_iter().flatten().collect();
        if found.len() != 1 {
            desk.error(
                span,
                "a secret is kept in one place",
                "write { credential = \"name\" }, { file = \"/path\" } or { env = \"NAME\" }",
            );
            return None;
        }
        found.pop()
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When it is not there, cannot be read or is empty; the error names the place, never the secret.
    pub fn fetch(&self) -> Result<SecretString, SecretError> {
        let (place, text) = match self {
            SecretRef::Env(name) => {
                (format!("${name}"), std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?)
            }
            SecretRef::Credential(name) => {
                let dir = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                read_file(&PathBuf::from(dir).join(name))?
            }
            SecretRef::File(path) => read_file(path)?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err(SecretError::Empty(place)) } else { Ok(SecretString::from(text)) }
    }
}

fn read_file(path: &std::path::Path) -> Result<(String, String), SecretError> {
    let place = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((place, text)),
        Err(source) => Err(SecretError::Unreadable { place, source }),
    }
}
