//! Structured fields, as far as signatures use them: dictionaries of inner lists and of byte sequences.
//!
//! Stricter than RFC 8941 where leniency would let two readers differ: a label or a parameter that occurs twice is an
//! error, not overwritten. More lenient in one place, because AdCP is: byte sequences may be base64url.

use std::fmt::Write as _;

use crate::alphabet;

/// What is wrong with a field, for a log line.
pub(crate) type Malformed = &'static str;

/// The most bytes of one field; ours have a few hundred.
const MAX_FIELD: usize = 16 * 1024;

/// A value without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bare {
    Integer(i64),
    /// In thousandths.
    Decimal(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// Parameters in their order, each name once.
pub(crate) type Params = Vec<(String, Bare)>;

/// One covered component: its name, and parameters that change its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) params: Params,
}

/// What one signature covers, and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) components: Vec<Component>,
    pub(crate) params: Params,
}

impl Covered {
    /// The value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&Bare> {
        self.params.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The canonical text, which is also the value of `@signature-params`.
    pub(crate) fn to_text(&self) -> String {
        // As long as ours are: signing writes one for each message.
        let mut out = String::with_capacity(320);
        out.push('(');
        for (at, component) in self.components.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            component.write(&mut out);
        }
        out.push(')');
        write_params(&mut out, &self.params);
        out
    }
}

impl Component {
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), params: Vec::new() }
    }

    /// Writes the component as a line of the signature base names it.
    pub(crate) fn write(&self, out: &mut String) {
        write_string(out, &self.name);
        write_params(out, &self.params);
    }
}

fn write_params(out: &mut String, params: &Params) {
    for (name, value) in params {
        out.push(';');
        out.push_str(name);
        if *value != Bare::Boolean(true) {
            out.push('=');
            write_bare(out, value);
        }
    }
}

fn write_bare(out: &mut String, value: &Bare) {
    match value {
        Bare::Integer(number) => {
            let _ = write!(out, "{number}");
        }
        Bare::Decimal(thousandths) => {
            let sign = if *thousandths < 0 { "-" } else { "" };
            let (whole, rest) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
            let rest = format!("{rest:03}");
            let rest = rest.trim_end_matches('0');
            let rest = if rest.is_empty() { "0" } else { rest };
            let _ = write!(out, "{sign}{whole}.{rest}");
        }
        Bare::String(text) => write_string(out, text),
        Bare::Token(token) => out.push_str(token),
        Bare::Bytes(bytes) => {
            let _ = write!(out, ":{}:", alphabet::standard(bytes));
        }
        Bare::Boolean(value) => out.push_str(if *value { "?1" } else { "?0" }),
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        match part.strip_suffix(['"', '\\']) {
            Some(plain) => {
                out.push_str(plain);
                out.push('\\');
                out.push_str(&part[plain.len()..]);
            }
            None => out.push_str(part),
        }
    }
    out.push('"');
}

/// Reads `Signature-Input`: what each label covers.
pub(crate) fn signature_input(text: &str) -> Result<Vec<(String, Covered)>, Malformed> {
    dictionary(text, Reader::covered)
}

/// Reads `Signature` or `Content-Digest`: the bytes of each label.
pub(crate) fn byte_sequences(text: &str) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
    dictionary(text, Reader::byte_sequence)
}

