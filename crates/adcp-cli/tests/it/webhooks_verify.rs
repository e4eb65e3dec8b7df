//! `adcp webhooks verify`: webhooks that were saved, checked step by step.

use std::fs;

use serde_json::Value;

use crate::webhooks_listen::Desk;

/// A webhook that `listen --save` wrote, in a folder `arrived`.
fn saved(desk: &Desk, flags: &[&str]) -> String {
    let mut listener = desk.listen(&[&["--save", "arrived", "--json"], flags].concat());
    desk.send(&listener.hook(), &[]).expect(0);
    listener.next()["saved"].as_str().unwrap().to_owned()
}

fn failed(ran: &crate::run::Ran) -> Vec<(String, String)> {
    let all = ran.json();
    let checks = all[0]["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["outcome"] == "failed");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    failed.map(|check| (text(&check["step"]), text(&check["code"]))).collect()
}

#[test]
fn a_saved_webhook_verifies_and_what_was_changed_does_not() {
    let desk = Desk::new();
    let folder = saved(&desk, &["--jwks", "jwks.json"]);
    #[cfg(unix)]
    for made in ["arrived", &folder] {
        assert_eq!(crate::registry::mode(desk.path().join(made)), 0o700, "headers may hold a token");
    }
    let good = desk.run(&["verify", &folder, "--jwks", "jwks.json"]).expect(0);
    for line in [
        "ok        0  there is a signature",
        "ok       14  no key of the body twice",
        "-         9  the key is not revoked",
        "the envelope: create_media_buy failed",
    ] {
        assert!(good.out.contains(line), "{line}: {}", good.out);
    }
    assert!(good.err.contains("verified") && !good.out.contains("FAILED"), "{}", good.out);
    let all = desk.run(&["verify", "arrived", "--jwks", "jwks.json", "--operation-id", "another"]).expect(3);
    assert!(all.out.contains("FAILED       the operation id: operation_id_mismatch"), "{}", all.out);

    let wrong = desk.run(&["verify", &folder, "--jwks", "other.json", "--json"]).expect(3);
    assert_eq!(failed(&wrong), [("10".to_owned(), "webhook_signature_invalid".to_owned())]);
    let late = desk
        .run(&["verify", &folder, "--jwks", "jwks.json", "--at", "2031-01-01T00:00:00Z", "--json"])
        .expect(3);
    assert_eq!(failed(&late), [("5".to_owned(), "webhook_signature_window_invalid".to_owned())]);
    let window =
        desk.run(&["verify", &folder, "--jwks", "jwks.json", "--at", "2031-01-01T00:00:00Z"]).expect(3);
    assert!(window.out.contains("-         6  covers all that it must"), "{}", window.out);

    let path = desk.path().join(&folder);
    let body = fs::read_to_string(path.join("body")).unwrap();
    fs::write(path.join("body"), body.replace("failed", "FAILED")).unwrap();
    let tampered = desk.run(&["verify", &folder, "--jwks", "jwks.json", "--json"]).expect(3);
    assert_eq!(failed(&tampered), [("11".to_owned(), "webhook_signature_digest_mismatch".to_owned())]);
}

#[test]
fn headers_and_body_may_come_from_elsewhere() {
    let desk = Desk::new();
    let folder = saved(&desk, &["--jwks", "jwks.json"]);
    let about: Value =
        serde_json::from_slice(&fs::read(desk.path().join(&folder).join("about.json")).unwrap()).unwrap();
    let (url, at) = (about["url"].as_str().unwrap(), about["arrived_at"].as_str().unwrap());
    let (headers, body) = (format!("{folder}/headers"), format!("{folder}/body"));
    let parts = ["verify", "--headers", &headers, "--body", &body, "--jwks", "jwks.json"];
    desk.run(&[&parts[..], &["--url", url, "--at", at]].concat()).expect(0);
    desk.run(&[&parts[..], &["--url", url]].concat()).expect(0);
    let elsewhere =
        desk.run(&[&parts[..], &["--url", "https://else.example/hook", "--json"]].concat()).expect(3);
    assert_eq!(failed(&elsewhere)[0].0, "10");
    desk.run(&parts).expect(2);
    desk.run(&["verify", &folder]).expect(2);
    desk.run(&["verify", "nowhere", "--jwks", "jwks.json"]).expect(2);
    // A replay among several is found.
    let copy = desk.path().join("arrived/0002-copy");
    fs::create_dir(&copy).unwrap();
    for name in ["headers", "body", "about.json"] {
        fs::copy(desk.path().join(&folder).join(name), copy.join(name)).unwrap();
    }
    let both = desk.run(&["verify", "arrived", "--jwks", "jwks.json"]).expect(3);
    assert!(both.out.contains("12  the nonce is new: webhook_signature_replayed"), "{}", both.out);
    assert!(both.err.contains("1 of 2 not verified"), "{}", both.err);
}

#[test]
fn a_keyed_hash_is_verified_and_no_secret_is_printed() {
    let desk = Desk::new();
    let mut listener = desk.listen(&["--hmac-secret-file", "secret", "--save", "arrived", "--json"]);
    desk.send(&listener.hook(), &["--hmac-secret-file", "secret"]).expect(0);
    listener.next();
    let good = desk.run(&["verify", "arrived", "--hmac-secret-file", "secret"]).expect(0);
    assert!(good.out.contains("the keyed hash of the body"), "{}", good.out);
    let late = desk
        .run(&["verify", "arrived", "--hmac-secret-file", "secret", "--at", "2031-01-01T00:00:00Z"])
        .expect(3);
    assert!(late.out.contains("FAILED       its time is around now"), "{}", late.out);
    let mode = desk.run(&["verify", "arrived", "--jwks", "jwks.json"]).expect(3);
    assert!(mode.out.contains("webhook_mode_mismatch"), "{}", mode.out);
    for ran in [good, late, mode] {
        assert!(!ran.out.contains(crate::webhooks_listen::SECRET), "{}", ran.out);
    }
}
