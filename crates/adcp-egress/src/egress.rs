//! The way out itself.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Response as Answer;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::config::EgressBuilder;
use crate::connect::{Connection, Connector};
use crate::counters::{Counters, Counts};
use crate::error::{Cause, EgressError, Stage};
use crate::policy::Policy;
use crate::pool::Pool;
use crate::progress::{Progress, Trouble};
use crate::resolve::Resolve;
use crate::url::{Host, Url};
use crate::{Limits, Refusal, Request, Response};

/// The most addresses that a name may lead to. More is an attempt to hide one.
const MAX_ADDRESSES: usize = 64;

/// The way out to every address that the other side supplies. Cheap to clone; clones share their connections.
///
/// There is no other way for such an address: what this refuses is not called.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    connector: Connector,
    pool: Arc<Pool>,
    counters: Counters,
}

impl Egress {
    /// Sets up a way out.
    pub fn builder() -> EgressBuilder {
        EgressBuilder::new()
    }

    pub(crate) fn assemble(
        policy: Policy,
        resolver: Arc<dyn Resolve>,
        connector: Connector,
        pool: Arc<Pool>,
    ) -> Self {
        Self(Arc::new(Inner { policy, resolver, connector, pool, counters: Counters::default() }))
    }

    /// Judges a url by how it is written, without asking anybody: for the moment when it is registered.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with what would be right.
    pub fn admits(&self, url: &str) -> Result<Url, Refusal> {
        self.0.policy.admit(url)
    }

    /// Sends a request and reads the answer, whatever its status is.
    ///
    /// The url is judged again, and so is every address that its host leads to. Redirects are returned.
    ///
    /// # Errors
    ///
    /// [`EgressError`], with its [class](EgressError::class).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it closes the connection. The other side may have received the request.
    pub async fn send(&self, request: Request, limits: Limits) -> Result<Response, EgressError> {
        let this = &self.0;
        let refused = |refusal| {
            this.counters.refused.fetch_add(1, Ordering::Relaxed);
            EgressError::Refused(refusal)
        };
        let url = self.admits(&request.url).map_err(refused)?;
        let request = request.into_http(&url).map_err(EgressError::Misused)?;
        let mut progress = Progress::new();
        let exchange = Box::pin(this.exchange(&url, request, &limits, &mut progress));
        let outcome = timeout(limits.total, exchange).await.unwrap_or_else(|_| Err(Cause::TimedOut.into()));
        let outcome = outcome.map_err(|trouble| match trouble {
            Trouble::Refused(refusal) => refused(refusal),
            failed => progress.into_error(failed),
        });
        match &outcome {
            Ok(answer) => tracing::debug!(
                origin = url.origin(), status = answer.status, peer = %answer.peer, reused = answer.reused, "answered"
            ),
            Err(error) => tracing::debug!(origin = url.origin(), %error, "not answered"),
        }
        outcome
    }

    /// What has been done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("policy", &self.0.policy)
            .field("resolver", &self.0.resolver)
            .field("pool", &self.0.pool)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl Inner {
    async fn exchange(
        &self,
        url: &Url,
        request: http::Request<Full<Bytes>>,
        limits: &Limits,
        progress: &mut Progress,
    ) -> Result<Response, Trouble> {
        let mut connection = self.connection(url, limits, progress).await?;
        progress.enter(Stage::Head);
        progress.peer = Some(connection.peer);
        progress.watch(&connection.received);
        let answer = within(limits.head, connection.sender.send_request(request)).await?;
        if head_bytes(&answer) > self.connector.max_head_bytes {
            return Err(Cause::TooLarge.into());
        }
        progress.status = Some(answer.status().as_u16());
        progress.enter(Stage::Body);
        let mut response = read(answer, connection.peer, limits).await?;
        response.reused = progress.reused;
        response.timings = progress.timings();
        // What is left unread would be taken for the next answer.
        if !response.truncated {
            self.pool.put(url.origin(), connection);
        }
        Ok(response)
    }

    /// A connection to an address that was checked: now, or when the connection was opened.
    async fn connection(
        &self,
        url: &Url,
        limits: &Limits,
        progress: &mut Progress,
    ) -> Result<Connection, Trouble> {
        if let Some(connection) = self.pool.take(url.origin()).await {
            self.counters.reused.fetch_add(1, Ordering::Relaxed);
            progress.reused = true;
            return Ok(connection);
        }
        let addresses = match url.host() {
            // Judged with the url.
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolve(name, limits.resolve, progress).await?,
        };
        self.policy.check_resolved(&addresses, url.is_secure()).map_err(|refusal| {
            tracing::warn!(
                origin = url.origin(),
                ?refusal,
                "the name leads to addresses that are not called"
            );
            Trouble::Refused(refusal)
        })?;
        self.connector.connect(url, &addresses, limits, &self.counters, progress).await
    }

    async fn resolve(
        &self,
        name: &str,
        limit: Duration,
        progress: &mut Progress,
    ) -> Result<Vec<IpAddr>, Trouble> {
        progress.enter(Stage::Resolve);
        self.counters.resolved.fetch_add(1, Ordering::Relaxed);
        match timeout(limit, self.resolver.resolve(name)).await {
            Ok(Ok(addresses)) if (1..=MAX_ADDRESSES).contains(&addresses.len()) => Ok(addresses),
            Ok(Ok(addresses)) => {
                let source = format!("the name leads to {} addresses", addresses.len()).into();
                Err(Trouble::Failed(Cause::Unresolved, Some(source)))
            }
            Ok(Err(error)) => Err(Trouble::Failed(Cause::Unresolved, Some(Box::new(error)))),
            Err(_) => Err(Cause::TimedOut.into()),
        }
    }
}

async fn within<T>(limit: Duration, step: impl Future<Output = hyper::Result<T>>) -> Result<T, Trouble> {
    match timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Trouble::Failed(cause_of(&error), Some(Box::new(error)))),
        Err(_) => Err(Cause::TimedOut.into()),
    }
}

async fn read(
    answer: Answer<Incoming>,
    peer: std::net::SocketAddr,
    limits: &Limits,
) -> Result<Response, Trouble> {
    let (head, mut incoming) = answer.into_parts();
    let mut body = Vec::new();
    let read_body = async {
        while let Some(frame) = incoming.frame().await {
            // Trailers carry nothing that anybody here asks for.
            let Ok(data) = frame?.into_data() else { continue };
            let room = limits.body_bytes - body.len();
            if data.len() > room {
                body.extend_from_slice(&data[..room]);
                return Ok(true);
            }
            body.extend_from_slice(&data);
        }
        Ok(false)
    };
    let truncated = within(limits.body, read_body).await?;
    let headers = head.headers.iter();
    Ok(Response {
        status: head.status.as_u16(),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
        body,
        truncated,
        peer,
        reused: false,
        timings: crate::Timings::default(),
    })
}

/// What is over the bound may still have come with the last bytes that were under it.
fn head_bytes(answer: &Answer<Incoming>) -> usize {
    answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

fn cause_of(error: &hyper::Error) -> Cause {
    use std::error::Error as _;
    use std::io::{Error, ErrorKind};

    let io = error.source().and_then(|source| source.downcast_ref::<Error>()).map(Error::kind);
    if error.is_parse_too_large() {
        Cause::TooLarge
    } else if error.is_parse() || matches!(io, Some(ErrorKind::InvalidData | ErrorKind::InvalidInput)) {
        Cause::Malformed
    } else {
        Cause::Closed
    }
}
