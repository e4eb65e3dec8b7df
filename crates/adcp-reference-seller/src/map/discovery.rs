//! Discovery: a request becomes a query, what was found becomes an answer.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::core::{Product, ProductFilters};
use adcp_types::enums::{DeliveryType, Exclusivity};
use adcp_types::media_buy::get_products_request::{
    BuyingMode, Field, Refine, RefineProductAction, RefineProposalAction,
};
use adcp_types::media_buy::get_products_response::{
    CacheScope, RefinementApplied, RefinementAppliedProduct, RefinementAppliedRequest, Status,
};
use adcp_types::media_buy::{GetProductsRequest, GetProductsResponse};

use crate::ad_server::{self, Catalog, Currency, Found, Query, Range};

use super::Shelf;
use super::amount::decimal;
use super::page::{Direction, page};
use super::shelf::metrics;

/// Days that exposures are counted over when the request gives no dates.
const USUAL_DAYS: u64 = 30;

/// Answers a discovery request. Every buyer sees the same products, so anybody may cache the answer.
pub(crate) fn answer(
    catalog: &Catalog,
    shelf: &Shelf,
    req: &GetProductsRequest,
    sandbox: bool,
) -> Result<GetProductsResponse, AdcpError> {
    let mut query = Query { sandbox, ..Query::default() };
    if let Some(filters) = req.filters.as_deref() {
        filter(&mut query, filters, shelf)?;
    }
    let mut response = GetProductsResponse::new().with_cache_scope(CacheScope::Public);
    let mut found = match (&req.buying_mode, &req.refine) {
        (BuyingMode::Refine, Some(refine)) => {
            let (found, applied) = refined(catalog, query, refine)?;
            response.refinement_applied = Some(applied);
            found
        }
        (BuyingMode::Wholesale, _) => catalog.search(&query),
        _ => {
            query.brief.clone_from(&req.brief);
            catalog.search(&query)
        }
    };
    if let Some(filters) = req.filters.as_deref() {
        found.retain(|found| offers(&catalog.products()[found.product], filters));
    }
    if let Some(preferred) = &req.preferred_delivery_types {
        let is_preferred = |found: &Found| preferred.contains(&shelf.products[found.product].delivery_type);
        found.sort_by_key(|found| !is_preferred(found));
    }
    let ranked: Vec<(u64, Found)> = (0..).zip(found).collect();
    let (rows, pagination) =
        page(ranked, |(rank, _)| (String::new(), *rank), Direction::Up, req.pagination.as_ref())?;
    response.products =
        Some(rows.into_iter().map(|(_, found)| shown(shelf, &found, req.fields.as_deref())).collect());
    response.pagination = Some(pagination);
    // What the request asks for and this seller does not look at is said, not passed over.
    response.property_list_applied = req.property_list.as_ref().map(|_| false);
    response.catalog_applied = req.catalog.as_ref().map(|_| false);
    Ok(response)
}

/// A product with the prices that are left to choose from, and the optional fields that were asked for.
fn shown(shelf: &Shelf, found: &Found, fields: Option<&[Field]>) -> Product {
    let full = &shelf.products[found.product];
    let mut product = full.clone();
    if found.prices.len() < full.pricing_options.len() {
        product.pricing_options =
            found.prices.iter().map(|index| full.pricing_options[*index].clone()).collect();
    }
    if let Some(fields) = fields {
        // Required fields stay, asked for or not; formats are required of every product in one form or the other.
        let asked = |name: &str| fields.iter().any(|field| field.as_str() == name);
        product.channels = product.channels.filter(|_| asked("channels"));
        product.exclusivity = product.exclusivity.filter(|_| asked("exclusivity"));
        product.video_placement_types =
            product.video_placement_types.filter(|_| asked("video_placement_types"));
        product.cancellation_policy = product.cancellation_policy.filter(|_| asked("cancellation_policy"));
    }
    product
}

fn filter(query: &mut Query, filters: &ProductFilters, shelf: &Shelf) -> Result<(), AdcpError> {
    if let Some(channels) = &filters.channels {
        query.channels = channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    }
    query.guaranteed = filters.delivery_type.as_ref().map(|wanted| *wanted == DeliveryType::Guaranteed);
    query.exclusivity = filters.exclusivity.as_ref().map(|wanted| match wanted {
        Exclusivity::Exclusive => ad_server::Exclusivity::Exclusive,
        Exclusivity::Category => ad_server::Exclusivity::Category,
        _ => ad_server::Exclusivity::None,
    });
    query.fixed_price = filters.is_fixed_price;
    query.currencies = currencies(filters)?;
    query.countries = countries(filters);
    query.formats = filters
        .format_ids
        .as_ref()
        .map(|ids| ids.iter().filter_map(|id| shelf.own_format(id)).map(str::to_owned).collect());
    if let Some(least) = filters.min_exposures.and_then(|least| u64::try_from(least).ok()) {
        query.exposures = Some((least, days(filters)?));
    }
    if let Some(range) = &filters.budget_range {
        let currency = currency(&range.currency, "filters.budget_range.currency")?;
        query.budget = Some(Range { max: range.max.and_then(decimal), currency });
    }
    Ok(())
}

fn currencies(filters: &ProductFilters) -> Result<Vec<Currency>, AdcpError> {
    let wanted = filters.pricing_currencies.iter().flatten().enumerate();
    wanted.map(|(index, code)| currency(code, &format!("filters.pricing_currencies[{index}]"))).collect()
}

