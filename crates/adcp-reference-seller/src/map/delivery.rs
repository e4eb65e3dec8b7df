//! Delivery reports.

use adcp_core::AdcpError;
use adcp_decisioning::Account;
use adcp_types::ErrorCode;
use adcp_types::enums::PricingModel;
use adcp_types::json::ToJson;
use adcp_types::media_buy::get_media_buy_delivery_response::{
    AggregatedTotals, DailyBreakdown, DeliveryStatus, MediaBuyDelivery,
    MediaBuyDeliveryByPackage as ByPackage, ReportingPeriod, Status as WireStatus, Totals,
};
use adcp_types::media_buy::{GetMediaBuyDeliveryRequest, GetMediaBuyDeliveryResponse};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::ad_server::{Buyer, Catalog, Currency, Line, Order, PriceModel, Status, Tally};
use crate::seller::ReferenceSeller;

use super::amount::{count, number};
use super::order::{statuses, unknown};

/// Media buys in one report; the newest come first, and the report says how many are left out.
const MOST: usize = 200;
/// Days in one breakdown.
const MOST_DAYS: usize = 366;

/// Writes a tally, and what follows from it by division, into a row of a report.
macro_rules! measure {
    ($row:ident, $tally:expr, $plays:expr) => {{
        let (tally, plays): (Tally, bool) = ($tally, $plays);
        let (impressions, clicks) = (Decimal::from(tally.impressions), Decimal::from(tally.clicks));
        let completed = Decimal::from(tally.completed_views);
        $row.impressions = Some(count(tally.impressions));
        $row.clicks = Some(count(tally.clicks));
        $row.ctr = ratio(clicks, impressions, 6).map(number);
        $row.cpm = ratio(tally.spend * Decimal::ONE_THOUSAND, impressions, 4).map(number);
        $row.cost_per_click = ratio(tally.spend, clicks, 4).map(number);
        if plays {
            $row.completed_views = Some(count(tally.completed_views));
            $row.completion_rate = ratio(completed, impressions, 6).map(number);
            $row.cost_per_completed_view = ratio(tally.spend, completed, 4).map(number);
        }
    }};
}

/// From the start, up to but not including the end.
#[derive(Clone, Copy, Debug)]
struct Period {
    start: Timestamp,
    end: Timestamp,
}

/// Reports what the media buys of a request served and cost.
///
/// Without dates the report covers each buy from its beginning until now. Dates are days in UTC, the last one included.
/// Buys in several currencies are reported side by side and not added up.
pub(crate) fn report(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    account: Option<&Account>,
    req: &GetMediaBuyDeliveryRequest,
    now: Timestamp,
) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
    if req.time_granularity.is_some() {
        return Err(AdcpError::new(ErrorCode::UNSUPPORTED_GRANULARITY, "reports are not cut into windows")
            .with_field("time_granularity")
            .with_suggestion("leave time_granularity out, or ask for include_package_daily_breakdown"));
    }
    let asked = req.media_buy_ids.as_ref().map_or(0, Vec::len);
    super::booking::bounded("media_buy_ids", asked, super::order::MOST_IDS)?;
    let (start, end) = asked_period(req)?;
    let account_id = account.map(|account| account.id.as_str());
    let wanted_statuses = req.status_filter.as_ref().map(|filter| statuses(&filter.to_json()));
    let wanted = |order: &Order, status: Status| {
        req.media_buy_ids.as_ref().is_none_or(|ids| ids.contains(&order.id))
            && wanted_statuses
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|wanted| wanted == status.as_str()))
    };
    let mut orders = seller.ads().orders(buyer, account_id, now, wanted);
    let left_out = orders.len().saturating_sub(MOST);
    orders.truncate(MOST);
    let begun = orders.iter().map(|(order, _)| order.created.min(order.flight().start)).min().unwrap_or(now);
    let end = end.unwrap_or(now);
    let period = Period { start: start.unwrap_or_else(|| begun.min(end)), end };
    let daily = req.include_package_daily_breakdown.unwrap_or_default();
    let catalog = seller.ads().catalog();
    let deliveries: Vec<(Tally, MediaBuyDelivery)> =
        orders.iter().map(|(order, status)| delivery(order, *status, period, daily, catalog, now)).collect();
    let currencies: Vec<Currency> = orders.iter().map(|(order, _)| order.currency).collect();
    let currency = currencies.first().map_or("USD", Currency::as_str);
    let aggregated = currencies.windows(2).all(|pair| pair[0] == pair[1]).then(|| {
        let sum = deliveries.iter().fold(Tally::default(), |sum, (tally, _)| sum.plus(*tally));
        aggregate(sum, deliveries.len())
    });
    let reported = ReportingPeriod::new(period.start.to_string(), period.end.to_string());
    let rows = deliveries.into_iter().map(|(_, row)| row).collect();
    let mut response = GetMediaBuyDeliveryResponse::new(reported, currency, rows);
    response.aggregated_totals = aggregated.map(Box::new);
    response.errors = unknown(seller, buyer, account_id, req.media_buy_ids.as_deref(), now);
    response.sandbox = account.is_some_and(|account| account.sandbox).then_some(true);
    if left_out > 0 {
        response.partial_data = Some(true);
        response.unavailable_count = i64::try_from(left_out).ok();
    }
    Ok(response)
}

