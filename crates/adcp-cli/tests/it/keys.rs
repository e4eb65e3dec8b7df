//! `adcp keys new`, `publish` and `check`.

use std::path::Path;

use adcp_signing::{Algorithm, Jwk, Jwks, KeyUse, LocalSigner};
use serde_json::{Value, json};

use crate::house::House;
use crate::registry::run_in;
use crate::run::{Ran, Seller, TOKEN, adcp};

const BRAND: &str = "/.well-known/brand.json";
const KEYS: &str = "/.well-known/jwks.json";

/// A key in a file of `folder`, as `keys new` makes it; its name.
fn made(folder: &Path, args: &[&str]) -> String {
    let ran = run_in(folder, &[&["keys", "new"], args].concat()).expect(0);
    ran.out.trim().to_owned()
}

fn public(folder: &Path, file: &str) -> Jwk {
    LocalSigner::from_jwk(&std::fs::read(folder.join(file)).unwrap()).unwrap().jwk()
}

/// A house in which everything is right, with the public half of this key.
fn house(key: Jwk) -> House {
    let house = House::new();
    house.tell(json!({
        "webhook_signing": { "supported": true, "algorithms": ["ed25519"] },
        "identity": {
            "brand_json_url": format!("{}{BRAND}", house.origin),
            "key_origins": { "webhook_signing": house.origin },
        },
    }));
    house.put(BRAND, 200, &json!({ "agents": [{ "type": "sales", "id": "a", "url": house.agent() }] }));
    house.put(KEYS, 200, &Jwks::new([key]).to_json());
    house
}

fn check(folder: &Path, args: &[&str]) -> Ran {
    run_in(folder, &[&["keys", "check"], args, &["--allow-loopback"]].concat())
}

#[test]
fn a_new_key_is_for_its_owner_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let made_first = run_in(folder.path(), &["keys", "new", "hooks.jwk"]).expect(0);
    let kid = made_first.out.trim();
    assert!(kid.starts_with("hooks-20") && kid.len() == "hooks-2026-11-01234567".len(), "{kid}");
    assert!(made_first.err.contains("adcp serve --signing-key hooks.jwk"), "{}", made_first.err);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("hooks.jwk")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let file = std::fs::read(folder.path().join("hooks.jwk")).unwrap();
    let secret = serde_json::from_slice::<Value>(&file).unwrap()["d"].as_str().unwrap().to_owned();
    assert!(!made_first.out.contains(&secret) && !made_first.err.contains(&secret));
    assert_eq!(public(folder.path(), "hooks.jwk").adcp_use.as_deref(), Some("webhook-signing"));

    let again = run_in(folder.path(), &["keys", "new", "hooks.jwk"]).expect(2);
    assert!(again.err.contains("never overwritten"), "{}", again.err);
    assert_eq!(std::fs::read(folder.path().join("hooks.jwk")).unwrap(), file);

    let flags = ["buyer.jwk", "--purpose", "request-signing", "--alg", "es256", "--kid", "buyer 1"];
    assert_eq!(made(folder.path(), &flags), "buyer 1");
    let buyer = public(folder.path(), "buyer.jwk");
    assert_eq!((buyer.adcp_use.as_deref(), buyer.alg.as_deref()), (Some("request-signing"), Some("ES256")));
    for (args, words) in [
        (&["x.jwk", "--kid", "naïve"][..], "another --kid"),
        (&["x.jwk", "--kid", ""], "another --kid"),
        (&["no/such/folder/x.jwk"], "cannot make the file"),
        (&["x.jwk", "--alg", "rsa"], "ed25519"),
    ] {
        let refused = run_in(folder.path(), &[&["keys", "new"], args].concat()).expect(2);
        assert!(refused.err.contains(words), "{args:?}: {}", refused.err);
    }
    assert!(!folder.path().join("x.jwk").exists());
}

