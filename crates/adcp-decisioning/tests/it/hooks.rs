//! What an adopter does around the end of a task, and every way a function of this process can end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AdcpError, Outcome, TaskRegistry as _};
use adcp_decisioning::{Ended, Handoff};
use adcp_types::ErrorCode;
use adcp_types::core::Package;
use adcp_types::json::FromJson;
use adcp_types::media_buy::CreateMediaBuySuccess;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::flaky::Flaky;
use crate::handoff::ended;
use crate::scripted::{Scripted, bought, building, buy, scripted, task_of};
use crate::seller::booked;

/// What the hooks of a task were told, in order.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Complete(String),
    Failure(Ended),
}

type Tell = mpsc::UnboundedSender<Told>;

fn telling(handoff: Handoff<CreateMediaBuySuccess>, tell: &Tell) -> Handoff<CreateMediaBuySuccess> {
    let (good, bad) = (tell.clone(), tell.clone());
    handoff
        .on_complete(async move |answer: Arc<CreateMediaBuySuccess>| {
            good.send(Told::Complete(answer.media_buy_id.clone())).unwrap();
            Ok(())
        })
        .on_failure(async move |ended| {
            bad.send(Told::Failure(ended)).unwrap();
            Ok(())
        })
}

fn invalid() -> CreateMediaBuySuccess {
    let mut answer = booked();
    answer.revision = 0;
    answer
}

fn endless() -> CreateMediaBuySuccess {
    let mut answer = booked();
    let package = Package::from_json(json!({ "package_id": "p", "budget": 1 })).unwrap();
    answer.packages = vec![package.with_budget(f64::NAN)];
    answer
}

fn smuggled() -> CreateMediaBuySuccess {
    let mut answer = booked();
    answer.extra.insert("task_id".into(), "forged".into());
    answer
}

type Hook = fn() -> Result<(), AdcpError>;
type Work = fn() -> Result<CreateMediaBuySuccess, AdcpError>;

#[tokio::test]
async fn exactly_one_hook_runs_however_the_function_ends() {
    let refused = || Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not here"));
    let cases: [(&str, Work, &str); 6] = [
        ("a result", bought, "completed"),
        ("an error", refused, "POLICY_VIOLATION"),
        ("a panic", || panic!("the adopter's own fault"), "SERVICE_UNAVAILABLE"),
        ("an invalid result", || Ok(invalid()), "SERVICE_UNAVAILABLE"),
        ("a result that JSON cannot say", || Ok(endless()), "SERVICE_UNAVAILABLE"),
        ("a result with an envelope", || Ok(smuggled()), "SERVICE_UNAVAILABLE"),
    ];
    for (what, work, want) in cases {
        let (tell, mut told) = mpsc::unbounded_channel();
        let (agent, _) =
            scripted(move |ctx| Ok(telling(ctx.handoff_to_task(async move |_| work()), &tell).into()));
        let reply = buy(&agent).await;
        let task = ended(&agent, &reply.body["task_id"]).await;
        agent.drain(Duration::ZERO).await;
        drop(agent);
        let first = told.recv().await.unwrap();
        if want == "completed" {
            assert_eq!(task["status"], "completed", "{what}");
            assert_eq!(first, Told::Complete("mb_1".into()), "{what}");
        } else {
            assert_eq!((&task["status"], &task["error"]["code"]), (&"failed".into(), &want.into()), "{what}");
            assert!(
                matches!(&first, Told::Failure(Ended::Failed(error)) if error.code().as_str() == want),
                "{what}: {first:?}"
            );
        }
        assert_eq!(told.recv().await, None, "{what}: a second hook ran");
    }
}

#[tokio::test]
async fn a_failed_on_complete_turns_the_end_into_a_failure() {
    let cases: [(Hook, &str); 2] = [
        (|| Err(AdcpError::new(ErrorCode::CONFLICT, "booked twice")), "CONFLICT"),
        (|| panic!("the hook's own fault"), "SERVICE_UNAVAILABLE"),
    ];
    for (hook, want) in cases {
        let (tell, mut told) = mpsc::unbounded_channel();
        let (agent, registry) = scripted(move |ctx| {
            let handoff = telling(ctx.handoff_to_task(async move |_| bought()), &tell);
            Ok(handoff.on_complete(async move |_| hook()).into())
        });
        let reply = buy(&agent).await;
        let task = ended(&agent, &reply.body["task_id"]).await;
        assert_eq!((&task["status"], &task["error"]["code"]), (&"failed".into(), &want.into()));
        assert!(task.get("result").is_none());
        let Some(Told::Failure(Ended::Failed(error))) = told.recv().await else { panic!("no on_failure") };
        let record = registry.get(&task_of(&reply).id, &task_of(&reply).scope()).await.unwrap().unwrap();
        assert_eq!(record.outcome, Some(Outcome::Failed(error)));
    }
}

