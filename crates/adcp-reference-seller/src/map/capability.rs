//! What the seller declares about itself.

use adcp_types::core::MediaBuyFeatures;
use adcp_types::enums::{BillingParty, PricingModel};
use adcp_types::protocol::GetAdcpCapabilitiesResponse;
use adcp_types::protocol::get_adcp_capabilities_response::{
    Account, BuyingMode, Creative, CreativeApprovalMode, MediaBuy, WholesaleFeedVersioning,
};

/// Declares what this seller does. What follows from the mounted tools is filled in by the agent.
pub(crate) fn declare(known: GetAdcpCapabilitiesResponse, sandbox: bool) -> GetAdcpCapabilitiesResponse {
    let account = Account::new(vec![BillingParty::Operator, BillingParty::Agent])
        .with_require_operator_auth(false)
        .with_required_for_products(false)
        .with_account_financials(false)
        .with_sandbox(sandbox);
    let media_buy = MediaBuy::new()
        .with_supported_pricing_models(vec![
            PricingModel::Cpm,
            PricingModel::Cpc,
            PricingModel::Cpcv,
            PricingModel::FlatRate,
        ])
        .with_buying_modes(vec![BuyingMode::Brief, BuyingMode::Wholesale, BuyingMode::Refine])
        .with_supports_proposals(false)
        .with_creative_approval_mode(CreativeApprovalMode::AutoApprove)
        .with_features(
            MediaBuyFeatures::new().with_inline_creative_management(true).with_property_list_filtering(false),
        );
    known
        .with_account(account)
        .with_media_buy(media_buy)
        .with_creative(Creative::new().with_has_creative_library(true))
        .with_wholesale_feed_versioning(WholesaleFeedVersioning::new(false))
}
