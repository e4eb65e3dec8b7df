//! The first page of a list of tasks, over few rows and over many.

use std::time::Instant;

use adcp_core::{ListTasks, Registry, Scope};
use anyhow::ensure;

use super::{rate, work};

const PAGES: usize = 200;

/// Whose list, and how many milliseconds its first page takes.
pub(super) struct Pages(Vec<(&'static str, f64)>);

/// Reads the first page again and again, for everybody who may ask.
pub(super) async fn first_pages(registry: &dyn Registry) -> anyhow::Result<Pages> {
    let owner = work::owner();
    let principal = Scope::Principal { tenant: owner.tenant.clone(), principal: owner.principal.clone() };
    let operator = Scope::Operator { tenant: owner.tenant.clone() };
    let mut pages = Vec::new();
    for (who, scope) in [("account", owner.scope()), ("buyer", principal), ("operator", operator)] {
        let mut took = Vec::new();
        for _ in 0..PAGES {
            let begun = Instant::now();
            let page = registry.list(ListTasks::new(scope.clone())).await?;
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            ensure!(page.tasks.len() == 50 && page.has_more, "not a full first page");
        }
        pages.push((who, rate::median(took)));
    }
    Ok(Pages(pages))
}

pub(super) fn print(name: &str, rows: (u32, u32), pages: &[Pages]) {
    let [few, many] = pages else { return };
    for ((who, few), (_, many)) in few.0.iter().zip(&many.0) {
        println!(
            "{name}, first page of 50 as {who}: {few:.2} ms of {} rows, {many:.2} ms of {}, ratio {:.2} (goal: flat)",
            rows.0,
            rows.1,
            many / few
        );
    }
}

/// A column of a copied row: ids and instants are each row's own.
pub(super) fn copied(column: &str, number: &str) -> String {
    match column {
        "id" => format!("'copy_' || {number}"),
        "created_at" | "updated_at" | "ended_at" => format!("{column} + n"),
        other => other.to_owned(),
    }
}
