//! How tasks are issued, go on and end.

use adcp_core::{
    AdcpError, Effects, EndOverdue, Finished, Outcome, Pause, Progress, RegistryError, TaskPhase, TaskStatus,
};
use serde_json::json;

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, about, bought, object, outcomes, refused, registration};

/// A task reads back as it was issued, by the clock of the registry.
pub async fn an_issued_task_reads_as_submitted(harness: &dyn Harness) {
    let world = World::new(harness);
    let context = object(json!({ "campaign": "spring", "nested": { "n": 1.5, "text": "\u{1f600} \"q\"" } }));
    let effects = Effects::none().with_notify(Some(registration()));
    let task = world.task("t").with_context(Some(context.clone())).with_effects(effects.clone());
    let issued = world.issue(task.with_deadline(Some(HOUR))).await;
    assert_eq!(world.read("t").await, issued);
    assert_eq!((issued.id.clone(), issued.owner.clone()), (world.id("t"), world.buyer()));
    assert_eq!((issued.tool.as_str(), issued.task_type.as_str()), ("create_media_buy", "create_media_buy"));
    assert_eq!(issued.protocol, "media-buy");
    assert_eq!((issued.status, issued.phase), (TaskStatus::Submitted, TaskPhase::Open));
    assert_eq!((issued.context, issued.effects), (Some(context), effects));
    assert_eq!(issued.updated_at, issued.created_at);
    assert_eq!(issued.deadline, Some(issued.created_at.after(HOUR)));
    assert_eq!((issued.ended_at, issued.outcome, issued.progress, issued.question), (None, None, None, None));
    assert_eq!(issued.history.len(), 1);
}

/// A second task of the same id is refused and leaves the first as it is.
pub async fn an_id_is_issued_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    world.report("t", 40.0).await.must();
    let before = world.read("t").await;
    for owner in [world.buyer(), world.owner(Some("acct_2"), "agent_2")] {
        refused!(world.registry.issue(world.task_of(&owner, "t")).await, RegistryError::DuplicateTask(_));
    }
    assert_eq!(world.read("t").await, before);
}

/// Ending a task again with the same outcome changes nothing.
pub async fn finish_is_idempotent(harness: &dyn Harness) {
    let world = World::new(harness);
    for (number, outcome) in outcomes().into_iter().enumerate() {
        let name = format!("t{number}");
        let effects = Effects::none().with_notify(Some(registration()));
        world.issue(world.task(&name).with_effects(effects)).await;
        assert_eq!(world.finish(&name, outcome.clone()).await.must(), Finished::Now);
        let ended = world.read(&name).await;
        world.pass(MINUTE).await;
        assert_eq!(world.finish(&name, outcome).await.must(), Finished::Before);
        assert_eq!(world.read(&name).await, ended);
    }
    assert_eq!(world.events().await.len(), outcomes().len());
}

/// The first end wins: any other outcome afterwards is refused and changes nothing.
pub async fn first_end_wins(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut ends = outcomes();
    ends.push(bought("mb_2"));
    ends.push(Outcome::Canceled("another reason".into()));
    for (number, first) in ends.iter().enumerate() {
        let name = format!("t{number}");
        world.issue(world.task(&name)).await;
        world.finish(&name, first.clone()).await.must();
        let ended = world.read(&name).await;
        for second in ends.iter().filter(|second| *second != first) {
            refused!(world.finish(&name, second.clone()).await, RegistryError::AlreadyEnded(_));
        }
        assert_eq!(world.read(&name).await, ended);
    }
}

/// An ended task takes no report and no question.
pub async fn nothing_follows_an_end(harness: &dyn Harness) {
    let world = World::new(harness);
    for (number, outcome) in outcomes().into_iter().enumerate() {
        let name = format!("t{number}");
        world.issue(world.task(&name)).await;
        world.finish(&name, outcome).await.must();
        let ended = world.read(&name).await;
        refused!(world.report(&name, 50.0).await, RegistryError::AlreadyEnded(_));
        for pause in [Pause::Input(object(json!({}))), Pause::Resubmitted] {
            refused!(world.pause(&name, pause).await, RegistryError::AlreadyEnded(_));
        }
        assert_eq!(world.read(&name).await, ended);
    }
}

