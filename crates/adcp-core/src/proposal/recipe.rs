//! Execution data that only the seller sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A seller's own kind of execution data, such as the line items behind a product.
pub trait RecipeKind: Serialize + DeserializeOwned {
    /// Name of the kind, stored beside the data.
    const KIND: &'static str;
    /// Version of the data's shape, stored beside it.
    const VERSION: u32 = 1;
}

/// Execution data of one product in a proposal: kept by the SDK, given back when the proposal is bought or changed.
///
/// A recipe cannot reach a buyer. It does not implement `Serialize`, nor the trait by which answers are encoded,
/// it converts into no JSON value, and its `Debug` shows its kind only. The seller gets its own type back with
/// [`Recipe::read`]; a store writes recipes with [`stored::write_recipes`](crate::stored::write_recipes).
///
/// ```
/// use adcp_core::{Recipe, RecipeKind};
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct LineItem { template: u64 }
/// impl RecipeKind for LineItem { const KIND: &'static str = "line_item"; }
///
/// let recipe = Recipe::new(&LineItem { template: 7 })?;
/// assert_eq!(recipe.read::<LineItem>()?, LineItem { template: 7 });
/// # Ok::<(), adcp_core::BadRecipe>(())
/// ```
///
/// Putting one into an answer does not compile:
///
/// ```compile_fail
/// fn leak(recipe: adcp_core::Recipe) -> serde_json::Value {
///     serde_json::json!({ "ext": recipe })
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct Recipe {
    kind: String,
    version: u32,
    data: Value,
    overlap: Overlap,
}

/// Recipes by product id.
pub type Recipes = BTreeMap<String, Recipe>;

/// Data that is not the recipe it is taken for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadRecipe {
    /// The seller's type has no JSON form.
    #[error("a recipe of kind `{0}` cannot be stored")]
    NotStorable(&'static str, #[source] serde_json::Error),
    /// The stored data is of another kind.
    #[error("expected a recipe of kind `{expected}`, found `{found}`")]
    OtherKind {
        /// What was asked for.
        expected: &'static str,
        /// What is stored.
        found: String,
    },
    /// The stored data has another shape.
    #[error("a stored recipe of kind `{0}` cannot be read")]
    Unreadable(String, #[source] serde_json::Error),
}

/// What a buyer may choose on a product: `None` is no limit, an empty set allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// Values of `pricing_model`.
    pub pricing_models: Option<BTreeSet<String>>,
    /// Keys of `targeting_overlay`.
    pub targeting_dimensions: Option<BTreeSet<String>>,
    /// Values of `delivery_type`.
    pub delivery_types: Option<BTreeSet<String>>,
    /// Values of `signal_type`.
    pub signal_types: Option<BTreeSet<String>>,
}

impl Overlap {
    /// No limits.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Allows these pricing models only.
    #[must_use]
    pub fn with_pricing_models<T: Into<String>>(mut self, models: impl IntoIterator<Item = T>) -> Self {
        self.pricing_models = Some(models.into_iter().map(Into::into).collect());
        self
    }

    /// Allows these targeting dimensions only.
    #[must_use]
    pub fn with_targeting_dimensions<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.targeting_dimensions = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Allows these delivery types only.
    #[must_use]
    pub fn with_delivery_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.delivery_types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Allows these signal types only.
    #[must_use]
    pub fn with_signal_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.signal_types = Some(types.into_iter().map(Into::into).collect());
        self
    }
}

impl Recipe {
    /// Wraps the seller's own data.
    ///
    /// # Errors
    ///
    /// [`BadRecipe::NotStorable`] when it has no JSON form.
    pub fn new<R: RecipeKind>(data: &R) -> Result<Self, BadRecipe> {
        let data = serde_json::to_value(data).map_err(|source| BadRecipe::NotStorable(R::KIND, source))?;
        Ok(Self { kind: R::KIND.to_owned(), version: R::VERSION, data, overlap: Overlap::unlimited() })
    }

    /// Limits what a buyer may choose on this product.
    #[must_use]
    pub fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// The seller's own data again.
    ///
    /// # Errors
    ///
    /// [`BadRecipe`] when it is of another kind or shape.
    pub fn read<R: RecipeKind>(&self) -> Result<R, BadRecipe> {
        if self.kind != R::KIND {
            return Err(BadRecipe::OtherKind { expected: R::KIND, found: self.kind.clone() });
        }
        serde_json::from_value(self.data.clone())
            .map_err(|source| BadRecipe::Unreadable(self.kind.clone(), source))
    }

    /// A recipe as a store keeps it.
    pub(crate) fn from_parts(kind: String, version: u32, data: Value) -> Self {
        Self { kind, version, data, overlap: Overlap::unlimited() }
    }

    /// The data, for a store. Not public: nothing else has a use for it.
    pub(crate) const fn data(&self) -> &Value {
        &self.data
    }

    /// The kind of the data.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The version of the data's shape.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// What a buyer may choose on this product.
    #[must_use]
    pub const fn overlap(&self) -> &Overlap {
        &self.overlap
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipe({} v{}, …)", self.kind, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    struct Secretive(String);

    impl RecipeKind for Secretive {
        const KIND: &'static str = "secretive";
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Other;

    impl RecipeKind for Other {
        const KIND: &'static str = "other";
    }

    #[test]
    fn debug_shows_nothing_of_the_data_and_kinds_do_not_mix() {
        let recipe = Recipe::new(&Secretive("floor price 3".into())).unwrap();
        assert_eq!(format!("{recipe:?}"), "Recipe(secretive v1, …)");
        assert!(matches!(recipe.read::<Other>(), Err(BadRecipe::OtherKind { .. })));
        assert_eq!(recipe.read::<Secretive>().unwrap().0, "floor price 3");
    }
}
