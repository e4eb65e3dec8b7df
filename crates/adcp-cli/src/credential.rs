//! Tokens: from flags, files and the environment, never into a log.

use std::path::Path;

use adcp_core::{Secret, hex, random_bytes};

use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::say;

/// The environment variable that holds a token.
pub(crate) const VARIABLE: &str = "ADCP_TOKEN";

/// Finds the token: the flag, the file, then the environment.
pub(crate) fn find(flag: Option<&Secret>, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let (text, origin) = match (flag, file) {
        (Some(token), _) => (token.expose().to_owned(), "the token of the command line".to_owned()),
        (None, Some(file)) => (read(file)?, format!("the token in `{}`", file.display())),
        (None, None) => match from_environment()? {
            Some(token) => (token, format!("the token in {VARIABLE}")),
            None => return Ok(None),
        },
    };
    let token = text.trim_end_matches(['\r', '\n']);
    if let Some(what) = no_token(token) {
        return Err(Failure::usage(format!("{origin} is {what}, not a token")));
    }
    if token.is_empty() {
        return Err(Failure::usage(format!("{origin} is empty; set one, or leave it out")));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(format!(
            "{origin} has spaces or characters outside ASCII, which no header can carry; use one line of \
             letters, digits and punctuation"
        )));
    }
    Ok(Some(Secret::new(token)))
}

/// What a text is that was named by mistake where a token or secret belongs; its beginning would become one.
pub(crate) fn no_token(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    match text {
        _ if text.starts_with('{') => Some("JSON, as of a key"),
        _ if text.contains("-----BEGIN") => Some("PEM, as of a key"),
        _ => None,
    }
}

/// Whether the sandbox takes it for a buyer's, whoever shows it: `demo-<name>-v<number>`.
pub(crate) fn is_demo_key(token: &str) -> bool {
    let parts = token.strip_prefix("demo-").and_then(|rest| rest.rsplit_once("-v"));
    parts.is_some_and(|(_, version)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A token nobody can guess.
pub(crate) fn generate() -> Result<String, Failure> {
    let bytes = random_bytes::<24>()
        .map_err(|error| Failure::new(Exit::Broken, "cannot make a token").because(error))?;
    Ok(hex(&bytes))
}

fn read(file: &Path) -> Result<String, Failure> {
    warn_if_readable(file);
    files::read_text(file, files::SMALL).map_err(|error| {
        Failure::usage(format!("cannot read the token file `{}`", file.display())).because(error)
    })
}

/// Says so when others on this machine may read a secret.
pub(crate) fn warn_if_readable(file: &Path) {
    if others_may_read(file) {
        let name = file.display();
        say(&format!("warning: others on this machine may read `{name}`; run: chmod 600 {name}"));
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of this variable")]
fn from_environment() -> Result<Option<String>, Failure> {
    match std::env::var(VARIABLE) {
        // Scripts and build machines unset a variable by emptying it.
        Ok(token) => Ok(Some(token).filter(|token| !token.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{VARIABLE} is not text; set it to one line of ASCII")))
        }
    }
}

#[cfg(unix)]
pub(crate) fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // Pipes, as of `<(pass show token)`, are nobody else's.
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(crate) fn others_may_read(_file: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_trimmed_and_unusable_tokens_are_refused_without_being_shown() {
        let token = find(Some(&Secret::new("abc-123\r\n")), None).unwrap().unwrap();
        assert_eq!(token.expose(), "abc-123");
        for bad in
            ["", "\n", "two words", "naïve-secret", "line\nline", "{\"d\":\"secret\"}", "-----BEGIN-secret"]
        {
            let failure = find(Some(&Secret::new(bad)), None).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(bad.trim().is_empty() || !failure.to_string().contains(bad), "{failure}");
        }
    }

    #[test]
    fn made_tokens_are_long_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.len(), 48);
        assert_ne!(one, other);
    }
}
