//! What happens when several do the same thing at once: exactly one of them does it.

use std::sync::Arc;

use adcp_core::{
    AdcpError, Claim, Effects, EndOverdue, FinishTask, Finished, Outcome, Progress, ProposalState, Registry,
    RegistryError, ReportProgress, ReserveProposal, Reserved, SettleCall, Settlement, TaskStatus,
};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::Harness;
use crate::world::{DAY, HOUR, MINUTE, Must, World, bought, commits, object, offer, offers, registration};

pub(super) const ROUNDS: usize = 8;
pub(super) const RACERS: usize = 16;

/// Starts one racer for each item, together, and gives back what they came to, in no order.
pub(super) async fn race<I, T, F>(
    world: &World<'_>,
    items: impl IntoIterator<Item = I>,
    run: impl Fn(Arc<dyn Registry>, I) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let items: Vec<I> = items.into_iter().collect();
    let start = Arc::new(Barrier::new(items.len()));
    let mut racers = JoinSet::new();
    for item in items {
        let (racer, start) = (run(world.instance(), item), Arc::clone(&start));
        racers.spawn(async move {
            start.wait().await;
            racer.await
        });
    }
    racers.join_all().await
}

/// Of simultaneous claims of one key exactly one is first; the others are told that it runs.
pub async fn claims_race_to_one_winner(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("key{round}");
        let claims = race(&world, 0..RACERS, |registry, _| {
            let call = world.call(&name);
            async move { registry.claim_call(call).await.must() }
        })
        .await;
        let firsts = claims.iter().filter(|claim| matches!(claim, Claim::First(_))).count();
        let waiting = claims.iter().filter(|claim| matches!(claim, Claim::InFlight)).count();
        assert_eq!((firsts, waiting), (1, RACERS - 1));
    }
}

/// Of simultaneous purchases of one proposal exactly one holds it.
pub async fn reservation_race_has_one_winner(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("p{round}");
        world.firm(&[&name]).await;
        let won = reservations(&world, &name).await;
        assert_eq!(won, 1);
    }
}

/// When a hold runs out, exactly one of the waiting purchases takes the proposal.
pub async fn a_lapsed_hold_is_taken_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    for _ in 0..ROUNDS {
        assert_eq!(reservations(&world, "p").await, 1);
        assert_eq!(reservations(&world, "p").await, 0);
        world.pass(MINUTE).await;
    }
}

async fn reservations(world: &World<'_>, name: &str) -> usize {
    let found = race(world, 0..RACERS, |registry, _| {
        let req = ReserveProposal::new(world.proposal_key(name)).with_lease(MINUTE);
        async move { registry.reserve(req).await.must() }
    })
    .await;
    found.iter().filter(|reserved| matches!(reserved, Reserved::Held { .. })).count()
}

/// Of simultaneous different ends exactly one happens, with its effects.
pub async fn ends_race_to_one_winner(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let (name, proposal) = (format!("t{round}"), format!("p{round}"));
        world.firm(&[&proposal]).await;
        let hold = world.reserve(&proposal).await.must();
        let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
        world.issue(world.task(&name).with_effects(effects)).await;
        let ends = race(&world, 0..RACERS, |registry, racer| {
            let outcome = match racer % 4 {
                0 => Outcome::Canceled(format!("racer {racer}")),
                1 => Outcome::Failed(AdcpError::unavailable().with_field(format!("f{racer}"))),
                _ => bought(&format!("mb_{round}_{racer}")),
            };
            let end = FinishTask::new(world.id(&name), world.buyer().scope(), outcome.clone());
            async move { (outcome, registry.finish(end).await) }
        })
        .await;
        let mut won = Vec::new();
        for (outcome, end) in ends {
            match end {
                Ok(Finished::Now) => won.push(outcome),
                Err(RegistryError::AlreadyEnded(_)) => {}
                other => panic!("{outcome:?} came to {other:?}"),
            }
        }
        assert_eq!(won.len(), 1);
        let task = world.read(&name).await;
        assert_eq!(task.outcome.as_ref(), won.first());
        assert_eq!(task.history.len(), 2);
        let event = world.events().await.pop().must();
        assert_eq!((event.subject.task(), event.subject.status()), (Some(&task.id), Some(task.status)));
        assert_eq!(world.events().await.len(), round + 1);
        let bought = task.status == TaskStatus::Completed;
        let want = if bought { ProposalState::Consumed } else { ProposalState::Committed };
        assert_eq!(world.state(&proposal).await, want);
    }
}

