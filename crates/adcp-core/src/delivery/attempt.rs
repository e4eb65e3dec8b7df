//! One try at sending an event, as it is reported and as it is kept.

use std::time::Duration;

use crate::Timestamp;

/// Bytes of a receiver's answer that are kept of one attempt.
pub const MAX_ANSWER: usize = 4096;

/// Attempts that are kept of one event: the latest.
pub const MAX_ATTEMPTS_KEPT: u32 = 64;

const MAX_DETAIL: usize = 500;
const MAX_PEER: usize = 64;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptClass {
    /// 2xx.
    Delivered,
    /// 401: the receiver does not accept the signature or the credentials, perhaps for now.
    Unauthorized,
    /// 410.
    Gone,
    /// Any other 4xx that another attempt does not change.
    Refused,
    /// 3xx, which is never followed.
    Redirected,
    /// 429, 408 or 425: the receiver asks for patience.
    Throttled,
    /// 5xx.
    ServerError,
    /// No whole answer in time.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// No secure connection: the certificate or the handshake.
    Tls,
    /// An answer that is no HTTP, or more than is read.
    Garbage,
    /// The address must not be called; no connection was made.
    Forbidden,
    /// Something on this side, before anything was sent.
    Unsent,
    /// A newer version's word.
    Unknown,
}

/// What an attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a breaker treats each in its own way")]
pub enum Health {
    /// Somebody answers there, whatever was answered.
    Well,
    /// It cannot take events now.
    Ill,
    /// It was not asked.
    Unasked,
}

impl AttemptClass {
    const ALL: [Self; 14] = [
        Self::Delivered,
        Self::Unauthorized,
        Self::Gone,
        Self::Refused,
        Self::Redirected,
        Self::Throttled,
        Self::ServerError,
        Self::Timeout,
        Self::Connection,
        Self::Tls,
        Self::Garbage,
        Self::Forbidden,
        Self::Unsent,
        Self::Unknown,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Unauthorized => "unauthorized",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Garbage => "garbage",
            Self::Forbidden => "forbidden",
            Self::Unsent => "unsent",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word; one that is not known is [`Self::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|class| class.as_str() == text).unwrap_or(Self::Unknown)
    }

    /// What it says of the endpoint.
    #[must_use]
    pub const fn health(self) -> Health {
        match self {
            Self::Delivered | Self::Unauthorized | Self::Gone | Self::Refused | Self::Redirected => {
                Health::Well
            }
            Self::Throttled
            | Self::ServerError
            | Self::Timeout
            | Self::Connection
            | Self::Tls
            | Self::Garbage => Health::Ill,
            Self::Forbidden | Self::Unsent | Self::Unknown => Health::Unasked,
        }
    }
}

/// What a worker says of an attempt. Times are durations: the store has the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// What it came to.
    pub class: AttemptClass,
    /// How long ago it began.
    pub ago: Duration,
    /// How long it took.
    pub took: Duration,
    /// The status of the answer.
    pub http_status: Option<u16>,
    /// The address that was connected to.
    pub peer: Option<String>,
    /// What went wrong, in words for an operator.
    pub detail: Option<String>,
    /// The beginning of the answer's body, without secrets.
    pub answer: Option<String>,
}

impl AttemptReport {
    /// An attempt that came to this, began so long ago and took so long.
    #[must_use]
    pub const fn new(class: AttemptClass, ago: Duration, took: Duration) -> Self {
        Self { class, ago, took, http_status: None, peer: None, detail: None, answer: None }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The address that was connected to.
    #[must_use]
    pub fn with_peer(mut self, peer: impl Into<String>) -> Self {
        self.peer = Some(peer.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The beginning of the answer's body.
    #[must_use]
    pub fn with_answer(mut self, answer: impl Into<String>) -> Self {
        self.answer = Some(answer.into());
        self
    }

    /// The attempt as a store keeps it: numbered, dated, and cut to size.
    #[must_use]
    pub fn kept(&self, number: u32, now: Timestamp) -> Attempt {
        Attempt {
            number,
            class: self.class,
            started_at: now.before(self.ago),
            took: self.took,
            http_status: self.http_status,
            peer: self.peer.as_deref().map(|text| cut(text, MAX_PEER)),
            detail: self.detail.as_deref().map(|text| cut(text, MAX_DETAIL)),
            answer: self.answer.as_deref().map(|text| cut(text, MAX_ANSWER)),
        }
    }
}

/// At most so many bytes, and none that a column of text cannot hold.
fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', " ")
}

/// An attempt as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which of its event's, from 1; redelivery does not count anew.
    pub number: u32,
    /// What it came to.
    pub class: AttemptClass,
    /// When it began, by the registry's clock.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status of the answer.
    pub http_status: Option<u16>,
    /// The address that was connected to.
    pub peer: Option<String>,
    /// What went wrong.
    pub detail: Option<String>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
}

impl Attempt {
    /// An attempt as it was kept, without what was optional.
    #[must_use]
    pub const fn stored(number: u32, class: AttemptClass, started_at: Timestamp, took: Duration) -> Self {
        Self { number, class, started_at, took, http_status: None, peer: None, detail: None, answer: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_unknown_ones_are_unknown() {
        for class in AttemptClass::ALL {
            assert_eq!(AttemptClass::parse(class.as_str()), class);
        }
        assert_eq!(AttemptClass::parse("teapot"), AttemptClass::Unknown);
    }

    #[test]
    fn what_is_kept_is_cut_to_size() {
        let report =
            AttemptReport::new(AttemptClass::Refused, Duration::from_secs(2), Duration::from_secs(1))
                .with_answer(format!("a\0{}", "é".repeat(4096)))
                .with_detail("x".repeat(1000))
                .with_peer("y".repeat(1000));
        let kept = report.kept(3, Timestamp::from_micros(5_000_000));
        assert_eq!((kept.number, kept.started_at), (3, Timestamp::from_micros(3_000_000)));
        let answer = kept.answer.unwrap();
        assert!(answer.starts_with("a é") && answer.len() == MAX_ANSWER, "{}", answer.len());
        assert_eq!((kept.detail.unwrap().len(), kept.peer.unwrap().len()), (500, 64));
        // A character is kept whole or not at all.
        for (before, want) in [("", 4096), ("a", 4093), ("aa", 4094), ("aaa", 4095)] {
            let long = report.clone().with_answer(format!("{before}{}", "𝄞".repeat(2000)));
            let answer = long.kept(1, Timestamp::from_micros(0)).answer.unwrap();
            assert!(answer.len() == want && answer.ends_with('𝄞'), "{before}: {}", answer.len());
        }
    }

    #[test]
    fn an_endpoint_is_ill_when_it_could_not_take_anything() {
        use AttemptClass as Class;
        for class in Class::ALL {
            let want = match class {
                Class::Delivered | Class::Unauthorized | Class::Gone | Class::Refused | Class::Redirected => {
                    Health::Well
                }
                Class::Forbidden | Class::Unsent | Class::Unknown => Health::Unasked,
                _ => Health::Ill,
            };
            assert_eq!(class.health(), want, "{class:?}");
        }
    }
}