/// What a task ended with reads back value by value.
pub async fn outcomes_are_kept_whole(harness: &dyn Harness) {
    let world = World::new(harness);
    let body = json!({
        "media_buy_id": "mb_\u{e9}\u{1f600}\u{0001}",
        "numbers": [0.1, 1e300, -7, 9_007_199_254_740_993_u64, 0.0],
        "deep": [[[{ "": null, "list": [] }]]],
        "text": "a \"quoted\" \\ line\nanother",
    });
    let error = AdcpError::unavailable().with_field("packages[0].budget").with_suggestion("wait");
    let ends = [Outcome::Completed(object(body)), Outcome::Failed(error.clone()), Outcome::Rejected(error)];
    for (number, outcome) in ends.into_iter().enumerate() {
        let name = format!("t{number}");
        world.issue(world.task(&name)).await;
        world.pass(MINUTE).await;
        world.finish(&name, outcome.clone()).await.must();
        let task = world.read(&name).await;
        assert_eq!(task.status, outcome.status());
        assert_eq!(task.outcome, Some(outcome));
        about(task.ended_at, task.created_at.after(MINUTE));
        about(task.updated_at, task.created_at.after(MINUTE));
    }
}

/// The history holds every status that the task went through, with the times of the registry's clock.
pub async fn history_keeps_every_transition(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    world.pass(MINUTE).await;
    world.report("t", 10.0).await.must();
    world.pass(MINUTE).await;
    world.pause("t", Pause::Input(object(json!({ "question": "which?" })))).await.must();
    world.pass(MINUTE).await;
    world.pause("t", Pause::Resubmitted).await.must();
    world.pass(MINUTE).await;
    world.report("t", 20.0).await.must();
    world.pass(MINUTE).await;
    world.finish("t", bought("mb_1")).await.must();
    let task = world.read("t").await;
    let seen: Vec<_> = task.history.iter().map(|entry| entry.status).collect();
    let want = [
        TaskStatus::Submitted,
        TaskStatus::Working,
        TaskStatus::InputRequired,
        TaskStatus::Submitted,
        TaskStatus::Working,
        TaskStatus::Completed,
    ];
    assert_eq!(seen, want);
    for (entry, minutes) in task.history.iter().zip(0..) {
        about(entry.at, task.created_at.after(MINUTE * minutes));
    }
    let reported = |place: usize| task.history[place].progress.as_ref().and_then(|report| report.percentage);
    assert_eq!((reported(1), reported(4)), (Some(10.0), Some(20.0)));
}

/// A report moves the task to `working`, and the newest one is shown.
pub async fn a_report_moves_to_working(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    world.report("t", 10.0).await.must();
    world.report("t", 20.0).await.must();
    let task = world.read("t").await;
    let newest = Progress::percent(20.0).with_step("step").with_extra("rows", 3);
    assert_eq!((task.status, task.progress), (TaskStatus::Working, Some(newest)));
}

/// However many reports there are, each change of status stays in the history, in order.
pub async fn reports_never_push_out_a_change_of_status(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    for _ in 0..3 {
        for percent in 0..100 {
            world.report("t", f64::from(percent)).await.must();
        }
        world.pause("t", Pause::Input(object(json!({})))).await.must();
    }
    world.finish("t", bought("mb_1")).await.must();
    let task = world.read("t").await;
    let mut seen: Vec<_> = task.history.iter().map(|entry| entry.status.as_str()).collect();
    seen.dedup();
    let round = ["working", "input-required"];
    let want = [["submitted"].as_slice(), &round, &round, &round, &["completed"]].concat();
    assert_eq!(seen, want);
    assert_eq!(task.progress.and_then(|report| report.percentage), Some(99.0));
}

/// A question is shown while it waits, and gone once the task goes on or ends.
pub async fn a_question_waits_until_the_task_goes_on(harness: &dyn Harness) {
    let world = World::new(harness);
    let question = object(json!({ "message": "which one?", "options": [1, 2] }));
    world.issue(world.task("t")).await;
    let cases = [
        (Pause::Input(question.clone()), TaskStatus::InputRequired),
        (Pause::Authentication(question.clone()), TaskStatus::AuthRequired),
    ];
    for (pause, status) in cases {
        world.pause("t", pause).await.must();
        let task = world.read("t").await;
        assert_eq!((task.status, task.question), (status, Some(question.clone())));
        world.pause("t", Pause::Resubmitted).await.must();
        let task = world.read("t").await;
        assert_eq!((task.status, task.question), (TaskStatus::Submitted, None));
    }
    world.pause("t", Pause::Input(question)).await.must();
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.read("t").await.question, None);
}

