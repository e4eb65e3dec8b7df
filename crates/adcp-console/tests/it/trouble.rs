//! A registry that does not answer, or cannot read what it holds.

use std::sync::Arc;

use adcp_console::Console;
use adcp_core::Registry;

use crate::broken::{Broken, Fault};
use crate::stage::{WRITER, ask, operators};

const ALL: [(&str, &str); 5] = [
    ("GET", "/admin/deliveries"),
    ("GET", "/admin/deliveries/whk_1"),
    ("GET", "/admin/endpoints"),
    ("POST", "/admin/deliveries/whk_1/redeliver"),
    ("POST", "/admin/deliveries/redeliver?all=true"),
];

#[tokio::test]
async fn a_registry_in_trouble_is_told_without_its_words() {
    for (fault, status, code) in [
        (Fault::Unavailable, 503, "unavailable"),
        (Fault::Corrupt, 500, "unreadable"),
        (Fault::Other, 500, "internal"),
    ] {
        let console = Console::new(Arc::new(Broken::new(fault)) as Arc<dyn Registry>, operators());
        for (method, target) in ALL {
            let answer = ask(&console, method, target, Some(WRITER)).await;
            assert_eq!(answer.header("retry-after"), (status == 503).then_some("5"));
            let problem = answer.problem(status, code).to_string();
            assert!(!problem.contains("db.example"), "{problem}");
        }
    }
}
