//! What is wrong with an instance.

use std::borrow::Cow;
use std::fmt;

/// At most this many violations are told of one instance.
pub const MAX_VIOLATIONS: usize = 16;

/// One thing that is wrong with an instance. Never holds the offending value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub(super) pointer: String,
    pub(super) keyword: Cow<'static, str>,
    pub(super) expected: String,
    pub(super) schema_path: String,
    pub(super) missing: Option<String>,
}

impl Violation {
    /// Where in the instance, as a JSON pointer (RFC 6901); empty for the instance itself.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The keyword that is violated, such as `required`.
    #[must_use]
    pub fn keyword(&self) -> &str {
        &self.keyword
    }

    /// What the schema expects there, in words that go on after "expected".
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The name of the field that is missing from the object at [`Self::pointer`], if that is what is wrong.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Where the schema says so: file, `#`, JSON pointer.
    #[must_use]
    pub fn schema_path(&self) -> &str {
        &self.schema_path
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "at {place}: expected {}", self.expected)
    }
}

/// What is wrong with an instance: at least one violation, at most [`MAX_VIOLATIONS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    pub(super) list: Vec<Violation>,
    pub(super) truncated: bool,
}

impl Violations {
    /// The violations, in the order of the schema.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.list.iter()
    }

    /// Whether there are more than are told.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        if self.truncated { f.write_str("; and more") } else { Ok(()) }
    }
}

impl std::error::Error for Violations {}
