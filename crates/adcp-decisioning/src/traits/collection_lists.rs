//! Lists of shows, series and channels.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::collection::{
    CreateCollectionListRequest, CreateCollectionListResponse, DeleteCollectionListRequest,
    DeleteCollectionListResponse, GetCollectionListRequest, GetCollectionListResponse,
    ListCollectionListsRequest, ListCollectionListsResponse, UpdateCollectionListRequest,
    UpdateCollectionListResponse,
};

use crate::ctx::Ctx;

/// What a keeper of collection lists decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no collection lists: `.collection_lists()` needs an `impl CollectionLists for {Self}`"
)]
pub trait CollectionLists: Send + Sync + 'static {
    /// Makes a list and the token by which it is fetched.
    fn create_collection_list(
        &self,
        ctx: &Ctx,
        req: CreateCollectionListRequest,
    ) -> impl Future<Output = Result<CreateCollectionListResponse, AdcpError>> + Send;

    /// Changes a list; arrays that are sent replace the old ones.
    fn update_collection_list(
        &self,
        ctx: &Ctx,
        req: UpdateCollectionListRequest,
    ) -> impl Future<Output = Result<UpdateCollectionListResponse, AdcpError>> + Send;

    /// Reads a list.
    fn get_collection_list(
        &self,
        ctx: &Ctx,
        req: GetCollectionListRequest,
    ) -> impl Future<Output = Result<GetCollectionListResponse, AdcpError>> + Send;

    /// Lists the account's lists.
    fn list_collection_lists(
        &self,
        ctx: &Ctx,
        req: ListCollectionListsRequest,
    ) -> impl Future<Output = Result<ListCollectionListsResponse, AdcpError>> + Send;

    /// Deletes a list. Its token stops working at once.
    fn delete_collection_list(
        &self,
        ctx: &Ctx,
        req: DeleteCollectionListRequest,
    ) -> impl Future<Output = Result<DeleteCollectionListResponse, AdcpError>> + Send;
}
