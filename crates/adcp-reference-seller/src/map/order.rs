//! Orders of the ad server become media buys.

use adcp_core::AdcpError;
use adcp_decisioning::Account;
use adcp_decisioning::lifecycle::{BuyState, PackageState, Revision, valid_actions};
use adcp_types::ErrorCode;
use adcp_types::core::{CreativeAssignment, MediaBuyAvailableAction, Package, package};
use adcp_types::enums::{
    CanceledBy, CreativeApprovalStatus, MediaBuyHealth, MediaBuyStatus, MediaBuyValidAction,
};
use adcp_types::json::ToJson;
use adcp_types::media_buy::get_media_buys_response::{
    self, CreativeApproval, DeliveryStatus, History, MediaBuy, Snapshot,
};
use adcp_types::media_buy::{
    CreateMediaBuySuccess, GetMediaBuysRequest, GetMediaBuysResponse, UpdateMediaBuySuccess,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::ad_server::{self, Buyer, Cancellation, Changed, Event, Line, Order, Pacing, Status};
use crate::seller::ReferenceSeller;

use super::amount::{count, number};
use super::creative::wire;
use super::page::{Direction, page};
use super::{Shelf, account, delivery, note};

/// What is answered to somebody who booked.
pub(crate) fn booked(
    order: &Order,
    status: Status,
    shelf: &Shelf,
    account: &ad_server::Account,
) -> CreateMediaBuySuccess {
    let packages = order.lines.iter().map(|line| line_shown(line, shelf)).collect();
    let available = available(order, status);
    let mut booked =
        CreateMediaBuySuccess::new(&order.id, Some(order.confirmed.to_string()), revision(order), packages)
            .with_media_buy_status(wire_status(status))
            .with_currency(order.currency.as_str())
            .with_total_budget(number(order.budget()))
            .with_valid_actions(valid_actions(&available))
            .with_available_actions(available)
            .with_account(account::named(account));
    booked.sandbox = account.sandbox.then_some(true);
    booked
}

/// What is answered to somebody who changed an order: the touched packages, whole.
pub(crate) fn updated(changed: &Changed, shelf: &Shelf, sandbox: bool) -> UpdateMediaBuySuccess {
    let Changed { order, status, lines } = changed;
    let touched = lines.iter().filter_map(|id| order.line(id)).map(|line| line_shown(line, shelf)).collect();
    let available = available(order, *status);
    let mut updated = UpdateMediaBuySuccess::new(&order.id, revision(order))
        .with_media_buy_status(wire_status(*status))
        .with_currency(order.currency.as_str())
        .with_total_budget(number(order.budget()))
        .with_implementation_date(order.updated.to_string().into())
        .with_affected_packages(touched)
        .with_valid_actions(valid_actions(&available))
        .with_available_actions(available);
    updated.sandbox = sandbox.then_some(true);
    updated
}

/// Media buys asked for by id, at most.
pub(super) const MOST_IDS: usize = 1000;

/// Lists the media buys that a request asks for.
///
/// Without an account the buys of all the caller's accounts are listed. Without ids and without a status only the
/// active ones are, as the protocol wants.
pub(crate) fn list(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    on: Option<&Account>,
    req: &GetMediaBuysRequest,
    now: Timestamp,
) -> Result<GetMediaBuysResponse, AdcpError> {
    let statuses = match (&req.status_filter, &req.media_buy_ids) {
        (Some(filter), _) => Some(statuses(&filter.to_json())),
        (None, Some(_)) => None,
        (None, None) => Some(vec![Status::Active.as_str().to_owned()]),
    };
    super::booking::bounded("media_buy_ids", req.media_buy_ids.as_ref().map_or(0, Vec::len), MOST_IDS)?;
    let account_id = on.map(|account| account.id.as_str());
    let wanted = |order: &Order, status: Status| {
        req.media_buy_ids.as_ref().is_none_or(|ids| ids.contains(&order.id))
            && statuses
                .as_ref()
                .is_none_or(|statuses| statuses.iter().any(|wanted| wanted == status.as_str()))
    };
    let rows = seller.ads().orders(buyer, account_id, now, wanted);
    let errors = unknown(seller, buyer, account_id, req.media_buy_ids.as_deref(), now);
    let (rows, pagination) =
        page(rows, |(order, _)| (String::new(), order.serial), Direction::Down, req.pagination.as_ref())?;
    let snapshots = req.include_snapshot.unwrap_or_default();
    let history = req.include_history.and_then(|entries| usize::try_from(entries).ok()).unwrap_or_default();
    let buys = rows.iter().map(|(order, status)| {
        let mut buy = shown(order, *status, seller.shelf());
        buy.account =
            seller.ads().account(buyer, &order.account).map(|account| Box::new(account::named(&account)));
        for (package, line) in buy.packages.iter_mut().zip(&order.lines) {
            package.snapshot = snapshots.then(|| Box::new(snapshot(line, *status, now)));
        }
        buy.history =
            (history > 0).then(|| order.history.iter().rev().take(history).rev().map(event).collect());
        buy
    });
    let mut response = GetMediaBuysResponse::new(buys.collect()).with_pagination(pagination);
    response.errors = errors;
    response.sandbox = on.is_some_and(|account| account.sandbox).then_some(true);
    Ok(response)
}

/// One warning for each id that is none of the caller's: unknown and foreign ids look alike.
pub(super) fn unknown(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    account: Option<&str>,
    ids: Option<&[String]>,
    now: Timestamp,
) -> Option<Vec<adcp_types::core::Error>> {
    let ids = ids?;
    let known = seller.ads().orders(buyer, account, now, |order, _| ids.contains(&order.id));
    let missing = ids.iter().enumerate().filter(|(_, id)| !known.iter().any(|(order, _)| order.id == **id));
    let warnings: Vec<_> = missing
        .map(|(index, _)| {
            let error = AdcpError::new(ErrorCode::MEDIA_BUY_NOT_FOUND, "no such media buy")
                .with_field(format!("media_buy_ids[{index}]"));
            wire(&error)
        })
        .collect();
    (!warnings.is_empty()).then_some(warnings)
}

/// The statuses of a filter, which is one or a list.
pub(super) fn statuses(filter: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match filter {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

fn shown(order: &Order, status: Status, shelf: &Shelf) -> MediaBuy {
    let flight = order.flight();
    let packages = order.lines.iter().map(|line| row(line, shelf)).collect();
    let available = available(order, status);
    let mut buy = MediaBuy::new(
        &order.id,
        wire_status(status),
        order.currency.as_str(),
        number(order.budget()),
        Some(order.confirmed.to_string()),
        revision(order),
        packages,
    )
    .with_start_time(flight.start.to_string())
    .with_end_time(flight.end.to_string())
    .with_created_at(order.created.to_string())
    .with_updated_at(order.updated.to_string())
    .with_health(MediaBuyHealth::Ok)
    .with_impairments(Vec::new())
    .with_valid_actions(valid_actions(&available))
    .with_available_actions(available);
    buy.context = note::recall(&order.note, "context");
    buy.ext = note::recall(&order.note, "ext");
    buy.invoice_recipient = note::recall(&order.note, "invoice_recipient");
    buy.cancellation = order.canceled.as_ref().map(|canceled| {
        let mut shown =
            get_media_buys_response::Cancellation::new(canceled.at.to_string(), CanceledBy::Buyer);
        shown.reason.clone_from(&canceled.reason);
        shown
    });
    if status == Status::Rejected {
        buy.rejection_reason = Some("the flight ended before a creative arrived".to_owned());
    }
    buy
}

/// A package of a listed media buy.
fn row(line: &Line, shelf: &Shelf) -> get_media_buys_response::Package {
    use get_media_buys_response::{Cancellation, Package};
    let mut row: Package =
        note::with(&line.note, "package_id", &line.id).unwrap_or_else(|| Package::new(&line.id));
    row.product_id = Some(line.product.clone());
    row.budget = Some(number(line.budget));
    row.currency = Some(line.price.currency.as_str().to_owned());
    row.bid_price = line.bid.map(number);
    row.impressions = line.goal.map(count);
    row.format_ids = Some(line.formats.iter().map(|id| shelf.format_id(id)).collect());
    row.start_time = Some(line.flight.start.to_string());
    row.end_time = Some(line.flight.end.to_string());
    row.paused = Some(line.paused);
    row.canceled = Some(line.canceled.is_some());
    row.cancellation = line.canceled.as_ref().map(|canceled| {
        let mut shown = Cancellation::new(canceled.at.to_string(), CanceledBy::Buyer);
        shown.reason.clone_from(&canceled.reason);
        shown
    });
    let approved = |creative: &String| CreativeApproval::new(creative, CreativeApprovalStatus::Approved);
    row.creative_approvals = Some(line.creatives.iter().map(|one| approved(&one.creative)).collect());
    row
}

/// A package in the answer to a booking or a change.
fn line_shown(line: &Line, shelf: &Shelf) -> Package {
    let mut shown: Package =
        note::with(&line.note, "package_id", &line.id).unwrap_or_else(|| Package::new(&line.id));
    shown.product_id = Some(line.product.clone());
    shown.pricing_option_id = Some(line.price.id.clone());
    shown.budget = Some(number(line.budget));
    shown.bid_price = line.bid.map(number);
    shown.impressions = line.goal.map(count);
    shown.pacing = Some(match line.pacing {
        Pacing::Even => adcp_types::enums::Pacing::Even,
        Pacing::Asap => adcp_types::enums::Pacing::Asap,
        Pacing::FrontLoaded => adcp_types::enums::Pacing::FrontLoaded,
    });
    shown.format_ids = Some(line.formats.iter().map(|id| shelf.format_id(id)).collect());
    shown.start_time = Some(line.flight.start.to_string());
    shown.end_time = Some(line.flight.end.to_string());
    shown.paused = Some(line.paused);
    shown.canceled = Some(line.canceled.is_some());
    shown.cancellation = line.canceled.as_ref().map(canceled);
    shown.creative_assignments = Some(line.creatives.iter().map(assignment).collect());
    if line.creatives.is_empty() && line.canceled.is_none() {
        shown.format_ids_to_provide.clone_from(&shown.format_ids);
    }
    shown
}

fn canceled(canceled: &Cancellation) -> package::Cancellation {
    let mut shown = package::Cancellation::new(canceled.at.to_string(), CanceledBy::Buyer);
    shown.reason.clone_from(&canceled.reason);
    shown
}

fn assignment(one: &crate::ad_server::Assignment) -> CreativeAssignment {
    let mut shown = CreativeAssignment::new(&one.creative);
    shown.weight = one.weight.map(number);
    shown
}

fn snapshot(line: &Line, status: Status, now: Timestamp) -> Snapshot {
    let tally = line.delivered(now);
    let mut snapshot = Snapshot::new(now.to_string(), 0, count(tally.impressions), number(tally.spend))
        .with_clicks(count(tally.clicks))
        .with_currency(line.price.currency.as_str())
        .with_delivery_status(match () {
            () if tally.spend >= line.budget => DeliveryStatus::BudgetExhausted,
            () if line.goal.is_some_and(|goal| tally.impressions >= goal) => DeliveryStatus::GoalMet,
            () if now >= line.flight.end => DeliveryStatus::FlightEnded,
            () if status == Status::Active && !line.paused && line.canceled.is_none() => {
                DeliveryStatus::Delivering
            }
            () => DeliveryStatus::NotDelivering,
        });
    snapshot.pacing_index = delivery::pacing_index(line, now);
    snapshot
}

fn event(event: &Event) -> History {
    let revision = i64::try_from(event.revision).unwrap_or(i64::MAX);
    let mut shown = History::new(revision, event.at.to_string(), event.action);
    shown.package_id.clone_from(&event.line);
    shown.summary.clone_from(&event.summary);
    shown
}

fn revision(order: &Order) -> i64 {
    i64::try_from(order.revision).unwrap_or(i64::MAX)
}

fn wire_status(status: Status) -> MediaBuyStatus {
    MediaBuyStatus::from(status.as_str())
}

/// What can be done to an order now; all of it by the buyer alone. Packages are not added to an order.
fn available(order: &Order, status: Status) -> Vec<MediaBuyAvailableAction> {
    let package = |line: &Line| {
        PackageState::new(&line.id).with_paused(line.paused).with_canceled(line.canceled.is_some())
    };
    let buy = BuyState::new(status.as_str(), Revision::new(order.revision));
    let buy = order.lines.iter().map(package).fold(buy, BuyState::with_package);
    let mut available = buy.available_actions();
    available.retain(|offer| offer.action != MediaBuyValidAction::AddPackages);
    available
}
