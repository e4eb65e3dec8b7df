//! A seller of everything: every trait, every tool, with answers from the samples.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use adcp_core::{AccountId, AdcpError};
use adcp_decisioning::{
    Account, AccountFinancials, Accounts, ActivateSignals, Agent, AgentBuilder, Asking, Audiences,
    BrandClaims, BrandIdentity, BrandRights, Caller, Catalogs, CollectionLists, ComplianceController,
    ContentStandards, ConversionEvents, CreativeApproval, CreativeBuilding, CreativeDelivery,
    CreativeFeatures, CreativeFormats, CreativeLibrary, Ctx, Decision, Discovery, Governance, Interactive,
    ListAccounts, ListTransformers, MediaBuyArtifacts, PreviewCreative, PropertyLists, ReportUsage, Sales,
    SearchBrands, Signals, SponsoredIntelligence, SyncAccounts, SyncGovernance, Tokens, UpdateRights,
    ValidateInput, ValidatePropertyDelivery,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::ErrorCode;
use adcp_types::account::{
    GetAccountFinancialsRequest, GetAccountFinancialsSuccess, ListAccountsRequest, ListAccountsResponse,
    ReportUsageRequest, ReportUsageResponse, SyncAccountsRequest, SyncAccountsSuccess, SyncGovernanceRequest,
    SyncGovernanceSuccess,
};
use adcp_types::brand::{
    AcquireRightsRequest, AcquireRightsResponse, CreativeApprovalRequest, CreativeApprovalResponse,
    GetBrandIdentityRequest, GetBrandIdentitySuccess, GetRightsRequest, GetRightsSuccess,
    SearchBrandsRequest, SearchBrandsSuccess, UpdateRightsRequest, UpdateRightsSuccess,
    VerifyBrandClaimRequest, VerifyBrandClaimSuccess, VerifyBrandClaimsRequest, VerifyBrandClaimsSuccess,
};
use adcp_types::collection::{
    CreateCollectionListRequest, CreateCollectionListResponse, DeleteCollectionListRequest,
    DeleteCollectionListResponse, GetCollectionListRequest, GetCollectionListResponse,
    ListCollectionListsRequest, ListCollectionListsResponse, UpdateCollectionListRequest,
    UpdateCollectionListResponse,
};
use adcp_types::compliance::{ComplyTestControllerRequest, ComplyTestControllerResponse};
use adcp_types::content_standards::{
    CalibrateContentRequest, CalibrateContentSuccess, CreateContentStandardsRequest,
    CreateContentStandardsSuccess, GetContentStandardsRequest, GetContentStandardsSuccess,
    GetMediaBuyArtifactsRequest, GetMediaBuyArtifactsSuccess, ListContentStandardsRequest,
    ListContentStandardsSuccess, UpdateContentStandardsRequest, UpdateContentStandardsResponse,
    ValidateContentDeliveryRequest, ValidateContentDeliverySuccess,
};
use adcp_types::core::AccountRef;
use adcp_types::creative::{
    GetCreativeDeliveryRequest, GetCreativeDeliveryResponse, GetCreativeFeaturesRequest,
    GetCreativeFeaturesSuccess, ListCreativesRequest, ListCreativesResponse, ListTransformersRequest,
    ListTransformersResponse, PreviewCreativeRequest, PreviewCreativeResponse, SyncCreativesInputRequired,
    SyncCreativesRequest, SyncCreativesSuccess, ValidateInputRequest, ValidateInputResponse,
};
use adcp_types::governance::{
    CheckGovernanceRequest, CheckGovernanceResponse, GetPlanAuditLogsRequest, GetPlanAuditLogsResponse,
    ReportPlanOutcomeRequest, ReportPlanOutcomeResponse, SyncPlansRequest, SyncPlansResponse,
};
use adcp_types::json::{FromJson, JsonObject, ToJson};
use adcp_types::media_buy::{
    BuildCreativeInputRequired, BuildCreativeRequest, BuildCreativeResponse, CreateMediaBuyInputRequired,
    CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest, GetMediaBuyDeliveryResponse,
    GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest, GetProductsResponse,
    ListCreativeFormatsRequest, ListCreativeFormatsResponse, LogEventRequest, LogEventSuccess,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, SyncAudiencesRequest,
    SyncAudiencesSuccess, SyncCatalogsInputRequired, SyncCatalogsRequest, SyncCatalogsSuccess,
    SyncEventSourcesRequest, SyncEventSourcesSuccess, UpdateMediaBuyInputRequired, UpdateMediaBuyRequest,
    UpdateMediaBuySuccess,
};
use adcp_types::property::{
    CreatePropertyListRequest, CreatePropertyListResponse, DeletePropertyListRequest,
    DeletePropertyListResponse, GetPropertyListRequest, GetPropertyListResponse, ListPropertyListsRequest,
    ListPropertyListsResponse, UpdatePropertyListRequest, UpdatePropertyListResponse,
    ValidatePropertyDeliveryRequest, ValidatePropertyDeliveryResponse,
};
use adcp_types::protocol::GetAdcpCapabilitiesResponse;
use adcp_types::protocol::get_adcp_capabilities_response::ComplianceTesting;
use adcp_types::signals::{
    ActivateSignalRequest, ActivateSignalSuccess, GetSignalsRequest, GetSignalsResponse,
};
use adcp_types::sponsored_intelligence::{
    SiGetOfferingRequest, SiGetOfferingResponse, SiInitiateSessionRequest, SiInitiateSessionResponse,
    SiSendMessageRequest, SiSendMessageResponse, SiTerminateSessionRequest, SiTerminateSessionResponse,
};
use adcp_types::tools::{Presence, ToolSpec};
use serde_json::{Value, json};

/// One valid request and one valid answer for every tool, made from the schemas by `cargo xtask codegen`.
static SAMPLES: LazyLock<BTreeMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/samples.json")).unwrap());

/// The scenario that the double plays, beside listing.
pub(crate) const SCENARIO: &str = "seed_product";

/// A valid request of `who`, under a key if the tool takes one.
pub(crate) fn request(spec: &ToolSpec, who: &str, key: &str) -> Value {
    let mut request = SAMPLES[spec.name]["request"].clone();
    if request.get("account").is_some() {
        request["account"] = json!({ "account_id": who });
    }
    if spec.idempotency_key != Presence::Absent {
        request["idempotency_key"] = key.into();
    }
    match spec.name {
        // A brief that says nothing is valid JSON and no question.
        "get_products" => request["brief"] = "spring".into(),
        // What a caller of an older release means.
        "get_signals" => request["discovery_mode"] = "brief".into(),
        "comply_test_controller" => {
            request["account"]["sandbox"] = true.into();
            request["scenario"] = SCENARIO.into();
            request["params"] = json!({ "product_id": "p" });
        }
        _ => {}
    }
    request
}

/// The answer the double gives.
pub(crate) fn response(tool: &str) -> Value {
    SAMPLES[tool]["response"].clone()
}

/// How the double answers, as far as a method's return type lets it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Answer,
    Refuse,
    HandOff,
    Enqueue,
    Ask,
    /// The error arm of the response, returned as if it were an answer; where the type has none, the answer.
    ErrorArm,
}

