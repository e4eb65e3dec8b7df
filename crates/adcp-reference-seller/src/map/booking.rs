//! Requests to book and to change become orders and changes of the ad server.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::core::{CreativeAsset, CreativeAssignment, FormatId, MeasurementTerms, StartTiming};
use adcp_types::enums;
use adcp_types::json::JsonObject;
use adcp_types::media_buy::{CreateMediaBuyRequest, PackageRequest, PackageUpdate, UpdateMediaBuyRequest};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::ad_server::{Change, CreativeDraft, LineChange, NewLine, NewOrder, Pacing, Product};
use crate::seller::ReferenceSeller;

use super::amount::{decimal, time};
use super::{creative, note};

/// Parts of a package that the ad server keeps for the buyer.
const KEPT_OF_PACKAGE: &[&str] = &[
    "agency_estimate_number",
    "catalogs",
    "committed_metrics",
    "context",
    "ext",
    "format_kind",
    "format_option_refs",
    "measurement_terms",
    "optimization_goals",
    "params",
    "performance_standards",
    "targeting_overlay",
];

/// Parts of a media buy that the ad server keeps for the buyer.
const KEPT_OF_BUY: &[&str] = &["context", "ext", "invoice_recipient"];

/// Those of them that a change replaces; the context of a change is its own.
const CHANGED_OF_BUY: &[&str] = &["invoice_recipient"];

/// The smallest measured difference, in percent, over which this seller settles bills.
const LEAST_VARIANCE: f64 = 5.0;

/// Packages of one media buy, and creatives or assignments of one package, at most.
const MOST_ENTRIES: usize = 500;

/// Refuses a list that is longer than this seller works on at once.
pub(super) fn bounded(field: &str, entries: usize, most: usize) -> Result<(), AdcpError> {
    if entries <= most {
        return Ok(());
    }
    Err(AdcpError::invalid_request(field, format!("{entries} entries; this seller takes {most} at once"))
        .with_suggestion("split the request"))
}

/// Reads a request to book.
pub(crate) fn request(req: &CreateMediaBuyRequest, seller: &ReferenceSeller) -> Result<NewOrder, AdcpError> {
    if req.proposal_id.is_some() {
        return Err(AdcpError::new(ErrorCode::PROPOSAL_NOT_FOUND, "there is no such proposal")
            .with_field("proposal_id")
            .with_suggestion("this seller makes no proposals; send packages"));
    }
    let packages = req.packages.as_deref().unwrap_or_default();
    if packages.is_empty() {
        return Err(AdcpError::invalid_request("packages", "a media buy needs at least one package"));
    }
    bounded("packages", packages.len(), MOST_ENTRIES)?;
    for (index, package) in packages.iter().enumerate() {
        let assignments = package.creative_assignments.as_ref().map_or(0, Vec::len);
        bounded(&format!("packages[{index}].creative_assignments"), assignments, MOST_ENTRIES)?;
    }
    let mut lines = Vec::with_capacity(packages.len());
    let mut drafts = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        lines.push(line(package, index, seller)?);
        drafts.extend(inline(package.creatives.as_deref(), index, seller)?);
    }
    Ok(NewOrder {
        start: start(&req.start_time)?,
        end: time(&req.end_time, "end_time")?,
        lines,
        move_past_flights: seller.config().sandbox,
        drafts,
        note: note::keep(req, KEPT_OF_BUY),
    })
}

/// Creatives that came along with a package.
fn inline(
    creatives: Option<&[CreativeAsset]>,
    package: usize,
    seller: &ReferenceSeller,
) -> Result<Vec<CreativeDraft>, AdcpError> {
    let draft = |(item, asset): (usize, &CreativeAsset)| {
        creative::draft(
            asset,
            &format!("packages[{package}].creatives[{item}]"),
            seller.ads().catalog(),
            seller.shelf(),
        )
    };
    creatives.unwrap_or_default().iter().enumerate().map(draft).collect()
}

fn line(package: &PackageRequest, index: usize, seller: &ReferenceSeller) -> Result<NewLine, AdcpError> {
    let at = |field: &str| format!("packages[{index}].{field}");
    let catalog = seller.ads().catalog();
    let product = catalog.product(&package.product_id);
    refuse_terms(package, &at)?;
    let formats = formats(package, product, &at, seller)?;
    let listed = package.creative_assignments.as_deref();
    Ok(NewLine {
        product: package.product_id.clone(),
        price: package.pricing_option_id.clone(),
        budget: amount(package.budget, at("budget"))?,
        bid: optional(package.bid_price, at("bid_price"))?,
        goal: goal(package.impressions),
        pacing: pacing(package.pacing.as_ref()),
        start: moment(package.start_time.as_deref(), at("start_time"))?,
        end: moment(package.end_time.as_deref(), at("end_time"))?,
        paused: package.paused.unwrap_or_default(),
        formats,
        creatives: assigned(listed, package.creatives.as_deref()),
        note: note::keep(package, KEPT_OF_PACKAGE),
    })
}

