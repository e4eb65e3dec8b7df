//! A sealer for tests.

use adcp_core::stored::{SealError, Sealer};

/// Turns text round: enough to see what is sealed.
#[derive(Debug)]
pub(crate) struct Mirror;

impl Sealer for Mirror {
    fn has_key(&self) -> bool {
        true
    }

    fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError> {
        Ok(format!("{bound_to}|{}", plain.chars().rev().collect::<String>()))
    }

    fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError> {
        let (bound, text) = sealed.split_once('|').ok_or(SealError::Forged)?;
        if bound == bound_to { Ok(text.chars().rev().collect()) } else { Err(SealError::Forged) }
    }
}
