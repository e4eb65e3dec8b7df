//! With what trials deliver: the suite's key under the name of this process, to receivers on this machine.

use std::path::Path;
use std::time::Duration;

use adcp_core::BreakerPolicy;
use adcp_egress::{Egress, Limits};
use adcp_signing::{KeyUse, LocalSigner};
use adcp_webhooks::{Schedule, Webhooks};

use super::variable;
use crate::exit::{Exit, Failure};

/// The name of this process, which no other one has. It is the name of its key, so that a receiver knows who sent.
const LIFE: &str = "ADCP_TRIAL_LIFE";

/// The key, in the folder of the trial.
const KEY: &str = "hooks.pem";

/// Waits of a trial that is in a hurry, in milliseconds.
const WAITS: [u64; 10] = [300, 600, 1000, 1500, 2000, 2000, 2000, 2000, 2000, 2000];

/// The name of this process.
pub(super) fn life() -> String {
    variable(LIFE).unwrap_or_else(|| std::process::id().to_string())
}

/// What delivers, at the pace of the defaults or at one with short leases and waits.
pub(super) fn webhooks(folder: &Path, hurried: bool) -> Result<Webhooks, Failure> {
    let broken = |what: &'static str| Failure::new(Exit::Broken, what);
    let file = std::fs::read_to_string(folder.join(KEY))
        .map_err(|error| broken("cannot read the key of the trial").because(error))?;
    let key = LocalSigner::from_pem(&file, KeyUse::WebhookSigning, life())
        .map_err(|error| broken("cannot use the key of the trial").because(error))?;
    let egress = Egress::builder()
        .allow_loopback_http()
        .build()
        .map_err(|error| broken("there is no way out").because(error))?;
    let mut builder = Webhooks::builder().signer(key).egress(egress);
    if hurried {
        let limits = Limits::new().with_total(Duration::from_secs(2));
        builder = builder
            .limits(limits)
            .lease(Duration::from_secs(5))
            .poll_every(Duration::from_millis(500))
            .schedule(Schedule::of(WAITS.map(Duration::from_millis)))
            .breaker(BreakerPolicy::new().with_pause(Duration::from_secs(1), Duration::from_secs(2)));
    }
    builder.build().map_err(|error| broken("cannot deliver").because(error))
}
