//! The query of a request, and percent-encoding both ways.

use adcp_core::{DeadReason, DeliveryFilter, DeliveryState, Endpoint, TaskId, Timestamp, hex};

use crate::problem::Problem;

/// What filters a list, and chooses what is sent again.
pub(crate) const FILTERS: [&str; 7] = ["state", "reason", "endpoint", "task", "about", "since", "before"];

const STATES: [DeliveryState; 5] = [
    DeliveryState::Pending,
    DeliveryState::Sending,
    DeliveryState::Waiting,
    DeliveryState::Delivered,
    DeliveryState::Dead,
];

const REASONS: [DeadReason; 9] = [
    DeadReason::Exhausted,
    DeadReason::Gone,
    DeadReason::Refused,
    DeadReason::SignatureRejected,
    DeadReason::Redirected,
    DeadReason::ForbiddenAddress,
    DeadReason::Unsealable,
    DeadReason::Corrupt,
    DeadReason::Unknown,
];

/// Names and values, decoded. Every name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query that may hold these names. A `+` is a plus: of a time zone, say.
    pub(crate) fn parse(text: Option<&str>, names: &[&[&str]]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = || names.iter().copied().flatten().copied();
            let Some(name) = decode(name).filter(|name| known().any(|known| known == name)) else {
                let names: Vec<&str> = known().collect();
                return Err(Problem::field(
                    shown(name),
                    format!("is not asked for here; {}", one_of(&names)),
                ));
            };
            match decode(value) {
                Some(value) if value.is_empty() => {
                    return Err(Problem::field(name, "is empty; leave it out, or say which"));
                }
                Some(value) => pairs.push((name, value)),
                None => return Err(Problem::field(name, "is not percent-encoded UTF-8 text")),
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a name that stands there once at most.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Problem::field(name, "stands there twice; say it once")),
            (one, None) => Ok(one),
        }
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether anything is chosen by what differs among deliveries that were given up.
    pub(crate) fn narrows(&self) -> bool {
        self.0.iter().any(|(name, _)| name != "state" && FILTERS.contains(&name.as_str()))
    }

    /// A number of rows from 1 to `most`.
    pub(crate) fn limit(&self, usual: usize, most: usize) -> Result<usize, Problem> {
        let wrong = || Problem::field("limit", format!("is a whole number from 1 to {most}"));
        match self.one("limit")? {
            None => Ok(usual),
            Some(text) => text.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(wrong),
        }
    }

    /// `true`, `false` or nothing.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::field(name, "is `true` or `false`")),
        }
    }

    /// The filter that is described.
    pub(crate) fn filter(&self) -> Result<DeliveryFilter, Problem> {
        let mut filter = DeliveryFilter::new();
        for word in self.all("state") {
            let known = STATES.map(DeliveryState::as_str);
            let state = DeliveryState::parse(word).ok_or_else(|| Problem::field("state", one_of(&known)))?;
            filter.states.push(state);
        }
        for word in self.all("reason") {
            let reason = DeadReason::parse(word);
            if reason.as_str() != word {
                return Err(Problem::field("reason", one_of(&REASONS.map(DeadReason::as_str))));
            }
            filter.reasons.push(reason);
        }
        filter.task = self.one("task")?.map(TaskId::new);
        filter.about = self.one("about")?.map(str::to_owned);
        filter.endpoint = self.one("endpoint")?.map(endpoint).transpose()?;
        filter.since = self.instant("since")?;
        filter.before = self.instant("before")?;
        Ok(filter)
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let parse = |text: &str| {
            let words = "is an RFC 3339 timestamp with an offset, such as 2026-11-21T08:00:00Z";
            Timestamp::parse(text).map_err(|_| Problem::field(name, words))
        };
        self.one(name)?.map(parse).transpose()
    }
}

/// The endpoint that is named, or that an address leads to.
fn endpoint(text: &str) -> Result<Endpoint, Problem> {
    let nowhere = Endpoint::of("");
    let found = Endpoint::of(text);
    if found == nowhere && text != nowhere.as_str() {
        let words = "is scheme, host and port of a receiver, such as https://buyer.example:8443";
        return Err(Problem::field("endpoint", words));
    }
    Ok(found)
}

