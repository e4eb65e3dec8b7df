//! The ad server's refusals in the buyer's words: code, field, what would help.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;

use crate::ad_server::{Reason, Refusal};

use super::amount::number;

/// What a buyer is told about a refused order or change.
///
/// `lines` names the list of the request that the refusal's line counts in: `packages`.
pub(crate) fn refused(refusal: &Refusal, lines: &str) -> AdcpError {
    let at = |field: &str| match refusal.line {
        Some(line) => format!("{lines}[{line}].{field}"),
        None => field.to_owned(),
    };
    let item = refusal.item.unwrap_or_default();
    let message = words(&refusal.reason);
    let error = |code, field: String| AdcpError::new(code, message.clone()).with_field(field);
    match &refusal.reason {
        Reason::UnknownOrder => AdcpError::media_buy_not_found(),
        Reason::UnknownLine => AdcpError::package_not_found(at("package_id")),
        Reason::UnknownProduct => AdcpError::product_not_found(at("product_id")),
        Reason::UnknownPrice => error(ErrorCode::INVALID_REQUEST, at("pricing_option_id"))
            .with_suggestion("choose a pricing_option_id of this very product"),
        Reason::UnknownCreative => {
            AdcpError::creative_not_found(at(&format!("creative_assignments[{item}].creative_id")))
        }
        Reason::RejectedCreative => {
            AdcpError::creative_rejected(at(&format!("creative_assignments[{item}].creative_id")), &[])
        }
        Reason::UnfitFormat => error(ErrorCode::UNSUPPORTED_FEATURE, at(&format!("format_ids[{item}]")))
            .with_suggestion("choose from the format_ids of the product"),
        Reason::MixedCurrencies { .. } => error(ErrorCode::INVALID_REQUEST, at("pricing_option_id"))
            .with_suggestion("book one media buy for each currency"),
        Reason::BudgetTooLow { minimum, currency } => {
            AdcpError::budget_too_low(at("budget"), number(*minimum), currency.as_str())
        }
        Reason::AmountTooLarge => error(ErrorCode::INVALID_REQUEST, at("budget"))
            .with_suggestion("divide the amount over several media buys"),
        Reason::BidTooLow { .. } => {
            error(ErrorCode::INVALID_REQUEST, at("bid_price")).with_suggestion("bid at least the floor price")
        }
        Reason::FlightReversed => error(ErrorCode::INVALID_REQUEST, at("end_time"))
            .with_suggestion("choose an end_time after the start_time"),
        Reason::OutsideOrder => error(ErrorCode::INVALID_REQUEST, at("end_time"))
            .with_suggestion("keep the package within the dates of the media buy"),
        Reason::StartPast => error(ErrorCode::INVALID_REQUEST, at("start_time"))
            .with_suggestion("use \"asap\" to start at once"),
        Reason::EndPast => error(ErrorCode::INVALID_REQUEST, at("end_time"))
            .with_suggestion("choose an end_time in the future"),
        Reason::StaleRevision { current } => error(ErrorCode::CONFLICT, "revision".into())
            .with_suggestion("read the media buy again and repeat the change on its current revision")
            .with_detail("current_version", *current),
        Reason::AlreadyCanceled => AdcpError::not_cancellable(message),
        Reason::Over(_) => error(ErrorCode::INVALID_STATE, "media_buy_id".into())
            .with_suggestion("nothing can be changed any more; book a new media buy"),
        Reason::LineCanceled => AdcpError::invalid_state(at("package_id"), message),
        Reason::Empty => error(ErrorCode::INVALID_REQUEST, lines.to_owned()),
        Reason::Full => AdcpError::unavailable(),
        Reason::UnknownAccount => no_account(),
    }
}

/// A reason in the protocol's words: an order is a media buy there, and a line a package.
pub(super) fn words(reason: &Reason) -> String {
    match reason {
        Reason::UnknownOrder => "no such media buy".to_owned(),
        Reason::UnknownLine => "no such package in this media buy".to_owned(),
        Reason::MixedCurrencies { first, other } => {
            format!("the packages are priced in {first} and {other}; a media buy has one currency")
        }
        Reason::OutsideOrder => "the package runs outside the media buy".to_owned(),
        Reason::StaleRevision { current } => format!("the media buy is at revision {current}"),
        Reason::AlreadyCanceled => "the media buy was canceled before".to_owned(),
        Reason::Over(status) => format!("the media buy is {}", status.as_str()),
        Reason::LineCanceled => "the package was canceled".to_owned(),
        Reason::Empty => "a media buy needs at least one package".to_owned(),
        same => same.to_string(),
    }
}

/// The one answer for accounts that do not exist and accounts of others.
pub(crate) fn no_account() -> AdcpError {
    AdcpError::account_not_found()
}