#[test]
fn only_public_halves_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (made(folder.path(), &["one.jwk"]), made(folder.path(), &["two.jwk", "--alg", "es256"]));
    let pem = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "any").unwrap();
    std::fs::write(folder.path().join("three.pem"), pem.to_pem_file().expose()).unwrap();
    let shown = public(folder.path(), "one.jwk").to_json().to_string();
    std::fs::write(folder.path().join("public.jwk"), shown.replace(&one, "four")).unwrap();
    let files = ["keys", "publish", "one.jwk", "two.jwk", "three.pem", "public.jwk"];
    let ran = run_in(folder.path(), &files).expect(0);
    let jwks = ran.json();
    let kids: Vec<&str> =
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, [one.as_str(), &two, &pem.jwk().thumbprint(), "four"]);
    assert!(jwks["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()), "{jwks}");

    let url = "https://ads.example.com/mcp";
    let both = run_in(folder.path(), &["keys", "publish", "one.jwk", "--agent-url", url]).expect(0);
    let documents: Vec<Value> =
        serde_json::Deserializer::from_str(&both.out).into_iter().collect::<Result<_, _>>().unwrap();
    let entry = json!({
        "type": "sales", "id": "agent", "url": url, "jwks_uri": "https://ads.example.com/.well-known/jwks.json",
    });
    assert_eq!(documents[1], json!({ "agents": [entry] }));
    adcp_schemas::validator("brand.json").unwrap().validate(&documents[1]).unwrap();
    for args in [
        &["one.jwk", "one.jwk"][..],
        &["one.jwk", "--agent-url", "http://ads.example.com/mcp"],
        &["one.jwk", "--agent-url", "ads.example.com"],
        &["one.jwk", "--agent-url", url, "--agent-kind", "selling"],
        &["missing.jwk"],
        &[],
    ] {
        assert_eq!(
            run_in(folder.path(), &[&["keys", "publish"], args].concat()).expect(2).out,
            "",
            "{args:?}"
        );
    }
}

#[test]
fn what_cannot_be_published_is_refused_and_a_way_to_this_machine_is_named() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["hooks.jwk"]);
    std::fs::write(folder.path().join("oct.jwk"), r#"{"kty":"oct","kid":"k","k":"5ec2e7"}"#).unwrap();
    for (args, words) in [
        (&["oct.jwk"][..], "cannot be published"),
        (&["/dev/zero"], "no regular file"),
        (&["hooks.jwk", "--agent-url", "https://me:5ec2e7@ads.example.com/mcp"], "--agent-url has a user"),
        (&["hooks.jwk", "--agent-url", "https://ads.example.com/mcp#5ec2e7"], "--agent-url has a fragment"),
    ] {
        let ran = run_in(folder.path(), &[&["keys", "publish"], args].concat()).expect(2);
        assert!(ran.err.contains(words) && !ran.err.contains("5ec2e7"), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    for target in ["http://127.0.0.1:1/mcp", "http://127.0.0.1:1/jwks.json"] {
        let ran = run_in(folder.path(), &["keys", "check", target]);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!((ran.code != 0, said.matches("--allow-loopback").count()), (true, 1), "{said}");
    }
}

#[test]
fn a_served_key_is_found_and_another_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (kid, other) = (made(folder.path(), &["hooks.jwk"]), made(folder.path(), &["other.jwk"]));
    let seller = Seller::start_in(folder.path(), &["--signing-key", "hooks.jwk"]);
    let found = check(folder.path(), &[&seller.url, "--key", "hooks.jwk"]).expect(0);
    assert!(found.out.contains(&format!("what your key `{kid}` signs is verified")), "{}", found.out);
    assert!(found.out.contains("without TLS there is no brand.json"), "{}", found.out);
    assert!(found.out.contains("verifiers find the keys"), "{}", found.out);

    let missing = check(folder.path(), &[&seller.url, "--key", "other.jwk", "--json"]).expect(3).json();
    let last = missing["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&missing["ok"], &last["code"]), (&json!(false), &json!("webhook_signature_key_unknown")));
    assert!(last["what"].as_str().unwrap().contains(&other), "{last}");

    // A verifier elsewhere would not come here at all.
    let closed = run_in(folder.path(), &["keys", "check", &seller.url]).expect(3);
    assert!(closed.out.contains("request_signature_capabilities_unreachable"), "{}", closed.out);
    assert!(closed.out.contains("--allow-loopback"), "{}", closed.out);
    let unsigned =
        check(folder.path(), &[&seller.url, "--key", "other.jwk", "--purpose", "request-signing"]).expect(2);
    assert!(unsigned.err.contains("a key for webhook-signing"), "{}", unsigned.err);
}

#[test]
fn a_public_agent_says_where_and_a_check_follows_from_its_own_documents() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["hooks.jwk"]);
    let mut command =
        adcp(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN, "--signing-key", "hooks.jwk"]);
    command.args(["--public-url", "https://ads.invalid/mcp", "--registry", "memory"]);
    let seller = Seller::start_as(command.current_dir(folder.path()));
    std::fs::write(folder.path().join("brand.json"), seller.get(BRAND).1).unwrap();
    std::fs::write(folder.path().join("jwks.json"), seller.get(KEYS).1).unwrap();
    check(folder.path(), &["jwks.json", "--key", "hooks.jwk"]).expect(0);
    // Its name is of nobody, so that the way ends at the address.
    let brand = check(folder.path(), &["brand.json", "--json"]).expect(6).json();
    let steps = brand["steps"].as_array().unwrap();
    assert_eq!((&steps[0]["what"], &steps[1]["step"]), (&json!("the brand.json is valid"), &json!("agent")));
    assert_eq!(steps[1]["state"], "ok", "{brand}");
}

