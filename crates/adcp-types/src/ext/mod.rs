//! Hand-written methods on generated types, one module per type.

mod error;
mod task_status;
