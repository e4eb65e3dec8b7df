//! Signatures made and checked per second, on one thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adcp_signing::{
    Algorithm, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, SignedHeaders, UnixTime, Verifier,
    sign_webhook,
};
use anyhow::ensure;

use super::Plan;
use super::event::Hook;

/// Signatures that are made before as many are checked.
const BATCH: usize = 500;
const URL: &str = "https://buyer.example/hooks/1";
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

pub(super) async fn run(plan: &Plan) -> anyhow::Result<()> {
    let body = Hook::new(1, 443)?.body;
    let message =
        || Message::new("POST", URL, body.as_bytes()).with_header("content-type", "application/json");
    for (name, algorithm) in [("Ed25519", Algorithm::Ed25519), ("ES256", Algorithm::EcdsaP256Sha256)] {
        let key = LocalSigner::generate(algorithm, KeyUse::WebhookSigning, "bench-1")?;
        let (mut signing, mut checking, mut done) = (Duration::ZERO, Duration::ZERO, 0_u32);
        let window = Duration::from_secs(u64::from(plan.seconds));
        while signing + checking < window * 2 {
            let begun = Instant::now();
            let mut signed: Vec<SignedHeaders> = Vec::with_capacity(BATCH);
            for _ in 0..BATCH {
                signed.push(sign_webhook(&key, &message(), NOW).await?);
            }
            signing += begun.elapsed();
            // A store of nonces for each batch: one that is full refuses.
            let keys = Arc::new(Jwks::new([key.jwk()]));
            let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(BATCH)));
            let begun = Instant::now();
            for fields in &signed {
                let fields = fields.iter().map(|(name, value)| (name, value.as_bytes()));
                let verified = verifier.verify(&message().with_headers(fields), NOW).await?;
                ensure!(verified.keyid == "bench-1", "another key");
            }
            checking += begun.elapsed();
            done += BATCH as u32;
        }
        let rate = |took: Duration| f64::from(done) / took.as_secs_f64();
        println!(
            "{name}, body of {} bytes, one thread: {:.0} signed/s, {:.0} verified/s",
            body.len(),
            rate(signing),
            rate(checking)
        );
    }
    Ok(())
}
