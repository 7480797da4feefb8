//! The nouns of the trade: parsed once and valid ever after.

pub mod alert;
pub mod draft;
pub mod incident;
pub mod mention;
pub mod network;
pub mod people;
pub mod planned;
pub mod playbook;
pub mod policy;
pub mod schedule;
pub mod severity;
pub mod signals;
pub mod silence;
pub mod time;
pub mod topic;
pub mod voice;

pub use alert::{Alert, Raise};
pub use draft::Draft;
pub use incident::{Evidence, Incident, Notice, Status, Term};
pub use mention::{Author, Capture, Mention};
pub use network::Network;
pub use people::{People, Person, Team};
pub use planned::Planned;
pub use playbook::Playbook;
pub use policy::{Policy, Step};
pub use schedule::{Hours, Schedule};
pub use severity::Severity;
pub use signals::Signals;
pub use silence::Silence;
pub use topic::{Topic, TopicKind};
pub use voice::Voice;
