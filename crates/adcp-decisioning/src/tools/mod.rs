//! Tools that the SDK answers itself, and what is special to single tools.

pub(crate) mod capabilities;
pub(crate) mod controller;
pub(crate) mod create_media_buy;
mod discovery;
pub(crate) mod get_media_buy_delivery;
pub(crate) mod get_products;
pub(crate) mod get_signals;
mod get_task_status;
mod list_tasks;
mod task;
pub(crate) mod update_media_buy;

use crate::route::Route;

/// The tools every agent has.
pub(crate) fn routes() -> Vec<Route> {
    vec![capabilities::route(), get_task_status::route(), list_tasks::route()]
}
