//! Why the ad server says no.

use rust_decimal::Decimal;

use super::{Currency, Status};

/// A refusal, and the line of the order it is about.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refusal {
    /// Index of the line in the request.
    pub(crate) line: Option<usize>,
    /// Index of an item in that line: a creative, a format.
    pub(crate) item: Option<usize>,
    pub(crate) reason: Reason,
}

impl Refusal {
    pub(crate) fn on_line(line: usize, reason: Reason) -> Self {
        Self { line: Some(line), item: None, reason }
    }

    pub(crate) fn on_item(line: usize, item: usize, reason: Reason) -> Self {
        Self { line: Some(line), item: Some(item), reason }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { line: None, item: None, reason }
    }
}

/// What stands against a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("no such order")]
    UnknownOrder,
    #[error("no such line in this order")]
    UnknownLine,
    #[error("no such product")]
    UnknownProduct,
    #[error("the product has no such price")]
    UnknownPrice,
    #[error("no such creative")]
    UnknownCreative,
    #[error("the creative was rejected")]
    RejectedCreative,
    #[error("the product does not take this format")]
    UnfitFormat,
    #[error("the lines are priced in {first} and {other}; an order has one currency")]
    MixedCurrencies { first: Currency, other: Currency },
    #[error("the budget is below the minimum of {minimum} {currency}")]
    BudgetTooLow { minimum: Decimal, currency: Currency },
    #[error("the amount is too large to be booked")]
    AmountTooLarge,
    #[error("the bid is below the floor of {floor} {currency}")]
    BidTooLow { floor: Decimal, currency: Currency },
    #[error("the end must come after the start")]
    FlightReversed,
    #[error("the line runs outside the order")]
    OutsideOrder,
    #[error("the start lies in the past")]
    StartPast,
    #[error("the end lies in the past")]
    EndPast,
    #[error("the order is at revision {current}")]
    StaleRevision { current: u64 },
    #[error("the order was canceled before")]
    AlreadyCanceled,
    #[error("the order is {}", .0.as_str())]
    Over(Status),
    #[error("the line was canceled")]
    LineCanceled,
    #[error("the order is empty")]
    Empty,
    #[error("the account holds as much as it may")]
    Full,
    #[error("no such account")]
    UnknownAccount,
}
