//! Where the story is told: calls with their checks, printed for people.

use std::fmt::Display;
use std::time::{Duration, Instant};

use adcp_core::Secret;
use adcp_mcp::client::{Auth, Client};
use adcp_schemas::{Part, tool_validator};
use adcp_types::json::JsonObject;
use adcp_types::tools;
use serde_json::Value;

use crate::call::error_of;
use crate::colour;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, tame};
use crate::request;

/// The buyer's side of the conversation, and the score.
pub(super) struct Stage<'a> {
    pub(super) client: Client,
    url: String,
    terminal: &'a Terminal,
    verbose: bool,
    steps: usize,
    score: Score,
}

/// Checks that held, and those that did not.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    wrong: usize,
}

impl Score {
    fn count(&mut self, right: bool) {
        *(if right { &mut self.right } else { &mut self.wrong }) += 1;
    }

    /// All is well only when something was checked and nothing was wrong.
    fn exit(&self) -> Exit {
        if self.wrong == 0 && self.right > 0 { Exit::Done } else { Exit::Broken }
    }
}

impl<'a> Stage<'a> {
    pub(super) async fn new(
        url: &str,
        token: &Secret,
        terminal: &'a Terminal,
        verbose: bool,
    ) -> Result<Self, Failure> {
        let client = Client::connect(url, Auth::bearer(token.expose())).await?;
        Ok(Self { client, url: url.to_owned(), terminal, verbose, steps: 0, score: Score::default() })
    }

