//! Error codes: an open vocabulary with constants, each with the way to recover from it.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::json::{DecodeError, FromJson, ToJson, serde_bridge, string_enum};

/// What went wrong, as a string both sides know; codes we do not know are kept.
///
/// Spec: `enums/error-code.json`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub(crate) Cow<'static, str>);

string_enum! {
    /// What the caller can do about an error.
    Recovery, Unrecognized {
        /// `transient`: the same call may succeed later.
        Transient = "transient",
        /// `correctable`: another request may succeed.
        Correctable = "correctable",
        /// `terminal`: somebody has to act outside the protocol.
        Terminal = "terminal",
    }
}

impl ErrorCode {
    /// A code, known or not.
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self(code.into())
    }

    /// The code as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How to recover, for codes of the manifest. An unknown code counts as transient.
    pub fn recovery(&self) -> Option<Recovery> {
        crate::generated::error_codes::recovery(&self.0)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ErrorCode {
    fn from(code: &str) -> Self {
        Self(Cow::Owned(code.to_owned()))
    }
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        Self(Cow::Owned(code))
    }
}

impl FromJson for ErrorCode {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        String::from_json(value).map(Self::from)
    }
}

impl ToJson for ErrorCode {
    fn to_json(&self) -> Value {
        Value::String(self.0.clone().into_owned())
    }
}

serde_bridge! { ErrorCode }
