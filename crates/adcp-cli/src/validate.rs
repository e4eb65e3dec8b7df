//! `adcp validate`: a document against a schema.

use std::sync::Arc;

use adcp_schemas::{Part, SchemaError, Validator, tool_validator, validator};

use crate::args::ValidateArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say};
use crate::{input, request};

/// Schemas to suggest for one that does not exist.
const SUGGESTIONS: usize = 8;

/// Runs the command.
pub(crate) fn run(args: &ValidateArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let validator = find(&args.schema)?;
    let document = input::document(&args.file)?;
    match validator.validate(&document) {
        Ok(()) => {
            say(&format!("{} is a valid {}", args.file, args.schema));
            Ok(Exit::Done)
        }
        Err(violations) => {
            terminal.line(&request::listed(&violations))?;
            say(&format!("{} is not a valid {}", args.file, args.schema));
            Ok(Exit::Correctable)
        }
    }
}

/// The validator for `TOOL:PART` or a path.
fn find(schema: &str) -> Result<Arc<Validator>, Failure> {
    let found = match schema.split_once(':') {
        Some((tool, part)) => tool_validator(tool, self::part(part)?),
        None => validator(schema),
    };
    found.map_err(|error| match error {
        SchemaError::UnknownSchema(path) => Failure::usage(unknown(&path)),
        SchemaError::UnknownTool(tool) => Failure::usage(format!(
            "AdCP {} has no tool `{tool}`; write TOOL:PART such as create_media_buy:request",
            adcp_types::ADCP_VERSION
        )),
        SchemaError::NoPart { .. } => Failure::usage(error.to_string()),
        error => Failure::new(Exit::Broken, "cannot use this schema").because(error),
    })
}

fn part(name: &str) -> Result<Part, Failure> {
    Ok(match name {
        "request" => Part::Request,
        "response" => Part::Response,
        "submitted" => Part::Submitted,
        "working" => Part::Working,
        "input-required" => Part::InputRequired,
        _ => {
            return Err(Failure::usage(format!(
                "a tool has no part `{name}`; choose request, response, submitted, working or input-required"
            )));
        }
    })
}

fn unknown(path: &str) -> String {
    let wanted = path.trim_end_matches(".json").rsplit('/').next().unwrap_or_default().replace('_', "-");
    let mut words = format!("AdCP {} has no schema `{path}`", adcp_types::ADCP_VERSION);
    let close: Vec<&str> =
        adcp_schemas::paths().filter(|path| path.contains(&wanted)).take(SUGGESTIONS).collect();
    if wanted.is_empty() || close.is_empty() {
        words.push_str(
            "; write TOOL:PART such as create_media_buy:request, or a path such as core/product.json",
        );
    } else {
        words.push_str("; did you mean:");
        close.iter().for_each(|path| words.push_str(&format!("\n  {path}")));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_found_by_tool_and_by_path() {
        for schema in ["create_media_buy:request", "create_media_buy:submitted", "core/product.json"] {
            assert!(find(schema).is_ok(), "{schema}");
        }
        let cases = [
            ("create_media_buy:answer", "choose request"),
            ("buy_media:request", "no tool"),
            ("get_products.json", "media-buy/get-products-request.json"),
            ("qqq", "TOOL:PART"),
        ];
        for (schema, advice) in cases {
            let failure = find(schema).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains(advice), "{failure}");
        }
    }
}