fn dictionary<'a, T>(
    text: &'a str,
    member: fn(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<(String, T)>, Malformed> {
    if text.len() > MAX_FIELD {
        return Err("a signature field is longer than 16 KiB");
    }
    let mut reader = Reader { rest: text.trim_matches(' ').as_bytes() };
    let mut members: Vec<(String, T)> = Vec::new();
    while !reader.rest.is_empty() {
        let label = reader.key()?;
        if members.iter().any(|(other, _)| *other == label) {
            return Err("a label occurs twice");
        }
        if !reader.take(b'=') {
            return Err("a label has no value");
        }
        members.push((label, member(&mut reader)?));
        reader.skip(b" \t");
        if reader.rest.is_empty() {
            return Ok(members);
        }
        if !reader.take(b',') {
            return Err("something other than a comma follows a member");
        }
        reader.skip(b" \t");
        if reader.rest.is_empty() {
            return Err("a comma ends the field");
        }
    }
    Err("the field is empty")
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, any_of: &[u8]) {
        while self.rest.first().is_some_and(|byte| any_of.contains(byte)) {
            self.rest = &self.rest[1..];
        }
    }

    /// The longest run of bytes that fit, which must be ASCII.
    fn run(&mut self, fits: impl Fn(u8) -> bool) -> String {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii() && fits(**byte)).count();
        let (run, rest) = self.rest.split_at(len);
        self.rest = rest;
        run.iter().map(|byte| char::from(*byte)).collect()
    }

    fn key(&mut self) -> Result<String, Malformed> {
        if !self.rest.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'*') {
            return Err("a label does not start with a small letter");
        }
        Ok(self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b'*')
        }))
    }

    fn covered(&mut self) -> Result<Covered, Malformed> {
        if !self.take(b'(') {
            return Err("a label does not list what it covers");
        }
        let mut components: Vec<Component> = Vec::new();
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Ok(Covered { components, params: self.params()? });
            }
            let component = Component { name: self.string()?, params: self.params()? };
            if components.contains(&component) {
                return Err("a component is covered twice");
            }
            components.push(component);
            if !matches!(self.rest.first(), Some(b' ' | b')')) {
                return Err("components are not separated by spaces");
            }
        }
    }

    fn byte_sequence(&mut self) -> Result<Vec<u8>, Malformed> {
        if !self.take(b':') {
            return Err("a label does not hold a byte sequence");
        }
        let text = self.run(|byte| byte != b':');
        if !self.take(b':') {
            return Err("a byte sequence does not end");
        }
        alphabet::decode(&text).ok_or("a byte sequence is not base64, or mixes its alphabets")
    }

    fn params(&mut self) -> Result<Params, Malformed> {
        let mut params = Params::new();
        while self.take(b';') {
            self.skip(b" ");
            let name = self.key()?;
            if params.iter().any(|(other, _)| *other == name) {
                return Err("a parameter occurs twice");
            }
            let value = if self.take(b'=') { self.bare()? } else { Bare::Boolean(true) };
            params.push((name, value));
        }
        Ok(params)
    }

    fn bare(&mut self) -> Result<Bare, Malformed> {
        match self.rest.first() {
            Some(b'"') => self.string().map(Bare::String),
            Some(b':') => self.byte_sequence().map(Bare::Bytes),
            Some(b'?') => self.boolean(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'*') => Ok(Bare::Token(self.run(is_token))),
            _ => Err("a parameter has no value"),
        }
    }

    fn boolean(&mut self) -> Result<Bare, Malformed> {
        match (self.next(), self.next()) {
            (_, Some(b'0')) => Ok(Bare::Boolean(false)),
            (_, Some(b'1')) => Ok(Bare::Boolean(true)),
            _ => Err("a boolean is neither ?0 nor ?1"),
        }
    }

    fn string(&mut self) -> Result<String, Malformed> {
        if !self.take(b'"') {
            return Err("a string is not quoted");
        }
        let mut out = String::new();
        loop {
            match self.next() {
                Some(b'"') => return Ok(out),
                Some(b'\\') => match self.next() {
                    Some(c @ (b'"' | b'\\')) => out.push(char::from(c)),
                    _ => return Err("a string escapes what needs no escape"),
                },
                Some(c @ 0x20..=0x7e) => out.push(char::from(c)),
                Some(_) => return Err("a string holds a character that is not printable ASCII"),
                None => return Err("a string does not end"),
            }
        }
    }

    fn number(&mut self) -> Result<Bare, Malformed> {
        let sign = if self.take(b'-') { -1 } else { 1 };
        let whole = self.run(|byte| byte.is_ascii_digit());
        if whole.is_empty() {
            return Err("a number has no digits");
        }
        if !self.take(b'.') {
            if whole.len() > 15 {
                return Err("an integer has more than 15 digits");
            }
            return whole
                .parse()
                .map(|n: i64| Bare::Integer(sign * n))
                .map_err(|_| "an integer is too large");
        }
        let rest = self.run(|byte| byte.is_ascii_digit());
        if whole.len() > 12 || rest.is_empty() || rest.len() > 3 {
            return Err("a decimal has too many digits or none after its point");
        }
        let thousandths = format!("{whole}{rest:0<3}");
        thousandths.parse().map(|n: i64| Bare::Decimal(sign * n)).map_err(|_| "a decimal is too large")
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":/!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INPUT: &str = r#"sig1=("@method" "content-type");created=1;expires=2;keyid="a\"b\\c";tag="t""#;

    #[test]
    fn a_field_is_read_and_written_as_it_was() {
        let members = signature_input(INPUT).unwrap();
        let [(label, covered)] = &members[..] else { panic!("{members:?}") };
        assert_eq!(label, "sig1");
        assert_eq!(covered.components, [Component::plain("@method"), Component::plain("content-type")]);
        assert_eq!(covered.param("created"), Some(&Bare::Integer(1)));
        assert_eq!(covered.param("keyid"), Some(&Bare::String(r#"a"b\c"#.into())));
        assert_eq!(covered.param("nonce"), None);
        assert_eq!(format!("sig1={}", covered.to_text()), INPUT);
    }

    #[test]
    fn optional_space_and_odd_numbers_become_canonical() {
        let text = " a=( \"x\"  \"y\";req ); n=007;d=-1.50;z=0.000;t=tok/en;b=:AQ==:;f=?0;g=?1 ,\t b=() ";
        let members = signature_input(text).unwrap();
        let texts: Vec<_> =
            members.iter().map(|(label, covered)| format!("{label}={}", covered.to_text())).collect();
        assert_eq!(texts, [r#"a=("x" "y";req);n=7;d=-1.5;z=0.0;t=tok/en;b=:AQ==:;f=?0;g"#, "b=()"]);
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        let cases = [
            ("", "empty"),
            ("  ", "empty"),
            ("sig1", "no value"),
            ("sig1=", "list what it covers"),
            ("sig1=token", "list what it covers"),
            ("Sig1=()", "small letter"),
            ("=()", "small letter"),
            ("sig1=(),", "a comma ends"),
            ("sig1=(),,sig2=()", "small letter"),
            ("sig1=() sig2=()", "other than a comma"),
            ("sig1=(), sig1=()", "label occurs twice"),
            (r#"sig1=("a" "a")"#, "covered twice"),
            (r#"sig1=("a""b")"#, "not separated"),
            (r#"sig1=("a""#, "not separated"),
            (r#"sig1=("a" ,"#, "not quoted"),
            ("sig1=(a)", "not quoted"),
            (r#"sig1=("a)"#, "does not end"),
            (r#"sig1=("a\n")"#, "escapes"),
            ("sig1=(\"a\u{7f}\")", "printable"),
            ("sig1=(\"ü\")", "printable"),
            ("sig1=();created=1;created=1", "parameter occurs twice"),
            ("sig1=();created=", "no value"),
            ("sig1=();created=@1", "no value"),
            ("sig1=();created=-", "no digits"),
            ("sig1=();created=1000000000000000", "15 digits"),
            ("sig1=();d=1.", "point"),
            ("sig1=();d=1.2345", "point"),
            ("sig1=();d=1234567890123.1", "point"),
            ("sig1=();b=?2", "boolean"),
            ("sig1=();b=:AQ", "does not end"),
            ("sig1=();b=:A+-Q:", "mixes"),
        ];
        for (text, words) in cases {
            let found = signature_input(text).unwrap_err();
            assert!(found.contains(words), "{text}: {found}");
        }
        let long = |bytes: usize| format!("a=:{}:", "A".repeat(bytes - 4));
        assert!(byte_sequences(&long(MAX_FIELD)).is_ok());
        assert!(byte_sequences(&long(MAX_FIELD + 4)).unwrap_err().contains("16 KiB"));
    }

    #[test]
    fn byte_sequences_are_bytes_and_nothing_else() {
        assert_eq!(
            byte_sequences("a=:AQ==:, b=:-_8:").unwrap(),
            [("a".to_owned(), vec![1]), ("b".to_owned(), vec![0xfb, 0xff])]
        );
        for (text, words) in [
            ("a=1", "byte sequence"),
            ("a=:AQ", "does not end"),
            ("a=:AQ==:;p=1", "other than a comma"),
            ("a=:A+-Q:", "mixes"),
            ("a=:AQ==:, a=:AQ==:", "label occurs twice"),
            ("SHA-256=:AQ==:", "small letter"),
        ] {
            let found = byte_sequences(text).unwrap_err();
            assert!(found.contains(words), "{text}: {found}");
        }
    }

    fn bare() -> impl Strategy<Value = Bare> {
        const TOP: i64 = 999_999_999_999_999;
        prop_oneof![
            (-TOP..=TOP).prop_map(Bare::Integer),
            (-TOP..=TOP).prop_map(Bare::Decimal),
            "[ -~]{0,20}".prop_map(Bare::String),
            "[a-zA-Z*][a-zA-Z0-9:/!#$%&'*+.^_`|~-]{0,9}".prop_map(Bare::Token),
            any::<Vec<u8>>().prop_map(Bare::Bytes),
            any::<bool>().prop_map(Bare::Boolean),
        ]
    }

    fn params() -> impl Strategy<Value = Params> {
        prop::collection::btree_map("[a-z*][a-z0-9_.*-]{0,9}", bare(), 0..5)
            .prop_map(|params| params.into_iter().collect())
    }

    fn covered() -> impl Strategy<Value = Covered> {
        (prop::collection::btree_map("[ -~]{0,12}", params(), 0..5), params()).prop_map(
            |(components, params)| {
                let components =
                    components.into_iter().map(|(name, params)| Component { name, params }).collect();
                Covered { components, params }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(members in prop::collection::btree_map("[a-z*][a-z0-9_.*-]{0,9}", covered(), 1..4)) {
            let text: Vec<_> =
                members.iter().map(|(label, covered)| format!("{label}={}", covered.to_text())).collect();
            let members: Vec<_> = members.into_iter().collect();
            prop_assert_eq!(signature_input(&text.join(", ")), Ok(members));
        }

        #[test]
        fn reading_never_panics_and_writing_is_stable(text in r#"[a-c ]{0,2}=?[()";:=, a-c0-9\\?.+/_-]{0,40}|.{0,60}"#) {
            let _ = byte_sequences(&text);
            if let Ok(members) = signature_input(&text) {
                for (label, covered) in members {
                    let once = format!("{label}={}", covered.to_text());
                    prop_assert_eq!(signature_input(&once), Ok(vec![(label, covered)]));
                }
            }
        }
    }
}