    /// Somebody else at the same door.
    pub(super) async fn stranger(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.url, Auth::none()).await?)
    }

    /// Begins a step of the story.
    pub(super) fn step(&mut self, title: &str) -> Result<(), Failure> {
        self.steps += 1;
        self.terminal.line("")?;
        self.terminal.line(&self.terminal.bold(&format!("{:>2}  {title}", self.steps)))
    }

    /// Says something beside the calls.
    pub(super) fn note(&self, text: &str) -> Result<(), Failure> {
        self.terminal.line(&format!("      {}", tame(text)))
    }

    /// Calls a tool; request and answer are checked against their schemas, and the answer must succeed.
    pub(super) async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, Failure> {
        let (body, failed) = self.exchange(tool, arguments).await?;
        if failed {
            let words = body
                .as_object()
                .and_then(error_of)
                .and_then(|error| error.get("message"))
                .and_then(Value::as_str)
                .unwrap_or("no message");
            return Err(Failure::new(Exit::Broken, format!("{tool} failed: {}", tame(words))));
        }
        Ok(body)
    }

    /// Calls a tool that must refuse, with this code.
    pub(super) async fn refusal(
        &mut self,
        tool: &str,
        arguments: &Value,
        code: &str,
    ) -> Result<Value, Failure> {
        let (body, failed) = self.exchange(tool, arguments).await?;
        let error = body["adcp_error"].clone();
        self.check(&format!("refused with {code}"), failed && error["code"] == code, &error["code"])?;
        if let Some(words) = error["message"].as_str() {
            self.note(&format!("\"{words}\""))?;
        }
        Ok(error)
    }

    /// Notes whether something is as it should be.
    pub(super) fn check(&mut self, what: &str, right: bool, found: impl Display) -> Result<(), Failure> {
        self.score.count(right);
        if right {
            return self.terminal.line(&format!("    {} {what}", self.terminal.good("✓")));
        }
        let found = tame(&found.to_string());
        self.terminal.line(&format!("    {} {what}; found: {found}", self.terminal.bad("✗")))
    }

    /// What this came to.
    pub(super) fn verdict(&self, took: Duration) -> Result<Exit, Failure> {
        let score = format!(
            "{} steps, {} checks right, {} wrong, {:.1} s",
            self.steps,
            self.score.right,
            self.score.wrong,
            took.as_secs_f64()
        );
        let exit = self.score.exit();
        let mark = if exit == Exit::Done { self.terminal.good("✓") } else { self.terminal.bad("✗") };
        self.terminal.line(&format!("\n  {mark} {}", self.terminal.bold(&score)))?;
        if exit == Exit::Done {
            self.terminal
                .line("    See every message: adcp demo --verbose. Run the seller yourself: adcp serve")?;
        }
        Ok(exit)
    }

    async fn exchange(&mut self, tool: &str, arguments: &Value) -> Result<(Value, bool), Failure> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        request::check(tool, &arguments)?;
        self.terminal.line(&format!("    → {tool} {}", self.terminal.dim(&gist(&arguments))))?;
        self.show(&Value::Object(arguments.clone()))?;
        let begin = Instant::now();
        let reply = self.client.call(tool, arguments).await?;
        let took = begin.elapsed();
        let status = reply.body.get("status").and_then(Value::as_str).unwrap_or("no status").to_owned();
        let took = self.terminal.dim(&format!("in {:.1} ms", took.as_secs_f64() * 1000.0));
        self.terminal.line(&format!("    ← {} {took}", tame(&status)))?;
        let body = Value::Object(reply.body);
        self.show(&body)?;
        self.conforms(tool, &status, &body)?;
        Ok((body, reply.failed))
    }

    /// Checks an answer against its schema.
    pub(super) fn conforms(&mut self, tool: &str, status: &str, body: &Value) -> Result<(), Failure> {
        // An answer that became a task has a schema of its own; a poll reports on another tool's task.
        let spec = tools::find(tool);
        let part = match (status, spec.and_then(|spec| spec.submitted_schema)) {
            ("submitted", Some(_)) => Part::Submitted,
            _ => Part::Response,
        };
        let broken = |error| Failure::new(Exit::Broken, "cannot check the answer").because(error);
        let found = tool_validator(tool, part).map_err(broken)?.validate(body);
        let name = match part {
            Part::Submitted => spec.and_then(|spec| spec.submitted_schema),
            _ => spec.map(|spec| spec.response_schema),
        };
        let what = format!("valid against {}", name.unwrap_or(tool));
        match found {
            Ok(()) => self.check(&what, true, ""),
            Err(violations) => {
                let first = violations.iter().next();
                let first = first.map(|one| format!("{}: expected {}", one.pointer(), one.expected()));
                self.check(&what, false, first.unwrap_or_default())
            }
        }
    }

    /// Checks a document against a schema.
    pub(super) fn valid(&mut self, schema: &str, document: &Value) -> Result<(), Failure> {
        self.show(document)?;
        let broken = |error| Failure::new(Exit::Broken, "cannot check the document").because(error);
        let found = adcp_schemas::validator(schema).map_err(broken)?.validate(document);
        let words = found.err().map(|violations| violations.to_string());
        self.check(&format!("valid against {schema}"), words.is_none(), words.unwrap_or_default())
    }

    fn show(&self, value: &Value) -> Result<(), Failure> {
        if !self.verbose {
            return Ok(());
        }
        colour::indented(value, self.terminal.is_coloured())
            .lines()
            .try_for_each(|line| self.terminal.line(&format!("      {line}")))
    }
}

/// The plain fields of a request, shortened.
fn gist(arguments: &JsonObject) -> String {
    let telling = |name: &&String| !matches!(name.as_str(), "start_time" | "end_time");
    let plain = arguments.iter().filter(|(name, _)| telling(name)).filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Array(items) => format!("[{}]", items.len()),
            Value::Object(_) | Value::Null => return None,
        };
        let mut shown: String = text.chars().take(30).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Some(format!("{name}={shown}"))
    });
    plain.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_wrong_check_spoils_the_demo_and_so_does_none_at_all() {
        let mut score = Score::default();
        assert_eq!(score.exit(), Exit::Broken);
        score.count(true);
        assert_eq!(score.exit(), Exit::Done);
        score.count(false);
        assert_eq!(score.exit(), Exit::Broken);
    }

    #[test]
    fn the_gist_is_short_and_plain() {
        let request = json!({"account": {"a": 1}, "brief": "x".repeat(50), "end_time": "t", "packages": [1], "paused": true});
        let gist = gist(request.as_object().unwrap());
        assert_eq!(gist, format!("brief={}… packages=[1] paused=true", "x".repeat(30)));
    }
}
