//! Plays the official test vectors, and signs and verifies for other implementations. `cargo xtask interop` drives it.
//!
//! `interop vectors FOLDER` reads the folders `webhook-signing` and `request-signing` of AdCP's compliance suite and compares
//! code and step of each vector. `interop serve` answers one line of JSON with another, until its input ends:
//!
//! ```json
//! {"do": "sign", "kind": "webhook", "key": {"kid": "…", "d": "…"}, "now": 1, "request": {"method": "POST", "url": "…", "headers": {}, "body": "…"}}
//! {"do": "verify", "kind": "request", "jwks": {"keys": []}, "now": 1, "request": {"method": "POST", "url": "…", "headers": {}, "body": "…"}}
//! {"do": "sign", "kind": "hmac", "secret": "…", "now": 1, "request": {"body": "…"}}
//! ```

#![allow(clippy::print_stdout, reason = "a program's output")]

use std::error::Error;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use adcp_signing::{
    DigestPolicy, Enforcement, HmacKey, Jwks, LocalSigner, MemoryReplayStore, Message, Nonce, Profile,
    ReplayStore, RequestPolicy, RevocationList, Secret, SignedHeaders, Signing, StandardKey, TargetUri,
    UnixTime, UnsignedCall, Verified, Verifier, VerifyError, registers_credentials,
};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// Live nonces that a vector's verifier holds for a key before it refuses more.
const CAP: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["vectors", folder] => vectors(Path::new(folder)).await,
        ["serve"] => serve().await,
        _ => Err("say `vectors FOLDER` or `serve`".into()),
    }
}