fn one_of(words: &[&str]) -> String {
    format!("it is one of {}", words.join(", "))
}

/// The beginning of what somebody wrote, for the answer to it.
fn shown(text: &str) -> String {
    text.chars().take(32).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Decodes percent-encoded text; `None` for a broken escape, for what is no UTF-8, and for a NUL, which no store keeps.
///
/// Spec: RFC 3986, section 2.1.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.extend(adcp_core::unhex(digits)?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// Text as one segment of a path, or one value of a query.
///
/// Spec: RFC 3986, section 2.3.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query, Problem> {
        Query::parse(Some(text), &[&FILTERS, &["limit", "all"]])
    }

    #[track_caller]
    fn bad<T: std::fmt::Debug>(found: Result<T, Problem>, field: &str) {
        match found {
            Err(Problem::BadRequest { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_survives_encoding() {
        for text in ["whk_0a1b", "a/b?c=d&e#f%2F", "ключ +ü", "..", ""] {
            let encoded = encode(text);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(text));
        }
        for broken in ["%", "%4", "%zz", "%ff", "%00", "a%+1"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        assert_eq!(decode("2026-11-21T08:00:00+01:00").as_deref(), Some("2026-11-21T08:00:00+01:00"));
    }

    #[test]
    fn a_filter_says_all_that_the_store_offers() {
        let query = "state=dead&state=waiting&reason=gone&endpoint=HTTPS://Buyer.example/hook&task=t%2F1\
                     &about=mb_1&since=2026-11-21T08:00:00%2B01:00&before=2026-11-21T08:00:00Z";
        let filter = parse(query).unwrap().filter().unwrap();
        assert_eq!(filter.states, [DeliveryState::Dead, DeliveryState::Waiting]);
        assert_eq!(filter.reasons, [DeadReason::Gone]);
        assert_eq!(filter.endpoint, Some(Endpoint::stored("https://buyer.example")));
        assert_eq!((filter.task, filter.about.as_deref()), (Some(TaskId::new("t/1")), Some("mb_1")));
        let hour = filter.before.unwrap().since(filter.since.unwrap());
        assert_eq!(hour.as_secs(), 3600);
        assert_eq!(parse("").unwrap().filter(), Ok(DeliveryFilter::new()));
        let invalid = parse("endpoint=invalid").unwrap().filter().unwrap();
        assert_eq!(invalid.endpoint, Some(Endpoint::stored("invalid")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        bad(parse("sate=dead"), "sate");
        bad(parse("a%0Ab=1"), "a%0Ab");
        bad(parse("state="), "state");
        bad(parse("state"), "state");
        bad(parse("task=%ff"), "task");
        for (query, field) in [
            ("state=deed", "state"),
            ("reason=bored", "reason"),
            ("endpoint=buyer", "endpoint"),
            ("since=yesterday", "since"),
            ("before=2026-11-21", "before"),
            ("task=a&task=b", "task"),
        ] {
            bad(parse(query).unwrap().filter(), field);
        }
        for limit in ["0", "-1", "501", "x", "99999999999999999999"] {
            bad(parse(&format!("limit={limit}")).unwrap().limit(50, 500), "limit");
        }
        bad(parse("all=yes").unwrap().flag("all"), "all");
        assert_eq!(parse("limit=500").unwrap().limit(50, 500), Ok(500));
        assert_eq!(
            (parse("all=true").unwrap().flag("all"), parse("").unwrap().flag("all")),
            (Ok(true), Ok(false))
        );
    }

    #[test]
    fn a_state_and_a_number_choose_nothing_among_dead_letters() {
        for (query, narrows) in [("", false), ("state=dead&limit=3", false), ("reason=gone", true)] {
            assert_eq!(parse(query).unwrap().narrows(), narrows, "{query}");
        }
    }
}
