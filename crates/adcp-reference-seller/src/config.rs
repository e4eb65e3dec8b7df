//! What a seller is told when it is set up.

use std::time::Duration;

/// Settings of a [`ReferenceSeller`](crate::ReferenceSeller).
///
/// ```
/// use std::time::Duration;
///
/// use adcp_reference_seller::SellerConfig;
///
/// let config = SellerConfig::new("http://127.0.0.1:3000/mcp")
///     .with_review_threshold(10_000)
///     .with_review_delay(Duration::from_secs(2))
///     .with_sandbox(true);
/// assert!(config.is_sandbox());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SellerConfig {
    pub(crate) agent_url: String,
    pub(crate) review_threshold: Option<u64>,
    pub(crate) review_delay: Duration,
    pub(crate) sandbox: bool,
}

impl SellerConfig {
    /// A live seller that buyers reach at `agent_url`, an absolute URL; it names the seller's creative formats.
    #[must_use]
    pub fn new(agent_url: impl Into<String>) -> Self {
        Self {
            agent_url: agent_url.into(),
            review_threshold: Some(50_000),
            review_delay: Duration::from_secs(3),
            sandbox: false,
        }
    }

    /// Guaranteed orders from this total on wait for a reviewer. In whole units of the order's currency; 50,000 at first.
    #[must_use]
    pub const fn with_review_threshold(mut self, total: u64) -> Self {
        self.review_threshold = Some(total);
        self
    }

    /// Confirms every order at once.
    #[must_use]
    pub const fn without_review(mut self) -> Self {
        self.review_threshold = None;
        self
    }

    /// Time the reviewer takes to approve; 3 seconds at first.
    #[must_use]
    pub const fn with_review_delay(mut self, delay: Duration) -> Self {
        self.review_delay = delay;
        self
    }

    /// Whether this deployment is for trials; not at first.
    ///
    /// A sandbox opens accounts on first use, moves flights that lie in the past to begin now, and sells test products.
    #[must_use]
    pub const fn with_sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// Where buyers reach the seller.
    #[must_use]
    pub fn agent_url(&self) -> &str {
        &self.agent_url
    }

    /// Whether this deployment is for trials.
    #[must_use]
    pub const fn is_sandbox(&self) -> bool {
        self.sandbox
    }
}
