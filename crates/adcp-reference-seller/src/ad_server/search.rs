//! Finding products: conditions that must hold, and a score for the words of a brief.

use rust_decimal::Decimal;

use super::{Catalog, Currency, Exclusivity, Price, Product, Terms};

/// What a buyer looks for. Empty finds everything that is listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Words that describe the campaign.
    pub(crate) brief: Option<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) guaranteed: Option<bool>,
    pub(crate) exclusivity: Option<Exclusivity>,
    pub(crate) fixed_price: Option<bool>,
    pub(crate) currencies: Vec<Currency>,
    pub(crate) countries: Vec<String>,
    /// Ids of formats, any of which will do. Empty asks for nothing.
    pub(crate) formats: Option<Vec<String>>,
    /// Least impressions, and the days they must fit in.
    pub(crate) exposures: Option<(u64, u64)>,
    pub(crate) budget: Option<Range>,
    /// Products looked at, instead of all that are listed.
    pub(crate) among: Option<Vec<String>>,
    pub(crate) sandbox: bool,
}

/// A budget between two amounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) max: Option<Decimal>,
    pub(crate) currency: Currency,
}

/// A product found: its place in the catalogue, its score, and the places of the prices left to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) product: usize,
    pub(crate) score: u32,
    pub(crate) prices: Vec<usize>,
}

impl Catalog {
    /// Products that meet `query`, best first; equals keep the catalogue's order.
    ///
    /// A brief only ranks and cuts: products with none of its words are left out, unless that leaves nothing.
    pub(crate) fn search(&self, query: &Query) -> Vec<Found> {
        let words = query.brief.as_deref().map(words).unwrap_or_default();
        let mut found: Vec<Found> = self
            .products()
            .iter()
            .enumerate()
            .filter(|(_, product)| query.admits(product))
            .filter_map(|(index, product)| {
                let prices = query.prices(product);
                (!prices.is_empty()).then(|| Found {
                    product: index,
                    score: self.vocabulary(index).score(&words),
                    prices,
                })
            })
            .collect();
        if found.iter().any(|found| found.score > 0) {
            found.retain(|found| found.score > 0);
            found.sort_by_key(|found| std::cmp::Reverse(found.score));
        }
        found
    }
}

impl Query {
    fn admits(&self, product: &Product) -> bool {
        let any = |wanted: &[String], has: &[String]| {
            wanted.is_empty() || wanted.iter().any(|one| has.contains(one))
        };
        let enough = |(least, days): (u64, u64)| product.daily_impressions.saturating_mul(days) >= least;
        let visible = match &self.among {
            Some(ids) => ids.contains(&product.id),
            None => product.listed,
        };
        visible
            && (self.sandbox || !product.sandbox_only)
            && any(&self.channels, &product.channels)
            && any(&self.countries, &product.countries)
            && self
                .formats
                .as_ref()
                .is_none_or(|formats| formats.iter().any(|one| product.formats.contains(one)))
            && self.guaranteed.is_none_or(|wanted| wanted == product.guaranteed)
            && self.exclusivity.is_none_or(|wanted| wanted == product.exclusivity)
            && self.exposures.is_none_or(enough)
    }

    fn prices(&self, product: &Product) -> Vec<usize> {
        let fits = |price: &Price| {
            self.fixed_price.is_none_or(|fixed| fixed == price.is_fixed())
                && (self.currencies.is_empty() || self.currencies.contains(&price.currency))
                && self.budget.is_none_or(|range| within(price, range))
        };
        let numbered = product.prices.iter().enumerate();
        numbered.filter(|(_, price)| fits(price)).map(|(index, _)| index).collect()
    }
}

/// Whether somebody with this budget can pay the least that the price asks for.
fn within(price: &Price, range: Range) -> bool {
    let flat = match (price.model, &price.terms) {
        (super::PriceModel::FlatRate, Terms::Fixed(rate)) => *rate,
        _ => Decimal::ZERO,
    };
    let least = price.minimum.unwrap_or_default().max(flat);
    price.currency == range.currency && range.max.is_none_or(|max| least <= max)
}

/// Words of three letters or more, in small letters, without a plural `s`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= 3 && !COMMON.contains(&word.as_str()))
        .map(|word| match word.strip_suffix('s') {
            Some(stem) if stem.len() >= 3 && !stem.ends_with('s') => stem.to_owned(),
            _ => word,
        })
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Words that every brief has.
const COMMON: &[&str] = &[
    "and",
    "any",
    "are",
    "campaign",
    "for",
    "from",
    "have",
    "inventory",
    "looking",
    "need",
    "our",
    "product",
    "that",
    "the",
    "this",
    "want",
    "with",
    "our",
    "products",
    "campaigns",
];

/// The words that find a product, made once.
#[derive(Debug)]
pub(super) struct Vocabulary {
    labels: Vec<String>,
    name: Vec<String>,
    description: Vec<String>,
}

impl Vocabulary {
    pub(super) fn of(product: &Product) -> Self {
        Self {
            labels: words(&format!("{} {}", product.channels.join(" "), product.keywords.join(" "))),
            name: words(&product.name),
            description: words(&product.description),
        }
    }

    /// Three for a channel or keyword, two for a word of the name, one for a word of the description.
    fn score(&self, wanted: &[String]) -> u32 {
        let worth = |word: &String| match () {
            () if self.labels.contains(word) => 3,
            () if self.name.contains(word) => 2,
            () if self.description.contains(word) => 1,
            () => 0,
        };
        wanted.iter().map(worth).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    fn ids(query: &Query) -> Vec<String> {
        let catalog = seed::catalog().unwrap();
        catalog.search(query).into_iter().map(|found| catalog.products()[found.product].id.clone()).collect()
    }

    #[test]
    fn an_empty_query_finds_what_is_listed() {
        assert!(ids(&Query::default()).len() >= 10);
        assert!(!ids(&Query::default()).contains(&"test-product".to_owned()));
    }

    #[test]
    fn a_brief_ranks_by_its_words() {
        for (brief, first) in [
            ("Connected TV spots for living rooms", "northwind_ctv_premium"),
            ("podcast hosts read our message", "cadence_podcast_host_read"),
            ("screens at train stations", "metro_station_screens"),
        ] {
            let found = ids(&Query { brief: Some(brief.into()), ..Query::default() });
            assert_eq!(found.first().map(String::as_str), Some(first), "{brief}: {found:?}");
        }
    }

    #[test]
    fn a_brief_without_a_known_word_finds_everything() {
        let all = ids(&Query::default());
        assert_eq!(ids(&Query { brief: Some("zzz qqq".into()), ..Query::default() }), all);
    }

    #[test]
    fn currencies_prune_prices() {
        let catalog = seed::catalog().unwrap();
        let eur = Currency::parse("EUR").unwrap();
        let found = catalog.search(&Query { currencies: vec![eur], ..Query::default() });
        assert!(!found.is_empty());
        for found in found {
            let product = &catalog.products()[found.product];
            assert!(
                found.prices.iter().all(|index| product.prices[*index].currency == eur),
                "{}",
                product.id
            );
        }
    }

    #[test]
    fn conditions_all_hold_at_once() {
        let found = ids(&Query {
            channels: vec!["display".into()],
            guaranteed: Some(true),
            fixed_price: Some(true),
            ..Query::default()
        });
        assert_eq!(found, ["harbor_homepage_takeover"]);
    }
}
