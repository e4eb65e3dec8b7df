//! What a recipe lets a buyer choose: checked against the product when it is offered, and against every order.

use std::collections::BTreeSet;

use adcp_core::{AdcpError, Overlap, ProposalRecord};
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::{objects, text};

/// What in `overlap` the product itself does not offer: a recipe narrows a product, it never widens it.
pub(crate) fn excess(product: &JsonObject, overlap: &Overlap) -> Option<String> {
    let models: BTreeSet<&str> =
        objects(product, "pricing_options").filter_map(|option| text(option, "pricing_model")).collect();
    let delivery: BTreeSet<&str> = text(product, "delivery_type").into_iter().collect();
    let beyond = |allowed: &Option<BTreeSet<String>>, offered: &BTreeSet<&str>| {
        allowed.iter().flatten().find(|value| !offered.contains(value.as_str())).cloned()
    };
    beyond(&overlap.pricing_models, &models)
        .map(|model| format!("pricing model `{model}`"))
        .or_else(|| beyond(&overlap.delivery_types, &delivery).map(|kind| format!("delivery type `{kind}`")))
}

/// Refuses packages that choose what their products' recipes do not allow.
///
/// `list` is the packages' name in the request. A package of an update names no product: its order's answer did.
/// One that neither names and that the proposal does not imply is left to the seller.
pub(crate) fn gate(proposal: &ProposalRecord, request: &Value, list: &str) -> Result<(), AdcpError> {
    let packages = request.get(list).and_then(Value::as_array).into_iter().flatten();
    for (at, package) in packages.enumerate().filter_map(|(at, package)| Some((at, package.as_object()?))) {
        let Some(product_id) = product_of(proposal, package) else { continue };
        let Some(recipe) = proposal.recipes.get(product_id) else { continue };
        let chosen = Chosen { package, product: proposal.products.get(product_id) };
        chosen.check(recipe.overlap(), &format!("{list}[{at}]"))?;
    }
    Ok(())
}

fn product_of<'a>(proposal: &'a ProposalRecord, package: &'a JsonObject) -> Option<&'a str> {
    let only = || match proposal.products.len() {
        1 if proposal.packages.is_empty() => proposal.products.keys().next().map(String::as_str),
        _ => None,
    };
    text(package, "product_id")
        .or_else(|| proposal.packages.get(text(package, "package_id")?).map(String::as_str))
        .or_else(only)
}

/// What an update adds to the targeting of a package beside `targeting_overlay`, and to which key of it.
///
/// Spec: `media-buy/package-update.json`.
const ADDED: [(&str, &str); 2] =
    [("keyword_targets_add", "keyword_targets"), ("negative_keywords_add", "negative_keywords")];

/// A package beside the product it is of.
struct Chosen<'a> {
    package: &'a JsonObject,
    product: Option<&'a JsonObject>,
}

impl Chosen<'_> {
    fn check(&self, overlap: &Overlap, place: &str) -> Result<(), AdcpError> {
        let refused = |name: &str, what: String| {
            Err(AdcpError::invalid_request(format!("{place}.{name}"), what)
                .with_suggestion("choose only what the proposal offers for this product"))
        };
        if let (Some(allowed), Some(id)) = (&overlap.pricing_models, text(self.package, "pricing_option_id"))
        {
            match self.pricing_model(id) {
                Some(model) if allowed.contains(model) => {}
                Some(model) => {
                    let what = format!("the proposal does not sell this product by pricing model `{model}`");
                    return refused("pricing_option_id", what);
                }
                None => return refused("pricing_option_id", "the product has no such pricing option".into()),
            }
        }
        if let (Some(allowed), Some(Value::Object(overlay))) =
            (&overlap.targeting_dimensions, self.package.get("targeting_overlay"))
            && let Some(key) = overlay.keys().find(|key| !allowed.contains(key.as_str()))
        {
            let what = format!("the proposal does not allow targeting by `{key}`");
            return refused("targeting_overlay", what);
        }
        if let Some(allowed) = &overlap.targeting_dimensions
            && let Some((name, key)) =
                ADDED.iter().find(|(name, key)| self.package.contains_key(*name) && !allowed.contains(*key))
        {
            return refused(name, format!("the proposal does not allow targeting by `{key}`"));
        }
        if let (Some(allowed), Some(kind)) = (&overlap.delivery_types, self.delivery_type())
            && !allowed.contains(kind)
        {
            let what = format!("the proposal does not allow delivery type `{kind}`");
            return refused("delivery_type", what);
        }
        if let Some(allowed) = &overlap.signal_types {
            if let Some(kind) = text(self.package, "signal_type").filter(|kind| !allowed.contains(*kind)) {
                return refused("signal_type", format!("the proposal does not allow signal type `{kind}`"));
            }
            if self.signals().any(|signal| !self.is_of(allowed, signal)) {
                let what = "the proposal does not allow this type of signal".to_owned();
                return refused("targeting_overlay", what);
            }
        }
        Ok(())
    }

    fn pricing_model(&self, option_id: &str) -> Option<&str> {
        let mut options = objects(self.product?, "pricing_options");
        text(options.find(|option| text(option, "pricing_option_id") == Some(option_id))?, "pricing_model")
    }

    /// A new package's delivery type is its product's; an update chooses none.
    fn delivery_type(&self) -> Option<&str> {
        let of_product = || self.product.filter(|_| self.package.contains_key("product_id"));
        text(self.package, "delivery_type").or_else(|| text(of_product()?, "delivery_type"))
    }

    /// The signals that the package targets.
    fn signals(&self) -> impl Iterator<Item = &JsonObject> {
        let overlay = self.package.get("targeting_overlay").and_then(Value::as_object);
        let groups = overlay.and_then(|overlay| overlay.get("signal_targeting_groups"));
        let grouped = groups
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|groups| objects(groups, "groups"))
            .flat_map(|group| objects(group, "signals"));
        grouped.chain(overlay.into_iter().flat_map(|overlay| objects(overlay, "signal_targeting")))
    }

    /// Whether a signal is of an allowed type, as the product's list of its signals says. Unlisted, it is of none.
    ///
    /// One that is named in several ways is every signal that one of its names means: which counts is the seller's choice.
    fn is_of(&self, allowed: &BTreeSet<String>, signal: &JsonObject) -> bool {
        let same = |listed: &&JsonObject| {
            ["signal_agent_segment_id", "signal_ref", "signal_id"]
                .iter()
                .any(|name| signal.get(*name).is_some_and(|id| listed.get(*name) == Some(id)))
        };
        let lists = ["signal_targeting_options", "included_signals"].into_iter();
        let mut kinds = self
            .product
            .into_iter()
            .flat_map(|product| lists.clone().flat_map(|list| objects(product, list)))
            .filter(same)
            .filter_map(|listed| text(listed, "signal_type"))
            .peekable();
        kinds.peek().is_some() && kinds.all(|kind| allowed.contains(kind))
    }
}
