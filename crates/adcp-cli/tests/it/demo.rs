//! `adcp demo`: the whole story, and the help that leads to it.

use crate::run::{adcp, run};

#[test]
fn the_demo_is_right_in_every_step() {
    let demo = run(&["demo", "--review-delay", "0.1"]).expect(0);
    for words in
        ["IDEMPOTENCY_CONFLICT", "← submitted", "approved: media buy", "signed by `local-", "0 wrong"]
    {
        assert!(demo.out.contains(words), "{words}: {}", demo.out);
    }
    assert!(!demo.out.contains('✗') && !demo.out.contains('\u{1b}'), "{}", demo.out);
}

#[test]
fn help_tells_examples_exit_codes_and_environment() {
    let help = run(&["--help"]).expect(0).out;
    for words in ["adcp demo", "Exit codes:", "ADCP_TOKEN", "ADCP_SEAL_KEY", "NO_COLOR", "RUST_LOG"] {
        assert!(help.contains(words), "{words}: {help}");
    }
    for command in [
        "serve", "call", "tools", "validate", "demo", "tasks", "calls", "webhooks", "keys", "migrate",
        "doctor",
    ] {
        assert!(help.contains(&format!("  {command}")), "{help}");
        run(&[command, "--help"]).expect(0);
    }
    run(&[]).expect(2);
    let bad_filter = adcp(&["demo"]).env("RUST_LOG", "a=b=c").output().unwrap();
    assert_eq!(bad_filter.status.code(), Some(2));
}
