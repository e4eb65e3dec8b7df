//! What the ad server promises as a whole: nothing half done, nothing across a border.

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::seed;

const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn server() -> AdServer {
    AdServer::new(seed::catalog().unwrap(), Bounds::default(), true)
}

fn buyer(name: &str) -> Buyer {
    Buyer(name.to_owned())
}

fn open(server: &AdServer, buyer: &Buyer) -> String {
    let setup = Setup { brand: "acme.example".into(), brand_id: None, operator: "agency.example".into() };
    let opened = server.open_account(buyer, NewAccount::new("Acme", setup, Billing::Operator));
    opened.unwrap().0.id
}

fn line(budget: &str) -> NewLine {
    NewLine {
        product: "harbor_news_display".into(),
        price: "cpm_usd_fixed".into(),
        budget: budget.parse().unwrap(),
        bid: None,
        goal: None,
        pacing: Pacing::Even,
        start: None,
        end: None,
        paused: false,
        formats: Vec::new(),
        creatives: Vec::new(),
        note: Note::new(),
    }
}

fn order(lines: Vec<NewLine>) -> NewOrder {
    NewOrder {
        start: Some(at(DAY)),
        end: at(11 * DAY),
        lines,
        drafts: Vec::new(),
        move_past_flights: false,
        note: Note::from_iter([("buyer_ref".to_owned(), "r1".into())]),
    }
}

fn banner(id: &str) -> CreativeDraft {
    CreativeDraft {
        id: id.into(),
        name: format!("Banner {id}"),
        format: Some("display_300x250".into()),
        tags: Vec::new(),
        note: Note::new(),
        archived: false,
    }
}

fn library(server: &AdServer, buyer: &Buyer, account: &str, ids: &[&str]) -> Vec<SyncOutcome> {
    let sync = CreativeSync { drafts: ids.iter().map(|id| banner(id)).collect(), ..CreativeSync::default() };
    server.sync_creatives(buyer, account, &sync, at(0)).unwrap()
}

fn with_creative(mut line: NewLine, id: &str) -> NewLine {
    line.creatives.push((id.to_owned(), None));
    line
}

fn all(server: &AdServer, buyer: &Buyer, account: Option<&str>, now: Timestamp) -> Vec<(Order, Status)> {
    server.orders(buyer, account, now, |_, _| true)
}

#[test]
fn an_order_walks_through_its_life() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let (booked, status) = server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    assert_eq!(status, Status::PendingCreatives);
    library(&server, &acme, &account, &["c1"]);
    let assign = CreativeSync {
        assignments: vec![("c1".into(), booked.lines[0].id.clone(), None)],
        ..CreativeSync::default()
    };
    let outcomes = server.sync_creatives(&acme, &account, &assign, at(10)).unwrap();
    assert_eq!(outcomes[0].assigned, [booked.lines[0].id.clone()]);
    let status = |second| all(&server, &acme, Some(&account), at(second))[0].1;
    assert_eq!(status(20), Status::PendingStart);
    assert_eq!(status(2 * DAY), Status::Active);
    let pause = Change { paused: Some(true), ..Change::default() };
    server.change(&acme, &account, &booked.id, &pause, at(2 * DAY)).unwrap();
    assert_eq!(status(3 * DAY), Status::Paused);
    let resume = Change { paused: Some(false), revision: Some(2), ..Change::default() };
    let resumed = server.change(&acme, &account, &booked.id, &resume, at(4 * DAY)).unwrap();
    assert_eq!((resumed.status, resumed.order.revision), (Status::Active, 3));
    assert_eq!(status(12 * DAY), Status::Completed);
    let late = server.change(&acme, &account, &booked.id, &pause, at(12 * DAY)).unwrap_err();
    assert_eq!(late.reason, Reason::Over(Status::Completed));
}

#[test]
fn a_flight_that_passes_without_creatives_is_rejected() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    let (order, status) = all(&server, &acme, None, at(20 * DAY)).remove(0);
    assert_eq!(status, Status::Rejected);
    assert_eq!(order.lines[0].delivered(at(20 * DAY)), Tally::default());
}

