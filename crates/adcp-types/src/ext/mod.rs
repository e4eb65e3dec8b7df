//! Hand-written methods on generated types, one module per type.

mod error;
#[cfg(feature = "media-buy")]
mod get_products_request;
mod task_status;
