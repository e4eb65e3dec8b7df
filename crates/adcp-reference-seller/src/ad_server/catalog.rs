//! What is for sale: products, their prices, and the formats they take.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::Currency;
use super::search::Vocabulary;

/// Products and formats, fixed for the life of the ad server.
#[derive(Debug)]
pub(crate) struct Catalog {
    products: Vec<Product>,
    formats: Vec<Format>,
    by_id: HashMap<String, usize>,
    vocabularies: Vec<Vocabulary>,
}

/// Why a catalogue cannot be sold from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogFault {
    #[error("the seed does not parse")]
    Unreadable(#[source] serde_json::Error),
    #[error("`{0}` is there twice")]
    Duplicate(String),
    #[error("product `{product}` names format `{format}`, which does not exist")]
    UnknownFormat { product: String, format: String },
    #[error("product `{0}` has no price or no format")]
    Unsellable(String),
}

impl Catalog {
    pub(crate) fn new(products: Vec<Product>, formats: Vec<Format>) -> Result<Self, CatalogFault> {
        let mut by_id = HashMap::new();
        for (index, product) in products.iter().enumerate() {
            if product.prices.is_empty() || product.formats.is_empty() {
                return Err(CatalogFault::Unsellable(product.id.clone()));
            }
            for format in &product.formats {
                if !formats.iter().any(|known| known.id == *format) {
                    return Err(CatalogFault::UnknownFormat {
                        product: product.id.clone(),
                        format: format.clone(),
                    });
                }
            }
            if by_id.insert(product.id.clone(), index).is_some() {
                return Err(CatalogFault::Duplicate(product.id.clone()));
            }
        }
        let vocabularies = products.iter().map(Vocabulary::of).collect();
        Ok(Self { products, formats, by_id, vocabularies })
    }

    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    pub(crate) fn formats(&self) -> &[Format] {
        &self.formats
    }

    pub(crate) fn product(&self, id: &str) -> Option<&Product> {
        self.index_of(id).map(|index| &self.products[index])
    }

    /// The place of a product in [`Catalog::products`].
    pub(crate) fn index_of(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(super) fn vocabulary(&self, product: usize) -> &Vocabulary {
        &self.vocabularies[product]
    }

    pub(crate) fn format(&self, id: &str) -> Option<&Format> {
        self.formats.iter().find(|format| format.id == id)
    }
}

/// A kind of inventory that can be bought.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Media channels, as the trade names them: `display`, `olv`, `ctv`.
    pub(crate) channels: Vec<String>,
    /// Domain of the publisher whose properties carry the ads.
    pub(crate) publisher: String,
    pub(crate) properties: Properties,
    /// Whether the volume is promised.
    pub(crate) guaranteed: bool,
    #[serde(default)]
    pub(crate) exclusivity: Exclusivity,
    /// Ids of the formats it takes.
    pub(crate) formats: Vec<String>,
    pub(crate) prices: Vec<Price>,
    /// Two-letter countries it reaches.
    pub(crate) countries: Vec<String>,
    /// Impressions available on an ordinary day.
    pub(crate) daily_impressions: u64,
    /// Clicks per impression.
    pub(crate) click_rate: Decimal,
    /// Complete plays per impression, for what plays.
    #[serde(default)]
    pub(crate) completion_rate: Option<Decimal>,
    /// Words that a brief may use for it, beyond those of its name and description.
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    /// Offered in discovery. An unlisted product can still be bought by its id.
    #[serde(default = "yes")]
    pub(crate) listed: bool,
    /// Exists only in a sandbox.
    #[serde(default)]
    pub(crate) sandbox_only: bool,
}

fn yes() -> bool {
    true
}

impl Product {
    pub(crate) fn price(&self, id: &str) -> Option<&Price> {
        self.prices.iter().find(|price| price.id == id)
    }
}

/// Which properties of the publisher carry a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Properties {
    All,
    Ids(Vec<String>),
    Tags(Vec<String>),
}

/// How alone an advertiser is in a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exclusivity {
    #[default]
    None,
    Category,
    Exclusive,
}

