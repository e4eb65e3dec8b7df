//! Whole-system tests of the workspace; see `tests/`.
