//! The AdCP seller SDK in one dependency: re-exports of its layers behind features.
