//! Tools that the SDK answers itself, and what is special to single tools.

pub(crate) mod capabilities;
pub(crate) mod controller;
pub(crate) mod get_products;
mod get_task_status;
mod list_tasks;
mod task;

use crate::route::Route;

/// The tools every agent has.
pub(crate) fn routes() -> Vec<Route> {
    vec![capabilities::route(), get_task_status::route(), list_tasks::route()]
}
