//! What the types promise, on payloads of our own.

mod any_json;
mod outcome;
mod preserve;
mod refuse;
mod tables;
mod union;