/// The same end from many sides at once happens once; the others learn that it has.
pub async fn equal_ends_race_to_one_write(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("t{round}");
        let effects = Effects::none().with_notify(Some(registration()));
        world.issue(world.task(&name).with_effects(effects)).await;
        let ends = race(&world, 0..RACERS, |registry, _| {
            let end = FinishTask::new(world.id(&name), world.buyer().scope(), bought("mb_1"));
            async move { registry.finish(end).await.must() }
        })
        .await;
        assert_eq!(ends.iter().filter(|end| **end == Finished::Now).count(), 1);
        assert_eq!(world.events().await.len(), round + 1);
    }
}

/// A task ends at its deadline or by its work, never by both.
pub async fn a_finish_and_a_deadline_race_to_one_end(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("t{round}");
        let effects = Effects::none().with_notify(Some(registration()));
        world.issue(world.task(&name).with_effects(effects).with_deadline(Some(MINUTE))).await;
        world.pass(MINUTE).await;
        let ended = race(&world, 0..RACERS, |registry, racer| {
            let end = FinishTask::new(world.id(&name), world.buyer().scope(), bought("mb_1"));
            let sweep = EndOverdue::new(world.tenant.clone());
            async move {
                if racer % 2 == 0 {
                    registry.end_overdue(sweep).await.must().len()
                } else {
                    usize::from(matches!(registry.finish(end).await, Ok(Finished::Now)))
                }
            }
        })
        .await;
        assert_eq!(ended.into_iter().sum::<usize>(), 1);
        assert_eq!(world.read(&name).await.history.len(), 2);
        assert_eq!(world.events().await.len(), round + 1);
    }
}

/// Reports that arrive around the end do not bring the task back.
pub async fn reports_do_not_revive_a_task(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("t{round}");
        world.issue(world.task(&name)).await;
        race(&world, 0..RACERS, |registry, racer| {
            let (id, scope) = (world.id(&name), world.buyer().scope());
            async move {
                if racer == 0 {
                    let end = FinishTask::new(id, scope, bought("mb_1"));
                    assert_eq!(registry.finish(end).await.must(), Finished::Now);
                } else {
                    let percent = u32::try_from(racer).map_or(0.0, f64::from);
                    let report = ReportProgress::new(id, scope, Progress::percent(percent));
                    match registry.report(report).await {
                        Ok(()) | Err(RegistryError::AlreadyEnded(_)) => {}
                        other => panic!("a report came to {other:?}"),
                    }
                }
            }
        })
        .await;
        let task = world.read(&name).await;
        assert_eq!((task.status, task.outcome), (TaskStatus::Completed, Some(bought("mb_1"))));
        assert_eq!(task.history.last().map(|entry| entry.status), Some(TaskStatus::Completed));
        assert_eq!(task.history.iter().filter(|entry| entry.status.is_terminal()).count(), 1);
        assert!(task.history.is_sorted_by_key(|entry| entry.at), "the history goes back in time");
    }
}

