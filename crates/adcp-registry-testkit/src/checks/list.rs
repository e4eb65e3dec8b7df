//! Lists of tasks: sorted, filtered, counted, and stable from page to page.

use std::collections::BTreeMap;

use adcp_core::{
    Effects, IssueTask, ListTasks, Outcome, Pause, TaskCursor, TaskFilter, TaskOrder, TaskRecord, TaskStatus,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::Harness;
use crate::world::{MINUTE, Must, World, bought, object, registration};

const ORDERS: [TaskOrder; 5] =
    [TaskOrder::CreatedAt, TaskOrder::UpdatedAt, TaskOrder::Status, TaskOrder::TaskType, TaskOrder::Protocol];

/// Tasks that differ in whatever a list can sort and filter by. Some share an instant.
async fn issue_many(world: &World<'_>) -> Vec<TaskRecord> {
    let kinds =
        [("create_media_buy", "media-buy"), ("sync_creatives", "creative"), ("get_signals", "signals")];
    for number in 0..12_usize {
        let name = format!("t{number:02}");
        let (tool, protocol) = kinds[number % 3];
        let context = object(json!({ "campaign": format!("c{}", number % 4), "n": number }));
        let task = IssueTask::new(world.id(&name), world.buyer(), tool, tool, protocol);
        let told = Effects::none().with_notify((number % 4 == 3).then(registration));
        world.issue(task.with_context((number % 5 != 0).then_some(context)).with_effects(told)).await;
        if number % 2 == 1 {
            world.pass(MINUTE).await;
        }
    }
    for number in [1, 2, 5, 7, 8] {
        world.pass(MINUTE).await;
        let name = format!("t{number:02}");
        match number {
            1 | 8 => world.report(&name, 50.0).await.must(),
            2 => world.pause(&name, Pause::Input(object(json!({})))).await.must(),
            5 => drop(world.finish(&name, bought("mb_1")).await.must()),
            _ => drop(world.finish(&name, Outcome::Canceled("late".into())).await.must()),
        }
    }
    let mut all = Vec::new();
    for number in 0..12 {
        all.push(world.read(&format!("t{number:02}")).await);
    }
    all
}

fn sorted(mut tasks: Vec<TaskRecord>, order: TaskOrder, descending: bool) -> Vec<TaskRecord> {
    tasks.sort_by_key(|task| (order.key(task), task.id.clone()));
    if descending {
        tasks.reverse();
    }
    tasks
}

/// Every order sorts by its key and breaks ties by the id, both ways, and pages follow each other without gap.
pub async fn lists_are_sorted_and_paged(harness: &dyn Harness) {
    let world = World::new(harness);
    let all = issue_many(&world).await;
    for order in ORDERS {
        for descending in [false, true] {
            let want = sorted(all.clone(), order, descending);
            for limit in [1, 5, 12, 50] {
                let mut list = ListTasks::new(world.buyer().scope());
                (list.order, list.descending, list.limit) = (order, descending, limit);
                let mut seen = Vec::new();
                loop {
                    let page = world.registry.list(list.clone()).await.must();
                    assert!(page.tasks.len() <= limit);
                    seen.extend(page.tasks);
                    assert_eq!(page.has_more, seen.len() < all.len(), "{order:?}, {limit} on a page");
                    if !page.has_more {
                        break;
                    }
                    let last = seen.last().must();
                    list.after = Some(TaskCursor::new(order.key(last), last.id.clone()));
                }
                assert_eq!(seen, want, "{order:?}, descending: {descending}, {limit} on a page");
            }
        }
    }
}

/// Tasks that are issued, and tasks that go on, between two pages change nothing about the tasks that follow.
pub async fn list_pages_are_stable_while_rows_are_added(harness: &dyn Harness) {
    let world = World::new(harness);
    let all = issue_many(&world).await;
    for descending in [false, true] {
        let mut list = ListTasks::new(world.buyer().scope());
        (list.descending, list.limit) = (descending, 3);
        let mut seen = Vec::new();
        loop {
            let page = world.registry.list(list.clone()).await.must();
            seen.extend(page.tasks.iter().map(|task| task.id.clone()));
            let Some(last) = page.tasks.last() else { break };
            list.after = Some(TaskCursor::new(list.order.key(last), last.id.clone()));
            world.pass(MINUTE).await;
            world.issue(world.task(&format!("new{}-{descending}", seen.len()))).await;
            world.report("t00", 1.0).await.must();
            if !page.has_more {
                break;
            }
        }
        let old: Vec<_> = seen.into_iter().filter(|id| !id.as_str().starts_with("new")).collect();
        let want: Vec<_> =
            sorted(all.clone(), TaskOrder::CreatedAt, descending).into_iter().map(|task| task.id).collect();
        assert_eq!(old, want, "descending: {descending}");
    }
}

/// Each filter admits what its definition admits, and so do two together.
pub async fn filters_agree_with_their_definition(harness: &dyn Harness) {
    let world = World::new(harness);
    let all = issue_many(&world).await;
    let middle = all[6].created_at;
    let mut filters = vec![TaskFilter::default(); 14];
    filters[1].statuses = vec![TaskStatus::Submitted, TaskStatus::Completed];
    filters[2].task_types = vec!["sync_creatives".into()];
    filters[3].protocols = vec!["signals".into(), "media-buy".into()];
    filters[4].ids = vec![world.id("t03"), world.id("t07"), world.id("unknown")];
    filters[5].created_after = Some(middle);
    filters[6].created_before = Some(middle);
    filters[7].updated_after = Some(all[1].updated_at);
    filters[8].updated_before = Some(all[7].updated_at);
    filters[9].context_contains = Some("c2".into());
    filters[10].context_contains = Some("c%_".into());
    filters[11].statuses = vec![TaskStatus::Submitted];
    filters[11].protocols = vec!["creative".into()];
    filters[12].has_webhook = Some(true);
    filters[13].has_webhook = Some(false);
    for filter in filters {
        let want: Vec<_> =
            all.iter().filter(|task| filter.admits(task)).map(|task| task.id.clone()).collect();
        let mut list = ListTasks::new(world.buyer().scope());
        (list.filter, list.descending) = (filter.clone(), false);
        let page = world.registry.list(list).await.must();
        let seen: Vec<_> = page.tasks.into_iter().map(|task| task.id).collect();
        assert_eq!(seen, want, "{filter:?}");
    }
}

/// The totals count every match by area and status, on whatever page.
pub async fn totals_count_every_match(harness: &dyn Harness) {
    let world = World::new(harness);
    let all = issue_many(&world).await;
    let mut list = ListTasks::new(world.buyer().scope());
    list.limit = 2;
    list.filter.protocols = vec!["media-buy".into(), "signals".into()];
    let mut want: BTreeMap<_, u64> = BTreeMap::new();
    for task in all.iter().filter(|task| list.filter.admits(task)) {
        *want.entry((task.protocol.clone(), task.status)).or_default() += 1;
    }
    for _ in 0..2 {
        let page = world.registry.list(list.clone()).await.must();
        let totals: BTreeMap<_, _> = page
            .totals
            .must()
            .into_iter()
            .map(|(protocol, status, count)| ((protocol, status), count))
            .collect();
        assert_eq!(totals, want);
        let last = page.tasks.last().must();
        list.after = Some(TaskCursor::new(list.order.key(last), last.id.clone()));
    }
}

/// Totals are exact as long as few enough match, and are left out beyond: a page costs the same however many there are.
pub async fn totals_are_left_out_when_many_match(harness: &dyn Harness) {
    let world = World::new(harness);
    let many = usize::try_from(ListTasks::MAX_COUNTED).must();
    let mut issuing = JoinSet::new();
    let tasks: Vec<_> = (0..many).map(|number| world.task(&format!("t{number}"))).collect();
    for some in tasks.chunks(many / 8) {
        let (registry, some) = (world.instance(), some.to_vec());
        issuing.spawn(async move {
            for task in some {
                registry.issue(task).await.must();
            }
        });
    }
    issuing.join_all().await;
    let list = ListTasks::new(world.buyer().scope());
    let totals = world.registry.list(list.clone()).await.must().totals.must();
    let counted: u64 = totals.iter().map(|(_, _, count)| count).sum();
    assert_eq!(counted, ListTasks::MAX_COUNTED);
    world.issue(world.task("one more")).await;
    let page = world.registry.list(list).await.must();
    assert_eq!((page.totals, page.tasks.len(), page.has_more), (None, 50, true));
}

/// A place in a list stays good when the task it was read from is gone.
pub async fn a_cursor_outlives_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["a", "b", "c"] {
        world.issue(world.task(name).enqueuing(MINUTE)).await;
    }
    let mut list = ListTasks::new(world.operator());
    list.descending = false;
    let page = world.registry.list(list.clone()).await.must();
    list.after = Some(TaskCursor::new(list.order.key(&page.tasks[1]), page.tasks[1].id.clone()));
    world.registry.discard(world.discard("b")).await.must();
    let rest = world.registry.list(list).await.must();
    assert_eq!(rest.tasks.into_iter().map(|task| task.id).collect::<Vec<_>>(), [world.id("c")]);
}
