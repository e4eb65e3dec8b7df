//! Where a media buy stands, and whether an update of it may go ahead.

use adcp_core::{AdcpError, Timestamp};
use adcp_types::core::{MediaBuyAvailableAction, ProductAllowedAction};
use adcp_types::enums::{ActionNotAllowedReason as Reason, MediaBuyValidAction as Action};
use adcp_types::json::ToJson;
use adcp_types::media_buy::UpdateMediaBuyRequest;
use serde_json::Value;

use super::action::{candidates, fits, is_direct, rank, resolve};
use super::change::{Change, changes};
use super::{MEDIA_BUY, PACKAGE, Revision, assert_open, assert_transition};

/// A media buy as an update finds it. What is left out is unknown, and compared more coarsely.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuyState {
    /// Its status, as on the wire.
    pub status: String,
    /// Its revision.
    pub revision: Revision,
    /// When its flight begins.
    pub start: Option<Timestamp>,
    /// When its flight ends.
    pub end: Option<Timestamp>,
    /// Its packages.
    pub packages: Vec<PackageState>,
}

/// A package as an update finds it. What is left out is unknown, and compared more coarsely.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PackageState {
    /// Its id.
    pub id: String,
    /// Whether it is held.
    pub paused: bool,
    /// Whether it was called off.
    pub canceled: bool,
    /// Its budget, in the currency of the media buy.
    pub budget: Option<f64>,
    /// When its flight begins.
    pub start: Option<Timestamp>,
    /// When its flight ends.
    pub end: Option<Timestamp>,
    /// Its pacing, as on the wire.
    pub pacing: Option<String>,
    /// Its targeting overlay, as on the wire.
    pub targeting: Option<Value>,
    /// Its creative assignments, as on the wire.
    pub assignments: Option<Vec<Value>>,
    /// What its product allows; `None` is a product that says nothing about actions, so that all are allowed.
    pub allowed: Option<Vec<ProductAllowedAction>>,
}

impl BuyState {
    /// A media buy without packages, in this status.
    #[must_use]
    pub fn new(status: impl Into<String>, revision: Revision) -> Self {
        Self { status: status.into(), revision, start: None, end: None, packages: Vec::new() }
    }

    /// Says when its flight begins and ends.
    #[must_use]
    pub const fn with_flight(mut self, start: Timestamp, end: Timestamp) -> Self {
        (self.start, self.end) = (Some(start), Some(end));
        self
    }

    /// Adds a package.
    #[must_use]
    pub fn with_package(mut self, package: PackageState) -> Self {
        self.packages.push(package);
        self
    }

    /// The package with this id.
    #[must_use]
    pub fn package(&self, id: &str) -> Option<&PackageState> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// What a buyer can ask for now: what the products of all packages allow that have not been canceled.
    ///
    /// Where they differ in mode, the least direct counts. `resume` is there too while a package is held.
    ///
    /// Spec: `core/media-buy-available-action.json`.
    #[must_use]
    pub fn available_actions(&self) -> Vec<MediaBuyAvailableAction> {
        let mut live = self.live();
        let Some(first) = live.next() else { return self.offers(None) };
        let mut common = self.offers(first.allowed.as_deref());
        for package in live {
            let other = self.offers(package.allowed.as_deref());
            common.retain_mut(|offer| {
                let Some(also) = other.iter().find(|also| also.action == offer.action) else { return false };
                if rank(&also.mode) > rank(&offer.mode) {
                    *offer = also.clone();
                }
                true
            });
        }
        common
    }

    /// What the request changes, each thing as the narrowest action that does it.
    ///
    /// A cancellation stands alone. Fields that no action covers, such as webhooks, are not in the list.
    #[must_use]
    pub fn changes(&self, request: &UpdateMediaBuyRequest) -> Vec<Change> {
        changes(self, request)
    }

    /// Checks an update as a whole and returns what it changes.
    ///
    /// Whatever concerns the media buy is checked before its packages: that it has not ended, that the buyer
    /// has seen its revision, then every change against the available actions. A change of one package is
    /// checked against what the product of that package allows.
    ///
    /// # Errors
    ///
    /// - `NOT_CANCELLABLE` for canceling what is canceled, `INVALID_STATE` for any other change of what has ended;
    /// - `CONFLICT` for a revision that is not the current one;
    /// - `PACKAGE_NOT_FOUND` for a package that is not in the media buy;
    /// - `UNSUPPORTED_FEATURE` for new packages where no product allows them;
    /// - `ACTION_NOT_ALLOWED` for a change that is not available, with the reason and what is available.
    pub fn assert_update(&self, request: &UpdateMediaBuyRequest) -> Result<Vec<Change>, AdcpError> {
        if request.canceled == Some(true) && self.status == "canceled" {
            assert_transition(&MEDIA_BUY, &self.status, "canceled")?;
        }
        assert_open(&MEDIA_BUY, &self.status)?;
        self.revision.assert_seen(request.revision)?;
        let changes = self.changes(request);
        if request.canceled != Some(true) {
            self.assert_packages(request)?;
        }
        changes.iter().try_for_each(|change| self.assert_change(change, request))?;
        Ok(changes)
    }

    fn assert_packages(&self, request: &UpdateMediaBuyRequest) -> Result<(), AdcpError> {
        for (index, update) in request.packages.iter().flatten().enumerate() {
            let field = |name: &str| format!("packages[{index}].{name}");
            let package = self
                .package(&update.package_id)
                .ok_or_else(|| AdcpError::package_not_found(field("package_id")))?;
            if update.canceled == Some(true) {
                assert_transition(&PACKAGE, package.status(), "canceled")
                    .map_err(|error| error.with_field(field("canceled")))?;
            }
            assert_open(&PACKAGE, package.status()).map_err(|error| error.with_field(field("package_id")))?;
        }
        Ok(())
    }

