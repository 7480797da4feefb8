//! Where the brand speaks: the networks that statements and replies are written for.

use serde::{Deserialize, Serialize};

/// A network, or the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// X, once Twitter.
    X,
    /// Bluesky.
    Bluesky,
    /// Mastodon, as servers are set up unless they say otherwise.
    Mastodon,
    /// Threads.
    Threads,
    /// Facebook.
    Facebook,
    /// Instagram, below a picture.
    Instagram,
    /// LinkedIn.
    Linkedin,
    /// YouTube, below a video.
    Youtube,
    /// TikTok, below a video.
    Tiktok,
    /// Text messages.
    Sms,
}

impl Network {
    /// All of them.
    pub const ALL: [Network; 10] = [
        Network::X,
        Network::Bluesky,
        Network::Mastodon,
        Network::Threads,
        Network::Facebook,
        Network::Instagram,
        Network::Linkedin,
        Network::Youtube,
        Network::Tiktok,
        Network::Sms,
    ];

    /// The word that files and commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Network::X => "x",
            Network::Bluesky => "bluesky",
            Network::Mastodon => "mastodon",
            Network::Threads => "threads",
            Network::Facebook => "facebook",
            Network::Instagram => "instagram",
            Network::Linkedin => "linkedin",
            Network::Youtube => "youtube",
            Network::Tiktok => "tiktok",
            Network::Sms => "sms",
        }
    }

    /// The name that people know it by.
    pub fn title(self) -> &'static str {
        match self {
            Network::X => "X",
            Network::Bluesky => "Bluesky",
            Network::Mastodon => "Mastodon",
            Network::Threads => "Threads",
            Network::Facebook => "Facebook",
            Network::Instagram => "Instagram",
            Network::Linkedin => "LinkedIn",
            Network::Youtube => "YouTube",
            Network::Tiktok => "TikTok",
            Network::Sms => "SMS",
        }
    }

    /// Reads [`Network::as_str`], in any case.
    pub fn parse(word: &str) -> Option<Network> {
        Network::ALL.into_iter().find(|n| n.as_str().eq_ignore_ascii_case(word.trim()))
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