/// Refuses what this seller could not keep to.
fn refuse_terms(package: &PackageRequest, at: &dyn Fn(&str) -> String) -> Result<(), AdcpError> {
    if package.optimization_goals.is_some() {
        return Err(AdcpError::invalid_request(
            at("optimization_goals[0]"),
            "this product is not optimised for goals",
        )
        .with_suggestion("leave optimization_goals out"));
    }
    let variance = package.measurement_terms.as_ref().and_then(variance);
    if variance.is_some_and(|percent| percent < LEAST_VARIANCE) {
        return Err(AdcpError::new(
            ErrorCode::TERMS_REJECTED,
            "the tolerated variance is too small to be measured",
        )
        .with_field(at("measurement_terms.billing_measurement.max_variance_percent"))
        .with_suggestion("allow a variance of 5 percent or more")
        .with_detail("term", "max_variance_percent")
        .with_detail("minimum", LEAST_VARIANCE));
    }
    Ok(())
}

fn variance(terms: &MeasurementTerms) -> Option<f64> {
    terms.billing_measurement.as_ref()?.max_variance_percent
}

/// The formats that a package names, in any of the three ways it can name them.
fn formats(
    package: &PackageRequest,
    product: Option<&Product>,
    at: &dyn Fn(&str) -> String,
    seller: &ReferenceSeller,
) -> Result<Vec<String>, AdcpError> {
    let unfit = |field: String| {
        AdcpError::new(ErrorCode::UNSUPPORTED_FEATURE, "the product does not take this format")
            .with_field(field)
            .with_suggestion("choose from the format_ids of the product")
    };
    if package.format_option_refs.is_some() {
        return Err(unfit(at("format_option_refs[0]")));
    }
    if let Some(ids) = &package.format_ids {
        let own = |(item, id): (usize, &FormatId)| {
            seller
                .shelf()
                .own_format(id)
                .map(str::to_owned)
                .ok_or_else(|| unfit(at(&format!("format_ids[{item}]"))))
        };
        return ids.iter().enumerate().map(own).collect();
    }
    let (Some(kind), Some(product)) = (&package.format_kind, product) else { return Ok(Vec::new()) };
    let catalog = seller.ads().catalog();
    let fits = |id: &&String| {
        catalog.format(id).is_some_and(|format| {
            format.kind == kind.as_str() && sized(format.media.size, package.params.as_ref())
        })
    };
    let fitting: Vec<String> = product.formats.iter().filter(fits).cloned().collect();
    if fitting.is_empty() { Err(unfit(at("format_kind"))) } else { Ok(fitting) }
}

/// Whether parameters name this very size; a fixed size needs to be named.
fn sized(size: Option<(u32, u32)>, params: Option<&JsonObject>) -> bool {
    let Some((width, height)) = size else { return true };
    let named = |key: &str| params.and_then(|params| params.get(key)).and_then(serde_json::Value::as_u64);
    named("width") == Some(u64::from(width)) && named("height") == Some(u64::from(height))
}

/// Reads a request to change.
pub(crate) fn change(req: &UpdateMediaBuyRequest, seller: &ReferenceSeller) -> Result<Change, AdcpError> {
    let revision = req.revision.and_then(|revision| u64::try_from(revision).ok());
    // A cancellation wins over everything else in the request.
    if let Some(reason) = canceled(req.canceled, req.cancellation_reason.as_ref()) {
        return Ok(Change { revision, cancel: Some(reason), ..Change::default() });
    }
    if req.new_packages.is_some() {
        return Err(unsupported(
            "new_packages",
            "packages cannot be added to a media buy",
            "book another media buy",
        ));
    }
    let packages = req.packages.as_deref().unwrap_or_default();
    bounded("packages", packages.len(), MOST_ENTRIES)?;
    for (index, package) in packages.iter().enumerate() {
        let assignments = package.creative_assignments.as_ref().map_or(0, Vec::len);
        bounded(&format!("packages[{index}].creative_assignments"), assignments, MOST_ENTRIES)?;
    }
    let mut lines = Vec::with_capacity(packages.len());
    let mut drafts = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        lines.push(line_change(package, index)?);
        drafts.extend(inline(package.creatives.as_deref(), index, seller)?);
    }
    Ok(Change {
        revision,
        paused: req.paused,
        cancel: None,
        start: req.start_time.as_ref().map(start).transpose()?,
        end: moment(req.end_time.as_deref(), "end_time".to_owned())?,
        lines,
        drafts,
        note: note::keep(req, CHANGED_OF_BUY),
        move_past_flights: seller.config().sandbox,
    })
}

