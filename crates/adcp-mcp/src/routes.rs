//! What else is served beside the agent: services that the server mounts under a prefix of their own.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use crate::rpc::{Answer, plain};

/// What the server answers itself. Nothing is mounted there, above it or below it.
const TAKEN: [&str; 3] = ["/mcp", "/healthz", "/.well-known"];

type Whole = Response<Bytes>;

/// The mounted services, each under its prefix.
#[derive(Default)]
pub(crate) struct Routes(Vec<(String, Box<dyn Mounted>)>);

/// A service whose type does not matter any more.
trait Mounted: Send + Sync {
    fn call(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Whole> + Send>>;
}

/// A service that is cloned for each request, as tower's are meant to be.
struct Cloned<S>(S);

impl<S> Mounted for Cloned<S>
where
    S: Service<Request<Bytes>, Response = Whole, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    fn call(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Whole> + Send>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            let Ok(()) = std::future::poll_fn(|context| service.poll_ready(context)).await;
            let Ok(answer) = service.call(request).await;
            answer
        })
    }
}

impl Routes {
    pub(crate) fn mount<S>(&mut self, prefix: String, service: S)
    where
        S: Service<Request<Bytes>, Response = Whole, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        self.0.push((prefix, Box::new(Cloned(service))));
    }

    /// Whether something is mounted over this path.
    pub(crate) fn cover(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Lets the service over the path of a request answer it, in a task of its own: a caller who hangs up interrupts
    /// nothing.
    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Answer {
        let Some(service) = self.find(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND, "nothing is served here");
        };
        match tokio::spawn(service.call(request)).await {
            Ok(answer) => answer.map(Full::new),
            Err(error) => {
                tracing::error!(%error, "a mounted service did not answer");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered")
            }
        }
    }

    fn find(&self, path: &str) -> Option<&dyn Mounted> {
        let found = self.0.iter().find(|(prefix, _)| is_within(path, prefix));
        found.map(|(_, service)| &**service)
    }

    /// What is wrong with the prefixes.
    pub(crate) fn fault(&self) -> Option<String> {
        self.0.iter().enumerate().find_map(|(at, (prefix, _))| {
            if !is_prefix(prefix) {
                return Some(format!(
                    "has the prefix `{prefix}`, which is not of the form `/name` or `/name/name` with letters, \
                     digits, `-`, `_`, `.` and `~`"
                ));
            }
            let earlier = self.0[..at].iter().map(|(prefix, _)| prefix.as_str());
            let meets = TAKEN.into_iter().chain(earlier).find(|other| meet(prefix, other))?;
            Some(format!("has the prefix `{prefix}`, which meets `{meets}`; take another one"))
        })
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(prefix, _)| prefix)).finish()
    }
}

fn is_within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn meet(one: &str, other: &str) -> bool {
    is_within(one, other) || is_within(other, one)
}

fn is_prefix(text: &str) -> bool {
    let word = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        !matches!(part, "" | "." | "..") && part.chars().all(fits)
    };
    text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Nothing;

    impl Service<Request<Bytes>> for Nothing {
        type Response = Whole;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Whole, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Bytes>) -> Self::Future {
            std::future::ready(Ok(Response::new(Bytes::new())))
        }
    }

    fn routes(prefixes: &[&str]) -> Routes {
        let mut routes = Routes::default();
        for prefix in prefixes {
            routes.mount((*prefix).to_owned(), Nothing);
        }
        routes
    }

    #[test]
    fn prefixes_are_words_and_meet_neither_the_agent_nor_each_other() {
        for good in [&["/admin"][..], &["/a/b", "/a/c"], &["/mcp-admin", "/admin"], &[]] {
            assert_eq!(routes(good).fault(), None, "{good:?}");
        }
        for bad in [
            &[""][..],
            &["/"],
            &["admin"],
            &["/admin/"],
            &["//admin"],
            &["/a?b"],
            &["/a%20b"],
            &["/a/../mcp"],
            &["/mcp"],
            &["/mcp/admin"],
            &["/healthz"],
            &["/.well-known/brand.json"],
            &["/a", "/a"],
            &["/a/b", "/a"],
        ] {
            let fault = routes(bad).fault();
            assert!(
                fault.as_ref().is_some_and(|words| words.contains(bad[bad.len() - 1])),
                "{bad:?}: {fault:?}"
            );
        }
    }

    #[test]
    fn a_prefix_covers_itself_and_what_is_below() {
        let routes = routes(&["/admin"]);
        for (path, covered) in
            [("/admin", true), ("/admin/", true), ("/admin/x", true), ("/administer", false), ("/", false)]
        {
            assert_eq!(routes.cover(path), covered, "{path}");
        }
    }
}
