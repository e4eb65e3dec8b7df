//! `adcp serve`: addresses, tokens, demo keys, signals.

use std::path::PathBuf;

use crate::run::{Seller, TOKEN, adcp, run};

const PRODUCTS: &str = r#"{"buying_mode": "wholesale"}"#;

/// A file of this test process, removed when dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("adcp-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    #[cfg(unix)]
    fn mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // The system clears the folder anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_free_port_is_taken_told_and_healthy() {
    assert_eq!(Seller::start(&[]).health(), "200");
}

#[test]
fn without_a_token_one_is_made_on_loopback_and_nothing_starts_elsewhere() {
    let seller = Seller::spawn(&mut adcp(&["serve", "--bind", "127.0.0.1:0"]));
    let line = seller.greeting().lines().find(|line| line.contains("made for this run")).unwrap();
    let token = line.split_whitespace().nth(1).unwrap();
    run(&["call", &seller.url, "get_products", PRODUCTS, "--auth", token]).expect(0);

    let cases: [&[&str]; 3] = [
        &["serve", "--bind", "0.0.0.0:0"],
        &["serve", "--bind", "127.0.0.1:0", "--public-url", "https://ads.example.com/mcp"],
        &["serve", "--bind", "127.0.0.1:0", "--allowed-host", "ads.example.com"],
    ];
    for args in cases {
        let refused = run(args).expect(2);
        assert!(refused.err.contains("--token-file"), "{}", refused.err);
        assert_eq!(refused.out, "");
    }
}

#[test]
fn tokens_that_cannot_work_are_refused() {
    let empty = File::new("empty", "\n");
    let cases: [(&[&str], &str); 5] = [
        (&["--token", ""], "empty"),
        (&["--token", "two words"], "spaces"),
        (&["--token-file", empty.path()], "empty"),
        (&["--token-file", "/no/such/file"], "cannot read"),
        (&["--token", "a", "--token-file", "b"], "cannot be used with"),
    ];
    for (flags, words) in cases {
        let refused = run(&[&["serve", "--bind", "127.0.0.1:0"], flags].concat()).expect(2);
        assert!(refused.err.contains(words), "{flags:?}: {}", refused.err);
    }
}

#[test]
#[cfg(unix)]
fn a_given_token_works_and_is_never_printed() {
    let file = File::new("token", &format!("{TOKEN}\n"));
    file.mode(0o644);
    let mut command = adcp(&["serve", "--bind", "127.0.0.1:0", "--token-file", file.path()]);
    let seller = Seller::spawn(command.env("RUST_LOG", "trace"));
    seller.call("get_products", PRODUCTS, &[]).expect(0);
    run(&["call", &seller.url, "get_products", PRODUCTS, "--auth-file", file.path()]).expect(0);
    let ran = seller.stop().expect(0);
    assert!(ran.err.contains("chmod 600"), "{}", ran.err);
    assert!(!ran.out.contains(TOKEN) && !ran.err.contains(TOKEN), "{}\n{}", ran.out, ran.err);

    file.mode(0o600);
    let mut command = adcp(&["serve", "--bind", "127.0.0.1:0", "--token-file", file.path()]);
    assert!(!Seller::spawn(&mut command).stop().err.contains("chmod"));
}

#[test]
fn the_environment_may_hold_the_token_on_both_sides() {
    let seller = Seller::spawn(adcp(&["serve", "--bind", "127.0.0.1:0"]).env("ADCP_TOKEN", TOKEN));
    let mut call = adcp(&["call", &seller.url, "get_products", PRODUCTS]);
    assert!(call.env("ADCP_TOKEN", TOKEN).output().unwrap().status.success());
}

#[test]
fn demo_keys_are_buyers_unless_refused() {
    let call = |seller: &Seller| run(&["call", &seller.url, "get_products", PRODUCTS, "--auth", "demo-x-v1"]);
    call(&Seller::start(&[])).expect(0);
    call(&Seller::start(&["--demo-keys=off"])).expect(5);
    call(&Seller::start(&["--sandbox=off"])).expect(5);
    let unsafe_both = run(&["serve", "--bind", "127.0.0.1:0", "--sandbox=off", "--demo-keys"]).expect(2);
    assert!(unsafe_both.err.contains("--sandbox"), "{}", unsafe_both.err);
}

#[test]
fn further_releases_are_served_when_asked() {
    let request = r#"{"buying_mode": "wholesale", "adcp_version": "3.0"}"#;
    Seller::start(&[]).call("get_products", request, &[]).expect(3);
    let answer = Seller::start(&["--also-serve", "3.0"]).call("get_products", request, &[]).expect(0);
    assert_eq!(answer.json()["adcp_version"], "3.0");
    let refused = run(&["serve", "--bind", "127.0.0.1:0", "--also-serve", "three"]).expect(2);
    assert!(refused.err.contains("`three` is not a release"), "{}", refused.err);
}

#[test]
fn a_port_in_use_is_said_so() {
    let seller = Seller::start(&[]);
    let address = seller.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let refused = run(&["serve", "--bind", address]).expect(1);
    assert!(refused.err.contains("choose another port"), "{}", refused.err);
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it_in_order() {
    let ran = Seller::start(&[]).stop().expect(0);
    assert!(ran.err.ends_with("stopped\n"), "{}", ran.err);
}