/// An enqueued task is confirmed or taken back, and its key fits what became of it.
pub async fn confirm_and_discard_race_to_one(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let (name, proposal) = (format!("t{round}"), format!("p{round}"));
        world.firm(&[&proposal]).await;
        let (hold, ticket) = (world.reserve(&proposal).await.must(), world.first(&name).await);
        let effects = Effects::none().with_purchase(hold);
        world.issue(world.task(&name).with_effects(effects).enqueuing(HOUR)).await;
        let reply = object(json!({ "task_id": name }));
        let won = race(&world, 0..RACERS, |registry, racer| {
            let confirm = world.confirm(&name).settling(ticket.clone(), reply.clone());
            let discard = world.discard(&name).releasing(Some(ticket.clone()));
            async move {
                if racer % 2 == 0 {
                    (1_usize, registry.confirm(confirm).await.is_ok())
                } else {
                    (0, registry.discard(discard).await.is_ok())
                }
            }
        })
        .await;
        let winners: Vec<_> = won.into_iter().filter(|(_, won)| *won).map(|(kind, _)| kind).collect();
        match winners.as_slice() {
            [1] => {
                assert!(world.shown(&name).await);
                assert_eq!(world.replay(&name).await, reply);
                assert_eq!(world.state(&proposal).await, ProposalState::Consuming);
            }
            [0] => {
                assert_eq!(world.find(&name).await, None);
                world.first(&name).await;
                assert_eq!(world.state(&proposal).await, ProposalState::Committed);
            }
            other => panic!("confirmed (1) and discarded (0): {other:?}"),
        }
    }
}

/// A ticket settles once, and only the settlement that counted writes its effects.
pub async fn a_ticket_is_used_once(harness: &dyn Harness) {
    let world = World::new(harness);
    let now = world.now().await;
    for round in 0..ROUNDS {
        let key = format!("key{round}");
        let ticket = world.first(&key).await;
        let settled = race(&world, 0..RACERS, |registry, racer| {
            let offered = offer(&[&format!("p{round}_{racer}")], "offered");
            let reply = Settlement::Replied(object(json!({ "racer": racer })));
            let settle = SettleCall::new(ticket.clone(), reply);
            let settle = settle.applying(offers(&world.buyer(), &offered, now));
            async move { (racer, registry.settle_call(settle).await.is_ok()) }
        })
        .await;
        let won: Vec<_> = settled.into_iter().filter(|(_, won)| *won).map(|(racer, _)| racer).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(world.replay(&key).await, object(json!({ "racer": won[0] })));
        for racer in 0..RACERS {
            let kept = world.proposal(&format!("p{round}_{racer}")).await.is_some();
            assert_eq!(kept, racer == won[0], "racer {racer}, the one that counted was {}", won[0]);
        }
    }
}

/// Of overlapping steps that make drafts firm, one happens whole and the others not at all.
pub async fn overlapping_commits_race_to_whole_ones(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let names: Vec<_> = (0..RACERS).map(|racer| format!("p{round}_{racer}")).collect();
        let all: Vec<_> = names.iter().map(String::as_str).collect();
        world.draft(&all).await;
        let now = world.now().await;
        // Racer n commits n and its neighbour, in an order that invites deadlocks, with an expiry of its own.
        let won = race(&world, 0..RACERS, |registry, racer| {
            let (one, two) = (all[racer], all[(racer + 1) % RACERS]);
            let ids = if racer % 2 == 0 { [one, two] } else { [two, one] };
            let until = now.after(DAY + MINUTE * u32::try_from(racer).must());
            let settle = SettleCall::new(None, Settlement::Replied(object(json!({}))));
            let settle = settle.applying(commits(&world.buyer(), &ids, until, now));
            async move { (racer, until, registry.settle_call(settle).await.is_ok()) }
        })
        .await;
        let mut want = vec![None; RACERS];
        for (racer, until, won) in won {
            for place in [racer, (racer + 1) % RACERS].into_iter().filter(|_| won) {
                assert_eq!(want[place].replace(until), None, "two commits of one proposal counted");
            }
        }
        assert!(want.iter().any(Option::is_some), "nobody won");
        for (name, until) in all.iter().zip(want) {
            let record = world.proposal(name).await.must();
            let state = if until.is_some() { ProposalState::Committed } else { ProposalState::Draft };
            assert_eq!((record.state, record.expires_at), (state, until), "{name}");
        }
    }
}
