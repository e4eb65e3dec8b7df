//! The people who run an agent: their tokens, from files, and what they ask over HTTP.

use std::path::Path;
use std::sync::Arc;

use adcp_console::{Access, BadOperator, Console, Operators};
use adcp_core::{Registry, Secret};
use adcp_mcp::McpConfig;

use crate::args::OperatorArgs;
use crate::credential::{is_demo_key, no_token, warn_if_readable};
use crate::exit::Failure;
use crate::files;

/// The operators of the files that are given; `None` without a file. `buyers` is the token that buyers show.
pub(crate) fn find(args: &OperatorArgs, buyers: &Secret) -> Result<Option<Operators>, Failure> {
    let files = [(Access::Write, &args.operator_token_file), (Access::Read, &args.operator_read_token_file)];
    let mut found = None;
    for (access, file) in files {
        let Some(file) = file else { continue };
        found = Some(add(found.unwrap_or_default(), file, access, buyers)?);
    }
    Ok(found)
}

/// Serves them beside the agent, on its registry.
pub(crate) fn mount(
    config: McpConfig,
    operators: Option<&Operators>,
    registry: &Arc<dyn Registry>,
) -> McpConfig {
    match operators {
        Some(operators) => {
            let console = Console::new(Arc::clone(registry), operators.clone());
            config.with_routes(Console::PREFIX, console)
        }
        None => config,
    }
}

/// Where an agent that answers at `url` answers them.
pub(crate) fn address(url: &str) -> String {
    format!("{}{}/deliveries", url.trim_end_matches("/mcp"), Console::PREFIX)
}

fn add(mut known: Operators, file: &Path, access: Access, buyers: &Secret) -> Result<Operators, Failure> {
    warn_if_readable(file);
    let (place, alone) = (file.display(), alone(access));
    let text = files::read_text(file, files::SMALL).map_err(|error| {
        Failure::usage(format!("cannot read the operators' tokens in `{place}`")).because(error)
    })?;
    let mut any = false;
    for (at, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line is never repeated: it is a token.
        let refuse = |words: &str| Err(Failure::usage(format!("line {at} of `{place}` {words}; {EXAMPLE}")));
        if let Some(what) = no_token(line) {
            return refuse(&format!("is {what}, not an operator's token"));
        }
        let (name, token) = line.split_once(':').unwrap_or((alone, line));
        if !is_name(name) {
            return refuse(
                "has no name of an operator before the colon: 1 to 64 of the characters A-Z a-z 0-9 _ . @ -",
            );
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`{}".contains(&byte)) {
            return refuse("has a token with spaces, quotes, braces or characters outside ASCII");
        }
        if token == buyers.expose() {
            return refuse("is the token of the buyers; operators need one of their own");
        }
        if is_demo_key(token) {
            return refuse("is a demo key, which everybody knows; operators need a token of their own");
        }
        if is_sealing_key(name, token) {
            return refuse("looks like a key that seals credentials, which must not go over the wire");
        }
        if token.contains("://") || token.starts_with("//") {
            return refuse("looks like a url, not a token");
        }
        known = known.with_token(name, &Secret::new(token), access).map_err(|bad| refused(at, file, &bad))?;
        any = true;
    }
    if any {
        Ok(known)
    } else {
        Err(Failure::usage(format!("`{place}` holds no operator's token; {EXAMPLE}")))
    }
}

/// Whether people would write it before a colon; what is not may be the beginning of some other file.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a line reads like those of `--seal-key-file`: a month or the digits of a made name, and 32 bytes.
fn is_sealing_key(name: &str, token: &str) -> bool {
    let made = name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && name.bytes().any(|byte| byte.is_ascii_digit());
    made && token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The operator whose token stands alone.
const fn alone(access: Access) -> &'static str {
    match access {
        Access::Write => "operator",
        Access::Read => "reader",
    }
}

const EXAMPLE: &str = "expected NAME:TOKEN, or a token alone, such as from:\n  \
                       (umask 077; echo \"ada:$(openssl rand -hex 24)\" > operators)";

/// Without the name: what stands before a colon may be the beginning of a token.
fn refused(at: usize, file: &Path, bad: &BadOperator) -> Failure {
    let words = match bad {
        BadOperator::Name => bad.to_string(),
        BadOperator::ShortToken(_) => "the token is too short; take at least 16 characters".to_owned(),
        BadOperator::Unsendable(_) => "the token has spaces or characters outside ASCII".to_owned(),
        BadOperator::Shared(..) => "the token is another operator's already".to_owned(),
        _ => "this is no operator".to_owned(),
    };
    Failure::usage(format!("line {at} of `{}`: {words}; {EXAMPLE}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    const SEAL: &str = "2026-05:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn found(text: &str) -> Result<String, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let args = OperatorArgs {
            operator_token_file: Some(file.path().to_owned()),
            operator_read_token_file: None,
        };
        find(&args, &Secret::new("token-of-the-buyers")).map(|found| format!("{:?}", found.unwrap()))
    }

    #[test]
    fn a_file_holds_a_token_alone_or_one_a_line_with_its_name() {
        for (text, want) in [
            ("token-0123456789\n", "Operators([\"operator\"])"),
            ("# people\nada:token-0123456789\n\nbob:token-9876543210\r\n", "Operators([\"ada\", \"bob\"])"),
            ("ada:token-0123456789\nada:token-9876543210", "Operators([\"ada\", \"ada\"])"),
        ] {
            assert_eq!(found(text).unwrap(), want);
        }
        let nobody = OperatorArgs { operator_token_file: None, operator_read_token_file: None };
        assert!(find(&nobody, &Secret::new("x")).unwrap().is_none());
    }

    #[test]
    fn what_could_not_work_is_refused_without_being_shown() {
        for (text, words) in [
            ("", "holds no operator's token"),
            ("# nobody", "holds no operator's token"),
            ("secret:short", "at least 16 characters"),
            ("ada:secret", "at least 16 characters"),
            ("ada:secret with a space", "spaces"),
            ("a d a:secret-0123456789", "name"),
            (":secret-0123456789", "name"),
            ("ada:secret-0123456789\nbob:secret-0123456789", "line 2"),
            ("ada:token-of-the-buyers", "of the buyers"),
            ("{\"kty\":\"OKP\",\"d\":\"secret-0123456789\"}", "JSON"),
            ("  {\n  \"d\": \"secret-0123456789\"\n}", "JSON"),
            ("-----BEGIN PRIVATE KEY-----\nsecret0123456789abc\n-----END PRIVATE KEY-----", "PEM"),
            ("\"kty\":\"secret-0123456789\"", "name"),
            ("ada/b:secret-0123456789", "name"),
            ("ada:\"secret-0123456789\"", "quotes"),
            ("ada:secret-{0123456789}", "braces"),
            ("ada:demo-secret-name-v1", "demo key"),
            ("demo-secret-name-v1", "demo key"),
            ("postgres://me:secret-0123456789@host/x", "a url"),
            (SEAL, "seals credentials"),
            ("5e:\u{a0}secret-0123456789", "outside ASCII"),
        ] {
            let failure = found(text).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            let said = failure.to_string();
            assert!(
                said.contains(words)
                    && !said.contains("secret")
                    && !said.contains("0011")
                    && !said.contains("token-of"),
                "{said}"
            );
        }
    }

    #[test]
    fn the_address_is_the_agents() {
        assert_eq!(address("http://127.0.0.1:3000/mcp"), "http://127.0.0.1:3000/admin/deliveries");
    }
}