/// The instants that the request's days begin and end with.
fn asked_period(
    req: &GetMediaBuyDeliveryRequest,
) -> Result<(Option<Timestamp>, Option<Timestamp>), AdcpError> {
    let day = |text: &Option<String>, field: &str| match text {
        None => Ok(None),
        Some(text) => text
            .parse::<Date>()
            .map(Some)
            .map_err(|_| AdcpError::invalid_request(field, "expected a date, such as `2027-05-01`")),
    };
    match (day(&req.start_date, "start_date")?, day(&req.end_date, "end_date")?) {
        (Some(start), Some(end)) if end < start => {
            Err(AdcpError::invalid_request("end_date", "the end comes before the start"))
        }
        (start, end) => Ok((
            start.map(|day| midnight(day, "start_date")).transpose()?,
            end.map(|day| midnight(day.saturating_add(1.day()), "end_date")).transpose()?,
        )),
    }
}

fn midnight(day: Date, field: &str) -> Result<Timestamp, AdcpError> {
    day.to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| AdcpError::invalid_request(field, "this date is out of range"))
}

/// What a line served within a period; the future has served nothing.
fn served(line: &Line, period: Period, now: Timestamp) -> Tally {
    line.delivered(period.end.min(now)).since(line.delivered(period.start.min(now)))
}

fn delivery(
    order: &Order,
    status: Status,
    period: Period,
    daily: bool,
    catalog: &Catalog,
    now: Timestamp,
) -> (Tally, MediaBuyDelivery) {
    let mut sum = Tally::default();
    let mut plays = false;
    let mut rows = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        let tally = served(line, period, now);
        let line_plays =
            catalog.product(&line.product).is_some_and(|product| product.completion_rate.is_some());
        plays |= line_plays;
        sum = sum.plus(tally);
        let mut row = package(line, tally, status, line_plays, now);
        row.daily_breakdown = daily.then(|| days(line, period, now));
        rows.push(row);
    }
    let mut totals = Totals::new(number(sum.spend));
    measure!(totals, sum, plays);
    let delivery = MediaBuyDelivery::new(&order.id, WireStatus::from(status.as_str()), totals, rows);
    (sum, delivery)
}

fn package(line: &Line, tally: Tally, status: Status, plays: bool, now: Timestamp) -> ByPackage {
    let mut row = ByPackage::new(
        &line.id,
        number(tally.spend),
        match line.price.model {
            PriceModel::Cpm => PricingModel::Cpm,
            PriceModel::Cpc => PricingModel::Cpc,
            PriceModel::Cpcv => PricingModel::Cpcv,
            PriceModel::FlatRate => PricingModel::FlatRate,
        },
        number(line.price.rate(line.bid)),
        line.price.currency.as_str(),
    )
    .with_paused(line.paused);
    measure!(row, tally, plays);
    row.pacing_index = pacing_index(line, now);
    let whole = line.delivered(now);
    row.delivery_status = match () {
        () if whole.spend >= line.budget => Some(DeliveryStatus::BudgetExhausted),
        () if line.goal.is_some_and(|goal| whole.impressions >= goal) => Some(DeliveryStatus::GoalMet),
        () if now >= line.flight.end => Some(DeliveryStatus::FlightEnded),
        () if status == Status::Active && !line.paused && line.canceled.is_none() => {
            Some(DeliveryStatus::Delivering)
        }
        () => None,
    };
    row
}

fn aggregate(sum: Tally, buys: usize) -> AggregatedTotals {
    AggregatedTotals::new(count(sum.impressions), number(sum.spend), i64::try_from(buys).unwrap_or(i64::MAX))
        .with_clicks(count(sum.clicks))
        .with_completed_views(count(sum.completed_views))
}

/// One entry for each day of the period on which the line could run.
fn days(line: &Line, period: Period, now: Timestamp) -> Vec<DailyBreakdown> {
    let start = period.start.max(line.flight.start);
    let end = period.end.min(line.flight.end).min(now);
    let mut day = start.to_zoned(TimeZone::UTC).date();
    let mut days = Vec::new();
    while days.len() < MOST_DAYS {
        let next = day.saturating_add(1.day());
        let (Ok(from), Ok(to)) = (midnight(day, ""), midnight(next, "")) else { break };
        if from >= end {
            break;
        }
        let tally = served(line, Period { start: from.max(period.start), end: to.min(period.end) }, now);
        days.push(DailyBreakdown::new(day.to_string(), count(tally.impressions), number(tally.spend)));
        day = next;
    }
    days
}

/// What was spent, over what an even pace would have spent; nothing before the flight.
pub(super) fn pacing_index(line: &Line, now: Timestamp) -> Option<f64> {
    let planned = line.budget * line.flight.elapsed(now);
    ratio(line.delivered(now).spend, planned, 2).map(number)
}

/// `part` of `whole`, rounded half to even at `digits`; nothing when there is no whole.
pub(super) fn ratio(part: Decimal, whole: Decimal, digits: u32) -> Option<Decimal> {
    let share = part.checked_div(whole)?;
    Some(share.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven))
}
