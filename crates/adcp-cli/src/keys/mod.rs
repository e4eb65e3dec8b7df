//! Keys that sign.

mod file;

pub(crate) use self::file::read_for_webhooks;
