//! Who may do what, and whose things they see.

use adcp_core::{DeliveryState, TenantId};
use serde_json::json;

use crate::stage::{OF_A, OF_BOTH, READER, Stage, WRITER, ask, ask_with, operators, url};

const READS: [&str; 3] = ["/admin/deliveries", "/admin/deliveries/whk_1", "/admin/endpoints"];
const WRITES: [&str; 2] = ["/admin/deliveries/whk_1/redeliver", "/admin/deliveries/redeliver?all=true"];

#[tokio::test]
async fn without_a_good_token_nothing_is_told_not_even_which_paths_there_are() {
    let stage = Stage::new();
    stage.kill("whk_1", &url("one")).await;
    for (method, target) in
        READS.map(|path| ("GET", path)).into_iter().chain(WRITES.map(|path| ("POST", path))).chain([
            ("GET", "/admin"),
            ("GET", "/admin/none"),
            ("DELETE", "/admin/deliveries"),
            ("GET", "/admin/deliveries?x=y"),
        ])
    {
        let none = ask(&stage.console, method, target, None).await;
        assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"operators\""));
        none.problem(401, "unauthenticated");
        let wrong = ask(&stage.console, method, target, Some("token-of-nobody-at-all")).await;
        assert_eq!(
            wrong.header("www-authenticate"),
            Some("Bearer realm=\"operators\", error=\"invalid_token\"")
        );
        wrong.problem(401, "unauthenticated");
    }
    assert_eq!(stage.detail("default", "whk_1").await.record.state, DeliveryState::Dead);
}

#[tokio::test]
async fn who_may_read_reads_and_who_may_write_does_both() {
    let stage = Stage::new();
    stage.kill("whk_1", &url("one")).await;
    for target in READS {
        ask(&stage.console, "GET", target, Some(READER)).await.done(200);
        ask(&stage.console, "HEAD", target, Some(WRITER)).await.done(200);
    }
    for target in WRITES {
        let refused = ask(&stage.console, "POST", target, Some(READER)).await;
        assert!(refused.header("www-authenticate").unwrap().contains("scope=\"write\""));
        let problem = refused.problem(403, "insufficient_scope");
        assert_eq!(problem["scope"], "write");
        assert!(problem["detail"].as_str().unwrap().contains("`rita`"), "{problem}");
    }
    // Also when there is nothing to be sent again, or the request is wrong anyway.
    for target in ["/admin/deliveries/whk_none/redeliver", "/admin/deliveries/redeliver?x=y"] {
        ask(&stage.console, "POST", target, Some(READER)).await.problem(403, "insufficient_scope");
    }
    let untouched = stage.detail("default", "whk_1").await.record;
    assert_eq!((untouched.state, untouched.redeliveries), (DeliveryState::Dead, vec![]));
    ask(&stage.console, "POST", WRITES[0], Some(WRITER)).await.done(202);
}

#[tokio::test]
async fn an_operator_of_one_tenant_finds_nothing_of_another() {
    let stage = Stage::new();
    stage.kill_at("a", "whk_a", &url("one")).await;
    stage.kill_at("b", "whk_b", &url("one")).await;
    let as_ada = async |method: &str, target: &str| ask(&stage.console, method, target, Some(OF_A)).await;
    // Without a tenant, it is their own.
    let page = as_ada("GET", "/admin/deliveries").await.done(200);
    assert_eq!((&page["tenant"], page["deliveries"].as_array().unwrap().len()), (&json!("a"), 1));
    assert_eq!(page["deliveries"][0]["id"], "whk_a");
    as_ada("GET", "/admin/deliveries/whk_a?tenant=a").await.done(200);

    // What is another tenant's is answered in the very words for what does not exist.
    let unknown = as_ada("GET", "/admin/deliveries/whk_none").await.problem(404, "unknown_delivery");
    for target in [
        "whk_b",
        "whk_b?tenant=a",
        "whk_b?tenant=b",
        "whk_none?tenant=b",
        "whk_b?tenant=none",
        "whk_a?tenant=b",
    ] {
        let found = as_ada("GET", &format!("/admin/deliveries/{target}")).await;
        assert_eq!(found.problem(404, "unknown_delivery"), unknown, "{target}");
    }
    for target in ["whk_b/redeliver", "whk_b/redeliver?tenant=b", "whk_none/redeliver?tenant=b"] {
        let done = as_ada("POST", &format!("/admin/deliveries/{target}")).await;
        assert_eq!(done.problem(404, "unknown_delivery"), unknown, "{target}");
    }
    for (method, path) in
        [("GET", "/admin/deliveries"), ("GET", "/admin/endpoints"), ("POST", "/admin/deliveries/redeliver")]
    {
        let more = if method == "POST" { "&all=true" } else { "" };
        let there = as_ada(method, &format!("{path}?tenant=b{more}")).await.problem(404, "unknown_tenant");
        let nowhere =
            as_ada(method, &format!("{path}?tenant=none{more}")).await.problem(404, "unknown_tenant");
        assert_eq!(there, nowhere);
    }
    let own = as_ada("POST", "/admin/deliveries/redeliver?all=true").await.done(202);
    assert_eq!(own["ids"], json!(["whk_a"]));
    assert_eq!(stage.detail("b", "whk_b").await.record.state, DeliveryState::Dead);
}