/// What the double was asked, and how it answers.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    calls: Mutex<Vec<(&'static str, Value)>>,
    mood: Mutex<Mood>,
}

impl Seen {
    /// Takes what was asked since the last time.
    pub(crate) fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Answers like this from now on.
    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

/// Implements every trait the same way: remember the typed request, give the sampled answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Everything(Arc<Seen>);

impl Everything {
    fn said<T: FromJson>(&self, tool: &'static str, request: &impl ToJson) -> Result<(T, Mood), AdcpError> {
        self.0.calls.lock().unwrap().push((tool, request.to_json()));
        match *self.0.mood.lock().unwrap() {
            Mood::Refuse => Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not here").with_field("name")),
            Mood::ErrorArm => {
                let arm = json!({ "errors": [{ "code": "POLICY_VIOLATION", "message": "not here", "field": "name" }] });
                let answer = T::from_json(arm).or_else(|_| T::from_json(response(tool)));
                Ok((answer.unwrap(), Mood::ErrorArm))
            }
            mood => Ok((T::from_json(response(tool)).unwrap(), mood)),
        }
    }
}

/// What may hold a question; this one has no words.
trait Ask {
    fn ask() -> Self;
}

impl<T, P: FromJson> Ask for Asking<T, P> {
    fn ask() -> Self {
        Self::NeedsInput(P::from_json(json!({})).unwrap())
    }
}

impl<T, P: FromJson> Ask for Interactive<T, P> {
    fn ask() -> Self {
        Self::NeedsInput(P::from_json(json!({})).unwrap())
    }
}

macro_rules! double {
    (@whole $answer:ty) => { $answer };
    (@whole $answer:ty, $whole:ty) => { $whole };
    (@end $ctx:ident, $answer:ident, $mood:ident;) => { Ok($answer) };
    (@end $ctx:ident, $answer:ident, $mood:ident; $($can:ident)+) => {
        match $mood {
            $(Mood::$can => double!(@$can $ctx, $answer),)+
            _ => Ok($answer.into()),
        }
    };
    (@Enqueue $ctx:ident, $answer:ident) => { Ok($ctx.handoff_to_workflow(async move |_| Ok(drop($answer))).into()) };
    (@HandOff $ctx:ident, $answer:ident) => { Ok($ctx.handoff_to_task(async move |_| Ok($answer.into())).into()) };
    (@Ask $ctx:ident, $answer:ident) => { Ok(Ask::ask()) };
    ($($home:ident { $($tool:ident($request:ty) -> $answer:ty $(, $whole:ty: $($can:ident)+)?;)* })*) => {$(
        impl $home for Everything {$(
            #[allow(unused_variables, reason = "most methods only answer")]
            async fn $tool(
                &self,
                ctx: &Ctx,
                req: $request,
            ) -> Result<double!(@whole $answer $(, $whole)?), AdcpError> {
                let (answer, mood) = self.said::<$answer>(stringify!($tool), &req)?;
                double!(@end ctx, answer, mood; $($($can)+)?)
            }
        )*}
    )*};
}

double! {
    AccountFinancials {
        get_account_financials(GetAccountFinancialsRequest) -> GetAccountFinancialsSuccess;
    }
    ActivateSignals {
        activate_signal(ActivateSignalRequest) -> ActivateSignalSuccess;
    }
    Audiences {
        sync_audiences(SyncAudiencesRequest) -> SyncAudiencesSuccess, Decision<SyncAudiencesSuccess>: HandOff Enqueue;
    }
    BrandClaims {
        verify_brand_claim(VerifyBrandClaimRequest) -> VerifyBrandClaimSuccess;
        verify_brand_claims(VerifyBrandClaimsRequest) -> VerifyBrandClaimsSuccess;
    }
    BrandIdentity {
        get_brand_identity(GetBrandIdentityRequest) -> GetBrandIdentitySuccess;
    }
    BrandRights {
        get_rights(GetRightsRequest) -> GetRightsSuccess;
        acquire_rights(AcquireRightsRequest) -> AcquireRightsResponse;
    }
    Catalogs {
        sync_catalogs(SyncCatalogsRequest) -> SyncCatalogsSuccess, Interactive<SyncCatalogsSuccess, SyncCatalogsInputRequired>: HandOff Enqueue Ask;
    }
    CollectionLists {
        create_collection_list(CreateCollectionListRequest) -> CreateCollectionListResponse;
        update_collection_list(UpdateCollectionListRequest) -> UpdateCollectionListResponse;
        get_collection_list(GetCollectionListRequest) -> GetCollectionListResponse;
        list_collection_lists(ListCollectionListsRequest) -> ListCollectionListsResponse;
        delete_collection_list(DeleteCollectionListRequest) -> DeleteCollectionListResponse;
    }
    ComplianceController {
        comply_test_controller(ComplyTestControllerRequest) -> ComplyTestControllerResponse;
    }
    ContentStandards {
        create_content_standards(CreateContentStandardsRequest) -> CreateContentStandardsSuccess;
        update_content_standards(UpdateContentStandardsRequest) -> UpdateContentStandardsResponse;
        get_content_standards(GetContentStandardsRequest) -> GetContentStandardsSuccess;
        list_content_standards(ListContentStandardsRequest) -> ListContentStandardsSuccess;
        calibrate_content(CalibrateContentRequest) -> CalibrateContentSuccess;
        validate_content_delivery(ValidateContentDeliveryRequest) -> ValidateContentDeliverySuccess;
    }
    ConversionEvents {
        sync_event_sources(SyncEventSourcesRequest) -> SyncEventSourcesSuccess;
        log_event(LogEventRequest) -> LogEventSuccess;
    }
    CreativeApproval {
        creative_approval(CreativeApprovalRequest) -> CreativeApprovalResponse;
    }
    CreativeBuilding {
        build_creative(BuildCreativeRequest) -> BuildCreativeResponse, Asking<BuildCreativeResponse, BuildCreativeInputRequired>: Ask;
    }
    CreativeDelivery {
        get_creative_delivery(GetCreativeDeliveryRequest) -> GetCreativeDeliveryResponse;
    }
    CreativeFeatures {
        get_creative_features(GetCreativeFeaturesRequest) -> GetCreativeFeaturesSuccess;
    }
    CreativeFormats {
        list_creative_formats(ListCreativeFormatsRequest) -> ListCreativeFormatsResponse;
    }
    CreativeLibrary {
        sync_creatives(SyncCreativesRequest) -> SyncCreativesSuccess, Interactive<SyncCreativesSuccess, SyncCreativesInputRequired>: HandOff Enqueue Ask;
        list_creatives(ListCreativesRequest) -> ListCreativesResponse;
    }
    Governance {
        sync_plans(SyncPlansRequest) -> SyncPlansResponse;
        check_governance(CheckGovernanceRequest) -> CheckGovernanceResponse;
        report_plan_outcome(ReportPlanOutcomeRequest) -> ReportPlanOutcomeResponse;
        get_plan_audit_logs(GetPlanAuditLogsRequest) -> GetPlanAuditLogsResponse;
    }
    ListAccounts {
        list_accounts(ListAccountsRequest) -> ListAccountsResponse;
    }
    ListTransformers {
        list_transformers(ListTransformersRequest) -> ListTransformersResponse;
    }
    MediaBuyArtifacts {
        get_media_buy_artifacts(GetMediaBuyArtifactsRequest) -> GetMediaBuyArtifactsSuccess;
    }
    PreviewCreative {
        preview_creative(PreviewCreativeRequest) -> PreviewCreativeResponse;
    }
    PropertyLists {
        create_property_list(CreatePropertyListRequest) -> CreatePropertyListResponse;
        update_property_list(UpdatePropertyListRequest) -> UpdatePropertyListResponse;
        get_property_list(GetPropertyListRequest) -> GetPropertyListResponse;
        list_property_lists(ListPropertyListsRequest) -> ListPropertyListsResponse;
        delete_property_list(DeletePropertyListRequest) -> DeletePropertyListResponse;
    }
    ReportUsage {
        report_usage(ReportUsageRequest) -> ReportUsageResponse;
    }
    Sales {
        get_products(GetProductsRequest) -> GetProductsResponse, Discovery<GetProductsResponse>: HandOff Enqueue Ask;
        create_media_buy(CreateMediaBuyRequest) -> CreateMediaBuySuccess, Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>: HandOff Enqueue Ask;
        update_media_buy(UpdateMediaBuyRequest) -> UpdateMediaBuySuccess, Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>: HandOff Enqueue Ask;
        get_media_buys(GetMediaBuysRequest) -> GetMediaBuysResponse;
        get_media_buy_delivery(GetMediaBuyDeliveryRequest) -> GetMediaBuyDeliveryResponse;
        provide_performance_feedback(ProvidePerformanceFeedbackRequest) -> ProvidePerformanceFeedbackSuccess;
    }
    SearchBrands {
        search_brands(SearchBrandsRequest) -> SearchBrandsSuccess;
    }
    Signals {
        get_signals(GetSignalsRequest) -> GetSignalsResponse, Discovery<GetSignalsResponse>: HandOff Enqueue;
    }
    SponsoredIntelligence {
        si_get_offering(SiGetOfferingRequest) -> SiGetOfferingResponse;
        si_initiate_session(SiInitiateSessionRequest) -> SiInitiateSessionResponse;
        si_send_message(SiSendMessageRequest) -> SiSendMessageResponse;
        si_terminate_session(SiTerminateSessionRequest) -> SiTerminateSessionResponse;
    }
    SyncAccounts {
        sync_accounts(SyncAccountsRequest) -> SyncAccountsSuccess;
    }
    SyncGovernance {
        sync_governance(SyncGovernanceRequest) -> SyncGovernanceSuccess;
    }
    UpdateRights {
        update_rights(UpdateRightsRequest) -> UpdateRightsSuccess;
    }
    ValidateInput {
        validate_input(ValidateInputRequest) -> ValidateInputResponse;
    }
    ValidatePropertyDelivery {
        validate_property_delivery(ValidatePropertyDeliveryRequest) -> ValidatePropertyDeliveryResponse;
    }
}

/// Every principal has two accounts for trials, one by its own name, and one for real.
#[derive(Debug)]
struct Pairs;

impl Accounts for Pairs {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        let own = caller.principal.as_str();
        let named = match reference {
            None => own,
            Some(AccountRef::AccountId(named)) => named.account_id.as_str(),
            Some(_) => return Err(AdcpError::account_not_found()),
        };
        let sandbox = named == own || named == format!("{own}-2");
        if sandbox || named == format!("{own}-live") {
            Ok(Some(Account::new(AccountId::new(named)).with_sandbox(sandbox)))
        } else {
            Err(AdcpError::account_not_found())
        }
    }
}

