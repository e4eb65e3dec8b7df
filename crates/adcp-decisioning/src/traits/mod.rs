//! What adopters implement: one trait per group of tools, native async, typed requests and responses.

mod account;
mod audiences;
mod brand;
mod building;
mod catalogs;
mod collection_lists;
mod compliance;
mod content_standards;
mod creative;
mod events;
mod governance;
mod property_lists;
mod sales;
mod signals;
mod sponsored_intelligence;

pub use account::{AccountFinancials, ListAccounts, ReportUsage, SyncAccounts, SyncGovernance};
pub use audiences::Audiences;
pub use brand::{BrandClaims, BrandIdentity, BrandRights, CreativeApproval, SearchBrands, UpdateRights};
pub use building::{CreativeBuilding, ListTransformers, PreviewCreative, ValidateInput};
pub use catalogs::Catalogs;
pub use collection_lists::CollectionLists;
pub use compliance::ComplianceController;
pub use content_standards::{ContentStandards, MediaBuyArtifacts};
pub use creative::{CreativeDelivery, CreativeFeatures, CreativeFormats, CreativeLibrary};
pub use events::ConversionEvents;
pub use governance::Governance;
pub use property_lists::{PropertyLists, ValidatePropertyDelivery};
pub use sales::Sales;
pub use signals::{ActivateSignals, Signals};
pub use sponsored_intelligence::SponsoredIntelligence;
