//! Tasks that are ended, or asked about, from outside their function.

use std::sync::Arc;

use adcp_core::{AdcpError, Finished, Outcome, Owner, Principal, Progress, TaskRef, TenantId};
use adcp_decisioning::{Agent, DeskError, Ended, TaskDesk};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::ErrorCode;
use adcp_types::json::FromJson;
use adcp_types::media_buy::{CreateMediaBuyInputRequired, CreateMediaBuySuccess, CreateMediaBuyWorking};
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::scripted::{Scripted, bought, building, buy, poll, scripted, task_of};
use crate::seller::{booked, call, object};

/// A task that waits for somebody, and a desk in what could be another process.
async fn waiting() -> (Agent, TaskDesk, TaskRef) {
    let (agent, registry) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let stored = task_of(&buy(&agent).await).to_string();
    (agent, TaskDesk::new(registry), stored.parse().unwrap())
}

#[tokio::test]
async fn a_stored_reference_ends_the_task_days_later() {
    let (agent, desk, task) = waiting().await;
    assert_eq!(desk.complete(&task, &booked()).await.unwrap(), Finished::Now);
    let polled = poll(&agent, &task).await;
    assert_eq!(polled["status"], "completed");
    assert_eq!(polled["result"]["media_buy_id"], "mb_1");
}

#[tokio::test]
async fn only_an_answer_of_the_tool_is_accepted() {
    let (agent, desk, task) = waiting().await;
    let mut invalid = booked();
    invalid.revision = 0;
    let Err(DeskError::Invalid { tool, issues }) = desk.complete(&task, &invalid).await else {
        panic!("an invalid answer was accepted")
    };
    assert_eq!((tool.as_str(), issues[0].pointer.as_str()), ("create_media_buy", "/revision"));
    let mut forged = booked();
    forged.extra.insert("task_id".into(), "forged".into());
    let refused = desk.complete(&task, &forged).await.unwrap_err();
    assert!(matches!(refused, DeskError::EnvelopeField("task_id")), "{refused}");
    let list = desk.complete(&task, &json!(["mb_1"])).await.unwrap_err();
    assert!(matches!(list, DeskError::NoObject(_)), "{list}");
    assert_eq!(poll(&agent, &task).await["status"], "submitted", "the task is as it was");
    desk.complete(&task, &booked()).await.unwrap();
}

#[tokio::test]
async fn the_first_end_wins_and_the_same_again_changes_nothing() {
    let other = || AdcpError::new(ErrorCode::POLICY_VIOLATION, "not here");
    for want in ["failed", "rejected", "canceled"] {
        let (agent, desk, task) = waiting().await;
        for again in [Finished::Now, Finished::Before] {
            let finished = match want {
                "failed" => desk.fail(&task, other()).await,
                "rejected" => desk.reject(&task, other()).await,
                _ => desk.cancel(&task, "withdrawn").await,
            };
            assert_eq!(finished.unwrap(), again, "{want}");
        }
        assert_eq!(poll(&agent, &task).await["status"], want);
        let conflict = desk.complete(&task, &booked()).await.unwrap_err();
        assert!(matches!(&conflict, DeskError::AlreadyEnded(id) if *id == task.id), "{conflict}");
        assert_eq!(*AdcpError::from(conflict).code(), ErrorCode::INVALID_STATE);
        assert!(matches!(
            desk.progress(&task, Progress::percent(1.0)).await,
            Err(DeskError::AlreadyEnded(_))
        ));
        assert!(matches!(desk.resume(&task).await, Err(DeskError::AlreadyEnded(_))));
    }
}

#[tokio::test]
async fn a_buyer_is_asked_and_the_work_goes_on() {
    let (agent, desk, task) = waiting().await;
    let question = json!({ "reason": "APPROVAL_REQUIRED" });
    let question = CreateMediaBuyInputRequired::from_json(question).unwrap();
    desk.require_input(&task, &question).await.unwrap();
    assert_eq!(poll(&agent, &task).await["status"], "input-required");
    desk.resume(&task).await.unwrap();
    assert!(matches!(desk.resume(&task).await, Err(DeskError::NoSuchStep { .. })));
    let sign_in = object(json!({ "url": "https://seller.example/sign-in" }));
    desk.require_authentication(&task, sign_in).await.unwrap();
    assert_eq!(poll(&agent, &task).await["status"], "auth-required");
    let report = CreateMediaBuyWorking::new().with_percentage(75.0);
    desk.progress(&task, report).await.unwrap();
    desk.complete(&task, &booked()).await.unwrap();
    let polled = poll(&agent, &task).await;
    let steps: Vec<_> = polled["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["data"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["submitted", "input-required", "submitted", "auth-required", "working", "completed"]);
}

#[tokio::test]
async fn a_question_must_be_one_of_the_tool() {
    let (agent, desk, task) = waiting().await;
    let wrong = CreateMediaBuyInputRequired::from_json(json!({ "reason": "WEATHER" })).unwrap();
    assert!(matches!(desk.require_input(&task, &wrong).await, Err(DeskError::Invalid { .. })));
    assert_eq!(poll(&agent, &task).await["status"], "submitted");

    let registry = Arc::new(MemoryRegistry::volatile());
    let seller = Scripted::buying(|_| bought().map(Into::into)).finding(
        |_| Ok(crate::scripted::products().into()),
        |ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()),
    );
    let agent = building(&seller, registry.clone()).build().unwrap();
    let reply = call(&agent, "acme", "get_signals", json!({ "signal_spec": "weather" })).await;
    let asked = TaskDesk::new(registry).require_input(&task_of(&reply), &wrong).await.unwrap_err();
    assert!(matches!(&asked, DeskError::NoSuchAnswer { tool, .. } if tool == "get_signals"), "{asked}");
}