#[tokio::test]
async fn who_has_several_tenants_says_which_and_who_has_all_begins_with_the_single_one() {
    let stage = Stage::new();
    stage.kill_at("b", "whk_b", &url("one")).await;
    for (method, target) in
        READS.map(|path| ("GET", path)).into_iter().chain(WRITES.map(|path| ("POST", path)))
    {
        let problem = ask(&stage.console, method, target, Some(OF_BOTH)).await.problem(400, "bad_request");
        assert_eq!(problem["field"], "tenant");
    }
    ask(&stage.console, "GET", "/admin/deliveries/whk_b?tenant=b", Some(OF_BOTH)).await.done(200);
    ask(&stage.console, "GET", "/admin/deliveries/whk_b?tenant=b", Some(READER)).await.done(200);
    let single = ask(&stage.console, "GET", "/admin/deliveries", Some(READER)).await.done(200);
    assert_eq!(
        single,
        json!({"tenant": TenantId::single().as_str(), "deliveries": [], "unreadable": [], "next": null})
    );
}

#[tokio::test]
async fn other_paths_methods_and_bodies_are_refused_in_words() {
    let stage = Stage::new();
    for target in [
        "/admin",
        "/admin/",
        "/admin/deliveries/",
        "/admin/deliveries//redeliver",
        "/admin/deliveries/x/y",
        "/admin/deliveries/x/redeliver/",
        "/administer",
        "/mcp",
    ] {
        stage.get(target).await.problem(404, "not_found");
        stage.post(target).await.problem(404, "not_found");
    }
    for (method, target, allow) in [
        ("POST", "/admin/deliveries", "GET, HEAD"),
        ("DELETE", "/admin/endpoints", "GET, HEAD"),
        ("POST", "/admin/deliveries/x", "GET, HEAD"),
        ("GET", "/admin/deliveries/x/redeliver", "POST"),
        ("PUT", "/admin/deliveries/redeliver", "GET, HEAD, POST"),
    ] {
        let answer = ask(&stage.console, method, target, Some(WRITER)).await;
        assert_eq!(answer.header("allow"), Some(allow), "{method} {target}");
        answer.problem(405, "method_not_allowed");
    }
    stage.kill("whk_1", &url("one")).await;
    let with = async |body: &str| {
        ask_with(&stage.console, "POST", "/admin/deliveries/whk_1/redeliver", Some(WRITER), body).await
    };
    for body in [r#"{"id": "whk_2"}"#, "[]", "nonsense", r#"{"a": {}}"#, &"[".repeat(4000)] {
        assert_eq!(with(body).await.problem(400, "bad_request")["field"], "body", "{body}");
    }
    with(&" ".repeat(5000)).await.problem(413, "too_large");
    // As large as a body may be.
    with(&format!("{{{}}}", " ".repeat(4094))).await.done(202);
    with("{}").await.problem(409, "not_dead");
}

#[test]
fn nothing_prints_a_token() {
    let stage = Stage::new();
    let printed = format!("{:?} {:?}", stage.console, operators());
    assert!(printed.contains("wilma") && !printed.contains("token-of"), "{printed}");
}
