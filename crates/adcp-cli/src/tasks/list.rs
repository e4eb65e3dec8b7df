//! `adcp tasks list`.

use adcp_core::{
    ListTasks, Principal, Registry, Scope, TaskCursor, TaskId, TaskOrder, TaskRecord, TaskStatus, TenantId,
};
use serde_json::{Value, json};

use super::show;
use crate::args::TaskListArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say};
use crate::registry;
use crate::table::{self, moment};

/// Parts a cursor; no sort key has it.
const BETWEEN: char = '~';

pub(super) async fn run(
    registry: &dyn Registry,
    tenant: TenantId,
    args: &TaskListArgs,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let mut request = ListTasks::new(match &args.principal {
        Some(principal) => Scope::Principal { tenant, principal: Principal::new(principal.as_str()) },
        None => Scope::Operator { tenant },
    });
    request.limit = usize::from(args.limit);
    request.filter.statuses.clone_from(&args.statuses);
    if args.open {
        request.filter.statuses =
            TaskStatus::ALL.into_iter().filter(|status| !status.is_terminal()).collect();
    }
    request.filter.task_types.clone_from(&args.types);
    request.after = args.cursor.as_deref().map(cursor).transpose()?;
    let page = registry.list(request).await.map_err(registry::failure)?;
    let next = page.tasks.last().filter(|_| page.has_more).map(place);
    if args.json {
        let count = |(protocol, status, count): &(String, TaskStatus, u64)| json!({ "protocol": protocol, "status": status.as_str(), "count": count });
        let totals = page.totals.as_ref().map(|totals| totals.iter().map(count).collect::<Vec<Value>>());
        terminal.json(
            &json!({
                "tasks": page.tasks.iter().map(show::facts).collect::<Vec<_>>(),
                "totals": totals,
                "next_cursor": next,
            }),
            false,
        )?;
        return Ok(Exit::Done);
    }
    if page.tasks.is_empty() {
        say("no task is like that");
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 6]> = page.tasks.iter().map(row).collect();
    table::print(["TASK", "STATUS", "TYPE", "ACCOUNT", "PRINCIPAL", "CREATED"], &rows, terminal)?;
    let unopened: Vec<&str> =
        page.tasks.iter().filter(|task| show::is_unopened(task)).map(|task| task.id.as_str()).collect();
    if !unopened.is_empty() {
        say(&format!(
            "no key at hand opens the credentials of {}: give it with --seal-key-file FILE to end them",
            unopened.join(", ")
        ));
    }
    if let Some(next) = next {
        let all = page.totals.map_or_else(
            || format!("more than {}", ListTasks::MAX_COUNTED),
            |totals| totals.iter().map(|(_, _, count)| count).sum::<u64>().to_string(),
        );
        say(&format!("{} of {all}; go on with --cursor {next}", rows.len()));
    }
    Ok(Exit::Done)
}

fn row(task: &TaskRecord) -> [String; 6] {
    [
        task.id.to_string(),
        task.status.to_string(),
        task.task_type.clone(),
        task.owner.account.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        task.owner.principal.to_string(),
        moment(task.created_at),
    ]
}

/// The place behind a task, as an argument.
fn place(task: &TaskRecord) -> String {
    format!("{}{BETWEEN}{}", TaskOrder::default().key(task), task.id)
}

fn cursor(text: &str) -> Result<TaskCursor, Failure> {
    match text.split_once(BETWEEN) {
        Some((key, id)) if TaskOrder::instant(key).is_some() && !id.is_empty() => {
            Ok(TaskCursor::new(key.to_owned(), TaskId::new(id)))
        }
        _ => Err(Failure::usage("this is no cursor; take the one that the list before named")),
    }
}
