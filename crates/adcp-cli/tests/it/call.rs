//! `adcp call`: arguments, answers, exit codes, tasks.

use std::net::TcpListener;

use serde_json::json;

use crate::run::{Seller, TOKEN, run, run_with};

/// An order of ten days under this key; `budget` decides whether it is confirmed, refused or reviewed.
fn order(product: &str, price: &str, budget: u32) -> String {
    json!({
        "account": { "account_id": "acct_1" },
        "brand": { "domain": "acme-outdoor.example" },
        "start_time": "asap",
        "end_time": "2099-01-01T00:00:00Z",
        "packages": [{ "product_id": product, "pricing_option_id": price, "budget": budget }],
    })
    .to_string()
}

pub(crate) fn banners(budget: u32) -> String {
    order("harbor_news_display", "cpm_usd_fixed", budget)
}

pub(crate) fn television(budget: u32) -> String {
    order("northwind_ctv_premium", "cpm_usd_guaranteed", budget)
}

#[test]
fn exit_codes_tell_what_to_do_next() {
    let seller = Seller::start(&[]);
    let url = seller.url.as_str();
    seller.call("create_media_buy", &banners(1500), &[]).expect(0);
    let products = r#"{"buying_mode": "wholesale"}"#;
    let nobody = {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        format!("http://{}/mcp", free.local_addr().unwrap())
    };
    let cases: [(&[&str], i32, &str); 10] = [
        (&["call", url], 2, "required"),
        (&["call", "ftp://x/mcp", "get_adcp_capabilities"], 2, "http://"),
        (&["call", url, "get_product", products], 2, "did you mean `get_products`?"),
        (&["call", url, "get_products", "[]"], 2, "not a JSON object"),
        (&["call", url, "get_products", "{\"brief\": 1, \"brief\": 2}"], 2, "twice"),
        (&["call", url, "get_products", products], 3, "AUTH"),
        (&["call", url, "get_products", products, "--auth", "wrong"], 5, "AUTH"),
        (&["call", url, "no_such_tool", "--no-validate", "--auth", TOKEN], 3, "Unknown tool"),
        (&["call", &nobody, "get_adcp_capabilities"], 6, "cannot reach"),
        (&["call", &url.replace("/mcp", "/elsewhere"), "get_adcp_capabilities"], 6, "404"),
    ];
    for (args, code, words) in cases {
        let ran = run(args).expect(code);
        assert!(format!("{}{}", ran.out, ran.err).contains(words), "{args:?}: {}{}", ran.out, ran.err);
    }
    let refused = seller.call("create_media_buy", &banners(1), &[]).expect(3);
    assert_eq!(refused.json()["adcp_error"]["code"], "BUDGET_TOO_LOW");
    assert!(refused.err.contains("field: packages[0].budget"), "{}", refused.err);
}

#[test]
fn an_invalid_request_is_not_sent_and_names_its_field() {
    let bad =
        run(&["call", "http://127.0.0.1:9/mcp", "create_media_buy", &banners(5).replace(":5", ":\"5\"")]);
    let bad = bad.expect(3);
    assert!(bad.err.contains("/packages/0/budget") && bad.err.contains("Nothing was sent"), "{}", bad.err);
}

#[test]
fn a_change_gets_a_key_of_its_own_and_a_key_makes_it_happen_once() {
    let seller = Seller::start(&[]);
    let first = seller.call("create_media_buy", &banners(1500), &[]).expect(0);
    let key = first.err.split_whitespace().nth(1).unwrap();
    assert!(first.err.starts_with("idempotency_key: ") && key.len() == 36, "{}", first.err);

    let again = banners(1500).replacen('{', &format!("{{\"idempotency_key\":\"{key}\","), 1);
    let again = seller.call("create_media_buy", &again, &[]).expect(0);
    assert_eq!(again.json()["media_buy_id"], first.json()["media_buy_id"]);
    assert_eq!(again.json()["replayed"], true);
    assert!(!again.err.contains("idempotency_key"), "{}", again.err);
    assert_eq!(seller.call("get_products", r#"{"buying_mode":"wholesale"}"#, &[]).expect(0).err, "");
}

#[test]
fn arguments_come_from_files_and_standard_input_too() {
    let seller = Seller::start(&[]);
    let path = std::env::temp_dir().join(format!("adcp-cli-{}-order.json", std::process::id()));
    std::fs::write(&path, banners(1500)).unwrap();
    seller.call("create_media_buy", &format!("@{}", path.display()), &[]).expect(0);
    std::fs::remove_file(&path).unwrap();
    let piped =
        ["call", &seller.url, "create_media_buy", "-", "--auth", TOKEN, "--auth-header", "x-adcp-auth"];
    run_with(&piped, &banners(1500)).expect(0);
}

#[test]
fn a_pipe_gets_plain_json_and_colours_come_when_asked() {
    let seller = Seller::start(&[]);
    let call =
        |more: &[&str]| run(&[&["call", &seller.url, "get_adcp_capabilities"], more].concat()).expect(0);
    let (plain, compact, coloured) = (call(&[]), call(&["--compact"]), call(&["--color", "always"]));
    assert_eq!(plain.json(), compact.json());
    assert_eq!((compact.out.lines().count(), plain.out.contains('\u{1b}')), (1, false));
    assert!(coloured.out.contains("\u{1b}[34m\"adcp\"\u{1b}[0m"), "{}", coloured.out);
}

#[test]
fn wait_follows_a_task_to_its_result() {
    let seller = Seller::start(&["--review-delay", "0.3"]);
    let order = television(60_000);
    let done = seller.call("create_media_buy", &order, &["--wait"]).expect(0);
    assert_eq!(done.json()["status"], "completed");
    assert_eq!(done.json()["packages"][0]["budget"], 60_000);
    assert!(done.err.contains(": submitted\n") && done.err.contains(": completed\n"), "{}", done.err);

    let at_once = seller.call("create_media_buy", &banners(1500), &["--wait"]).expect(0);
    assert_eq!(at_once.json()["status"], "completed");
    let submitted = seller.call("create_media_buy", &order, &[]).expect(0);
    assert_eq!(submitted.json()["status"], "submitted");
    assert!(submitted.err.contains("--wait follows it"), "{}", submitted.err);
}

#[test]
fn wait_gives_up_in_time_and_says_how_to_go_on() {
    let seller = Seller::start(&["--review-delay", "600", "--grace", "0"]);
    let order = television(60_000);
    let late = seller.call("create_media_buy", &order, &["--wait", "--wait-for", "0"]).expect(4);
    assert!(late.err.contains("still submitted") && late.err.contains("get_task_status"), "{}", late.err);
}

#[test]
fn the_review_is_configurable() {
    let none = Seller::start(&["--review-threshold", "none"]);
    let answer = none.call("create_media_buy", &television(60_000), &[]).expect(0);
    assert_eq!(answer.json()["status"], "completed");
    let low = Seller::start(&["--review-threshold", "5000", "--review-delay", "0"]);
    let answer = low.call("create_media_buy", &television(6_000), &[]).expect(0);
    assert_eq!(answer.json()["status"], "submitted");
}
