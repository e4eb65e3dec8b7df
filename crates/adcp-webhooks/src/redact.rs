//! The beginning of an answer, and words about it, without what a receiver may have repeated of our secrets.

use adcp_core::{Event, MAX_ANSWER};

/// The most that is kept and logged of what is said about an attempt, in bytes.
const MAX_WORDS: usize = 500;

/// What stands where a secret was.
const GAP: &str = "[withheld]";

/// What is shorter is no secret, and would blot out half of an answer.
const SHORTEST: usize = 8;

/// A value of a query is there for its receiver alone, so that shorter ones count.
const SHORTEST_VALUE: usize = 4;

/// What an answer must not show of one attempt: the token of the body, the credentials, the header fields that
/// authenticated it, and what of the address can be a secret.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Whether a body is long enough to show any.
    pub(crate) const fn fit_into(body: &[u8]) -> bool {
        body.len() >= SHORTEST_VALUE
    }

    /// Nothing to withhold.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn of<'a>(event: &Event, sent_to: &str, fields: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<String> = fields.map(str::to_owned).collect();
        if let Ok(serde_json::Value::Object(mut body)) = serde_json::from_str(&event.body)
            && let Some(serde_json::Value::String(token)) = body.remove("token")
        {
            all.push(token);
        }
        all.extend(event.authentication.as_ref().map(|auth| auth.credentials.expose().to_owned()));
        all.retain(|secret| secret.len() >= SHORTEST);
        // A receiver sees the canonical form, and may know the one that it registered.
        for url in [&*event.url, sent_to] {
            secret_parts(url, &mut all);
        }
        let escaped: Vec<String> = all.iter().flat_map(|text| escaped(text)).collect();
        all.extend(escaped);
        // What contains another one goes first.
        all.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
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

/// What an address may hold in confidence: its query, each value of it, and its path, when that is more than a few short
/// words. Each as it is written, and as it reads.
fn secret_parts(url: &str, into: &mut Vec<String>) {
    let url = url.split('#').next().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut add = |text: &str, shortest: usize| {
        into.extend(readings(text).into_iter().filter(|reading| reading.len() >= shortest));
    };
    add(query, SHORTEST);
    for pair in query.split('&') {
        add(pair.split_once('=').map_or(pair, |(_, value)| value), SHORTEST_VALUE);
    }
    let path = rest.split_once('/').map_or("", |(_, path)| path).trim_matches('/');
    let long = || path.split('/').filter(|segment| segment.len() >= SHORTEST);
    if long().next().is_some() {
        add(path, SHORTEST);
        long().for_each(|segment| add(segment, SHORTEST));
    }
}

/// A part of an address as it is written, with its escapes read, and with every plus a space besides.
fn readings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if text.contains(['%', '+']) {
        all.extend([unescaped(text), unescaped(&text.replace('+', " "))]);
    }
    all
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        let byte = escape.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(byte) = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    // As answers are read, too.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text as JSON writes it, and as those write it who escape slashes, where that is another one.
fn escaped(text: &str) -> Vec<String> {
    let written = serde_json::Value::from(text).to_string();
    let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let slashes = inner.replace('/', "\\/");
    let mut all = vec![inner.to_owned(), slashes];
    all.retain(|other| other != text);
    all
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

    const URL: &str = "https://buyer.example/hook?key=query-secret";

    fn event(token: &str, credentials: &str) -> Event {
        let body = serde_json::json!({ "idempotency_key": "whk_1", "token": token }).to_string();
        let mut event = Event::stored(
            EventKey::stored("whk_1"),
            Owner::new(TenantId::single(), None, Principal::new("p")),
            Subject::Notification { kind: "scheduled".into(), about: None, subscriber: None },
            URL.into(),
            body,
            Timestamp::from_micros(0),
        );
        event.authentication = Some(CallbackAuth::new("Bearer", Secret::new(credentials)));
        event
    }

    #[test]
    fn nothing_of_a_secret_is_kept() {
        let token = "to\"ken-0123456789";
        let secrets =
            Secrets::of(&event(token, "credentials-of-the-buyer"), URL, ["sig1=:abcdef:"].into_iter());
        let answer = format!(
            "GET /hook?key=query-secret\nAuthorization: Bearer credentials-of-the-buyer\n{}\nsig1=:abcdef: {token}",
            serde_json::json!({ "token": token })
        );
        assert_eq!(
            secrets.withheld_from(answer.as_bytes(), false),
            "GET /hook?[withheld]\nAuthorization: Bearer [withheld]\n{\"token\":\"[withheld]\"}\n[withheld] [withheld]"
        );
    }

    fn of_url(url: &str) -> Secrets {
        let mut event = event("0123456789abcdef", "credentials-of-the-buyer");
        event.url = url.to_owned();
        Secrets::of(&event, "https://buyer.example/", [].into_iter())
    }

    #[test]
    fn each_value_of_a_query_is_withheld_as_it_is_written_and_as_it_reads() {
        let secrets = of_url("https://buyer.example/hook?a=1&key=s3cr&sig=ab%2Fcd%3D+e&flag#f");
        for (said, want) in [
            ("key s3cr", "key [withheld]"),
            ("ab%2Fcd%3D+e", GAP),
            ("ab/cd=+e", GAP),
            ("ab/cd= e", GAP),
            (r#"{"sig":"ab\/cd= e"}"#, r#"{"sig":"[withheld]"}"#),
            ("no such flag: 1", "no such [withheld]: 1"),
            ("/hook?a=1&key=s3cr&sig=ab%2Fcd%3D+e&flag", "/hook?[withheld]"),
            ("POST /hook", "POST /hook"),
        ] {
            assert_eq!(secrets.withheld_from(said.as_bytes(), false), want, "{said}");
        }
        assert!(Secrets::fit_into(b"s3cr"), "the shortest secret is a body");
        assert_eq!(of_url("https://buyer.example?key=s3cr").withheld_from(b"s3cr", false), GAP);
    }

    #[test]
    fn a_path_is_withheld_when_it_can_hold_a_secret() {
        let secrets = of_url("https://buyer.example/hooks/T0%C3%A9/s3cr%20t-99/");
        for (said, want) in [
            ("cannot POST /hooks/T0%C3%A9/s3cr%20t-99/", "cannot POST /[withheld]/"),
            ("cannot POST /hooks/T0é/s3cr t-99", "cannot POST /[withheld]"),
            (r"\/hooks\/T0%C3%A9\/s3cr%20t-99", r"\/[withheld]"),
            ("no hook s3cr%20t-99", "no hook [withheld]"),
            ("no hook s3cr t-99", "no hook [withheld]"),
            ("no hook T0é of hooks", "no hook T0é of hooks"),
        ] {
            assert_eq!(secrets.withheld_from(said.as_bytes(), false), want, "{said}");
        }
        let trivial = of_url("https://long-name-of-a-buyer.example/in/hook");
        assert_eq!(trivial.withheld_from(b"POST /in/hook", false), "POST /in/hook");
    }

    #[test]
    fn the_address_is_withheld_as_it_was_sent_too() {
        let event = event("0123456789abcdef", "credentials-of-the-buyer");
        let secrets = Secrets::of(&event, "https://buyer.example/sent-as-this", [].into_iter());
        assert_eq!(secrets.withheld_from(b"POST /sent-as-this", false), "POST /[withheld]");
    }

    #[test]
    fn a_secret_that_is_cut_off_is_withheld_too() {
        let secrets =
            Secrets::of(&event("0123456789abcdef", "credentials-of-the-buyer"), URL, [].into_iter());
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
