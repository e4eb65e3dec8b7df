//! The status decides first.

use adcp_types::enums::TaskStatus;
use adcp_types::envelope::{Envelope, Enveloped};
use adcp_types::media_buy::{CreateMediaBuyOutcome, GetProductsOutcome, GetProductsResponse};
use adcp_types::{ErrorCode, FromJson, Recovery, ToJson};
use serde_json::json;

#[test]
fn a_submitted_search_is_not_an_empty_answer() {
    let sent = json!({ "status": "submitted", "task_id": "t1", "message": "Asking the sales team" });
    match GetProductsOutcome::from_json(sent.clone()).expect("an outcome") {
        GetProductsOutcome::Submitted(task) => assert_eq!(task.task_id, "t1"),
        other => panic!("unexpected {other:?}"),
    }
    assert_eq!(GetProductsOutcome::from_json(sent.clone()).expect("an outcome").to_json(), sent);
}

#[test]
fn each_status_has_its_arm() {
    for (status, arm) in [
        ("working", "Working"),
        ("input-required", "InputRequired"),
        ("completed", "Done"),
        ("failed", "Failed"),
        ("canceled", "Failed"),
    ] {
        let outcome =
            GetProductsOutcome::from_json(json!({ "status": status, "task_id": "t1" })).expect("an outcome");
        let found = match outcome {
            GetProductsOutcome::Done(_) => "Done",
            GetProductsOutcome::Working(_) => "Working",
            GetProductsOutcome::InputRequired(_) => "InputRequired",
            GetProductsOutcome::Failed(_) => "Failed",
            _ => "another",
        };
        assert_eq!(found, arm, "{status}");
    }
}

#[test]
fn a_booked_order_is_done_whatever_its_own_status_says() {
    for status in ["active", "canceled", "completed"] {
        let sent = json!({ "status": status, "media_buy_id": "m", "confirmed_at": null, "revision": 1, "packages": [] });
        let outcome = CreateMediaBuyOutcome::from_json(sent).expect("an outcome");
        assert!(matches!(outcome, CreateMediaBuyOutcome::Done(_)), "{status}");
    }
}

#[test]
fn errors_of_both_layers_are_found() {
    let error = json!({ "code": "BUDGET_TOO_LOW", "message": "too little" });
    for body in [json!({ "errors": [error] }), json!({ "status": "failed", "adcp_error": error })] {
        match CreateMediaBuyOutcome::from_json(body).expect("an outcome") {
            CreateMediaBuyOutcome::Failed(failure) => {
                let error = failure.error().expect("an error");
                assert_eq!(error.error_code(), ErrorCode::BUDGET_TOO_LOW);
                assert_eq!(error.recovery_class(), Recovery::Correctable);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[test]
fn envelope_and_body_stand_side_by_side() {
    let whole = Enveloped::new(
        Envelope::of(TaskStatus::Completed).with_context_id("c"),
        GetProductsResponse::new().with_products(Vec::new()),
    );
    let sent = whole.to_json();
    assert_eq!(sent, json!({ "status": "completed", "context_id": "c", "products": [] }));
    assert_eq!(Enveloped::<GetProductsResponse>::from_json(sent).expect("an answer"), whole);
}