    fn assert_change(&self, change: &Change, request: &UpdateMediaBuyRequest) -> Result<(), AdcpError> {
        let named = change.package.and_then(|index| request.packages.as_ref()?.get(index));
        let package = named.and_then(|update| self.package(&update.package_id));
        let products: Vec<Option<&[ProductAllowedAction]>> = match package {
            Some(package) => vec![package.allowed.as_deref()],
            None if self.live().next().is_none() => vec![None],
            None => self.live().map(|package| package.allowed.as_deref()).collect(),
        };
        let verdicts: Vec<Option<Reason>> =
            products.iter().map(|allowed| self.verdict(&change.action, *allowed, package)).collect();
        let Some(reason) = verdicts.iter().flatten().next() else { return Ok(()) };
        let offered_somewhere =
            verdicts.iter().any(|verdict| *verdict != Some(Reason::NotSupportedOnProduct));
        let reason = match reason {
            Reason::NotSupportedOnProduct if offered_somewhere => &Reason::NotSupportedOnBuy,
            reason => reason,
        };
        if change.action == Action::AddPackages && *reason == Reason::NotSupportedOnProduct {
            return Err(AdcpError::unsupported_feature(change.field.as_str()));
        }
        let available = self.available_actions().iter().map(ToJson::to_json).collect();
        let (action, field) = (change.action.as_str(), change.field.as_str());
        Err(AdcpError::action_not_allowed(field, action, reason.as_str(), available))
    }

    /// Why a product does not let this happen now, if it does not.
    fn verdict(
        &self,
        action: &Action,
        allowed: Option<&[ProductAllowedAction]>,
        package: Option<&PackageState>,
    ) -> Option<Reason> {
        let names = candidates(action);
        let fits = |action: &Action| match package {
            Some(package) => self.fits_package(action, package),
            None => fits(&self.status, action),
        };
        // A coarser name says who may do it, not that it can be done: nothing is paused that does not run.
        let offers = if fits(action) { resolve(&self.status, allowed, &fits) } else { Vec::new() };
        let mut offers = offers.iter().filter(|offer| names.contains(&offer.action)).peekable();
        if offers.peek().is_some() {
            return if offers.any(|offer| is_direct(&offer.mode)) {
                None
            } else {
                Some(Reason::ModeMismatch)
            };
        }
        let listed = allowed.is_none_or(|allowed| allowed.iter().any(|entry| names.contains(&entry.action)));
        Some(if listed { Reason::WrongStatus } else { Reason::NotSupportedOnProduct })
    }

    /// Whether an action fits a single package now. One package can be held while others run.
    fn fits_package(&self, action: &Action, package: &PackageState) -> bool {
        match action {
            Action::Pause => fits(&self.status, action) && PACKAGE.edge(package.status(), "paused").is_some(),
            Action::Resume => {
                !MEDIA_BUY.is_terminal(&self.status) && PACKAGE.edge(package.status(), "active").is_some()
            }
            other => fits(&self.status, other),
        }
    }

    fn offers(&self, allowed: Option<&[ProductAllowedAction]>) -> Vec<MediaBuyAvailableAction> {
        let on_some = |action: &Action| self.live().any(|package| self.fits_package(action, package));
        resolve(&self.status, allowed, &|action| fits(&self.status, action) || on_some(action))
    }

    fn live(&self) -> impl Iterator<Item = &PackageState> {
        self.packages.iter().filter(|package| !package.canceled)
    }
}

impl PackageState {
    /// A package that runs, of which nothing more is known.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            paused: false,
            canceled: false,
            budget: None,
            start: None,
            end: None,
            pacing: None,
            targeting: None,
            assignments: None,
            allowed: None,
        }
    }

    /// Says whether it is held.
    #[must_use]
    pub const fn with_paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// Says whether it was called off.
    #[must_use]
    pub const fn with_canceled(mut self, canceled: bool) -> Self {
        self.canceled = canceled;
        self
    }

    /// Says what it may spend, in the currency of the media buy.
    #[must_use]
    pub const fn with_budget(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Says when its flight begins and ends.
    #[must_use]
    pub const fn with_flight(mut self, start: Timestamp, end: Timestamp) -> Self {
        (self.start, self.end) = (Some(start), Some(end));
        self
    }

    /// Says how it is paced.
    #[must_use]
    pub fn with_pacing(mut self, pacing: impl Into<String>) -> Self {
        self.pacing = Some(pacing.into());
        self
    }

    /// Says what it targets.
    #[must_use]
    pub fn with_targeting(mut self, overlay: Value) -> Self {
        self.targeting = Some(overlay);
        self
    }

    /// Says which creatives are assigned to it.
    #[must_use]
    pub fn with_assignments(mut self, assignments: Vec<Value>) -> Self {
        self.assignments = Some(assignments);
        self
    }

    /// Says what its product allows.
    #[must_use]
    pub fn with_allowed(mut self, allowed: Vec<ProductAllowedAction>) -> Self {
        self.allowed = Some(allowed);
        self
    }

    /// Its place in [`PACKAGE`].
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match (self.canceled, self.paused) {
            (true, _) => "canceled",
            (false, true) => "paused",
            (false, false) => "active",
        }
    }
}
