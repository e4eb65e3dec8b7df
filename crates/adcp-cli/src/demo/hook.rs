//! Where the buyer hears of its task: an address that takes webhooks, and verifies them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use adcp_egress::Egress;
use adcp_mcp::WellKnown;
use adcp_signing::{DEFAULT_WEBHOOK_NONCES, MemoryReplayStore, Verifier};
use adcp_webhooks::{Agreement, Answer, Incoming, MemoryDedup, RemoteJwks, Webhook, WebhookReceiver};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::exit::{Exit, Failure};
use crate::webhooks::http::{self, Reply};

/// What the buyer calls the order whose end it wants to hear of.
pub(super) const OPERATION: &str = "demo-reviewed-order";

/// The longest that an authentic webhook is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// An address of the buyer.
pub(super) struct Hook {
    pub(super) url: String,
    /// Where the seller's keys are.
    pub(super) jwks_uri: String,
    heard: mpsc::UnboundedReceiver<Webhook>,
}

impl Hook {
    /// Opens an address for webhooks of the seller at `seller`, whose keys are fetched where it publishes them.
    pub(super) async fn open(seller: &str) -> Result<Self, Failure> {
        let broken = |error: anyhow::Error| Failure::new(Exit::Broken, "cannot take webhooks").because(error);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| broken(error.into()))?;
        let origin = format!("http://{}", listener.local_addr().map_err(|error| broken(error.into()))?);
        let at = WellKnown::of(seller).ok_or_else(|| broken(anyhow::anyhow!("the seller has no address")))?;
        let egress = Egress::builder().allow_loopback_http().build().map_err(|error| broken(error.into()))?;
        let keys = RemoteJwks::new(egress, &at.jwks_uri).map_err(|error| broken(error.into()))?;
        let store = Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES));
        let desk = Desk {
            agreement: Agreement::signed("seller", Verifier::webhooks(Arc::new(keys), store))
                .with_operation_id(OPERATION),
            receiver: WebhookReceiver::new(&origin, MemoryDedup::new()),
        };
        let (told, heard) = mpsc::unbounded_channel();
        // It ends with the demo.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever hangs up sends again.
                let _ = desk.take(stream, &told).await;
            }
        });
        Ok(Self { url: format!("{origin}/webhooks"), jwks_uri: at.jwks_uri, heard })
    }

    /// Waits for the next authentic webhook.
    pub(super) async fn next(&mut self) -> Option<Webhook> {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.ok().flatten()
    }
}

/// What was agreed with the seller, and who keeps to it.
struct Desk {
    agreement: Agreement,
    receiver: WebhookReceiver,
}

impl Desk {
    async fn take(&self, mut stream: TcpStream, told: &mpsc::UnboundedSender<Webhook>) -> io::Result<()> {
        let Ok(request) = http::read(&mut stream).await else { return Ok(()) };
        let headers: Vec<(&str, &[u8])> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let incoming = Incoming { target: &request.target, headers: &headers, body: &request.body };
        let taken = |webhook: Webhook| async move { told.send(webhook).map_err(adcp_core::BoxError::from) };
        let Answer { status, headers, body, .. } =
            self.receiver.receive(&self.agreement, incoming, taken).await;
        http::answer(&mut stream, &Reply { status, headers, body }).await
    }
}