fn currency(code: &str, field: &str) -> Result<Currency, AdcpError> {
    Currency::parse(code).ok_or_else(|| {
        AdcpError::invalid_request(field, "a currency is three capital letters, such as `USD`")
    })
}

/// Countries wanted, also those that wanted regions lie in; nothing here is sold finer than by country.
fn countries(filters: &ProductFilters) -> Vec<String> {
    let mut countries = filters.countries.clone().unwrap_or_default();
    for region in filters.regions.iter().flatten() {
        countries.extend(region.split_once('-').map(|(country, _)| country.to_owned()));
    }
    countries
}

fn days(filters: &ProductFilters) -> Result<u64, AdcpError> {
    let date = |text: &Option<String>, field: &str| match text {
        None => Ok(None),
        Some(text) => text
            .parse::<jiff::civil::Date>()
            .map(Some)
            .map_err(|_| AdcpError::invalid_request(field, "expected a date, such as `2027-05-01`")),
    };
    let (start, end) =
        (date(&filters.start_date, "filters.start_date")?, date(&filters.end_date, "filters.end_date")?);
    match (start, end) {
        (Some(start), Some(end)) if end < start => {
            Err(AdcpError::invalid_request("filters.end_date", "the end comes before the start"))
        }
        (Some(start), Some(end)) => {
            let span = end.duration_since(start).as_hours() / 24 + 1;
            Ok(u64::try_from(span).unwrap_or(USUAL_DAYS))
        }
        _ => Ok(USUAL_DAYS),
    }
}

/// Whether a product offers what a filter demands of it. Demands that nothing here meets leave nothing.
fn offers(product: &ad_server::Product, filters: &ProductFilters) -> bool {
    let metrics = metrics(product);
    let instream = product.channels.iter().any(|channel| channel == "olv" || channel == "ctv");
    let empty = |list: Option<usize>| list.is_none_or(|length| length == 0);
    filters.required_metrics.iter().flatten().all(|metric| metrics.contains(metric))
        && filters
            .video_placement_types
            .as_ref()
            .is_none_or(|types| instream && types.iter().any(|wanted| wanted.as_str() == "instream"))
        && empty(filters.required_vendor_metrics.as_ref().map(Vec::len))
        && empty(filters.required_axe_integrations.as_ref().map(Vec::len))
        && empty(filters.required_performance_standards.as_ref().map(Vec::len))
        && empty(filters.signal_targeting.as_ref().map(Vec::len))
        && empty(filters.sponsored_placement_types.as_ref().map(Vec::len))
        && empty(filters.social_placement_surfaces.as_ref().map(Vec::len))
        && filters.trusted_match.is_none()
}

/// Follows a refinement entry by entry: products put in, taken out, or taken as examples; wishes rank the rest.
fn refined(
    catalog: &Catalog,
    mut query: Query,
    refine: &[Refine],
) -> Result<(Vec<Found>, Vec<RefinementApplied>), AdcpError> {
    let (mut kept, mut left, mut channels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut wishes, mut applied) = (String::new(), Vec::with_capacity(refine.len()));
    for (index, entry) in refine.iter().enumerate() {
        match entry {
            Refine::Request(entry) => {
                wishes = wishes + " " + &entry.ask;
                applied.push(RefinementApplied::Request(RefinementAppliedRequest::new(Status::Applied)));
            }
            Refine::Product(entry) => {
                let known = catalog.product(&entry.product_id);
                match (known, entry.action.as_ref()) {
                    (None, _) => {}
                    (Some(product), Some(RefineProductAction::Omit)) => left.push(product.id.clone()),
                    (Some(product), Some(RefineProductAction::MoreLikeThis)) => {
                        kept.push(product.id.clone());
                        channels.extend(product.channels.iter().cloned());
                    }
                    (Some(product), _) => kept.push(product.id.clone()),
                }
                let status = match (known, &entry.ask) {
                    (None, _) => Status::Unable,
                    // What is on the shelf is not rebuilt for a wish.
                    (Some(_), Some(_)) => Status::Partial,
                    (Some(_), None) => Status::Applied,
                };
                applied.push(RefinementApplied::Product(RefinementAppliedProduct::new(
                    &entry.product_id,
                    status,
                )));
            }
            Refine::Proposal(entry) => {
                let finalize = entry.action == Some(RefineProposalAction::Finalize);
                return Err(no_proposal(index, finalize));
            }
            _ => {
                let field = format!("refine[{index}].scope");
                return Err(AdcpError::invalid_request(field, "choose `request`, `product` or `proposal`"));
            }
        }
    }
    let mut found = if kept.is_empty() || !channels.is_empty() || !wishes.is_empty() {
        query.brief = (!wishes.is_empty()).then_some(wishes);
        if !channels.is_empty() {
            query.channels = channels;
        }
        catalog.search(&query)
    } else {
        Vec::new()
    };
    query.brief = None;
    query.channels.clear();
    query.among = Some(kept.clone());
    let asked = catalog.search(&query);
    found.retain(|found| !kept.contains(&catalog.products()[found.product].id));
    let mut all = asked;
    all.append(&mut found);
    all.retain(|found| !left.contains(&catalog.products()[found.product].id));
    Ok((all, applied))
}

fn no_proposal(index: usize, finalize: bool) -> AdcpError {
    let message =
        if finalize { "there is no such proposal to finalize" } else { "there is no such proposal" };
    AdcpError::new(ErrorCode::PROPOSAL_NOT_FOUND, message)
        .with_field(format!("refine[{index}].proposal_id"))
        .with_suggestion("this seller makes no proposals; buy products with create_media_buy")
}
