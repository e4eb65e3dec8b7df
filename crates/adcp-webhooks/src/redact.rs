//! The beginning of an answer, and words about it, without what a receiver may have repeated of our secrets.

use adcp_core::{Event, MAX_ANSWER};

/// The most that is kept and logged of what is said about an attempt, in bytes.
const MAX_WORDS: usize = 500;

/// What stands where a secret was.
const GAP: &str = "[withheld]";

/// What is shorter is no secret, and would blot out half of an answer.
const SHORTEST: usize = 8;

/// What an answer must not show of one attempt: the token of the body, the credentials, the header fields that
/// authenticated it, and the query of the address.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Whether a body is long enough to show any.
    pub(crate) const fn fit_into(body: &[u8]) -> bool {
        body.len() >= SHORTEST
    }

    /// Nothing to withhold.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn of<'a>(event: &Event, fields: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<String> = fields.map(str::to_owned).collect();
        if let Ok(serde_json::Value::Object(mut body)) = serde_json::from_str(&event.body)
            && let Some(serde_json::Value::String(token)) = body.remove("token")
        {
            all.push(token);
        }
        all.extend(event.authentication.as_ref().map(|auth| auth.credentials.expose().to_owned()));
        all.extend(event.url.split_once('?').map(|(_, query)| query.to_owned()));
        let escaped: Vec<String> = all.iter().filter_map(|text| escaped(text)).collect();
        all.extend(escaped);
        all.retain(|secret| secret.len() >= SHORTEST);
        // What contains another one goes first.
        all.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        all.dedup();
        Self(all)
    }

    /// The text that is kept of a body, of which more may have been left unread.
    pub(crate) fn withheld_from(&self, body: &[u8], truncated: bool) -> String {
        let mut text = self.withheld(String::from_utf8_lossy(body).into_owned());
        if truncated {
            let begun = self.0.iter().map(|secret| begun(&text, secret)).max().unwrap_or(0);
            if begun > 0 {
                text.truncate(text.len() - begun);
                text.push_str(GAP);
            }
        }
        cut(text, MAX_ANSWER)
    }

    /// What is kept and logged of words that may quote a receiver.
    pub(crate) fn withheld_from_words(&self, words: &str) -> String {
        cut(self.withheld(words.to_owned()), MAX_WORDS)
    }

    fn withheld(&self, mut text: String) -> String {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), GAP);
            }
        }
        text
    }
}

fn cut(mut text: String, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The text as JSON writes it, if that is another one.
fn escaped(text: &str) -> Option<String> {
    let written = serde_json::Value::from(text).to_string();
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    (inner != text).then(|| inner.to_owned())
}

/// How many bytes at the end of a text are the beginning of a secret.
fn begun(text: &str, secret: &str) -> usize {
    let longest = text.len().min(secret.len());
    let mut lengths = (4..=longest).rev();
    lengths.find(|length| text.as_bytes().ends_with(&secret.as_bytes()[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use adcp_core::{CallbackAuth, EventKey, Owner, Principal, Secret, Subject, TenantId, Timestamp};

    use super::*;

    fn event(token: &str, credentials: &str) -> Event {
        let body = serde_json::json!({ "idempotency_key": "whk_1", "token": token }).to_string();
        let mut event = Event::stored(
            EventKey::stored("whk_1"),
            Owner::new(TenantId::single(), None, Principal::new("p")),
            Subject::Notification { kind: "scheduled".into(), about: None, subscriber: None },
            "https://buyer.example/hook?key=query-secret".into(),
            body,
            Timestamp::from_micros(0),
        );
        event.authentication = Some(CallbackAuth::new("Bearer", Secret::new(credentials)));
        event
    }

    #[test]
    fn nothing_of_a_secret_is_kept() {
        let token = "to\"ken-0123456789";
        let secrets = Secrets::of(&event(token, "credentials-of-the-buyer"), ["sig1=:abcdef:"].into_iter());
        let answer = format!(
            "GET /hook?key=query-secret\nAuthorization: Bearer credentials-of-the-buyer\n{}\nsig1=:abcdef: {token}",
            serde_json::json!({ "token": token })
        );
        assert_eq!(
            secrets.withheld_from(answer.as_bytes(), false),
            "GET /hook?[withheld]\nAuthorization: Bearer [withheld]\n{\"token\":\"[withheld]\"}\n[withheld] [withheld]"
        );
    }

    #[test]
    fn a_secret_that_is_cut_off_is_withheld_too() {
        let secrets = Secrets::of(&event("0123456789abcdef", "credentials-of-the-buyer"), [].into_iter());
        assert_eq!(secrets.withheld_from(b"you sent 0123456789abc", true), "you sent [withheld]");
        assert_eq!(secrets.withheld_from(b"you sent 012", true), "you sent 012");
        assert_eq!(secrets.withheld_from(b"you sent 0123456789abc", false), "you sent 0123456789abc");
        let long = secrets.withheld_from("é".repeat(9_000).as_bytes(), true);
        assert_eq!(long.len(), MAX_ANSWER);
        assert_eq!(secrets.withheld_from(&[b'a', 0xff], false), "a\u{fffd}");
        assert_eq!(secrets.withheld_from_words("it was 0123456789abcdef"), "it was [withheld]");
        assert_eq!(secrets.withheld_from_words(&"é".repeat(251)).len(), MAX_WORDS);
    }
}
