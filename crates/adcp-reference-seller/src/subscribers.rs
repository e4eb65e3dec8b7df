//! Who wants to hear of what happens to an account: kept and asked by the SDK.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{AccountId, AdcpError, Owner};
use adcp_decisioning::Ctx;
use adcp_types::ErrorCode;
use adcp_types::core::NotificationConfig;
use adcp_webhooks::{BadSubscription, SubscriptionError, Subscriptions};
use tokio::time::{Instant, timeout_at};

use crate::seller::ReferenceSeller;

/// What is wrong with an entry: errors for its buyer. The outer error ends the call.
pub(crate) type Judged = Result<Result<(), Vec<AdcpError>>, AdcpError>;

/// Addresses that one call has asked, at most: nobody makes this seller flood somebody else.
const MOST_ASKED: usize = 32;

/// How long one call asks addresses in all. Its caller waits that long.
const PATIENCE: Duration = Duration::from_secs(25);

/// The subscriptions of a caller, within one call.
#[derive(Debug)]
pub(crate) struct Subscribers<'a> {
    /// None where nothing is delivered.
    subscriptions: Option<&'a Subscriptions>,
    /// The caller, on no account.
    owner: Owner,
    asked: AtomicUsize,
    until: Instant,
}

impl<'a> Subscribers<'a> {
    pub(crate) fn of_caller(seller: &'a ReferenceSeller, ctx: &Ctx) -> Result<Self, AdcpError> {
        let caller = ctx.caller()?;
        let owner = Owner::new(caller.tenant.clone(), None, caller.principal.clone());
        let (asked, until) = (AtomicUsize::new(0), Instant::now() + PATIENCE);
        Ok(Self { subscriptions: seller.subscriptions(), owner, asked, until })
    }

    /// What the caller has on an account; `None` when it never said anything.
    pub(crate) async fn of(&self, account: &str) -> Result<Option<Vec<NotificationConfig>>, AdcpError> {
        match self.subscriptions {
            Some(all) => all.of(&self.owner_on(account)).await.map_err(AdcpError::from),
            None => Ok(None),
        }
    }

    /// Whether subscriptions could be kept, without asking anybody.
    pub(crate) async fn check(
        &self,
        account: Option<&str>,
        configs: &[NotificationConfig],
        entry: usize,
    ) -> Judged {
        match self.subscriptions {
            Some(all) => {
                let owner = account.map_or_else(|| self.owner.clone(), |account| self.owner_on(account));
                judged(all.check(&owner, configs).await, entry)
            }
            None if configs.is_empty() => Ok(Ok(())),
            None => Ok(Err(vec![
                AdcpError::new(ErrorCode::UNSUPPORTED_FEATURE, "this seller sends no notifications")
                    .with_field(format!("accounts[{entry}].notification_configs"))
                    .with_suggestion("leave notification_configs out, and poll"),
            ])),
        }
    }

    /// Replaces what the caller has on an account; whoever is to hear of something is asked first.
    pub(crate) async fn replace(
        &self,
        account: &str,
        configs: &[NotificationConfig],
        entry: usize,
    ) -> Judged {
        let Some(all) = self.subscriptions else { return Ok(Ok(())) };
        let owner = self.owner_on(account);
        let before = all.of(&owner).await.map_err(AdcpError::from)?.unwrap_or_default();
        // What is kept is shown without credentials, so whoever sends some may have changed them.
        let asks = |config: &&NotificationConfig| config.active != Some(false) && !before.contains(config);
        let asks = configs.iter().filter(asks).count();
        let later = |words: &str| {
            let error = AdcpError::new(ErrorCode::VALIDATION_ERROR, words)
                .with_field(format!("accounts[{entry}].notification_configs"))
                .with_suggestion("send this entry again in a call of its own");
            Ok(Err(vec![error]))
        };
        if self.asked.fetch_add(asks, Ordering::Relaxed) + asks > MOST_ASKED {
            return later(&format!("no more than {MOST_ASKED} addresses are asked in one call"));
        }
        match timeout_at(self.until, all.replace(&owner, configs)).await {
            Ok(done) => judged(done, entry),
            Err(_) => later("the addresses of this call took too long to answer"),
        }
    }

    /// Nobody hears of an account that is closed.
    pub(crate) async fn forget(&self, account: &str) -> Result<(), AdcpError> {
        if let Some(all) = self.subscriptions {
            let owner = self.owner_on(account);
            if all.of(&owner).await.map_err(AdcpError::from)?.is_some_and(|kept| !kept.is_empty()) {
                all.replace(&owner, &[]).await.map_err(unavailable)?;
            }
        }
        Ok(())
    }

    fn owner_on(&self, account: &str) -> Owner {
        let Owner { tenant, principal, .. } = self.owner.clone();
        Owner::new(tenant, Some(AccountId::new(account)), principal)
    }
}

fn judged<T>(done: Result<T, SubscriptionError>, entry: usize) -> Judged {
    match done {
        Ok(_) => Ok(Ok(())),
        Err(SubscriptionError::Refused(bad)) => Ok(Err(bad.iter().map(|bad| refusal(bad, entry)).collect())),
        Err(error) => Err(unavailable(error)),
    }
}

fn refusal(bad: &BadSubscription, entry: usize) -> AdcpError {
    let field = format!("accounts[{entry}].notification_configs[{}].{}", bad.index, bad.field);
    AdcpError::new(ErrorCode::VALIDATION_ERROR, format!("{} {}", bad.field, bad.why)).with_field(field)
}

fn unavailable(error: SubscriptionError) -> AdcpError {
    match error {
        SubscriptionError::Registry(error) => error.into(),
        _ => AdcpError::unavailable(),
    }
}
