//! Who may do what without, with a wrong and with the right credential.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::fixture::{Running, call};
use crate::seller::TOKEN;

/// Headers, and the error code they earn.
type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);

#[tokio::test]
async fn the_matrix_of_credentials() {
    let server = Running::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let cases: [Case<'_>; 9] = [
        (&[], Some("AUTH_MISSING")),
        (&[("authorization", "Bearer wrong")], Some("AUTH_INVALID")),
        (&[("authorization", "Basic !!!")], Some("AUTH_INVALID")),
        (&[("authorization", "nonsense")], Some("AUTH_INVALID")),
        (&[("x-adcp-auth", "wrong")], Some("AUTH_INVALID")),
        (&[("authorization", "Bearer wrong"), ("x-api-key", TOKEN)], Some("AUTH_INVALID")),
        (&[("authorization", &bearer)], None),
        (&[("x-adcp-auth", TOKEN)], None),
        (&[("x-api-key", TOKEN)], None),
    ];
    for (headers, code) in cases {
        for tool in ["create_media_buy", "make_coffee", "tasks/get"] {
            let answer = server.post_anonymously(call(tool, json!({})), headers).await;
            let Some(code) = code else {
                assert_eq!(answer.status, 200, "{tool} {headers:?} {answer:?}");
                continue;
            };
            answer.error(401, -32028);
            let message = answer.json();
            assert_eq!(message["error"]["data"]["adcp_error"]["code"], code, "{headers:?}");
            assert_eq!(message["id"], 1);
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert_eq!(challenge.contains("error=\"invalid_token\""), code == "AUTH_INVALID");
        }
        let answer = server.post_anonymously(call("get_adcp_capabilities", json!({})), headers).await;
        assert_eq!(answer.json()["result"]["isError"], false, "{headers:?}");
    }
    assert_eq!(server.probe.calls.load(Ordering::Relaxed), 0, "nothing valid was asked");
}

#[tokio::test]
async fn protocol_methods_are_open_to_anybody() {
    let server = Running::new().await;
    for method in ["ping", "tools/list"] {
        for headers in [&[][..], &[("authorization", "Bearer wrong")][..]] {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method});
            let answer = server.post_anonymously(message, headers).await;
            assert_eq!(answer.status, 200, "{method}");
            assert!(answer.json()["result"].is_object(), "{method}");
        }
    }
}