/// A step that the table of transitions does not have is refused and changes nothing.
pub async fn a_step_outside_the_table_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    refused!(
        world.pause("t", Pause::Resubmitted).await,
        RegistryError::NoSuchStep { from: TaskStatus::Submitted, to: TaskStatus::Submitted }
    );
    world.report("t", 10.0).await.must();
    let before = world.read("t").await;
    refused!(
        world.pause("t", Pause::Resubmitted).await,
        RegistryError::NoSuchStep { from: TaskStatus::Working, to: TaskStatus::Submitted }
    );
    assert_eq!(world.read("t").await, before);
}

/// A task whose deadline passes ends as failed, gives back what it reserved and tells its buyer, once.
pub async fn overdue_tasks_end_failed_with_their_effects(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    world.issue(world.task("t").with_deadline(Some(HOUR)).with_effects(effects)).await;
    let sweep = || world.registry.end_overdue(EndOverdue::new(world.tenant.clone()));
    world.pass(HOUR - MINUTE).await;
    assert_eq!(sweep().await.must(), [], "the deadline has not passed");
    world.pass(MINUTE).await;
    let ended = sweep().await.must();
    assert_eq!(ended, [world.read("t").await]);
    assert_eq!(ended[0].outcome, Some(Outcome::Failed(AdcpError::overdue())));
    assert_eq!((ended[0].status, ended[0].deadline), (TaskStatus::Failed, None));
    let events = world.events().await;
    let statuses: Vec<_> = events.iter().map(|event| event.subject.status()).collect();
    assert_eq!(statuses, [Some(TaskStatus::Failed)]);
    world.reserve("p").await.must();
    assert_eq!(sweep().await.must(), []);
    assert_eq!(world.events().await, events);
}

/// No more are ended in one step than asked for, and those come first that have been overdue longest.
pub async fn the_longest_overdue_end_first(harness: &dyn Harness) {
    let world = World::new(harness);
    for (name, hours) in [("late", 3), ("early", 1), ("middle", 2)] {
        world.issue(world.task(name).with_deadline(Some(HOUR * hours))).await;
    }
    world.pass(HOUR * 4).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let step = EndOverdue::new(world.tenant.clone()).with_limit(1);
        seen.extend(world.registry.end_overdue(step).await.must().into_iter().map(|task| task.id));
    }
    assert_eq!(seen, ["early", "middle", "late"].map(|name| world.id(name)));
}

/// Only tasks of the tenant that is asked for are ended.
pub async fn deadlines_are_a_matter_of_one_tenant(harness: &dyn Harness) {
    let (here, there) = (World::new(harness), World::new(harness));
    for world in [&here, &there] {
        world.issue(world.task("t").with_deadline(Some(MINUTE))).await;
    }
    here.pass(HOUR).await;
    assert_eq!(here.registry.end_overdue(EndOverdue::new(here.tenant.clone())).await.must().len(), 1);
    assert_eq!(there.read("t").await.status, TaskStatus::Submitted);
}

/// Neither a task without deadline nor one that ended in time is overdue, and a report moves no deadline.
pub async fn only_open_tasks_with_a_deadline_are_overdue(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("patient")).await;
    world.issue(world.task("done").with_deadline(Some(HOUR))).await;
    world.issue(world.task("busy").with_deadline(Some(HOUR))).await;
    world.finish("done", bought("mb_1")).await.must();
    world.pass(MINUTE).await;
    world.report("busy", 10.0).await.must();
    world.pass(HOUR - MINUTE).await;
    let ended = world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must();
    assert_eq!(ended.into_iter().map(|task| task.id).collect::<Vec<_>>(), [world.id("busy")]);
    assert_eq!(world.read("done").await.status, TaskStatus::Completed);
    assert_eq!(world.read("patient").await.status, TaskStatus::Submitted);
}

/// Ids of tasks that a registry was never given are refused by every method.
pub async fn what_was_never_issued_is_unknown(harness: &dyn Harness) {
    let world = World::new(harness);
    assert_eq!(world.find("t").await, None);
    refused!(world.finish("t", bought("mb_1")).await, RegistryError::UnknownTask(_));
    refused!(world.report("t", 1.0).await, RegistryError::UnknownTask(_));
    refused!(world.pause("t", Pause::Resubmitted).await, RegistryError::UnknownTask(_));
    refused!(world.registry.confirm(world.confirm("t")).await, RegistryError::UnknownTask(_));
    refused!(world.registry.discard(world.discard("t")).await, RegistryError::UnknownTask(_));
}