fn line_change(package: &PackageUpdate, index: usize) -> Result<LineChange, AdcpError> {
    let at = |field: &str| format!("packages[{index}].{field}");
    let keywords = [
        ("keyword_targets_add", package.keyword_targets_add.is_some()),
        ("keyword_targets_remove", package.keyword_targets_remove.is_some()),
        ("negative_keywords_add", package.negative_keywords_add.is_some()),
        ("negative_keywords_remove", package.negative_keywords_remove.is_some()),
    ];
    if let Some((field, _)) = keywords.iter().find(|(_, used)| *used) {
        return Err(unsupported(&at(field), "nothing here is targeted by keyword", "leave the keywords out"));
    }
    if package.optimization_goals.is_some() {
        return Err(AdcpError::invalid_request(
            at("optimization_goals[0]"),
            "this product is not optimised for goals",
        )
        .with_suggestion("leave optimization_goals out"));
    }
    let (listed, inline) = (package.creative_assignments.as_deref(), package.creatives.as_deref());
    Ok(LineChange {
        id: package.package_id.clone(),
        budget: optional(package.budget, at("budget"))?,
        bid: optional(package.bid_price, at("bid_price"))?,
        goal: goal(package.impressions),
        pacing: package.pacing.as_ref().map(|wanted| pacing(Some(wanted))),
        start: moment(package.start_time.as_deref(), at("start_time"))?,
        end: moment(package.end_time.as_deref(), at("end_time"))?,
        paused: package.paused,
        cancel: canceled(package.canceled, package.cancellation_reason.as_ref()),
        creatives: (listed.is_some() || inline.is_some()).then(|| assigned(listed, inline)),
        note: note::keep(package, KEPT_OF_PACKAGE),
    })
}

fn unsupported(field: &str, message: &str, suggestion: &str) -> AdcpError {
    AdcpError::new(ErrorCode::UNSUPPORTED_FEATURE, message).with_field(field).with_suggestion(suggestion)
}

fn canceled(canceled: Option<bool>, reason: Option<&String>) -> Option<Option<String>> {
    (canceled == Some(true)).then(|| reason.cloned())
}

/// The creatives of a package: those assigned from the library, then those that came along.
fn assigned(
    listed: Option<&[CreativeAssignment]>,
    inline: Option<&[CreativeAsset]>,
) -> Vec<(String, Option<Decimal>)> {
    let listed = listed.unwrap_or_default().iter().map(|one| (one.creative_id.clone(), one.weight));
    let inline = inline.unwrap_or_default().iter().map(|one| (one.creative_id.clone(), one.weight));
    let mut all: Vec<(String, Option<Decimal>)> = Vec::new();
    for (id, weight) in listed.chain(inline) {
        if !all.iter().any(|(known, _)| *known == id) {
            all.push((id, weight.and_then(decimal)));
        }
    }
    all
}

fn start(timing: &StartTiming) -> Result<Option<Timestamp>, AdcpError> {
    match timing {
        StartTiming::Asap => Ok(None),
        StartTiming::DateTime(text) => time(text, "start_time").map(Some),
        _ => Err(AdcpError::invalid_request("start_time", "expected \"asap\" or a time with an offset")),
    }
}

fn moment(text: Option<&str>, field: String) -> Result<Option<Timestamp>, AdcpError> {
    text.map(|text| time(text, field)).transpose()
}

fn amount(number: f64, field: String) -> Result<Decimal, AdcpError> {
    decimal(number).ok_or_else(|| AdcpError::invalid_request(field, "this amount is too large"))
}

fn optional(number: Option<f64>, field: String) -> Result<Option<Decimal>, AdcpError> {
    number.map(|number| amount(number, field)).transpose()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn goal(impressions: Option<f64>) -> Option<u64> {
    impressions.map(|impressions| impressions as u64)
}

fn pacing(wanted: Option<&enums::Pacing>) -> Pacing {
    match wanted {
        Some(enums::Pacing::Asap) => Pacing::Asap,
        Some(enums::Pacing::FrontLoaded) => Pacing::FrontLoaded,
        _ => Pacing::Even,
    }
}
