//! Reads JSON from an argument, a file or standard input, as strictly as an agent does.

use std::io::Read;
use std::path::Path;

use adcp_core::json::{self, Limits};
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::files;

/// The arguments of a call: JSON text, `@FILE`, `-`, or nothing at all.
pub(crate) fn arguments(given: Option<&str>) -> Result<JsonObject, Failure> {
    let (bytes, origin) = match given {
        None => return Ok(JsonObject::new()),
        Some("-") => (standard_input()?, "standard input".to_owned()),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => (file(path)?, format!("`{path}`")),
            None => (text.as_bytes().to_vec(), "the argument".to_owned()),
        },
    };
    match parse(&bytes, &origin)? {
        Value::Object(arguments) => Ok(arguments),
        _ => Err(Failure::usage(format!("{origin} is not a JSON object; write {{\"field\": …}}"))),
    }
}

/// A document: a file, or `-`.
pub(crate) fn document(name: &str) -> Result<Value, Failure> {
    match name {
        "-" => parse(&standard_input()?, "standard input"),
        path => parse(&file(path)?, &format!("`{path}`")),
    }
}

fn parse(bytes: &[u8], origin: &str) -> Result<Value, Failure> {
    json::parse(bytes, &Limits::new()).map_err(|error| {
        Failure::usage(format!("{origin} is not usable JSON; keys and texts need double quotes"))
            .because(error)
    })
}

fn file(path: &str) -> Result<Vec<u8>, Failure> {
    files::read(Path::new(path), longest())
        .map_err(|error| Failure::usage(format!("cannot read `{path}`")).because(error))
}

/// What the parser takes at most.
fn longest() -> u64 {
    u64::try_from(Limits::new().max_bytes).unwrap_or(u64::MAX)
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // One byte beyond the limit, so that the parser can say that it is too long.
    std::io::stdin()
        .take(longest().saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Exit::Broken, "cannot read standard input").because(error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_one_object() {
        assert!(arguments(None).unwrap().is_empty());
        assert_eq!(arguments(Some(r#"{"a": 1}"#)).unwrap()["a"], 1);
        let cases = [
            ("[1]", Exit::Usage),
            ("{\"a\": 1, \"a\": 2}", Exit::Usage),
            ("{", Exit::Usage),
            ("@/no/such/file.json", Exit::Usage),
        ];
        for (given, exit) in cases {
            assert_eq!(arguments(Some(given)).unwrap_err().exit(), exit, "{given}");
        }
    }
}