#[tokio::test]
async fn a_failed_on_failure_changes_nothing() {
    let hooks: [Hook; 2] = [|| Err(AdcpError::unavailable()), || panic!("the hook's own fault")];
    for hook in hooks {
        let (agent, _) = scripted(move |ctx| {
            let handoff = ctx.handoff_to_task(async move |_| Err(AdcpError::new(ErrorCode::CONFLICT, "no")));
            Ok(handoff.on_failure(async move |_| hook()).into())
        });
        let reply = buy(&agent).await;
        assert_eq!(ended(&agent, &reply.body["task_id"]).await["error"]["code"], "CONFLICT");
        agent.drain(Duration::from_secs(1)).await;
    }
}

/// Says so when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_takes_too_long_is_dropped_and_its_task_fails() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let gone = Arc::new(Notify::new());
    let signal = Arc::clone(&gone);
    let (agent, registry) = scripted(move |ctx| {
        let guard = Dropped(Arc::clone(&signal));
        let handoff = ctx.handoff_to_task(async move |_| {
            let _guard = guard;
            std::future::pending().await
        });
        Ok(telling(handoff, &tell).with_deadline(Duration::from_secs(90)).into())
    });
    let begun = tokio::time::Instant::now();
    let reply = buy(&agent).await;
    let task = task_of(&reply);
    let record = registry.get(&task.id, &task.scope()).await.unwrap().unwrap();
    assert!(record.deadline.is_some(), "whoever rescues the task must know when its time is over");

    gone.notified().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(90));
    let wire = ended(&agent, &reply.body["task_id"]).await;
    assert_eq!((&wire["status"], &wire["error"]["code"]), (&"failed".into(), &"SERVICE_UNAVAILABLE".into()));
    assert_eq!(told.recv().await, Some(Told::Failure(Ended::Failed(AdcpError::overdue()))));
}

#[tokio::test(start_paused = true)]
async fn an_end_is_recorded_though_the_store_was_away() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let registry = Flaky::new();
    registry.finishes.store(5, std::sync::atomic::Ordering::SeqCst);
    let seller =
        Scripted::buying(move |ctx| Ok(telling(ctx.handoff_to_task(async move |_| bought()), &tell).into()));
    let agent = building(&seller, registry).build().unwrap();
    let reply = buy(&agent).await;
    agent.drain(Duration::from_secs(60)).await;
    assert_eq!(ended(&agent, &reply.body["task_id"]).await["status"], "completed");
    drop((agent, seller));
    assert_eq!(told.recv().await, Some(Told::Complete("mb_1".into())));
    assert_eq!(told.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_result_outlives_an_outage_of_half_a_minute() {
    let registry = Flaky::new();
    // The last of these tries is 35 s after the first.
    registry.finishes.store(20, std::sync::atomic::Ordering::SeqCst);
    let seller = Scripted::buying(move |ctx| Ok(ctx.handoff_to_task(async move |_| bought()).into()));
    let agent = building(&seller, registry.clone()).build().unwrap();
    let reply = buy(&agent).await;
    let begun = tokio::time::Instant::now();
    agent.drain(Duration::from_secs(120)).await;
    assert_eq!(registry.finishes.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert!(begun.elapsed() > Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(ended(&agent, &reply.body["task_id"]).await["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_told_to_the_hook() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let registry = Flaky::new();
    registry.finishes.store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
    let seller =
        Scripted::buying(move |ctx| Ok(telling(ctx.handoff_to_task(async move |_| bought()), &tell).into()));
    let agent = building(&seller, registry).build().unwrap();
    let reply = buy(&agent).await;
    assert_eq!(reply.body["status"], "submitted");
    assert_eq!(told.recv().await, Some(Told::Complete("mb_1".into())));
    let Some(Told::Failure(Ended::Unrecorded(error))) = told.recv().await else { panic!("not told") };
    assert!(!format!("{:?}", error.to_json()).contains("db-7"));
}

#[tokio::test]
async fn a_task_that_cannot_be_written_leaves_nothing_and_can_be_tried_again() {
    let ran = Arc::new(Mutex::new(0));
    let count = Arc::clone(&ran);
    let registry = Flaky::new();
    registry.issues.store(1, std::sync::atomic::Ordering::SeqCst);
    let seller = Scripted::buying(move |ctx| {
        let count = Arc::clone(&count);
        Ok(ctx
            .handoff_to_task(async move |_| {
                *count.lock().unwrap() += 1;
                bought()
            })
            .into())
    });
    let agent = building(&seller, registry.clone()).build().unwrap();
    assert_eq!(crate::seller::code(&buy(&agent).await), "SERVICE_UNAVAILABLE");
    assert!(crate::scripted::all_tasks(&registry.inner).await.is_empty());
    assert_eq!(*ran.lock().unwrap(), 0, "the function ran without a task");
    let again = buy(&agent).await;
    assert_eq!(ended(&agent, &again.body["task_id"]).await["status"], "completed");
}
