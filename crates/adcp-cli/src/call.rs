//! `adcp call`: one tool of an agent, and the task that may come of it.

use adcp_mcp::client::{Auth, CallReply, Client, ClientError};
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::args::{AuthArgs, AuthHeader, CallArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::wait;
use crate::{credential, input, log, request};

/// Runs the command.
pub(crate) async fn run(args: &CallArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("warn")?;
    let mut arguments = input::arguments(args.arguments.as_deref())?;
    let key = request::fill_idempotency_key(&args.tool, &mut arguments)?;
    if !args.no_validate {
        request::check(&args.tool, &arguments)?;
    }
    let account = arguments.get("account").cloned();
    let auth = auth(&args.auth)?;
    if let Some(key) = &key {
        say(&format!("idempotency_key: {key} (repeat it to retry safely)"));
    }
    let client = Client::connect(&args.url, auth).await?;
    let reply = match client.call(&args.tool, arguments).await {
        Ok(reply) => reply,
        Err(error) => return refused(error, args, terminal),
    };
    let CallReply { mut body, failed, .. } = reply;
    if let Some(task) = wait::task_of(&body, failed) {
        if args.wait {
            body = wait::follow(&client, &task, account, args.wait_for).await?;
        } else {
            say(&format!("accepted as task {}; --wait follows it", tame(&task)));
        }
    }
    let exit = outcome(&body, failed);
    explain(&body, exit);
    terminal.json(&Value::Object(body), args.compact)?;
    Ok(exit)
}

/// What the caller shows to be let in.
pub(crate) fn auth(args: &AuthArgs) -> Result<Auth, Failure> {
    let token = credential::find(args.auth.as_ref(), args.auth_file.as_deref())?;
    Ok(match (token, args.auth_header) {
        (None, _) => Auth::none(),
        (Some(token), AuthHeader::Bearer) => Auth::bearer(token.expose()),
        (Some(token), AuthHeader::XAdcpAuth) => Auth::api_key(token.expose()),
    })
}

/// A refusal before the tool ran: its AdCP error is the answer, if it has one.
fn refused(error: ClientError, args: &CallArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if let Some(adcp) = error.adcp_error() {
        let body = JsonObject::from_iter([("adcp_error".to_owned(), Value::Object(adcp.clone()))]);
        terminal.json(&Value::Object(body), args.compact)?;
    }
    Err(error.into())
}

/// How a call ended, as an exit code.
pub(crate) fn outcome(body: &JsonObject, failed: bool) -> Exit {
    let status = body.get("status").and_then(Value::as_str).unwrap_or_default();
    match (error_of(body), status) {
        (Some(error), _) if failed || matches!(status, "failed" | "rejected" | "canceled") => {
            Exit::of_error(error)
        }
        (_, "rejected" | "canceled") => Exit::Terminal,
        (_, "input-required" | "auth-required") => Exit::Correctable,
        (_, "failed") => Exit::Transient,
        _ if failed => Exit::Transient,
        _ => Exit::Done,
    }
}

/// The error of an answer: that of the envelope, of a task, or the first of a list.
pub(crate) fn error_of(body: &JsonObject) -> Option<&JsonObject> {
    let first = || body.get("errors").and_then(Value::as_array).and_then(|errors| errors.first());
    body.get("adcp_error").or_else(|| body.get("error")).or_else(first).and_then(Value::as_object)
}

/// Says on standard error what went wrong and what can be done.
fn explain(body: &JsonObject, exit: Exit) {
    if exit == Exit::Done {
        return;
    }
    let advice = match exit {
        Exit::Correctable => "change the request",
        Exit::Terminal => "the same request will be refused again",
        _ => "the same request may succeed later",
    };
    let text = |field| error_of(body).and_then(|error| error.get(field)).and_then(Value::as_str);
    let mut words = match (text("code"), text("message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (one, other) => one.or(other).unwrap_or("the call did not succeed").to_owned(),
    };
    for (label, field) in [("field", "field"), ("suggestion", "suggestion")] {
        if let Some(value) = text(field) {
            words.push_str(&format!("; {label}: {value}"));
        }
    }
    // What the agent suggests is about this very case; our advice is only about its class.
    let advice = if text("suggestion").is_some() { String::new() } else { format!(" ({advice})") };
    say(&format!("error: {}{advice}", tame(&words)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exit_codes_follow_status_and_error() {
        let error = json!({"code": "BUDGET_TOO_LOW", "message": "m"});
        let cases = [
            (json!({"status": "completed"}), Exit::Done),
            (json!({"status": "submitted", "task_id": "t"}), Exit::Done),
            (json!({"status": "completed", "errors": [error]}), Exit::Done),
            (json!({"status": "failed", "adcp_error": error}), Exit::Correctable),
            (json!({"status": "failed", "error": {"code": "ACCOUNT_NOT_FOUND"}}), Exit::Terminal),
            (json!({"status": "failed"}), Exit::Transient),
            (json!({"status": "canceled"}), Exit::Terminal),
            (json!({"status": "input-required"}), Exit::Correctable),
        ];
        for (body, exit) in cases {
            assert_eq!(outcome(body.as_object().unwrap(), false), exit, "{body}");
        }
        let failed = json!({"errors": [error]});
        assert_eq!(outcome(failed.as_object().unwrap(), true), Exit::Correctable);
    }
}
