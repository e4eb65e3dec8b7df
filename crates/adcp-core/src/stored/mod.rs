//! Text forms of what a durable backend keeps in one column: outcomes, effects, progress, recipes.
//!
//! Every backend writes the same text, so that rows can move between them. Credentials among the effects are sealed
//! before they become text. The forms are for stores only: nothing here is what a buyer sees.
//!
//! Reading is strict about what it needs and lenient about what it does not know, so that a newer version's rows can
//! be read by an older one beside it.

mod columns;
mod delivery;
mod document;
mod effects;
mod error;
mod job;
#[cfg(feature = "sealing")]
mod keyring;
mod outcome;
mod proposal;
mod seal;

use adcp_types::json::JsonObject;
use serde_json::Value;

pub use columns::{
    Bounds, order_column, order_instant, read_account, read_holder, read_phase, write_account, write_holder,
    write_phase,
};
pub use delivery::{read_redeliveries, write_list, write_redeliveries};
pub use document::{DocumentBounds, DocumentColumns, document_binding, document_place, read_document};
pub use effects::{read_effects, show_effects, write_effects};
pub use job::{read_job_input, write_job_input};
#[cfg(feature = "sealing")]
pub use keyring::{BadKeyId, KeyRing};
pub use outcome::{
    read_history, read_object, read_outcome, read_progress, write_history, write_object, write_outcome,
    write_progress,
};
pub use proposal::{read_products, read_recipes, read_words, write_products, write_recipes, write_words};
pub use seal::{NoSealer, SealError, Sealer};

/// Stored text that is not what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stored {what} is not readable at `{at}`")]
#[non_exhaustive]
pub struct Unreadable {
    /// What was read.
    pub what: &'static str,
    /// Where it is wrong.
    pub at: &'static str,
}

impl Unreadable {
    /// Something that is not readable there.
    #[must_use]
    pub const fn new(what: &'static str, at: &'static str) -> Self {
        Self { what, at }
    }

    /// Whether it is a credential that the keys at hand do not open; the rest may be sound.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.at.starts_with("sealed_")
    }
}

/// Takes fields out of a stored object, and names the one that is not what it should be.
struct Reader {
    what: &'static str,
    fields: JsonObject,
}

impl Reader {
    fn parse(what: &'static str, text: &str) -> Result<Self, Unreadable> {
        let value = serde_json::from_str(text).map_err(|_| Unreadable { what, at: "" })?;
        Self::of(what, value)
    }

    fn of(what: &'static str, value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::Object(fields) => Ok(Self { what, fields }),
            _ => Err(Unreadable { what, at: "" }),
        }
    }

    const fn wrong(&self, at: &'static str) -> Unreadable {
        Unreadable { what: self.what, at }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &'static str) -> Result<String, Unreadable> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(name))
    }

    fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Unreadable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name)),
        }
    }

    fn whole(&mut self, name: &'static str) -> Result<Option<u64>, Unreadable> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| self.wrong(name)),
        }
    }

    fn object(&mut self, name: &'static str) -> Result<Option<JsonObject>, Unreadable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.wrong(name)),
        }
    }

    fn list(&mut self, name: &'static str) -> Result<Vec<Value>, Unreadable> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(name)),
        }
    }
}

/// Sets a field unless it has no value.
fn put<V: Into<Value>>(object: &mut JsonObject, name: &str, value: Option<V>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}