#[test]
fn cancelling_twice_is_told_apart_from_other_late_changes() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let (booked, _) = server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    let cancel = Change { cancel: Some(Some("plans changed".into())), ..Change::default() };
    let canceled = server.change(&acme, &account, &booked.id, &cancel, at(5)).unwrap();
    assert_eq!((canceled.status, canceled.order.budget()), (Status::Canceled, Decimal::from(600)));
    let again = server.change(&acme, &account, &booked.id, &cancel, at(6)).unwrap_err();
    assert_eq!(again.reason, Reason::AlreadyCanceled);
    let stale = Change { revision: Some(1), paused: Some(true), ..Change::default() };
    let late = server.change(&acme, &account, &booked.id, &stale, at(6)).unwrap_err();
    assert_eq!(late.reason, Reason::Over(Status::Canceled));
}

#[test]
fn refusals_name_the_line_and_book_nothing() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let wrong = |spoil: fn(&mut NewLine)| {
        let mut bad = line("600");
        spoil(&mut bad);
        let refusal = server.book(&acme, &account, &order(vec![line("600"), bad]), at(0)).unwrap_err();
        assert_eq!(refusal.line, Some(1));
        refusal.reason
    };
    assert_eq!(wrong(|line| line.product = "nope".into()), Reason::UnknownProduct);
    assert_eq!(wrong(|line| line.price = "nope".into()), Reason::UnknownPrice);
    assert!(matches!(wrong(|line| line.budget = Decimal::ZERO), Reason::BudgetTooLow { .. }));
    assert!(matches!(wrong(|line| line.budget = Decimal::from(-5)), Reason::BudgetTooLow { .. }));
    assert!(matches!(wrong(|line| line.budget = Decimal::MAX), Reason::AmountTooLarge));
    assert!(matches!(wrong(|line| line.price = "cpm_gbp_fixed".into()), Reason::MixedCurrencies { .. }));
    assert_eq!(wrong(|line| line.formats = vec!["video_30s".into()]), Reason::UnfitFormat);
    assert_eq!(wrong(|line| line.creatives = vec![("c9".into(), None)]), Reason::UnknownCreative);
    assert_eq!(wrong(|line| line.end = Some(at(0))), Reason::FlightReversed);
    assert_eq!(wrong(|line| line.end = Some(at(30 * DAY))), Reason::OutsideOrder);
    assert!(all(&server, &acme, None, at(0)).is_empty());
}

#[test]
fn past_flights_are_refused_or_moved() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let mut past = order(vec![line("600")]);
    (past.start, past.end) = (Some(at(-5 * DAY)), at(5 * DAY));
    assert_eq!(server.book(&acme, &account, &past, at(0)).unwrap_err().reason, Reason::StartPast);
    past.end = at(-DAY);
    assert_eq!(server.book(&acme, &account, &past, at(0)).unwrap_err().reason, Reason::EndPast);
    past.move_past_flights = true;
    let (moved, _) = server.book(&acme, &account, &past, at(0)).unwrap();
    assert_eq!((moved.flight().start, moved.flight().end), (at(0), at(4 * DAY)));
    past.end = at(-6 * DAY);
    assert_eq!(server.book(&acme, &account, &past, at(0)).unwrap_err().reason, Reason::FlightReversed);
}

#[test]
fn a_change_happens_as_a_whole_or_not_at_all() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let (booked, _) = server.book(&acme, &account, &order(vec![line("600"), line("700")]), at(0)).unwrap();
    let change = Change {
        paused: Some(true),
        lines: vec![
            LineChange {
                id: booked.lines[0].id.clone(),
                budget: Some(Decimal::from(900)),
                ..LineChange::default()
            },
            LineChange { id: "pkg_nope".into(), ..LineChange::default() },
        ],
        ..Change::default()
    };
    let refusal = server.change(&acme, &account, &booked.id, &change, at(5)).unwrap_err();
    assert_eq!(refusal, Refusal::on_line(1, Reason::UnknownLine));
    let (after, _) = all(&server, &acme, None, at(6)).remove(0);
    assert_eq!((after.revision, after.paused, after.budget()), (1, false, Decimal::from(1300)));
    let stale = Change { revision: Some(7), ..Change::default() };
    let refusal = server.change(&acme, &account, &booked.id, &stale, at(7)).unwrap_err();
    assert_eq!(refusal.reason, Reason::StaleRevision { current: 1 });
}

