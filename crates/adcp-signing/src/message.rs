//! An HTTP request as the signature sees it.

use std::fmt;

/// Method, address, header fields and body of a request that is signed or verified.
///
/// The body is the exact bytes of the wire; the fields are those that were or will be sent. A verifier derives the
/// address from what it was configured with and the path it was asked for, never from what a proxy forwards.
///
/// ```
/// use adcp_signing::Message;
///
/// let body = br#"{"status":"completed"}"#;
/// let message = Message::new("POST", "https://buyer.example/hook", body)
///     .with_header("Content-Type", "application/json");
/// assert_eq!(message.header("content-type").count(), 1);
/// ```
#[derive(Clone)]
pub struct Message<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// A request without header fields.
    #[must_use]
    pub const fn new(method: &'a str, url: &'a str, body: &'a [u8]) -> Self {
        Self { method, url, headers: Vec::new(), body }
    }

    /// Adds a header field; several of one name are kept in order. An HTTP/2 `:authority` is a field here as well.
    #[must_use]
    pub fn with_header(mut self, name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.headers.push((name, value.as_ref()));
        self
    }

    /// Adds header fields.
    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The address, as it was asked for.
    #[must_use]
    pub const fn url(&self) -> &'a str {
        self.url
    }

    /// The body, byte for byte.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The values of a header field, in order; its name in any case.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Whether there is a header field of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.header(name).next().is_some()
    }

    /// The values of a field as one, as RFC 9421 section 2.1 joins them. `None` if there is none.
    pub(crate) fn combined(&self, name: &str) -> Option<Result<String, &'static str>> {
        let mut values = self.header(name).peekable();
        values.peek()?;
        let mut out = String::new();
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            let Ok(text) = std::str::from_utf8(value) else {
                return Some(Err("a field is not text"));
            };
            let text = text.trim_matches([' ', '\t']);
            if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t') {
                return Some(Err("a field has a character that is not printable ASCII"));
            }
            out.push_str(text);
        }
        Some(Ok(out))
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither addresses, nor values, nor bodies are for logs: tokens stand in all three.
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_one_name_are_joined() {
        let message = Message::new("GET", "https://a.example/", b"")
            .with_header("A", " one ")
            .with_header("b", "x")
            .with_header("a", b"\ttwo")
            .with_header("C", b"\xff")
            .with_header("d", "a\nb");
        assert_eq!(message.combined("a"), Some(Ok("one, two".to_owned())));
        assert_eq!(message.combined("B"), Some(Ok("x".to_owned())));
        assert_eq!(message.combined("e"), None);
        assert!(message.combined("c").unwrap().is_err());
        assert!(message.combined("d").unwrap().is_err());
    }

    #[test]
    fn debug_shows_no_content() {
        let message =
            Message::new("POST", "https://a.example/?token=hunter2", b"hunter2").with_header("A", "hunter2");
        assert_eq!(format!("{message:?}"), r#"Message { method: "POST", headers: ["A"], body: 7, .. }"#);
    }
}
