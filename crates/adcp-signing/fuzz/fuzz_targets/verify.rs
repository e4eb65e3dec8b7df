//! Whatever arrives with a webhook: the verifier answers, and lets nothing pass but the one message that was signed.

#![no_main]

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use adcp_signing::{
    Alphabet, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, Signer, TargetUri, UnixTime, Verified,
    Verifier, VerifyError, content_digest,
};
use libfuzzer_sys::fuzz_target;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const URL: &str = "https://buyer.example/hooks/7?a=b";
const BODY: &str = r#"{"idempotency_key":"whk_0123456789abcdef","status":"completed"}"#;

/// RFC 9421, appendix B.1.4.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
";

/// The one message, the same in every run.
struct Signed {
    key: LocalSigner,
    fields: Fields,
    verified: Verified,
}

/// What is bent: address, body, and the header fields.
#[derive(Clone)]
struct Fields {
    url: Vec<u8>,
    body: Vec<u8>,
    content_type: Vec<u8>,
    digest: Vec<u8>,
    input: Vec<u8>,
    signature: Vec<u8>,
}

impl Fields {
    fn at(&mut self, which: u8) -> &mut Vec<u8> {
        // The signature's own fields are bent more often than the others.
        match which % 9 {
            0 => &mut self.url,
            1 => &mut self.body,
            2 => &mut self.content_type,
            3 | 4 => &mut self.digest,
            5 | 6 => &mut self.signature,
            _ => &mut self.input,
        }
    }
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let key = LocalSigner::from_pem(KEY, KeyUse::WebhookSigning, "k").expect("the key of the RFC is one");
    let digest = content_digest(BODY.as_bytes(), Alphabet::Standard);
    let covered = "(\"@method\" \"@target-uri\" \"@authority\" \"content-type\" \"content-digest\");\
                   created=1800000000;expires=1800000300;nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";keyid=\"k\";\
                   alg=\"ed25519\";tag=\"adcp/webhook-signing/v1\"";
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": {URL}\n\"@authority\": buyer.example\n\
         \"content-type\": application/json\n\"content-digest\": {digest}\n\"@signature-params\": {covered}"
    );
    let signature = now(key.sign(base.as_bytes())).expect("a local key signs");
    let signature = base64(&signature);
    let fields = Fields {
        url: URL.into(),
        body: BODY.into(),
        content_type: b"application/json".to_vec(),
        digest: digest.into_bytes(),
        input: format!("sig1={covered}").into_bytes(),
        signature: format!("sig1=:{signature}:").into_bytes(),
    };
    let verified = verify(&key, &fields).expect("what was signed passes");
    Signed { key, fields, verified }
});

fuzz_target!(|bent: (Vec<(u8, u16, u8, &[u8])>, Option<&[u8]>, Option<&[u8]>, Option<&[u8]>)| {
    let (edits, input, signature, digest) = bent;
    let signed = &*SIGNED;
    let mut fields = signed.fields.clone();
    let whole =
        [(&mut fields.input, input), (&mut fields.signature, signature), (&mut fields.digest, digest)];
    for (field, replaced) in whole {
        if let Some(replaced) = replaced {
            *field = replaced.to_vec();
        }
    }
    for (which, at, cut, with) in edits {
        let field = fields.at(which);
        let at = usize::from(at) % (field.len() + 1);
        let end = (at + usize::from(cut % 8)).min(field.len());
        field.splice(at..end, with.iter().copied());
    }
    let Ok(found) = verify(&signed.key, &fields) else { return };
    // Whatever passes says what was signed: of every part that is covered, and of the signature itself.
    assert_eq!(found, signed.verified);
    assert_eq!(fields.body, signed.fields.body);
    assert_eq!(fields.content_type.trim_ascii(), signed.fields.content_type);
    assert_eq!(fields.digest.trim_ascii(), signed.fields.digest);
    let url = str::from_utf8(&fields.url).expect("an address is text");
    assert_eq!(TargetUri::parse(url), TargetUri::parse(URL));
});

fn verify(key: &LocalSigner, fields: &Fields) -> Result<Verified, VerifyError> {
    let verifier = Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), Arc::new(MemoryReplayStore::new(2)));
    // What is not text never becomes an address.
    let url = str::from_utf8(&fields.url).unwrap_or_default();
    let message = Message::new("POST", url, &fields.body).with_headers([
        ("content-type", &fields.content_type[..]),
        ("content-digest", &fields.digest[..]),
        ("signature-input", &fields.input[..]),
        ("signature", &fields.signature[..]),
    ]);
    let first = now(verifier.verify(&message, NOW));
    let again = now(verifier.verify(&message, NOW));
    assert!(again.is_err(), "nothing passes twice");
    first
}

/// Nothing here waits: keys and nonces are in memory.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("memory answers at once"),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let group =
            three.iter().chain(&[0, 0]).take(3).fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..=three.len() {
            out.push(char::from(LETTERS[(group >> (18 - 6 * place)) as usize & 63]));
        }
    }
    out
}
