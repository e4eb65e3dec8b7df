//! A request for an order becomes an order, or a refusal that names what is wrong.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::delivery::Ledger;
use super::{
    Assignment, Catalog, CreativeDraft, Currency, Flight, Line, Note, Pacing, Price, Product, Reason,
    Refusal, Terms,
};

/// What a buyer wants to book.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    /// Nothing means at once.
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Timestamp,
    pub(crate) lines: Vec<NewLine>,
    /// Creatives that come along, for the library.
    pub(crate) drafts: Vec<CreativeDraft>,
    /// A flight in the past is moved to begin now instead of being refused.
    pub(crate) move_past_flights: bool,
    pub(crate) note: Note,
}

/// One line of it.
#[derive(Clone, Debug)]
pub(crate) struct NewLine {
    pub(crate) product: String,
    pub(crate) price: String,
    pub(crate) budget: Decimal,
    pub(crate) bid: Option<Decimal>,
    pub(crate) goal: Option<u64>,
    pub(crate) pacing: Pacing,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) paused: bool,
    pub(crate) formats: Vec<String>,
    /// Creatives from the library, with their weights.
    pub(crate) creatives: Vec<(String, Option<Decimal>)>,
    pub(crate) note: Note,
}

/// The largest amount that is booked, a million millions: far from where decimals overflow.
const LARGEST: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);

/// Checks a request against the catalogue and lays out its lines; nothing is stored.
pub(super) fn lay_out(
    catalog: &Catalog,
    new: &NewOrder,
    now: Timestamp,
    creative: impl Fn(&str) -> Result<(), Reason>,
    sandbox: bool,
    line_id: impl Fn() -> String,
) -> Result<(Currency, Vec<Line>), Refusal> {
    let flight = order_flight(new, now)?;
    let mut currency = None;
    let mut lines = Vec::with_capacity(new.lines.len());
    for (index, line) in new.lines.iter().enumerate() {
        let refuse = |reason| Refusal::on_line(index, reason);
        let product = catalog
            .product(&line.product)
            .filter(|product| sandbox || !product.sandbox_only)
            .ok_or_else(|| refuse(Reason::UnknownProduct))?;
        let price = product.price(&line.price).ok_or_else(|| refuse(Reason::UnknownPrice))?;
        let first = *currency.get_or_insert(price.currency);
        if first != price.currency {
            return Err(refuse(Reason::MixedCurrencies { first, other: price.currency }));
        }
        check_money(price, line.budget, line.bid).map_err(refuse)?;
        let formats =
            chosen_formats(product, line).map_err(|(item, reason)| Refusal::on_item(index, item, reason))?;
        for (item, (id, _)) in line.creatives.iter().enumerate() {
            creative(id).map_err(|reason| Refusal::on_item(index, item, reason))?;
        }
        lines.push(Line {
            id: line_id(),
            product: product.id.clone(),
            price: price.clone(),
            bid: line.bid,
            budget: line.budget,
            goal: line.goal,
            pacing: line.pacing,
            flight: line_flight(line, flight, now, new.move_past_flights).map_err(refuse)?,
            own_flight: line.start.is_some() || line.end.is_some(),
            paused: line.paused,
            canceled: None,
            creatives: assign(&line.creatives, now),
            formats,
            note: line.note.clone(),
            ledger: Ledger::default(),
        });
    }
    let currency = currency.ok_or(Reason::Empty)?;
    Ok((currency, lines))
}

/// Turns chosen creatives into assignments that begin at `now`.
pub(super) fn assign(creatives: &[(String, Option<Decimal>)], now: Timestamp) -> Vec<Assignment> {
    let assignment = |(creative, weight): &(String, Option<Decimal>)| Assignment {
        creative: creative.clone(),
        weight: *weight,
        since: now,
    };
    creatives.iter().map(assignment).collect()
}

/// Whether a line may have this budget and this bid at this price.
pub(super) fn check_money(price: &Price, budget: Decimal, bid: Option<Decimal>) -> Result<(), Reason> {
    if budget > LARGEST || bid.is_some_and(|bid| bid > LARGEST) {
        return Err(Reason::AmountTooLarge);
    }
    let minimum = smallest_budget(price);
    if budget <= Decimal::ZERO || budget < minimum {
        return Err(Reason::BudgetTooLow { minimum, currency: price.currency });
    }
    match (&price.terms, bid) {
        (Terms::Fixed(_), _) => Ok(()),
        (Terms::Auction { floor, .. }, Some(bid)) if bid < *floor => {
            Err(Reason::BidTooLow { floor: *floor, currency: price.currency })
        }
        (Terms::Auction { .. }, _) => Ok(()),
    }
}

/// The smallest budget of a line at this price; a flat rate is taken whole.
fn smallest_budget(price: &Price) -> Decimal {
    let minimum = price.minimum.unwrap_or_default();
    match (price.model, &price.terms) {
        (super::PriceModel::FlatRate, Terms::Fixed(rate)) => minimum.max(*rate),
        _ => minimum,
    }
}

fn chosen_formats(product: &Product, line: &NewLine) -> Result<Vec<String>, (usize, Reason)> {
    for (item, format) in line.formats.iter().enumerate() {
        if !product.formats.contains(format) {
            return Err((item, Reason::UnfitFormat));
        }
    }
    Ok(if line.formats.is_empty() { product.formats.clone() } else { line.formats.clone() })
}

fn order_flight(new: &NewOrder, now: Timestamp) -> Result<Flight, Reason> {
    let start = new.start.unwrap_or(now);
    let flight = Flight::new(start, new.end).ok_or(match new.start {
        None => Reason::EndPast,
        Some(_) => Reason::FlightReversed,
    })?;
    in_time(flight, now, new.move_past_flights)
}

fn line_flight(line: &NewLine, order: Flight, now: Timestamp, moved: bool) -> Result<Flight, Reason> {
    if line.start.is_none() && line.end.is_none() {
        return Ok(order);
    }
    let flight = Flight::new(line.start.unwrap_or(order.start), line.end.unwrap_or(order.end));
    let flight = in_time(flight.ok_or(Reason::FlightReversed)?, now, moved)?;
    if !moved && (flight.start < order.start || flight.end > order.end) {
        return Err(Reason::OutsideOrder);
    }
    Ok(flight)
}

fn in_time(flight: Flight, now: Timestamp, moved: bool) -> Result<Flight, Reason> {
    match moved {
        true => Ok(flight.not_before(now)),
        false if flight.end <= now => Err(Reason::EndPast),
        false if flight.start < now => Err(Reason::StartPast),
        false => Ok(flight),
    }
}