#[tokio::test]
async fn a_reference_of_somebody_else_finds_nothing() {
    let (_agent, desk, task) = waiting().await;
    let stranger = Owner::new(TenantId::single(), task.owner.account.clone(), Principal::new("nova"));
    let forged = TaskRef::new(task.id.clone(), stranger);
    assert!(matches!(desk.complete(&forged, &booked()).await, Err(DeskError::Unknown(_))));
    assert!(matches!(desk.cancel(&forged, "mine").await, Err(DeskError::Unknown(_))));
    assert!(matches!(desk.read(&forged).await, Err(DeskError::Unknown(_))));
}

#[tokio::test]
async fn credentials_do_not_reach_what_is_kept() {
    let (agent, desk, task) = waiting().await;
    let leaky: CreateMediaBuySuccess = CreateMediaBuySuccess::from_json(json!({
        "media_buy_id": "mb_1", "confirmed_at": "2026-05-01T00:00:00Z", "revision": 1, "packages": [],
        "invoice_recipient": { "legal_name": "Acme", "bank": { "account_holder": "Acme", "iban": "DE0012345678" } },
    }))
    .unwrap();
    desk.complete(&task, &leaky).await.unwrap();
    let polled = poll(&agent, &task).await;
    assert_eq!(polled["result"]["invoice_recipient"], json!({ "legal_name": "Acme" }));
    let (agent, desk, task) = waiting().await;
    let error = AdcpError::unavailable()
        .with_detail("billing_entity", json!({ "legal_name": "Acme", "bank": { "iban": "DE0012345678" } }));
    desk.fail(&task, error).await.unwrap();
    assert!(!poll(&agent, &task).await.to_string().contains("DE0012345678"));
}

/// An agent whose task says that it runs, waits for the signal to stop, and then claims to have succeeded.
fn stoppable() -> (Agent, Arc<MemoryRegistry>, Arc<Notify>, mpsc::UnboundedReceiver<Option<Ended>>) {
    let (tell, told) = mpsc::unbounded_channel();
    let running = Arc::new(Notify::new());
    let runs = Arc::clone(&running);
    let (agent, registry) = scripted(move |ctx| {
        let (runs, completed, ended) = (Arc::clone(&runs), tell.clone(), tell.clone());
        Ok(ctx
            .handoff_to_task(async move |task: adcp_decisioning::TaskHandle| {
                assert!(!task.is_cancelled());
                runs.notify_one();
                tokio::select! {
                    () = task.cancelled() => {}
                    () = async {
                        loop {
                            task.progress(Progress::percent(10.0)).await;
                            tokio::task::yield_now().await;
                        }
                    } => {}
                }
                assert!(task.is_cancelled());
                bought()
            })
            .on_complete(async move |_| {
                completed.send(None).unwrap();
                Ok(())
            })
            .on_failure(async move |how| {
                ended.send(Some(how)).unwrap();
                Ok(())
            })
            .into())
    });
    (agent, registry, running, told)
}

#[tokio::test(start_paused = true)]
async fn a_function_that_does_not_listen_is_dropped_in_the_end() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (agent, _) = scripted(move |ctx| {
        let tell = tell.clone();
        Ok(ctx
            .handoff_to_task(async move |_| std::future::pending().await)
            .on_failure(async move |how| {
                tell.send(how).unwrap();
                Ok(())
            })
            .into())
    });
    let task = task_of(&buy(&agent).await);
    agent.desk().complete(&task, &booked()).await.unwrap();
    let begun = tokio::time::Instant::now();
    let Some(Ended::Elsewhere(Some(Outcome::Completed(body)))) = told.recv().await else {
        panic!("not told")
    };
    assert_eq!(body["media_buy_id"], "mb_1");
    assert!(begun.elapsed() <= std::time::Duration::from_secs(31));
}

#[tokio::test]
async fn a_canceled_function_is_told_and_cannot_change_the_end() {
    for from_outside in [false, true] {
        let (agent, registry, running, mut told) = stoppable();
        let task = task_of(&buy(&agent).await);
        running.notified().await;
        // Another process cannot reach the function, which learns of the end by its next report.
        let desk = if from_outside { TaskDesk::new(registry) } else { agent.desk() };
        desk.cancel(&task, "the campaign was called off").await.unwrap();
        let reason = Outcome::Canceled("the campaign was called off".into());
        assert_eq!(told.recv().await, Some(Some(Ended::Elsewhere(Some(reason)))));
        let polled = poll(&agent, &task).await;
        assert_eq!(polled["status"], "canceled");
        assert!(polled.get("result").is_none() && polled.get("error").is_none(), "{polled}");
        agent.drain(std::time::Duration::ZERO).await;
        drop(agent);
        assert_eq!(told.recv().await, None, "a second hook ran");
    }
}
