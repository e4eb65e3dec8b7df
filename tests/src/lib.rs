//! Whole-system tests of the workspace; see `tests/`.
//!
//! The code in the project's pages is compiled and run here, too.

pub mod crash;

/// `README.md`.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

/// `docs/getting-started.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/getting-started.md")]
pub mod getting_started {}
