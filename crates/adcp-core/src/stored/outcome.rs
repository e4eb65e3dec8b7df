//! How a task goes on and ends, as text.

use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use super::{Reader, Unreadable, put};
use crate::{Outcome, Progress, TaskStatus, Timestamp, Transition};

/// Writes a JSON object.
#[must_use]
pub fn write_object(object: &JsonObject) -> String {
    Value::Object(object.clone()).to_string()
}

/// Reads a JSON object.
///
/// # Errors
///
/// [`Unreadable`], naming `what`.
pub fn read_object(what: &'static str, text: &str) -> Result<JsonObject, Unreadable> {
    Reader::parse(what, text).map(|reader| reader.fields)
}

/// Writes how a task ended.
#[must_use]
pub fn write_outcome(outcome: &Outcome) -> String {
    let (name, value) = match outcome {
        Outcome::Completed(body) => ("completed", Value::Object(body.clone())),
        Outcome::Failed(error) => ("failed", error.to_stored()),
        Outcome::Canceled(reason) => ("canceled", Value::String(reason.clone())),
        Outcome::Rejected(error) => ("rejected", error.to_stored()),
    };
    json!({ name: value }).to_string()
}

/// Reads how a task ended.
///
/// # Errors
///
/// [`Unreadable`] when it is none of the four ends.
pub fn read_outcome(text: &str) -> Result<Outcome, Unreadable> {
    let mut reader = Reader::parse("outcome", text)?;
    if let Some(body) = reader.object("completed")? {
        return Ok(Outcome::Completed(body));
    }
    if let Some(error) = reader.take("failed") {
        return crate::AdcpError::from_stored(error).map(Outcome::Failed);
    }
    if let Some(error) = reader.take("rejected") {
        return crate::AdcpError::from_stored(error).map(Outcome::Rejected);
    }
    reader.text("canceled").map(Outcome::Canceled)
}

/// Writes a report of progress.
#[must_use]
pub fn write_progress(progress: &Progress) -> String {
    Value::Object(progress_object(progress)).to_string()
}

/// Reads a report of progress.
///
/// # Errors
///
/// [`Unreadable`] when it is no object.
pub fn read_progress(text: &str) -> Result<Progress, Unreadable> {
    read_object("progress", text).map(Progress::from_working)
}

/// Writes every status a task went through.
#[must_use]
pub fn write_history(history: &[Transition]) -> String {
    let entry = |transition: &Transition| {
        let mut out = JsonObject::new();
        out.insert("at".into(), transition.at.as_micros().into());
        out.insert("status".into(), transition.status.as_str().into());
        put(&mut out, "progress", transition.progress.as_ref().map(progress_object));
        Value::Object(out)
    };
    Value::Array(history.iter().map(entry).collect()).to_string()
}

/// Reads every status a task went through.
///
/// # Errors
///
/// [`Unreadable`], naming the field that is wrong.
pub fn read_history(text: &str) -> Result<Vec<Transition>, Unreadable> {
    const WHAT: &str = "history";
    let Ok(Value::Array(entries)) = serde_json::from_str(text) else {
        return Err(Unreadable { what: WHAT, at: "" });
    };
    let entry = |value| {
        let mut reader = Reader::of(WHAT, value)?;
        let at = reader.take("at").and_then(|at| at.as_i64()).ok_or_else(|| reader.wrong("at"))?;
        let status = reader.text("status")?;
        let status = TaskStatus::parse(&status).ok_or_else(|| reader.wrong("status"))?;
        let progress = reader.object("progress")?.map(Progress::from_working);
        Ok(Transition::new(Timestamp::from_micros(at), status, progress))
    };
    entries.into_iter().map(entry).collect()
}

fn progress_object(progress: &Progress) -> JsonObject {
    let mut out = progress.extra.clone();
    put(&mut out, "percentage", progress.percentage);
    put(&mut out, "current_step", progress.current_step.as_deref());
    put(&mut out, "step_number", progress.step_number);
    put(&mut out, "total_steps", progress.total_steps);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdcpError, Issue};
    use std::time::Duration;

    #[test]
    fn every_end_reads_back() {
        let error = AdcpError::unavailable()
            .with_retry_after(Duration::from_millis(1500))
            .with_detail("why", json!({ "deep": [1, 2.5] }))
            .with_recovery(adcp_types::Recovery::Terminal);
        let refused = AdcpError::from_issues(vec![
            Issue::new("/a/0", "expected text", "type").with_schema_path("x.json#/type"),
        ]);
        let mut body = JsonObject::new();
        body.insert("media_buy_id".into(), "mb".into());
        for outcome in [
            Outcome::Completed(body),
            Outcome::Failed(error),
            Outcome::Rejected(refused),
            Outcome::Canceled("no longer wanted".into()),
        ] {
            assert_eq!(read_outcome(&write_outcome(&outcome)).unwrap(), outcome);
        }
        for bad in ["", "{}", "[]", "{\"failed\":1}", "{\"completed\":[]}"] {
            assert!(read_outcome(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn histories_and_progress_read_back() {
        let progress = Progress::percent(12.5).with_step("asking").with_position(1, 3).with_extra("items", 4);
        assert_eq!(read_progress(&write_progress(&progress)).unwrap(), progress);
        let history = vec![
            Transition::new(Timestamp::from_micros(-5), TaskStatus::Submitted, None),
            Transition::new(Timestamp::from_micros(7), TaskStatus::Working, Some(progress)),
        ];
        assert_eq!(read_history(&write_history(&history)).unwrap(), history);
        assert_eq!(read_history("[{\"at\":1,\"status\":\"lost\"}]").unwrap_err().at, "status");
    }
}
