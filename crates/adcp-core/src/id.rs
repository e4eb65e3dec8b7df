//! Identifiers: opaque text, compared only for equality.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl Into<std::sync::Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A seller inside one deployment. Single-seller deployments use [`TenantId::single`].
    TenantId
}
id! {
    /// The buyer's agent, as its credential identifies it. Never taken from a request body.
    Principal
}
id! {
    /// An account at the seller. Opaque: the SDK never looks inside.
    AccountId
}
id! {
    /// A task the seller accepted.
    TaskId
}
id! {
    /// A proposal, as its seller names it. Unique within an account only.
    ProposalId
}

impl TenantId {
    /// The tenant of a deployment that serves one seller.
    #[must_use]
    pub fn single() -> Self {
        Self::new("default")
    }
}

impl TaskId {
    /// A fresh id with 128 random bits, so that it cannot be guessed.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self::new(format!("task_{}", hex(&random_bytes::<16>()?))))
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

/// Random bytes from the operating system, for ids, tokens and keys.
///
/// # Errors
///
/// [`NoRandomness`] when there are none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Lower-case hexadecimal text of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// The bytes behind hexadecimal text, in either case; `None` when it is none.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) || text.len() % 2 != 0 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_carry_128_random_bits() {
        let (a, b) = (TaskId::random().unwrap(), TaskId::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), "task_".len() + 32);
    }

    #[test]
    fn hexadecimal_reads_back() {
        assert_eq!(unhex(&hex(b"\x00\xffa")).as_deref(), Some(&b"\x00\xffa"[..]));
        assert_eq!(unhex("AbCd"), Some(vec![0xab, 0xcd]));
        for bad in ["a", "0g", "+1", "ä", "00 "] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
