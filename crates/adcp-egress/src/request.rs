//! What is sent.

use std::fmt;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::Full;

use crate::error::Misuse;
use crate::url::Url;

/// What is asked of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Delivers.
    Post,
}

/// A request to an address that the other side supplied. `Debug` shows no value of a header, and no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Where; [`Egress::send`](crate::Egress::send) judges it again.
    pub url: String,
    /// Names and values, beside those that describe the connection: they are not the caller's to set.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads `url`.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Delivers `body` to `url`.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: Method::Post, url: url.into(), headers: Vec::new(), body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn into_http(self, url: &Url) -> Result<http::Request<Full<Bytes>>, Misuse> {
        let mut request = http::Request::new(Full::new(Bytes::from(self.body)));
        *request.method_mut() = match self.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        *request.uri_mut() = url.path_and_query().clone().into();
        *request.headers_mut() = read_headers(&self.headers)?;
        let host = HeaderValue::from_str(url.authority()).expect("an authority is made of visible ASCII");
        request.headers_mut().insert(http::header::HOST, host);
        Ok(request)
    }
}

/// Headers that describe the connection or the host, which follow from the url and the body.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn read_headers(headers: &[(String, String)]) -> Result<HeaderMap, Misuse> {
    let mut read = HeaderMap::with_capacity(headers.len() + 3);
    for (name, value) in headers {
        let Ok(header) = HeaderName::try_from(name) else { return Err(Misuse::HeaderName(name.clone())) };
        if RESERVED.contains(&header.as_str()) {
            return Err(Misuse::Reserved(name.clone()));
        }
        let Ok(value) = HeaderValue::try_from(value) else { return Err(Misuse::HeaderValue(name.clone())) };
        read.append(header, value);
    }
    let agent = HeaderValue::from_static(concat!("adcp-rust/", env!("CARGO_PKG_VERSION")));
    read.entry(http::header::USER_AGENT).or_insert(agent);
    read.entry(http::header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    Ok(read)
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &Url::parse(&self.url).map_err(|refusal| refusal.part()))
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
