//! Reports of progress, typed where rc.9 has a `working` arm.

use adcp_core::Progress;
use adcp_types::creative::SyncCreativesWorking;
use adcp_types::json::ToJson;
use adcp_types::media_buy::{
    BuildCreativeWorking, CreateMediaBuyWorking, GetProductsWorking, SyncCatalogsWorking,
    UpdateMediaBuyWorking,
};
use adcp_types::signals::GetSignalsWorking;
use serde_json::Value;

/// What a task's function may report: a [`Progress`], or the body of a tool's `working` arm.
///
/// ```
/// use adcp_decisioning::IntoProgress;
/// use adcp_types::creative::SyncCreativesWorking;
///
/// let report = SyncCreativesWorking::new().with_creatives_processed(3).with_creatives_total(9);
/// let progress = report.into_progress();
/// assert_eq!(progress.extra["creatives_processed"], 3);
/// ```
pub trait IntoProgress {
    /// The report as it is kept.
    fn into_progress(self) -> Progress;
}

impl IntoProgress for Progress {
    fn into_progress(self) -> Progress {
        self
    }
}

macro_rules! working {
    ($($arm:ident $schema:literal,)*) => {
        $(impl IntoProgress for $arm {
            fn into_progress(self) -> Progress {
                match self.to_json() {
                    Value::Object(mut body) => {
                        body.retain(|name, _| name != "context" && name != "ext");
                        Progress::from_working(body)
                    }
                    _ => Progress::default(),
                }
            }
        })*

        /// The schemas whose types can be reported.
        #[cfg(test)]
        const WORKING: &[&str] = &[$($schema),*];
    };
}

working! {
    BuildCreativeWorking "media-buy/build-creative-async-response-working.json",
    CreateMediaBuyWorking "media-buy/create-media-buy-async-response-working.json",
    GetProductsWorking "media-buy/get-products-async-response-working.json",
    GetSignalsWorking "signals/get-signals-async-response-working.json",
    SyncCatalogsWorking "media-buy/sync-catalogs-async-response-working.json",
    SyncCreativesWorking "creative/sync-creatives-async-response-working.json",
    UpdateMediaBuyWorking "media-buy/update-media-buy-async-response-working.json",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_working_arm_of_the_table_can_be_reported() {
        let of_tools = adcp_types::tools::ALL.iter().filter_map(|spec| spec.working_schema);
        for schema in of_tools {
            assert!(WORKING.contains(&schema), "{schema}");
        }
    }
}
