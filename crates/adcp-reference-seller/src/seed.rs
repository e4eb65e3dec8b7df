//! The seed: what the ad server starts with, read from `seed.json`.

use serde::Deserialize;

use crate::ad_server::{Catalog, CatalogFault, Format, Product};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    formats: Vec<Format>,
    products: Vec<Product>,
}

/// Reads the built-in catalogue.
pub(crate) fn catalog() -> Result<Catalog, CatalogFault> {
    let seed: Seed = serde_json::from_str(include_str!("seed.json")).map_err(CatalogFault::Unreadable)?;
    Catalog::new(seed.products, seed.formats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_ten_listed_products_over_many_channels() {
        let catalog = catalog().unwrap();
        let listed: Vec<&Product> = catalog.products().iter().filter(|product| product.listed).collect();
        assert_eq!(listed.len(), 10);
        let mut channels: Vec<&str> =
            listed.iter().flat_map(|product| product.channels.iter().map(String::as_str)).collect();
        channels.sort_unstable();
        channels.dedup();
        assert!(channels.len() >= 6, "{channels:?}");
        assert!(listed.iter().any(|product| product.guaranteed));
        assert!(listed.iter().any(|product| !product.guaranteed));
    }
}
