//! Our vectors of both profiles, made by `tests/data/make.py` with another library.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use adcp_signing::{
    DigestPolicy, Jwks, MemoryReplayStore, Message, Nonce, Profile, ReplayStore, RevocationList, UnixTime,
    Verifier,
};
use serde_json::Value;

fn document(profile: Profile) -> Value {
    let text = match profile {
        Profile::Webhook => include_str!("../data/webhook.json"),
        Profile::Request => include_str!("../data/request.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A verifier in the state that a vector asks for.
async fn verifier(document: &Value, vector: &Value, profile: Profile, now: UnixTime) -> Verifier {
    let keys = Arc::new(Jwks::parse(document["jwks"].to_string().as_bytes()).unwrap());
    let state = &vector["state"];
    let full = state["full"].as_str();
    let seen: Vec<_> = state["seen"].as_array().into_iter().flatten().map(texts).collect();
    let replay = MemoryReplayStore::new(if full.is_some() { 1 + seen.len() } else { 100 });
    let filler = full.map(|keyid| vec![keyid, "filler"]);
    for nonce in seen.into_iter().chain(filler) {
        let nonce = Nonce::new("", nonce[0], nonce[1], Duration::from_secs(360), now);
        replay.remember(nonce).await.unwrap();
    }
    let verifier = match profile {
        Profile::Webhook => Verifier::webhooks(keys, Arc::new(replay)),
        Profile::Request => {
            let policy = DigestPolicy::from_name(vector["digest_policy"].as_str().unwrap()).unwrap();
            Verifier::requests(keys, Arc::new(replay), policy)
        }
    };
    let updated = if state["stale"] == true { UnixTime::from_secs(0) } else { now };
    let list =
        RevocationList::new(texts(&state["revoked"]), updated, updated.after(Duration::from_secs(900)));
    verifier.with_revocations(Arc::new(list))
}

fn message(request: &Value) -> Message<'_> {
    let text = |name: &str| request[name].as_str().unwrap();
    let fields = request["headers"].as_array().unwrap().iter().map(texts);
    Message::new(text("method"), text("url"), text("body").as_bytes())
        .with_headers(fields.map(|field| (field[0], field[1].as_bytes())))
}

#[tokio::test]
async fn each_vector_ends_where_it_should() {
    let mut wrong = Vec::new();
    for profile in [Profile::Webhook, Profile::Request] {
        let document = document(profile);
        let now = UnixTime::from_secs(document["now"].as_i64().unwrap());
        for vector in document["vectors"].as_array().unwrap() {
            let verifier = verifier(&document, vector, profile, now).await;
            let found = match verifier.verify(&message(&vector["request"]), now).await {
                Ok(verified) => serde_json::json!({ "keyid": verified.keyid }),
                Err(error) => {
                    let rejection = error.rejection().unwrap();
                    serde_json::json!({ "code": rejection.code(), "step": rejection.step().to_string() })
                }
            };
            if found != vector["want"] {
                wrong.push(format!("{profile:?} {}: {found}, not {}", vector["name"], vector["want"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_vectors_reach_every_step() {
    for profile in [Profile::Webhook, Profile::Request] {
        let document = document(profile);
        let steps: BTreeSet<_> = document["vectors"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|vector| vector["want"]["step"].as_str())
            .filter(|step| *step != "0")
            .collect();
        let all = ["1", "10", "11", "12", "14", "2", "3", "4", "5", "6", "7", "8", "9", "9a"];
        assert_eq!(steps.into_iter().collect::<Vec<_>>(), all, "{profile:?}");
    }
}

/// Whatever a stranger sends in the two fields, the verifier answers.
#[test]
fn no_field_makes_the_verifier_panic() {
    use proptest::prelude::*;

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let document = document(Profile::Request);
    let now = UnixTime::from_secs(document["now"].as_i64().unwrap());
    let vector = &document["vectors"][0];
    let pristine: Vec<_> = vector["request"]["headers"].as_array().unwrap().iter().map(texts).collect();
    proptest!(ProptestConfig::with_cases(512), |(which in 0_usize..4, at: prop::sample::Index, with in ".{0,3}", cut in 0_usize..4)| {
        let value = pristine[which][1];
        let at = at.index(value.len());
        let changed = format!("{}{with}{}", &value[..at], &value[(at + cut).min(value.len())..]);
        let fields = pristine.iter().enumerate().map(|(index, field)| {
            (field[0], if index == which { changed.as_bytes() } else { field[1].as_bytes() })
        });
        let body = vector["request"]["body"].as_str().unwrap().as_bytes();
        let message = Message::new("POST", vector["request"]["url"].as_str().unwrap(), body).with_headers(fields);
        runtime.block_on(async {
            let verifier = verifier(&document, vector, Profile::Request, now).await;
            let passed = verifier.verify(&message, now).await.is_ok();
            // White space around a value is no change, and neither is an equal text.
            let same = changed.trim_matches([' ', '\t']) == value;
            prop_assert!(!passed || same || which == 3 || which == 2, "{changed}");
            Ok(())
        })?;
    });
}
