//! The system that carries workflows: it ends what was handed to it, sometimes twice, sometimes in two ways.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, Registry, TaskRef};
use adcp_decisioning::{DeskError, TaskDesk};
use adcp_types::json::FromJson;
use adcp_types::media_buy::CreateMediaBuySuccess;
use serde_json::Value;
use tokio::time::sleep;

use super::history::DeskLine;
use super::recorder::Recorder;

/// How long a store that is away is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads work items as they are queued, until it is dropped.
pub(crate) async fn work(queue: PathBuf, registry: Arc<dyn Registry>, recorder: Arc<Recorder>) {
    let desk = TaskDesk::new(registry);
    let mut read = 0;
    let mut items = tokio::task::JoinSet::new();
    loop {
        let text = std::fs::read_to_string(&queue).unwrap_or_default();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for line in text.get(read..whole).unwrap_or_default().lines() {
            if let Ok(item) = serde_json::from_str::<Value>(line) {
                items.spawn(carry(desk.clone(), item, Arc::clone(&recorder)));
            }
        }
        read = whole.max(read);
        while items.try_join_next().is_some() {}
        sleep(Duration::from_millis(100)).await;
    }
}

/// Ends one task as its order says.
async fn carry(desk: TaskDesk, item: Value, recorder: Arc<Recorder>) {
    let (Some(task), Some(order)) = (item["task"].as_str(), item["order"].as_str()) else { return };
    let Ok(task) = task.parse::<TaskRef>() else { return };
    let plan = &item["plan"];
    sleep(Duration::from_millis(plan["work"].as_u64().unwrap_or(0))).await;
    let own = if plan["ends_well"] == false { End::Fail } else { End::Complete(order.to_owned()) };
    let ends = match plan["desk"].as_str() {
        Some("never") => vec![],
        Some("twice") => vec![own.clone(), own],
        Some("rival") => vec![own, End::Cancel],
        _ => vec![own],
    };
    let both = ends.into_iter().map(|end| reach(&desk, &task, end, &recorder));
    futures_util::future::join_all(both).await;
}

#[derive(Debug, Clone)]
enum End {
    Complete(String),
    Fail,
    Cancel,
}

/// Tries until the store has an answer.
async fn reach(desk: &TaskDesk, task: &TaskRef, end: End, recorder: &Recorder) {
    let begun = tokio::time::Instant::now();
    let wanted = match end {
        End::Complete(_) => "completed",
        End::Fail => "failed",
        End::Cancel => "canceled",
    };
    let took = loop {
        let done = match &end {
            End::Complete(order) => {
                let order = serde_json::from_str(order).ok();
                let Some(order) = order.and_then(|order| CreateMediaBuySuccess::from_json(order).ok()) else {
                    return recorder.note(&format!("desk cannot read the order of {}", task.id));
                };
                desk.complete(task, &order).await
            }
            End::Fail => desk.fail(task, AdcpError::unavailable()).await,
            End::Cancel => desk.cancel(task, "another one was quicker").await,
        };
        match done {
            Ok(_) => break true,
            Err(DeskError::AlreadyEnded(_) | DeskError::Unknown(_)) => break false,
            Err(error) if begun.elapsed() < PATIENCE => {
                recorder.note(&format!("desk tries {} again: {error:?}", task.id));
                sleep(Duration::from_millis(300)).await;
            }
            Err(error) => return recorder.note(&format!("desk gives {} up: {error}", task.id)),
        }
    };
    let at = recorder.now();
    recorder.desk(DeskLine { at, task: task.id.to_string(), wanted: wanted.to_owned(), took });
}
