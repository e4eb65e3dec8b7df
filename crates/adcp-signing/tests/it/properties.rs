//! What holds of messages and addresses whatever they are.

use std::sync::Arc;

use adcp_signing::{
    Algorithm, Alphabet, Fault, Jwks, LocalSigner, MemoryReplayStore, Message, Profile, SignedHeaders,
    TargetUri, UnixTime, Verified, Verifier, VerifyError, sign_webhook,
};
use proptest::prelude::*;

use crate::fixture::{BODY, NOW, URL, message, signing, verifier, webhook_key};

/// Memory answers at once: no test here needs more than this of a runtime.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Everything that arrives, to be bent.
#[derive(Debug, Clone)]
struct Parts {
    method: Vec<u8>,
    url: Vec<u8>,
    body: Vec<u8>,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl Parts {
    fn of(fields: &SignedHeaders) -> Self {
        let all = [("content-type", "application/json")].into_iter().chain(fields.iter());
        let fields = all.map(|(name, value)| (name, value.as_bytes().to_vec())).collect();
        Self { method: b"POST".to_vec(), url: URL.into(), body: BODY.into(), fields }
    }

    /// Every byte of every part, one after the other.
    fn at(&mut self, mut at: usize) -> Option<(&'static str, &mut u8)> {
        let fixed = [("method", &mut self.method), ("url", &mut self.url), ("body", &mut self.body)];
        for (name, part) in fixed.into_iter().chain(self.fields.iter_mut().map(|(name, part)| (*name, part)))
        {
            match at.checked_sub(part.len()) {
                Some(rest) => at = rest,
                None => return Some((name, &mut part[at])),
            }
        }
        None
    }

    /// `None` where a server would find no request at all.
    async fn verify(&self, key: &LocalSigner) -> Option<Result<Verified, VerifyError>> {
        let (method, url) = (std::str::from_utf8(&self.method).ok()?, std::str::from_utf8(&self.url).ok()?);
        let fields = self.fields.iter().map(|(name, value)| (*name, &value[..]));
        let message = Message::new(method, url, &self.body).with_headers(fields);
        Some(verifier(Profile::Webhook, &[key]).verify(&message, NOW).await)
    }
}

#[tokio::test]
async fn no_bit_of_what_is_signed_can_be_turned() {
    let key = webhook_key();
    let signed = Parts::of(&sign_webhook(&key, &message(), NOW).await.unwrap());
    assert!(signed.verify(&key).await.unwrap().is_ok());
    let (mut tried, mut passed) = (0, Vec::new());
    for at in 0.. {
        if signed.clone().at(at).is_none() {
            break;
        }
        for bit in 0..8 {
            let mut bent = signed.clone();
            let (part, byte) = bent.at(at).unwrap();
            *byte ^= 1 << bit;
            let Some(found) = bent.verify(&key).await else { continue };
            tried += 1;
            match found {
                Ok(_) => passed.push((part, at, bit)),
                Err(error) => {
                    let fault = error.rejection().expect("the sender is at fault").fault;
                    let fits: &[Fault] = match part {
                        "method" => &[Fault::Invalid],
                        "url" => &[Fault::Invalid, Fault::TargetUriMalformed],
                        "body" => &[Fault::DigestMismatch],
                        "content-type" => &[Fault::Invalid, Fault::HeaderMalformed],
                        "content-digest" => &[Fault::Invalid, Fault::HeaderMalformed],
                        "signature" => &[Fault::Invalid, Fault::HeaderMalformed],
                        _ => &[
                            Fault::HeaderMalformed,
                            Fault::ParamsIncomplete,
                            Fault::TagInvalid,
                            Fault::AlgNotAllowed,
                            Fault::WindowInvalid,
                            Fault::ComponentsIncomplete,
                            Fault::ComponentsUnexpected,
                            Fault::KeyUnknown,
                            Fault::Invalid,
                        ],
                    };
                    assert!(fits.contains(&fault), "{part} {at} {bit}: {fault:?}");
                }
            }
        }
    }
    // Letters of the method, the scheme and the host, in the other case.
    let letters = "POST".len() + "https".len() + "buyerexample".len();
    let other_case = |(part, _, bit): &(&str, usize, u8)| *bit == 5 && ["method", "url"].contains(part);
    assert!(passed.len() == letters && passed.iter().all(other_case), "{passed:?}");
    assert!(tried > 3_500, "{tried}");
}

fn json_type() -> impl Strategy<Value = String> {
    "[a-z]{1,8}/[a-z+.-]{1,8}(; ?[a-z]{1,6}=([a-z0-9-]{1,6}|\"[ -!#-\\[\\]-~]{0,6}\"))?"
}

proptest! {
    #[test]
    fn whatever_is_signed_passes_once_and_says_what_it_said(
        profile in prop::sample::select(vec![Profile::Webhook, Profile::Request]),
        algorithm in prop::sample::select(vec![Algorithm::Ed25519, Algorithm::EcdsaP256Sha256]),
        alphabet in prop::sample::select(vec![Alphabet::UrlSafe, Alphabet::Standard]),
        keyid in "[ -~]{1,40}", method in "[A-Za-z]{1,7}", content_type in json_type(),
        host in "[a-zA-Z0-9]{1,6}(\\.[a-zA-Z]{1,6}){0,2}", path in "(/[a-zA-Z0-9._~!$&'()*+,;=:@/-]{0,20})?",
        query in "(\\?[!-\"$-\\[\\]-~]{0,20})?", body in "[ -~]{0,20}", secs in 0..4_000_000_000_i64,
        lifetime in 0_u64..400, late in -60_i64..=60,
    ) {
        let key = LocalSigner::generate(algorithm, profile.key_use(), &*keyid).unwrap();
        let url = format!("https://{host}{path}{query}");
        let body = serde_json::json!({ "said": body }).to_string();
        let message =
            || Message::new(&method, &url, body.as_bytes()).with_header("content-type", &content_type);
        let now = UnixTime::from_secs(secs);
        block_on(async {
            let signing = signing(profile)
                .with_alphabet(alphabet)
                .with_lifetime(std::time::Duration::from_secs(lifetime));
            let fields = signing.sign(&key, &message(), now).await.unwrap();
            let received =
                message().with_headers(fields.iter().map(|(name, value)| (name, value.as_bytes())));
            let then = UnixTime::from_secs(secs + if late < 0 { late } else { lifetime.clamp(1, 300) as i64 + late });
            let verifier = verifier(profile, &[&key]);
            let verified = verifier.verify(&received, then).await.unwrap();
            prop_assert_eq!((&verified.keyid, verified.algorithm), (&keyid, algorithm));
            prop_assert_eq!((verified.created, verified.verified_at), (now, then));
            prop_assert_eq!(verified.expires.as_secs(), secs + lifetime.clamp(1, 300) as i64);
            let again = verifier.verify(&received, then).await.unwrap_err();
            prop_assert_eq!(again.rejection().unwrap().fault, Fault::Replayed);
            Ok(())
        })?;
    }

    #[test]
    fn bytes_of_a_stranger_are_answered(
        input: Vec<u8>, signature: Vec<u8>, digest: Vec<u8>, url: String, body: Vec<u8>,
        labels in prop::bool::ANY,
    ) {
        // Half of them come as far as what stands behind the label.
        let name = |field: Vec<u8>| if labels { [&b"sig1="[..], &field].concat() } else { field };
        let (input, signature) = (name(input), name(signature));
        let message = Message::new("POST", &url, &body).with_headers([
            ("content-type", &b"application/json"[..]),
            ("content-digest", &digest),
            ("signature-input", &input),
            ("signature", &signature),
        ]);
        let keys = Arc::new(Jwks::default());
        let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(9)));
        let refused = block_on(verifier.verify(&message, NOW)).unwrap_err();
        prop_assert!(refused.rejection().is_some());
    }

    #[test]
    fn addresses_that_name_different_things_stay_different(
        one in named(), other in named(), dress in 0_usize..6,
    ) {
        let (first, second) = (one.parse(), other.parse());
        prop_assert_eq!(first == second, one == other, "{} {}", first, second);
        // And one thing has one form, however it is written.
        prop_assert_eq!(TargetUri::parse(&one.dressed(dress)).unwrap(), first);
    }
}

