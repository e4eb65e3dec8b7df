//! The receiver as a layer in front of a service.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use adcp_core::BoxError;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tower_layer::Layer;
use tower_service::Service;

use super::{Agreements, Answer, Incoming, Opened, WebhookReceiver};

/// Puts a receiver in front of a service, which then sees authentic and new webhooks only.
///
/// The service finds the [`Webhook`](super::Webhook) among the extensions of its request. When it answers with 2xx, the event is
/// remembered as received; any other answer leaves it to the next delivery.
#[derive(Debug, Clone)]
pub struct ReceiveLayer {
    receiver: WebhookReceiver,
    agreements: Arc<dyn Agreements>,
}

impl ReceiveLayer {
    /// Receives what was agreed.
    #[must_use]
    pub fn new(receiver: WebhookReceiver, agreements: impl Agreements) -> Self {
        Self { receiver, agreements: Arc::new(agreements) }
    }
}

impl<S> Layer<S> for ReceiveLayer {
    type Service = Receive<S>;

    fn layer(&self, inner: S) -> Receive<S> {
        Receive { inner, layer: self.clone() }
    }
}

/// A service behind a receiver.
#[derive(Debug, Clone)]
pub struct Receive<S> {
    inner: S,
    layer: ReceiveLayer,
}

impl<S, In, Sent> Service<Request<In>> for Receive<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Sent>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    In: http_body::Body + Send + 'static,
    In::Data: Send,
    In::Error: Into<BoxError>,
    Sent: From<Bytes> + Send + 'static,
{
    type Response = Response<Sent>;
    /// A service that fails is answered for: its sender comes again.
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The service behind is asked once there is something for it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let (layer, inner) = (self.layer.clone(), self.inner.clone());
        Box::pin(async move { Ok(layer.serve(inner, request).await) })
    }
}

impl ReceiveLayer {
    async fn serve<S, In, Sent>(self, mut inner: S, request: Request<In>) -> Response<Sent>
    where
        S: Service<Request<Full<Bytes>>, Response = Response<Sent>>,
        S::Error: Into<BoxError>,
        In: http_body::Body,
        In::Error: Into<BoxError>,
        Sent: From<Bytes>,
    {
        if request.method() != Method::POST {
            return respond(Answer::not_posted());
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let agreement = match self.agreements.agreed(&target).await {
            Ok(Some(agreement)) => agreement,
            Ok(None) => return respond(Answer::nothing_there()),
            Err(error) => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "what was agreed could not be found"
                );
                return respond(Answer::busy());
            }
        };
        let (mut head, body) = request.into_parts();
        let body = match Limited::new(body, self.receiver.max_body()).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return respond(Answer::too_large()),
            Err(_) => return respond(Answer::busy()),
        };
        let opened = {
            let headers: Vec<(&str, &[u8])> =
                head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let incoming = Incoming { target: &target, headers: &headers, body: &body };
            self.receiver.open(&agreement, incoming).await
        };
        let (webhook, claimed) = match opened {
            Opened::New(webhook, claimed) => (webhook, claimed),
            Opened::Answer(answer) => return respond(answer),
        };
        head.extensions.insert(*webhook);
        let ready = std::future::poll_fn(|context| inner.poll_ready(context).map_err(Into::into)).await;
        let answered: Result<_, BoxError> = match ready {
            Ok(()) => inner.call(Request::from_parts(head, Full::new(body))).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        match answered {
            Ok(response) if response.status().is_success() => {
                let remembered = self.receiver.finish(&claimed).await;
                if remembered.status == 200 { response } else { respond(remembered) }
            }
            Ok(response) => {
                self.receiver.give_up(&claimed).await;
                response
            }
            Err(error) => {
                tracing::warn!(error = &*error as &dyn std::error::Error, "a webhook was not taken in");
                respond(self.receiver.give_up(&claimed).await)
            }
        }
    }
}

fn respond<Sent: From<Bytes>>(answer: Answer) -> Response<Sent> {
    let mut response = Response::new(Bytes::from(answer.body).into());
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("answers have statuses of HTTP");
    for (name, value) in answer.headers {
        let value = HeaderValue::try_from(value).expect("answers have printable header fields");
        response.headers_mut().insert(name, value);
    }
    response
}
