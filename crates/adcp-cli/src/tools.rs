//! `adcp tools`: what an agent offers.

use adcp_mcp::client::{Client, ToolInfo};
use serde_json::{Value, json};

use crate::args::ToolsArgs;
use crate::call;
use crate::exit::{Exit, Failure};
use crate::log;
use crate::output::{Terminal, tame};

/// Runs the command.
pub(crate) async fn run(args: &ToolsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("warn")?;
    let client = Client::connect(&args.url, call::auth(&args.auth)?).await?;
    let mut tools = client.tools().await?;
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(wanted) = &args.tool {
        tools.retain(|tool| tool.name == *wanted);
        let [tool] = tools.as_slice() else {
            let words = format!("the agent has no tool `{wanted}`; `adcp tools {}` lists them", args.url);
            return Err(Failure::new(Exit::Correctable, words));
        };
        return one(tool, args.json, terminal);
    }
    if args.json {
        terminal.json(&tools.iter().map(as_json).collect(), false)?;
        return Ok(Exit::Done);
    }
    terminal.line(&format!("{}: {} tools", tame(client.server()), tools.len()))?;
    for tool in &tools {
        let mark = if tool.read_only { ' ' } else { '*' };
        terminal.line(&format!("\n{mark} {}", terminal.bold(&tame(&tool.name))))?;
        for line in wrapped(&tame(&tool.description), 96) {
            terminal.line(&format!("    {line}"))?;
        }
    }
    Ok(Exit::Done)
}

fn one(tool: &ToolInfo, whole: bool, terminal: &Terminal) -> Result<Exit, Failure> {
    if whole {
        terminal.json(&as_json(tool), false)?;
    } else {
        terminal.json(&Value::Object(tool.input_schema.clone()), false)?;
    }
    Ok(Exit::Done)
}

fn as_json(tool: &ToolInfo) -> Value {
    json!({
        "name": tool.name,
        "description": tool.description,
        "read_only": tool.read_only,
        "input_schema": tool.input_schema,
    })
}

/// `text` in lines of at most `width` characters, words kept whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two  three\nfour", 7), ["one two", "three", "four"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
        assert!(wrapped(" ", 3).is_empty());
    }
}
