//! The catalogue in the form buyers see, made once: discovery only picks from it.

use adcp_types::core::cancellation_policy::{CancellationFee, Type as FeeType};
use adcp_types::core::duration::Unit;
use adcp_types::core::reporting_capabilities::DateRangeSupport;
use adcp_types::core::{
    CancellationPolicy, Duration, Format, FormatId, PricingOption, Product, PublisherPropertySelector,
    PublisherPropertySelectorAll, PublisherPropertySelectorById, PublisherPropertySelectorByTag,
    ReportingCapabilities,
};
use adcp_types::enums::{
    AvailableMetric, Channels, DeliveryType, Exclusivity, ReportingFrequency, VideoPlacementType,
};
use adcp_types::pricing_options::{CpcOption, CpcvOption, CpmOption, FlatRateOption, PriceGuidance};

use crate::ad_server::{self, Catalog, Price, PriceModel, Properties, Terms};

use super::amount::number;
use super::format;

/// Products and formats, ready to be sent, in the order of the catalogue.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) products: Vec<Product>,
    pub(crate) formats: Vec<Format>,
    /// The address under which the formats are known.
    agent_url: String,
}

impl Shelf {
    pub(crate) fn new(catalog: &Catalog, agent_url: &str) -> Self {
        Self {
            products: catalog.products().iter().map(|one| product(one, agent_url)).collect(),
            formats: catalog.formats().iter().map(|one| format::shown(one, agent_url)).collect(),
            agent_url: agent_url.to_owned(),
        }
    }

    /// The wire name of one of our formats.
    pub(crate) fn format_id(&self, id: &str) -> FormatId {
        FormatId::new(&self.agent_url, id)
    }

    /// Our own format that a wire name stands for; formats of other agents are not ours, whatever they are called.
    pub(crate) fn own_format<'a>(&self, wanted: &'a FormatId) -> Option<&'a str> {
        self.is_own(wanted).then_some(wanted.id.as_str())
    }

    pub(crate) fn is_own(&self, format: &FormatId) -> bool {
        same_agent(&format.agent_url, &self.agent_url)
    }
}

/// Whether two addresses name one agent: the letters of the host and a last slash do not matter.
fn same_agent(one: &str, other: &str) -> bool {
    fn parts(url: &str) -> Option<(&str, &str)> {
        let url = url.trim_end_matches('/');
        let path =
            url.find("://").and_then(|scheme| url[scheme + 3..].find('/').map(|path| scheme + 3 + path));
        url.split_at_checked(path.unwrap_or(url.len()))
    }
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one.0.eq_ignore_ascii_case(other.0) && one.1 == other.1,
        _ => false,
    }
}

fn product(product: &ad_server::Product, agent_url: &str) -> Product {
    let delivery_type =
        if product.guaranteed { DeliveryType::Guaranteed } else { DeliveryType::NonGuaranteed };
    let mut shown = Product::new(
        &product.id,
        &product.name,
        &product.description,
        vec![properties(product)],
        delivery_type,
        product.prices.iter().map(price).collect(),
        reporting(product),
    )
    .with_channels(product.channels.iter().map(|channel| Channels::from(channel.as_str())).collect())
    .with_format_ids(product.formats.iter().map(|id| FormatId::new(agent_url, id)).collect());
    shown.exclusivity = match product.exclusivity {
        ad_server::Exclusivity::None => None,
        ad_server::Exclusivity::Category => Some(Exclusivity::Category),
        ad_server::Exclusivity::Exclusive => Some(Exclusivity::Exclusive),
    };
    if product.channels.iter().any(|channel| channel == "olv" || channel == "ctv") {
        shown.video_placement_types = Some(vec![VideoPlacementType::Instream]);
    }
    if product.guaranteed {
        let fee = CancellationFee::new(FeeType::PercentRemaining).with_rate(0.2);
        shown.cancellation_policy = Some(CancellationPolicy::new(Duration::new(7, Unit::Days), fee));
    }
    shown
}

fn properties(product: &ad_server::Product) -> PublisherPropertySelector {
    match &product.properties {
        Properties::All => PublisherPropertySelector::All(
            PublisherPropertySelectorAll::new().with_publisher_domain(&product.publisher),
        ),
        Properties::Ids(ids) => PublisherPropertySelector::ById(PublisherPropertySelectorById::new(
            &product.publisher,
            ids.clone(),
        )),
        Properties::Tags(tags) => PublisherPropertySelector::ByTag(
            PublisherPropertySelectorByTag::new(tags.clone()).with_publisher_domain(&product.publisher),
        ),
    }
}

fn price(price: &Price) -> PricingOption {
    macro_rules! option {
        ($option:ident) => {{
            let mut option = $option::new(&price.id, price.currency.as_str());
            option.min_spend_per_package = price.minimum.map(number);
            match &price.terms {
                Terms::Fixed(amount) => option.fixed_price = Some(number(*amount)),
                Terms::Auction { floor, p25, p50, p75, p90 } => {
                    option.floor_price = Some(number(*floor));
                    option.price_guidance = Some(
                        PriceGuidance::new()
                            .with_p25(number(*p25))
                            .with_p50(number(*p50))
                            .with_p75(number(*p75))
                            .with_p90(number(*p90)),
                    );
                }
            }
            Box::new(option)
        }};
    }
    match price.model {
        PriceModel::Cpm => PricingOption::Cpm(option!(CpmOption)),
        PriceModel::Cpc => PricingOption::Cpc(option!(CpcOption)),
        PriceModel::Cpcv => PricingOption::Cpcv(option!(CpcvOption)),
        PriceModel::FlatRate => PricingOption::FlatRate(option!(FlatRateOption)),
    }
}

fn reporting(product: &ad_server::Product) -> ReportingCapabilities {
    ReportingCapabilities::new(
        vec![ReportingFrequency::Daily],
        0,
        "UTC",
        false,
        metrics(product),
        DateRangeSupport::DateRange,
    )
}

/// What delivery reports of a product contain.
pub(crate) fn metrics(product: &ad_server::Product) -> Vec<AvailableMetric> {
    let mut metrics = vec![
        AvailableMetric::Impressions,
        AvailableMetric::Spend,
        AvailableMetric::Clicks,
        AvailableMetric::Ctr,
        AvailableMetric::Cpm,
        AvailableMetric::CostPerClick,
    ];
    if product.completion_rate.is_some() {
        metrics.extend([
            AvailableMetric::CompletedViews,
            AvailableMetric::CompletionRate,
            AvailableMetric::CostPerCompletedView,
        ]);
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_apart_by_more_than_letters() {
        for (other, same) in [
            ("https://Seller.example/mcp", true),
            ("HTTPS://seller.example/mcp/", true),
            ("https://seller.example/MCP", false),
            ("https://seller.example", false),
            ("https://other.example/mcp", false),
            ("seller.example", false),
        ] {
            assert_eq!(same_agent("https://seller.example/mcp", other), same, "{other}");
        }
    }
}
