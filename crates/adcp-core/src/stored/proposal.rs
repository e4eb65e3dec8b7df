//! What stands behind a proposal, as text.

use std::collections::{BTreeMap, BTreeSet};

use adcp_types::json::JsonObject;
use serde_json::Value;

use super::{Reader, Unreadable, put};
use crate::{Overlap, Recipe, Recipes};

/// Writes whole products by product id.
#[must_use]
pub fn write_products(products: &BTreeMap<String, JsonObject>) -> String {
    let object: JsonObject =
        products.iter().map(|(id, product)| (id.clone(), Value::Object(product.clone()))).collect();
    Value::Object(object).to_string()
}

/// Reads whole products by product id.
///
/// # Errors
///
/// [`Unreadable`] when one is no object.
pub fn read_products(text: &str) -> Result<BTreeMap<String, JsonObject>, Unreadable> {
    const WHAT: &str = "products";
    let product = |(id, value)| match value {
        Value::Object(product) => Ok((id, product)),
        _ => Err(Unreadable { what: WHAT, at: "" }),
    };
    Reader::parse(WHAT, text)?.fields.into_iter().map(product).collect()
}

/// Writes words by name, such as products by package.
#[must_use]
pub fn write_words(words: &BTreeMap<String, String>) -> String {
    let object: JsonObject = words.iter().map(|(name, word)| (name.clone(), word.as_str().into())).collect();
    Value::Object(object).to_string()
}

/// Reads words by name.
///
/// # Errors
///
/// [`Unreadable`], naming `what`, when one is no text.
pub fn read_words(what: &'static str, text: &str) -> Result<BTreeMap<String, String>, Unreadable> {
    let word = |(name, value)| match value {
        Value::String(word) => Ok((name, word)),
        _ => Err(Unreadable { what, at: "" }),
    };
    Reader::parse(what, text)?.fields.into_iter().map(word).collect()
}

/// Writes execution data by product id. For a store that only the seller reads.
#[must_use]
pub fn write_recipes(recipes: &Recipes) -> String {
    let recipe = |(id, recipe): (&String, &Recipe)| {
        let mut out = JsonObject::new();
        out.insert("kind".into(), recipe.kind().into());
        out.insert("version".into(), recipe.version().into());
        out.insert("data".into(), recipe.data().clone());
        let overlap = recipe.overlap();
        for (name, set) in [
            ("pricing_models", &overlap.pricing_models),
            ("targeting_dimensions", &overlap.targeting_dimensions),
            ("delivery_types", &overlap.delivery_types),
            ("signal_types", &overlap.signal_types),
        ] {
            put(&mut out, name, set.as_ref().map(|set| set.iter().cloned().collect::<Vec<_>>()));
        }
        (id.clone(), Value::Object(out))
    };
    Value::Object(recipes.iter().map(recipe).collect()).to_string()
}

/// Reads execution data by product id.
///
/// # Errors
///
/// [`Unreadable`], naming the field that is wrong.
pub fn read_recipes(text: &str) -> Result<Recipes, Unreadable> {
    const WHAT: &str = "recipes";
    let recipe = |(id, value)| {
        let mut reader = Reader::of(WHAT, value)?;
        let kind = reader.text("kind")?;
        let version = reader.whole("version")?.and_then(|n| u32::try_from(n).ok());
        let version = version.ok_or_else(|| reader.wrong("version"))?;
        let data = reader.fields.remove("data").ok_or_else(|| reader.wrong("data"))?;
        let mut overlap = Overlap::unlimited();
        overlap.pricing_models = set(&mut reader, "pricing_models")?;
        overlap.targeting_dimensions = set(&mut reader, "targeting_dimensions")?;
        overlap.delivery_types = set(&mut reader, "delivery_types")?;
        overlap.signal_types = set(&mut reader, "signal_types")?;
        Ok((id, Recipe::from_parts(kind, version, data).with_overlap(overlap)))
    };
    Reader::parse(WHAT, text)?.fields.into_iter().map(recipe).collect()
}

/// No set is no limit; an empty one allows nothing.
fn set(reader: &mut Reader, name: &'static str) -> Result<Option<BTreeSet<String>>, Unreadable> {
    match reader.take(name) {
        None => Ok(None),
        Some(Value::Array(items)) => {
            let words = items.into_iter().map(|item| match item {
                Value::String(word) => Ok(word),
                _ => Err(reader.wrong(name)),
            });
            words.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(reader.wrong(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecipeKind;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Line(Option<u8>);

    impl RecipeKind for Line {
        const KIND: &'static str = "line";
        const VERSION: u32 = 3;
    }

    #[test]
    fn recipes_read_back_with_their_limits() {
        let limits =
            Overlap::unlimited().with_pricing_models(["cpm"]).with_signal_types(Vec::<String>::new());
        let recipes = Recipes::from([
            ("a".to_owned(), Recipe::new(&Line(Some(1))).unwrap().with_overlap(limits)),
            ("b".to_owned(), Recipe::new(&Line(None)).unwrap()),
        ]);
        assert_eq!(read_recipes(&write_recipes(&recipes)).unwrap(), recipes);
        assert_eq!(read_recipes("{\"a\":{\"kind\":\"x\",\"version\":1}}").unwrap_err().at, "data");
    }
}
