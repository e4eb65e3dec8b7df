//! Lists of sites and apps.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::property::{
    CreatePropertyListRequest, CreatePropertyListResponse, DeletePropertyListRequest,
    DeletePropertyListResponse, GetPropertyListRequest, GetPropertyListResponse, ListPropertyListsRequest,
    ListPropertyListsResponse, UpdatePropertyListRequest, UpdatePropertyListResponse,
    ValidatePropertyDeliveryRequest, ValidatePropertyDeliveryResponse,
};

use crate::ctx::Ctx;

/// What a keeper of property lists decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no property lists: `.property_lists()` needs an `impl PropertyLists for {Self}`"
)]
pub trait PropertyLists: Send + Sync + 'static {
    /// Makes a list and the token by which it is fetched.
    fn create_property_list(
        &self,
        ctx: &Ctx,
        req: CreatePropertyListRequest,
    ) -> impl Future<Output = Result<CreatePropertyListResponse, AdcpError>> + Send;

    /// Changes a list; arrays that are sent replace the old ones.
    fn update_property_list(
        &self,
        ctx: &Ctx,
        req: UpdatePropertyListRequest,
    ) -> impl Future<Output = Result<UpdatePropertyListResponse, AdcpError>> + Send;

    /// Reads a list, resolved to identifiers if asked.
    fn get_property_list(
        &self,
        ctx: &Ctx,
        req: GetPropertyListRequest,
    ) -> impl Future<Output = Result<GetPropertyListResponse, AdcpError>> + Send;

    /// Lists the account's lists.
    fn list_property_lists(
        &self,
        ctx: &Ctx,
        req: ListPropertyListsRequest,
    ) -> impl Future<Output = Result<ListPropertyListsResponse, AdcpError>> + Send;

    /// Deletes a list. Its token stops working at once.
    fn delete_property_list(
        &self,
        ctx: &Ctx,
        req: DeletePropertyListRequest,
    ) -> impl Future<Output = Result<DeletePropertyListResponse, AdcpError>> + Send;
}

/// A check of what was delivered against a property list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` checks no delivery against property lists: `.validate_property_delivery()` needs an `impl ValidatePropertyDelivery for {Self}`"
)]
pub trait ValidatePropertyDelivery: Send + Sync + 'static {
    /// Compares delivered records with a list and reports what did not belong.
    fn validate_property_delivery(
        &self,
        ctx: &Ctx,
        req: ValidatePropertyDeliveryRequest,
    ) -> impl Future<Output = Result<ValidatePropertyDeliveryResponse, AdcpError>> + Send;
}
