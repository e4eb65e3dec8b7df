//! Brands: who they are, what they claim, and the rights they license.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::brand::{
    AcquireRightsRequest, AcquireRightsResponse, CreativeApprovalRequest, CreativeApprovalResponse,
    GetBrandIdentityRequest, GetBrandIdentitySuccess, GetRightsRequest, GetRightsSuccess,
    SearchBrandsRequest, SearchBrandsSuccess, UpdateRightsRequest, UpdateRightsSuccess,
    VerifyBrandClaimRequest, VerifyBrandClaimSuccess, VerifyBrandClaimsRequest, VerifyBrandClaimsSuccess,
};

use crate::ctx::Ctx;

/// What a brand says of itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` describes no brand: `.brand_identity()` needs an `impl BrandIdentity for {Self}`"
)]
pub trait BrandIdentity: Send + Sync + 'static {
    /// Reads a brand's names, logos, colours, tone and rules.
    fn get_brand_identity(
        &self,
        ctx: &Ctx,
        req: GetBrandIdentityRequest,
    ) -> impl Future<Output = Result<GetBrandIdentitySuccess, AdcpError>> + Send;
}

/// What a holder of rights decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` licenses no rights: `.brand_rights()` needs an `impl BrandRights for {Self}`"
)]
pub trait BrandRights: Send + Sync + 'static {
    /// Finds rights for the uses described, with prices.
    fn get_rights(
        &self,
        ctx: &Ctx,
        req: GetRightsRequest,
    ) -> impl Future<Output = Result<GetRightsSuccess, AdcpError>> + Send;

    /// Grants, defers or refuses a licence. A refusal is an answer, not an error.
    fn acquire_rights(
        &self,
        ctx: &Ctx,
        req: AcquireRightsRequest,
    ) -> impl Future<Output = Result<AcquireRightsResponse, AdcpError>> + Send;
}

/// Changes of licences that were granted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` changes no licences: `.update_rights()` needs an `impl UpdateRights for {Self}`"
)]
pub trait UpdateRights: Send + Sync + 'static {
    /// Extends, changes or ends a licence.
    fn update_rights(
        &self,
        ctx: &Ctx,
        req: UpdateRightsRequest,
    ) -> impl Future<Output = Result<UpdateRightsSuccess, AdcpError>> + Send;
}

/// The approval of creatives that use a right.
#[diagnostic::on_unimplemented(
    message = "`{Self}` approves no creatives: `.creative_approval()` needs an `impl CreativeApproval for {Self}`"
)]
pub trait CreativeApproval: Send + Sync + 'static {
    /// Approves, refuses or takes under review a creative that uses a right.
    fn creative_approval(
        &self,
        ctx: &Ctx,
        req: CreativeApprovalRequest,
    ) -> impl Future<Output = Result<CreativeApprovalResponse, AdcpError>> + Send;
}

/// A search for brands.
#[diagnostic::on_unimplemented(
    message = "`{Self}` searches no brands: `.search_brands()` needs an `impl SearchBrands for {Self}`"
)]
pub trait SearchBrands: Send + Sync + 'static {
    /// Finds brands by name or domain.
    fn search_brands(
        &self,
        ctx: &Ctx,
        req: SearchBrandsRequest,
    ) -> impl Future<Output = Result<SearchBrandsSuccess, AdcpError>> + Send;
}

/// Checks of what is claimed about brands.
#[diagnostic::on_unimplemented(
    message = "`{Self}` checks no claims: `.brand_claims()` needs an `impl BrandClaims for {Self}`"
)]
pub trait BrandClaims: Send + Sync + 'static {
    /// Checks one claim about a brand.
    fn verify_brand_claim(
        &self,
        ctx: &Ctx,
        req: VerifyBrandClaimRequest,
    ) -> impl Future<Output = Result<VerifyBrandClaimSuccess, AdcpError>> + Send;

    /// Checks several claims about brands.
    fn verify_brand_claims(
        &self,
        ctx: &Ctx,
        req: VerifyBrandClaimsRequest,
    ) -> impl Future<Output = Result<VerifyBrandClaimsSuccess, AdcpError>> + Send;
}