#[test]
fn of_two_changes_to_one_revision_one_happens() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    let (booked, _) = server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    let change = Change { revision: Some(1), paused: Some(true), ..Change::default() };
    let won = std::thread::scope(|scope| {
        let run = || server.change(&acme, &account, &booked.id, &change, at(1)).is_ok();
        let tries: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_budget_cannot_go_below_what_was_spent() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    library(&server, &acme, &account, &["c1"]);
    let (booked, _) =
        server.book(&acme, &account, &order(vec![with_creative(line("600"), "c1")]), at(0)).unwrap();
    let lower = |budget: u32| Change {
        lines: vec![LineChange {
            id: booked.lines[0].id.clone(),
            budget: Some(Decimal::from(budget)),
            ..LineChange::default()
        }],
        ..Change::default()
    };
    // Half the flight is over: 300 are spent.
    let refusal = server.change(&acme, &account, &booked.id, &lower(200), at(6 * DAY)).unwrap_err();
    assert!(matches!(refusal.reason, Reason::BudgetTooLow { minimum, .. } if minimum == Decimal::from(300)));
    let changed = server.change(&acme, &account, &booked.id, &lower(400), at(6 * DAY)).unwrap();
    assert_eq!(changed.lines, [booked.lines[0].id.clone()]);
    let (order, _) = all(&server, &acme, None, at(20 * DAY)).remove(0);
    assert_eq!(order.lines[0].delivered(at(20 * DAY)).spend, "399.99".parse::<Decimal>().unwrap());
}

#[test]
fn buyers_and_accounts_do_not_see_each_other() {
    let (server, acme, nova) = (server(), buyer("acme"), buyer("nova"));
    let (account, foreign) = (open(&server, &acme), open(&server, &nova));
    let named = server.open_named_account(&acme, "second").unwrap().id;
    library(&server, &acme, &account, &["c1"]);
    let (booked, _) = server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    assert_ne!(account, foreign);
    assert!(server.account(&nova, &account).is_none());
    for (who, whose) in [(&nova, &foreign), (&nova, &account), (&acme, &named)] {
        assert!(all(&server, who, Some(whose), at(0)).is_empty());
        assert!(server.creatives(who, Some(whose)).is_empty());
        let refusal = server.change(who, whose, &booked.id, &Change::default(), at(1)).unwrap_err();
        assert_eq!(refusal.reason, Reason::UnknownOrder);
        let using = order(vec![with_creative(line("600"), "c1")]);
        assert!(server.book(who, whose, &using, at(1)).is_err());
        let assign = CreativeSync {
            assignments: vec![("c1".into(), booked.lines[0].id.clone(), None)],
            ..CreativeSync::default()
        };
        if let Ok(outcomes) = server.sync_creatives(who, whose, &assign, at(1)) {
            assert!(outcomes[0].assigned.is_empty());
        }
    }
    assert_eq!(all(&server, &acme, None, at(0)).len(), 1);
}

#[test]
fn a_dry_run_says_what_a_run_would_do() {
    let (server, acme) = (server(), buyer("acme"));
    let account = open(&server, &acme);
    library(&server, &acme, &account, &["c1", "c2"]);
    let mut renamed = banner("c1");
    renamed.name = "Other".into();
    let mut sync = CreativeSync {
        drafts: vec![renamed, banner("c3")],
        archive_missing: Some(Vec::new()),
        dry_run: true,
        ..CreativeSync::default()
    };
    let actions = |outcomes: &[SyncOutcome]| {
        outcomes.iter().map(|outcome| (outcome.id.clone(), outcome.action)).collect::<Vec<_>>()
    };
    let dry = server.sync_creatives(&acme, &account, &sync, at(5)).unwrap();
    assert_eq!(
        actions(&dry),
        [
            ("c1".into(), SyncAction::Updated),
            ("c3".into(), SyncAction::Created),
            ("c2".into(), SyncAction::Archived)
        ]
    );
    assert_eq!(server.creatives(&acme, None).len(), 2);
    sync.dry_run = false;
    assert_eq!(server.sync_creatives(&acme, &account, &sync, at(5)).unwrap(), dry);
    sync.drafts.truncate(1);
    sync.archive_missing = None;
    let again = server.sync_creatives(&acme, &account, &sync, at(6)).unwrap();
    assert_eq!(actions(&again), [("c1".into(), SyncAction::Unchanged)]);
}

#[test]
fn accounts_are_found_again_by_their_setup() {
    let (server, acme) = (server(), buyer("acme"));
    let id = open(&server, &acme);
    assert_eq!(open(&server, &acme), id, "opening again changes nothing");
    let setup = Setup { brand: "acme.example".into(), brand_id: None, operator: "agency.example".into() };
    assert_eq!(server.account_for(&acme, &setup, false).unwrap().id, id);
    assert!(server.account_for(&acme, &setup, true).is_none());
    server.close_account(&acme, &id);
    assert!(server.account(&acme, &id).is_none() && server.accounts(&acme).is_empty());
    assert!(server.book(&acme, &id, &order(vec![line("600")]), at(0)).is_err());
}

#[test]
fn what_a_buyer_may_store_is_bounded() {
    let bounds = Bounds { accounts_per_buyer: 1, orders_per_account: 1, creatives_per_account: 1, buyers: 1 };
    let (server, acme) = (AdServer::new(seed::catalog().unwrap(), bounds, true), buyer("acme"));
    let account = open(&server, &acme);
    assert_eq!(server.open_named_account(&acme, "second").unwrap_err(), Reason::Full);
    assert_eq!(server.open_named_account(&buyer("nova"), "x").unwrap_err(), Reason::Full);
    server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap();
    let refusal = server.book(&acme, &account, &order(vec![line("600")]), at(0)).unwrap_err();
    assert_eq!(refusal.reason, Reason::Full);
    let actions: Vec<SyncAction> =
        library(&server, &acme, &account, &["c1", "c2"]).iter().map(|outcome| outcome.action).collect();
    assert_eq!(actions, [SyncAction::Created, SyncAction::Refused]);
}

proptest! {
    #[test]
    fn no_order_spends_more_than_its_budget(
        budgets in proptest::collection::vec(100_u32..1_000_000, 1..5),
        changes in proptest::collection::vec((0..12 * DAY, 0_usize..5, 1_u32..1_000_000, any::<bool>()), 0..8),
        moment in 0..30 * DAY,
    ) {
        let (server, acme) = (server(), buyer("acme"));
        let account = open(&server, &acme);
        library(&server, &acme, &account, &["c1"]);
        let lines = budgets.iter().map(|budget| with_creative(line(&budget.to_string()), "c1")).collect();
        let (booked, _) = server.book(&acme, &account, &order(lines), at(0)).unwrap();
        let mut changes = changes;
        changes.sort_by_key(|change| change.0);
        for (second, which, budget, paused) in changes {
            let change = Change {
                lines: vec![LineChange {
                    id: booked.lines[which % booked.lines.len()].id.clone(),
                    budget: Some(Decimal::from(budget)),
                    paused: Some(paused),
                    ..LineChange::default()
                }],
                ..Change::default()
            };
            // Refused changes are part of the game.
            drop(server.change(&acme, &account, &booked.id, &change, at(second)));
        }
        let (order, _) = all(&server, &acme, None, at(moment)).remove(0);
        let mut sum = Tally::default();
        for line in &order.lines {
            let delivered = line.delivered(at(moment.max(12 * DAY)));
            prop_assert!(delivered.spend <= line.budget);
            sum = sum.plus(delivered);
        }
        prop_assert!(sum.spend <= order.budget());
    }
}
