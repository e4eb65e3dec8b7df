#![doc = include_str!("../README.md")]

mod account;
mod agent;
mod answer;
mod background;
mod billing;
mod build_error;
mod builder;
mod builder_jobs;
mod buyer_agent;
mod cached_agents;
mod caller;
mod companions;
mod ctx;
mod ctx_account;
mod ctx_documents;
mod ctx_proposal;
mod decision;
mod desk;
mod desk_error;
mod end;
mod first_of;
#[rustfmt::skip]
mod generated;
mod handle;
mod handoff;
mod hook;
mod incident;
mod janitor;
mod job;
mod lease;
pub mod lifecycle;
mod listing;
mod lookout;
mod metered;
mod metric;
mod parts;
mod path;
mod progress;
mod proposal;
mod rescue;
mod rounds;
mod route;
mod run;
mod scrub;
mod tokens;
mod tools;
mod traits;
mod version;
mod worker;

pub use account::{
    Account, AccountKey, AccountPerPrincipal, Accounts, ExplicitAccounts, NaturalKey, SingleAccount,
    TenantAccounts,
};
pub use agent::{Agent, Call, Health, Reply};
pub use billing::check_billing;
pub use build_error::{BuildError, BuildErrors};
pub use builder::{
    AgentBuilder, DEFAULT_BACKGROUND_TASKS, DEFAULT_ENQUEUE_LEASE, DEFAULT_LEASE, DEFAULT_REPLAY_TTL,
    DEFAULT_RESCUE_INTERVAL, DEFAULT_RETENTION_INTERVAL,
};
pub use builder_jobs::{
    DEFAULT_JOB_POLL_INTERVAL, DEFAULT_JOB_SLOTS, DEFAULT_JOB_WAIT, DEFAULT_LONGEST_JOB_WAIT,
};
pub use buyer_agent::{AgentStatus, BuyerAgent, BuyerAgents};
pub use cached_agents::{CachedAgents, DEFAULT_AGENT_ENTRIES, DEFAULT_AGENT_TTL};
pub use caller::{AuthFailure, AuthMethod, Authenticator, Caller, Credentials, VerifiedSignature};
pub use ctx::Ctx;
pub use ctx_documents::CallerDocuments;
pub use decision::{Asking, Decision, Discover, Discovery, Interactive};
pub use desk::TaskDesk;
pub use desk_error::DeskError;
pub use first_of::FirstOf;
pub use handle::TaskHandle;
pub use handoff::{Ended, Handoff, Workflow};
pub use incident::internal_error;
pub use job::{JobHandle, JobHandler, JobHandoff};
pub use listing::Tool;
pub use progress::IntoProgress;
pub use proposal::{Finalizing, Offer, ProposalTerms};
pub use tokens::Tokens;
pub use traits::{
    AccountFinancials, ActivateSignals, Audiences, BrandClaims, BrandIdentity, BrandRights, Catalogs,
    CollectionLists, ComplianceController, ContentStandards, ConversionEvents, CreativeApproval,
    CreativeBuilding, CreativeDelivery, CreativeFeatures, CreativeFormats, CreativeLibrary, Governance,
    ListAccounts, ListTransformers, MediaBuyArtifacts, PreviewCreative, PropertyLists, ReportUsage, Sales,
    SearchBrands, Signals, SponsoredIntelligence, SyncAccounts, SyncGovernance, UpdateRights, ValidateInput,
    ValidatePropertyDelivery,
};
