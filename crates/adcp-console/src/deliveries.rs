//! Looking at deliveries.

use adcp_core::{DeliveryPlace, EventKey, ListDeliveries, Registry, Scope, TenantId, Timestamp, hex, unhex};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::query::Query;
use crate::show;

/// Deliveries on a page, unless another number is asked for.
const USUAL: usize = 50;

/// Deliveries on a page at most.
pub(crate) const MOST: usize = 500;

/// One page, newest first.
pub(crate) async fn list(registry: &dyn Registry, tenant: TenantId, query: &Query) -> Result<Value, Problem> {
    let after = query.one("cursor")?.map(place).transpose()?;
    let req = ListDeliveries::new(Scope::Operator { tenant: tenant.clone() })
        .matching(query.filter()?)
        .with_limit(query.limit(USUAL, MOST)?)
        .after(after);
    let page = registry.deliveries(req).await.map_err(|error| Problem::of_store(&error))?;
    Ok(json!({
        "tenant": tenant.as_str(),
        "deliveries": page.deliveries.iter().map(show::delivery).collect::<Vec<_>>(),
        "unreadable": page.unreadable.iter().map(EventKey::as_str).collect::<Vec<_>>(),
        "next": page.next.as_ref().map(cursor),
    }))
}

/// One delivery, with its attempts.
pub(crate) async fn read(
    registry: &dyn Registry,
    tenant: TenantId,
    key: &EventKey,
) -> Result<Value, Problem> {
    let found = registry.delivery(key, &Scope::Operator { tenant }).await;
    let found = found.map_err(|error| Problem::of_store(&error))?;
    found.map(|found| show::detail(&found)).ok_or(Problem::UnknownDelivery)
}

fn cursor(place: &DeliveryPlace) -> String {
    hex(format!("{}:{}", place.queued_at.as_micros(), place.key).as_bytes())
}

fn place(cursor: &str) -> Result<DeliveryPlace, Problem> {
    let read = || {
        let text = String::from_utf8(unhex(cursor)?).ok().filter(|text| !text.contains('\0'))?;
        let (micros, key) = text.split_once(':')?;
        Some(DeliveryPlace::new(Timestamp::from_micros(micros.parse().ok()?), EventKey::stored(key)))
    };
    read().ok_or_else(|| Problem::field("cursor", "is what `next` of the page before says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let at = DeliveryPlace::new(Timestamp::from_micros(-5), EventKey::stored("a:b/ü"));
        assert_eq!(place(&cursor(&at)), Ok(at));
        for bad in ["x", "00", "7", &hex(b"12"), &hex(b"x:y"), &hex(b"1:\0"), &hex(b"1:\xff")] {
            assert!(matches!(place(bad), Err(Problem::BadRequest { .. })), "{bad}");
        }
    }
}