/// A builder with everything but tools.
pub(crate) fn bare() -> (AgentBuilder<Everything>, Arc<Seen>) {
    let seller = Everything::default();
    let seen = Arc::clone(&seller.0);
    let builder = Agent::builder(seller)
        .authenticator(Tokens::new())
        .accounts(Pairs)
        .registry(MemoryRegistry::volatile());
    (builder, seen)
}

/// Mounts every group.
pub(crate) fn mounted(builder: AgentBuilder<Everything>) -> AgentBuilder<Everything> {
    builder
        .account_financials()
        .activate_signals()
        .audiences()
        .brand_claims()
        .brand_identity()
        .brand_rights()
        .catalogs()
        .collection_lists()
        .compliance_controller()
        .content_standards()
        .conversion_events()
        .creative_approval()
        .creative_building()
        .creative_delivery()
        .creative_features()
        .creative_library()
        .governance()
        .list_accounts()
        .list_transformers()
        .media_buy_artifacts()
        .preview_creative()
        .property_lists()
        .report_usage()
        .sales()
        .search_brands()
        .signals()
        .sponsored_intelligence()
        .sync_accounts()
        .sync_governance()
        .update_rights()
        .validate_input()
        .validate_property_delivery()
}

/// What an agent must declare that has everything mounted.
pub(crate) fn declared(known: GetAdcpCapabilitiesResponse) -> GetAdcpCapabilitiesResponse {
    known.with_compliance_testing(ComplianceTesting::new(vec![SCENARIO.to_owned()]))
}

/// An agent with every tool, and what its seller was asked.
pub(crate) fn everything() -> (Agent, Arc<Seen>) {
    let (builder, seen) = bare();
    (mounted(builder).capabilities(declared).build().unwrap(), seen)
}

/// A reply's body without what stands beside every body.
pub(crate) fn body_of(tool: &str, reply: &JsonObject) -> Value {
    let wanted = response(tool);
    let mut body = reply.clone();
    body.retain(|name, _| {
        wanted.get(name).is_some() || !adcp_types::envelope::FIELDS.contains(&name.as_str())
    });
    Value::Object(body)
}
