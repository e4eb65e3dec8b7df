//! An order's packages, made from a proposal's allocations.

use adcp_core::{AdcpError, ProposalRecord};
use adcp_types::json::JsonObject;
use rust_decimal::Decimal;
use serde_json::Value;

use super::money::{amount, decimal, minor_digits, split, units};
use super::{fault, objects, text};

/// How far the percentages of a proposal may be from 100 in sum, in tenths of a point: 3 × 33.3 is a whole.
const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// Splits the request's `total_budget` over the allocations: each share is rounded down to the currency's minor
/// unit, and the units left over go to the allocations that lost most, so that the budgets add up exactly.
///
/// Spec: `core/product-allocation.json`; `media-buy/create-media-buy-request.json`, `total_budget`.
pub(crate) fn packages(proposal: &ProposalRecord, total: Option<&Value>) -> Result<Vec<Value>, AdcpError> {
    let total = Total::of(total)?;
    let allocations: Vec<&JsonObject> = objects(&proposal.payload, "allocations").collect();
    let weights = weights(&proposal.payload).map_err(|what| fault(&what))?;
    let mut made = Vec::with_capacity(allocations.len());
    for allocation in &allocations {
        let (product_id, option) = priced(proposal, allocation).map_err(|what| fault(&what))?;
        let currency = text(option, "currency").unwrap_or_default();
        if currency != total.currency {
            return Err(AdcpError::invalid_request(
                "total_budget.currency",
                format!("the proposal is priced in {currency}"),
            ));
        }
        let mut package = JsonObject::new();
        package.insert("product_id".into(), product_id.into());
        package.insert("pricing_option_id".into(), text(option, "pricing_option_id").into());
        for name in ["start_time", "end_time"] {
            if let Some(time) = allocation.get(name) {
                package.insert(name.into(), time.clone());
            }
        }
        made.push(package);
    }
    let shares = split(total.units, &weights).ok_or_else(|| {
        AdcpError::invalid_request("total_budget.amount", "the amount is too large to split")
    })?;
    let budgets = shares.into_iter().map(|share| amount(share, total.digits));
    Ok(made
        .into_iter()
        .zip(budgets)
        .map(|(mut package, budget)| {
            package.insert("budget".into(), budget);
            Value::Object(package)
        })
        .collect())
}

/// What a buyer wants to spend, in whole minor units.
struct Total {
    units: i128,
    digits: u32,
    currency: String,
}

impl Total {
    fn of(total: Option<&Value>) -> Result<Self, AdcpError> {
        let missing = |field: &str| AdcpError::invalid_request(field, "a proposal needs a budget to split");
        let total = total.filter(|total| !total.is_null()).ok_or_else(|| missing("total_budget"))?;
        let given = total.get("amount").ok_or_else(|| missing("total_budget.amount"))?;
        let currency = total.get("currency").and_then(Value::as_str);
        let currency = currency.ok_or_else(|| missing("total_budget.currency"))?;
        let digits = minor_digits(currency).ok_or_else(|| {
            AdcpError::invalid_request("total_budget.currency", "expected a currency code such as USD")
        })?;
        let units = decimal(given).and_then(|given| units(given, digits)).ok_or_else(|| {
            AdcpError::invalid_request(
                "total_budget.amount",
                format!(
                    "expected an amount of at most {digits} decimal places, up to 2^53 of the smallest unit"
                ),
            )
        })?;
        Ok(Self { units, digits, currency: currency.to_owned() })
    }
}

/// The percentages as whole weights, if they make a whole.
pub(crate) fn weights(proposal: &JsonObject) -> Result<Vec<i128>, String> {
    let percentages: Option<Vec<Decimal>> = objects(proposal, "allocations")
        .map(|allocation| decimal(allocation.get("allocation_percentage")?).filter(|p| !p.is_sign_negative()))
        .collect();
    let percentages = percentages.ok_or("an allocation has no percentage")?;
    // Each is at most a whole, so that their sum stays in range, however many there are.
    let most = Decimal::ONE_HUNDRED + TOLERANCE;
    if let Some(beyond) = percentages.iter().find(|percentage| **percentage > most) {
        return Err(format!("an allocation percentage is {beyond}, more than 100"));
    }
    let sum: Decimal = percentages.iter().sum();
    if (sum - Decimal::ONE_HUNDRED).abs() > TOLERANCE {
        return Err(format!("the allocation percentages add up to {sum}, not to 100"));
    }
    let scale = percentages.iter().map(Decimal::scale).max().unwrap_or_default();
    let whole = |mut percentage: Decimal| {
        percentage.rescale(scale);
        (percentage.scale() == scale).then(|| percentage.mantissa())
    };
    percentages
        .into_iter()
        .map(whole)
        .collect::<Option<_>>()
        .ok_or_else(|| "an allocation percentage has too many digits".to_owned())
}

/// The product of an allocation and the pricing option it is bought at: the stated one, or the product's only one.
fn priced<'a>(
    proposal: &'a ProposalRecord,
    allocation: &'a JsonObject,
) -> Result<(&'a str, &'a JsonObject), String> {
    let product_id = text(allocation, "product_id").ok_or("an allocation names no product")?;
    let product = proposal
        .products
        .get(product_id)
        .ok_or_else(|| format!("the product `{product_id}` of an allocation was never offered"))?;
    let options: Vec<&JsonObject> = objects(product, "pricing_options").collect();
    let option = match (text(allocation, "pricing_option_id"), options.as_slice()) {
        (None, [only]) => Some(*only),
        (None, _) => None,
        (Some(id), options) => {
            options.iter().copied().find(|option| text(option, "pricing_option_id") == Some(id))
        }
    };
    let option = option
        .ok_or_else(|| format!("an allocation to `{product_id}` names no pricing option of that product"))?;
    Ok((product_id, option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn percentages_that_no_number_holds_are_refused() {
        let weigh = |shares: &[f64]| {
            let list: Vec<Value> =
                shares.iter().map(|share| json!({ "allocation_percentage": share })).collect();
            weights(&JsonObject::from_iter([("allocations".to_owned(), list.into())]))
        };
        assert_eq!(weigh(&[50.0, 50.0]), Ok(vec![50, 50]));
        assert_eq!(weigh(&[33.3, 33.3, 33.3]), Ok(vec![333, 333, 333]));
        for shares in
            [[7.9e28, 7.9e28], [1e308, 1.0], [-50.0, 150.0], [200.0, 0.0], [99.99999999999999, 1e-28]]
        {
            assert!(weigh(&shares).is_err(), "{shares:?}");
        }
    }
}
