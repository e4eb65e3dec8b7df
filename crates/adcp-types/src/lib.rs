//! Wire types of the Ad Context Protocol (AdCP), generated from its schemas.
//!
//! One module per schema file, mirroring the tree: `media-buy/create-media-buy-request.json` is
//! [`media_buy::CreateMediaBuyRequest`], and the types inside that file are in
//! [`media_buy::create_media_buy_request`]. [`tools`] has a row for every tool, [`ErrorCode`] a constant for every
//! error code, and each tool has an outcome such as [`media_buy::CreateMediaBuyOutcome`].
//!
//! ```
//! use adcp_types::media_buy::{CreateMediaBuyOutcome, GetProductsRequest};
//! use adcp_types::media_buy::get_products_request::BuyingMode;
//! use adcp_types::{FromJson, ToJson};
//! use serde_json::json;
//!
//! let request = GetProductsRequest::new(BuyingMode::Brief).with_brief("Coffee, in the morning");
//! assert_eq!(request.to_json(), json!({ "brief": "Coffee, in the morning", "buying_mode": "brief" }));
//!
//! // An answer is decided by its status first: accepted is not the same as done.
//! let answer = json!({ "status": "submitted", "task_id": "task_7", "from_a_newer_version": true });
//! match CreateMediaBuyOutcome::from_json(answer)? {
//!     CreateMediaBuyOutcome::Submitted(task) => {
//!         assert_eq!(task.task_id, "task_7");
//!         assert_eq!(task.extra["from_a_newer_version"], true);
//!     }
//!     other => panic!("unexpected {other:?}"),
//! }
//! # Ok::<(), adcp_types::DecodeError>(())
//! ```
//!
//! # What it promises
//!
//! - Nothing unknown is lost: fields are kept in `extra`, values of a vocabulary in its last arm, shapes of a union in
//!   `Unrecognized`; all are written back.
//! - Only a missing required field or a wrong JSON type is refused, with its place as a JSON pointer. Decoding never panics.
//! - A union is chosen by its discriminator, never by the order of its arms.
//! - Where a schema tells null from absent, so does [`Nullable`].
//! - Names do not change when the types are generated again; a new version of the protocol adds.
//! - Structs are built with `new` and `with_*`; more fields are not a breaking change.
//!
//! # What it does not
//!
//! - It does not validate: bounds, patterns and conditions are `adcp-schemas`' work. They stand in the documentation.
//! - Numbers keep their value, not their text: `25.0` is written as `25`.
//! - Dates, addresses and identifiers stay strings.
//! - Answers carry no envelope: status, task, context and the like are in [`envelope::Envelope`], and in `extra` when
//!   a whole message is read as a body.
//!
//! # Features
//!
//! One per protocol area, `media-buy` and `protocol` by default, `full` for everything. `trusted-match`, `documents`
//! (`brand.json`, `adagents.json`), `registry` and `a2ui` are areas outside the tools. `schema-table` adds
//! `by_schema`, from schema path to type, for tests that walk every schema.

#[rustfmt::skip]
mod generated;

pub mod envelope;
mod error_code;
mod ext;
pub mod json;
pub mod tools;

pub use error_code::{ErrorCode, Recovery};
pub use generated::version::{ADCP_RELEASE, ADCP_VERSION};
pub use generated::*;
pub use json::{DecodeError, FromJson, JsonObject, Nullable, ToJson};
pub use tools::{Presence, Protocol, ToolSpec};