async fn vectors(folder: &Path) -> Result<(), Failure> {
    let (mut passed, mut failed) = (0, 0);
    let mut count = |name: &str, result: Result<(), String>| match result {
        Ok(()) => passed += 1,
        Err(why) => {
            failed += 1;
            println!("FAILED  {name}: {why}");
        }
    };
    for (profile, family) in [(Profile::Webhook, "webhook-signing"), (Profile::Request, "request-signing")] {
        let family = folder.join(family);
        let keys = read(&family.join("keys.json"))?;
        for path in files(&family.join("positive"))?.into_iter().chain(files(&family.join("negative"))?) {
            let vector = read(&path)?;
            let result = compare(&vector, &play(&vector, &keys, profile).await?);
            count(&path.strip_prefix(folder)?.display().to_string(), result);
        }
    }
    let cases = read(&folder.join("request-signing/canonicalization.json"))?;
    for case in cases["cases"].as_array().into_iter().flatten() {
        count(&format!("canonicalization {}", case["name"]), canonicalise(case));
    }
    println!("signature vectors: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { Ok(()) } else { Err("the vectors and our verifier disagree".into()) }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The code and the step of a vector's end, both empty for one that passes.
type End = (String, String);

fn compare(vector: &Value, found: &End) -> Result<(), String> {
    let want = &vector["expected_outcome"];
    let step = match &want["failed_step"] {
        Value::String(step) => step.clone(),
        Value::Number(step) => format!("{step}{}", text(want, "sub_step")),
        _ => String::new(),
    };
    let want = (text(want, "error_code").to_owned(), step);
    if *found == want { Ok(()) } else { Err(format!("{found:?}, not {want:?}")) }
}

async fn play(vector: &Value, keys: &Value, profile: Profile) -> Result<End, Failure> {
    let now = UnixTime::from_secs(vector["reference_now"].as_i64().ok_or("no reference_now")?);
    let capability = &vector["verifier_capability"];
    let digest = DigestPolicy::from_name(text(capability, "covers_content_digest")).unwrap_or_default();
    let fields = fields(&vector["request"]);
    let message = message(&vector["request"], &fields);
    if profile == Profile::Request && !message.has("signature") && !message.has("signature-input") {
        return Ok(admit(&message, capability, digest));
    }
    let state = &vector["test_harness_state"];
    let replay = Arc::new(MemoryReplayStore::new(CAP));
    let full = [&state["per_keyid_cap_filled_for"], &state["replay_cache_per_keyid_cap_hit"]["keyid"]];
    for keyid in full.into_iter().filter_map(Value::as_str) {
        for filler in ["one", "two", "three"] {
            replay.remember(Nonce::new("", keyid, filler, Duration::from_secs(360), now)).await?;
        }
    }
    for entry in state["replay_cache_entries"].as_array().into_iter().flatten() {
        let (keyid, nonce) = (text(entry, "keyid"), text(entry, "nonce"));
        replay.remember(Nonce::new("", keyid, nonce, Duration::from_secs(360), now)).await?;
    }
    let jwks = Arc::new(published(vector, keys)?);
    let verifier = match profile {
        Profile::Webhook => Verifier::webhooks(jwks, replay),
        Profile::Request => Verifier::requests(jwks, replay, digest),
    };
    let revoked = [&state["revoked_kids"], &state["revocation_list"]["revoked_kids"]];
    let stale = state["revocation_list_stale_seconds"].as_i64();
    let updated = UnixTime::from_secs(now.as_secs() - stale.map_or(0, |past| past + 300));
    let list = RevocationList::new(
        revoked.into_iter().flat_map(texts),
        updated,
        updated.after(Duration::from_secs(60)),
    );
    Ok(end(&verifier.with_revocations(Arc::new(list)).verify(&message, now).await))
}

/// The keys that a vector publishes.
fn published(vector: &Value, keys: &Value) -> Result<Jwks, Failure> {
    let mut found = match &vector["jwks_override"] {
        Value::Object(given) if given.contains_key("keys") => {
            given["keys"].as_array().cloned().unwrap_or_default()
        }
        Value::Object(given) => given.values().cloned().collect(),
        _ => Vec::new(),
    };
    let named = texts(&vector["jwks_ref"]);
    let known = keys["keys"].as_array().into_iter().flatten();
    for key in known.filter(|key| named.contains(&text(key, "kid"))) {
        if found.iter().all(|other| other["kid"] != key["kid"]) {
            found.push(key.clone());
        }
    }
    Ok(Jwks::parse(json!({ "keys": found }).to_string().as_bytes())?)
}

/// What becomes of a request without a signature. The tool is the last segment of the path, as the vectors have it.
fn admit(message: &Message<'_>, capability: &Value, digest: DigestPolicy) -> End {
    let policy = RequestPolicy::new(digest)
        .with_operations(Enforcement::Required, texts(&capability["required_for"]))
        .with_methods(Enforcement::Required, texts(&capability["protocol_methods_required_for"]));
    let body: Value = serde_json::from_slice(message.body()).unwrap_or_default();
    let operation = message.url().rsplit('/').next().unwrap_or_default();
    let call = match body["method"].as_str() {
        Some(method) => UnsignedCall::method(method),
        None => UnsignedCall::operation(operation),
    };
    let call = call
        .with_authenticated(message.has("authorization"))
        .with_registered_credentials(registers_credentials(&body));
    match policy.admit_unsigned(&call) {
        Ok(()) => End::default(),
        Err(rejection) => (rejection.code().to_owned(), rejection.step().to_string()),
    }
}

fn end(result: &Result<Verified, VerifyError>) -> End {
    match result {
        Ok(_) => End::default(),
        Err(VerifyError::Rejected(rejection)) => (rejection.code().to_owned(), rejection.step().to_string()),
        Err(error) => (error.to_string(), String::new()),
    }
}

fn canonicalise(case: &Value) -> Result<(), String> {
    let found = TargetUri::parse(text(case, "input_url"));
    let found = found.as_ref().map(|target| (target.as_str(), target.authority()));
    let rejects = case["reject"] == true;
    match found {
        Ok(found) if !rejects => {
            let want = (text(case, "expected_target_uri"), text(case, "expected_authority"));
            if found == want { Ok(()) } else { Err(format!("{found:?}, not {want:?}")) }
        }
        Err(_) if rejects => Ok(()),
        Ok(found) => Err(format!("{found:?}, not refused")),
        Err(error) => Err(error.to_string()),
    }
}

async fn serve() -> Result<(), Failure> {
    for line in io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        println!("{}", answer(&command).await?);
    }
    Ok(())
}

async fn answer(command: &Value) -> Result<Value, Failure> {
    let now = UnixTime::from_secs(command["now"].as_i64().ok_or("no `now`")?);
    let fields = fields(&command["request"]);
    let message = message(&command["request"], &fields);
    let secret = || Secret::new(text(command, "secret"));
    let signs = command["do"] == "sign";
    match text(command, "kind") {
        kind @ ("webhook" | "request") if signs => {
            let key = LocalSigner::from_jwk(command["key"].to_string().as_bytes())?;
            let signing = if kind == "webhook" { Signing::webhook() } else { Signing::request() };
            Ok(added(&signing.sign(&key, &message, now).await?))
        }
        kind @ ("webhook" | "request") => {
            let jwks = Arc::new(Jwks::parse(command["jwks"].to_string().as_bytes())?);
            let replay = Arc::new(MemoryReplayStore::new(CAP));
            let verifier = match kind {
                "webhook" => Verifier::webhooks(jwks, replay),
                _ => Verifier::requests(jwks, replay, DigestPolicy::Either),
            };
            Ok(json!({ "error": end(&verifier.verify(&message, now).await).0 }))
        }
        "hmac" => {
            let key = HmacKey::new(secret()).ok_or("the secret is too short")?;
            Ok(if signs {
                added(&key.sign(message.body(), now)?)
            } else {
                failure(key.verify(&message, now))
            })
        }
        "standard" => {
            let key = StandardKey::new(&secret())?;
            Ok(if signs {
                added(&key.sign("msg_1", message.body(), now))
            } else {
                failure(key.verify(&message, now))
            })
        }
        kind => Err(format!("no messages of the kind `{kind}`").into()),
    }
}

fn added(fields: &SignedHeaders) -> Value {
    let fields: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({ "headers": fields })
}

fn failure(result: Result<(), impl Error>) -> Value {
    json!({ "error": result.err().map(|error| error.to_string()).unwrap_or_default() })
}

fn fields(request: &Value) -> Vec<(String, String)> {
    let given = request["headers"].as_object().into_iter().flatten();
    given.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn message<'a>(request: &'a Value, fields: &'a [(String, String)]) -> Message<'a> {
    Message::new(text(request, "method"), text(request, "url"), text(request, "body").as_bytes())
        .with_headers(fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
}
