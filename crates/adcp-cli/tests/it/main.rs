//! The built command, as people and scripts run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod call;
mod demo;
mod doctor;
mod house;
mod keys;
mod line;
mod metrics;
mod operate;
mod operators;
mod postgres;
mod receiver;
mod registry;
mod run;
mod serve;
mod signing;
mod tools;
mod validate;
mod webhooks;
mod webhooks_listen;
mod webhooks_verify;