/// What an address names: scheme, host, port, the parts of its path, and its query.
#[derive(Debug, Clone, PartialEq)]
struct Named(&'static str, String, Option<u16>, Vec<Vec<u8>>, Option<String>);

/// Few things, so that two of them often agree in all but one.
fn named() -> impl Strategy<Value = Named> {
    let segment =
        prop::sample::select(vec!["", "a", "A", "b", "a/b", "a%", "~", " ", "é", "a.", "..a", ":", "?", "#"]);
    let query = prop::sample::select(vec!["", "a", "%61", "A", "b&a", "a&b", "a+b", "a%20b", "/../a", "?"]);
    (
        prop::sample::select(vec!["http", "https"]),
        prop::sample::select(vec!["a.example", "b.example", "a.example.", "aexample", "[::1]", "127.0.0.1"]),
        prop::sample::select(vec![None, None, Some(8080), Some(808)]),
        prop::collection::vec(segment.prop_map(|it| it.as_bytes().to_vec()), 1..4),
        prop::option::of(query.prop_map(str::to_owned)),
    )
        .prop_map(|(scheme, host, port, path, query)| Named(scheme, host.into(), port, path, query))
}

impl Named {
    fn parse(&self) -> TargetUri {
        TargetUri::parse(
            &self.written(&self.1, |byte| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte)),
        )
        .unwrap()
    }

    /// The address, with these bytes of its path escaped.
    fn written(&self, host: &str, escapes: impl Fn(u8) -> bool) -> String {
        let Self(scheme, _, port, path, query) = self;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let mut out = format!("{scheme}://{host}{port}");
        for segment in path {
            out.push('/');
            for byte in segment {
                if escapes(*byte) {
                    out.push_str(&format!("%{byte:02x}"));
                } else {
                    out.push(char::from(*byte));
                }
            }
        }
        out.extend(query.iter().flat_map(|query| ["?", query]));
        out
    }

    /// The same in other words.
    fn dressed(&self, dress: usize) -> String {
        let reserved = |byte: u8| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte);
        let plain = self.written(&self.1, reserved);
        match dress {
            0 => self.written(&self.1, |_| true),
            1 => self.written(&self.1.to_uppercase(), reserved).replacen("http", "HtTp", 1),
            2 => format!("{plain}#a?b/../c"),
            3 => plain.replacen("://", "://u:p@", 1),
            4 if self.2.is_none() => {
                let port = if self.0 == "http" { 80 } else { 443 };
                self.written(&format!("{}:{port}", self.1), reserved)
            }
            _ => {
                let start = plain.find('/').map_or(0, |at| at + 2);
                let path = plain[start..].find('/').map_or(plain.len(), |at| start + at);
                format!("{}/x/%2e%2E/.{}", &plain[..path], &plain[path..])
            }
        }
    }
}