#[test]
fn the_whole_way_works_for_agents_that_answer_at_once_and_for_those_that_want_to_be_greeted() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["hooks.jwk"]);
    let house = house(public(folder.path(), "hooks.jwk"));
    for formal in [false, true] {
        if formal {
            house.wants_to_be_greeted();
        }
        let found = check(folder.path(), &[&house.agent(), "--key", "hooks.jwk", "--json"]).expect(0).json();
        let steps: Vec<(&str, &str)> = found["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| (step["step"].as_str().unwrap(), step["state"].as_str().unwrap()))
            .collect();
        let want = [
            ("capabilities", "ok"),
            ("brand_json_url", "ok"),
            // The schema knows https only.
            ("brand_json", "note"),
            ("origin", "ok"),
            ("agent", "ok"),
            ("key_origin", "ok"),
            ("jwks", "ok"),
            ("keys", "ok"),
            ("own_key", "ok"),
        ];
        assert_eq!(steps, want, "{found:#}");
    }
}

#[test]
fn every_step_that_fails_has_the_code_of_verifiers() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["hooks.jwk", "--kid", "hooks"]);
    let key = || public(folder.path(), "hooks.jwk");
    let told = |house: &House, brand: &str, origin: &str| {
        json!({ "identity": { "brand_json_url": brand, "key_origins": { "webhook_signing": origin } } })
            .to_string()
            .replace("HOUSE", &house.origin)
    };
    let tell = |house: &House, brand: &str, origin: &str| {
        house.tell(serde_json::from_str(&told(house, brand, origin)).unwrap());
    };
    let own = |url: &str| json!({ "type": "sales", "id": "a", "url": url });
    let altered = |name: &str, value: Value| {
        let mut jwk = key().to_json();
        jwk[name] = value;
        json!({ "keys": [jwk] })
    };
    let brand_url = format!("HOUSE{BRAND}");
    type Break<'a> = Box<dyn Fn(&House) + 'a>;
    let cases: Vec<(Break<'_>, &str, i32)> = vec![
        (
            Box::new(|it| it.tell(json!({ "identity": { "brand_json_url": "ftp://x" } }))),
            "brand_json_url_missing",
            3,
        ),
        (Box::new(|it| tell(it, "HOUSE/none.json", "HOUSE")), "brand_json_unreachable", 6),
        (Box::new(|it| it.put(BRAND, 302, &"")), "brand_json_unreachable", 6),
        (Box::new(|it| it.put(BRAND, 200, &"{\"a\": 1, \"a\": 2}")), "brand_json_malformed", 3),
        (Box::new(|it| it.put(BRAND, 200, &"x".repeat(300_000))), "brand_json_malformed", 3),
        (
            Box::new(|it| {
                tell(it, &brand_url.replace("HOUSE", &it.origin.replace("127.0.0.1", "localhost")), "HOUSE")
            }),
            "brand_origin_mismatch",
            3,
        ),
        (
            Box::new(|it| it.put(BRAND, 200, &json!({ "agents": [own(&format!("{}/", it.agent()))] }))),
            "agent_not_in_brand_json",
            3,
        ),
        (
            Box::new(|it| it.put(BRAND, 200, &json!({ "agents": [own(&it.agent()), own(&it.agent())] }))),
            "brand_json_ambiguous",
            3,
        ),
        (
            Box::new(|it| {
                it.tell(json!({ "identity": { "brand_json_url": format!("{}{BRAND}", it.origin) } }))
            }),
            "key_origin_missing",
            3,
        ),
        (Box::new(|it| tell(it, &brand_url, "https://keys.example.com")), "key_origin_mismatch", 3),
        (Box::new(|it| it.put(KEYS, 500, &"")), "jwks_unavailable", 6),
        (Box::new(|it| it.put(KEYS, 200, &"[]")), "jwks_unavailable", 3),
        (
            Box::new(|it| {
                let mut entry = own(&it.agent());
                entry["jwks_uri"] = json!("https://10.0.0.1/jwks.json");
                it.put(BRAND, 200, &json!({ "agents": [entry] }));
                tell(it, &brand_url, "https://10.0.0.1");
            }),
            "jwks_untrusted",
            3,
        ),
        (Box::new(|it| it.put(KEYS, 200, &altered("d", json!("secret")))), "jwks_untrusted", 3),
        (Box::new(|it| it.put(KEYS, 200, &altered("adcp_use", json!("request-signing")))), "key_unknown", 3),
        (Box::new(|it| it.put(KEYS, 200, &altered("use", json!("enc")))), "key_unknown", 3),
        (Box::new(|it| it.put(KEYS, 200, &altered("x", key().x.unwrap()[1..].into()))), "key_unknown", 3),
    ];
    for (at, (spoil, want, exit)) in cases.iter().enumerate() {
        let house = house(key());
        spoil(&house);
        let ran = check(folder.path(), &[&house.agent(), "--json"]).expect(*exit).json();
        let failed: Vec<&str> =
            ran["steps"].as_array().unwrap().iter().filter_map(|step| step["code"].as_str()).collect();
        assert!(failed[0].ends_with(&format!("_signature_{want}")), "case {at}: {ran:#}");
        assert!(!ran.to_string().contains("secret"), "{ran}");
    }
}

#[test]
fn a_brand_that_lists_the_operator_of_the_agent_speaks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["hooks.jwk"]);
    let house = house(public(folder.path(), "hooks.jwk"));
    let elsewhere = house.origin.replace("127.0.0.1", "localhost");
    house.tell(json!({ "identity": {
        "brand_json_url": format!("{elsewhere}{BRAND}"), "key_origins": { "webhook_signing": house.origin },
    } }));
    house.put(BRAND, 200, &json!({
        "house": { "domain": "localhost", "name": "L", "agents": [{ "type": "sales", "id": "a", "url": house.agent() }] },
        "authorized_operators": [{ "domain": "127.0.0.1", "brands": ["*"] }],
    }));
    let found = check(folder.path(), &[&house.agent()]).expect(0);
    assert!(found.out.contains("among its operators"), "{}", found.out);
}