/// One way to pay for a product.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) model: PriceModel,
    pub(crate) currency: Currency,
    #[serde(flatten)]
    pub(crate) terms: Terms,
    /// The smallest budget of a line.
    #[serde(default)]
    pub(crate) minimum: Option<Decimal>,
}

/// The event that is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriceModel {
    /// A thousand impressions.
    Cpm,
    /// A click.
    Cpc,
    /// A complete play.
    Cpcv,
    /// The whole flight.
    FlatRate,
}

/// The amount charged per event, fixed or bid for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Terms {
    Fixed(Decimal),
    Auction { floor: Decimal, p25: Decimal, p50: Decimal, p75: Decimal, p90: Decimal },
}

impl Price {
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.terms, Terms::Fixed(_))
    }

    /// What one event costs to somebody who bids `bid`; without a bid, the median of the guidance.
    pub(crate) fn rate(&self, bid: Option<Decimal>) -> Decimal {
        match self.terms {
            Terms::Fixed(price) => price,
            Terms::Auction { floor, p50, .. } => bid.unwrap_or(p50).max(floor),
        }
    }

    /// The share of what it asks for that a bid wins, from 0.25 at the floor to 1 at the 90th percentile.
    pub(crate) fn win_rate(&self, bid: Option<Decimal>) -> Decimal {
        let quarter = Decimal::new(25, 2);
        match self.terms {
            Terms::Fixed(_) => Decimal::ONE,
            Terms::Auction { floor, p90, .. } => {
                let (bid, span) = (self.rate(bid), p90 - floor);
                if span <= Decimal::ZERO || bid >= p90 {
                    return Decimal::ONE;
                }
                (quarter + (Decimal::ONE - quarter) * (bid - floor) / span).trunc_with_scale(6)
            }
        }
    }
}

/// A shape of creative.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Format {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// The trade's name of the kind: `image`, `video_hosted`.
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) media: Media,
    pub(crate) assets: Vec<AssetSlot>,
}

/// Extent of a format in space and time.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Media {
    /// Width and height in pixels.
    #[serde(default)]
    pub(crate) size: Option<(u32, u32)>,
    /// Length in milliseconds.
    #[serde(default)]
    pub(crate) duration_ms: Option<u32>,
}

/// One piece of a creative.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetSlot {
    pub(crate) id: String,
    /// `image`, `video`, `text`, `url`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auction() -> Price {
        serde_json::from_value(serde_json::json!({
            "id": "bid", "model": "cpm", "currency": "USD",
            "auction": { "floor": "2", "p25": "3", "p50": "4", "p75": "5", "p90": "6" }
        }))
        .unwrap()
    }

    #[test]
    fn a_bid_never_costs_less_than_the_floor() {
        for (bid, rate, wins) in
            [(Some("1"), "2", "0.25"), (None, "4", "0.625"), (Some("6"), "6", "1"), (Some("9"), "9", "1")]
        {
            let bid = bid.map(|bid| bid.parse().unwrap());
            assert_eq!(auction().rate(bid), rate.parse().unwrap());
            assert_eq!(auction().win_rate(bid), wins.parse().unwrap());
        }
    }

    #[test]
    fn faults_of_a_catalogue_are_named() {
        let product = |formats: serde_json::Value| -> Product {
            serde_json::from_value(serde_json::json!({
                "id": "p", "name": "P", "description": "P", "channels": ["display"], "publisher": "p.example",
                "properties": "all", "guaranteed": false, "formats": formats, "countries": [], "daily_impressions": 1,
                "click_rate": "0", "prices": [{ "id": "x", "model": "cpm", "currency": "USD", "fixed": "1" }]
            }))
            .unwrap()
        };
        let none = Catalog::new(vec![product(serde_json::json!([]))], vec![]).unwrap_err();
        assert!(matches!(none, CatalogFault::Unsellable(id) if id == "p"));
        let unknown = Catalog::new(vec![product(serde_json::json!(["f"]))], vec![]).unwrap_err();
        assert!(matches!(unknown, CatalogFault::UnknownFormat { .. }));
    }
}
