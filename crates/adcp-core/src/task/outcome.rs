//! How tasks go on and end.

use adcp_types::json::JsonObject;
use serde_json::Value;

use super::TaskStatus;
use crate::AdcpError;

/// How a task ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// With the tool's success body, without envelope.
    Completed(JsonObject),
    /// With an error.
    Failed(AdcpError),
    /// By a cancellation, with words why.
    Canceled(String),
    /// By a refusal.
    Rejected(AdcpError),
}

impl Outcome {
    /// The terminal status this outcome leads to.
    #[must_use]
    pub const fn status(&self) -> TaskStatus {
        match self {
            Self::Completed(_) => TaskStatus::Completed,
            Self::Failed(_) => TaskStatus::Failed,
            Self::Canceled(_) => TaskStatus::Canceled,
            Self::Rejected(_) => TaskStatus::Rejected,
        }
    }
}

/// How far a task is, as its function reports it.
///
/// Spec: `protocol/get-task-status-response.json`, `progress`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Percent done, 0 to 100.
    pub percentage: Option<f64>,
    /// The step under way, in words.
    pub current_step: Option<String>,
    /// Number of the step under way, from 1.
    pub step_number: Option<u32>,
    /// Steps in all.
    pub total_steps: Option<u32>,
    /// Counters that only this tool has, such as `creatives_processed`.
    pub extra: JsonObject,
}

impl Progress {
    /// Percent done; values outside 0 to 100 are clamped.
    #[must_use]
    pub fn percent(percentage: f64) -> Self {
        let clamped = if percentage.is_nan() { 0.0 } else { percentage.clamp(0.0, 100.0) };
        Self { percentage: Some(clamped), ..Self::default() }
    }

    /// Names the step under way.
    #[must_use]
    pub fn with_step(mut self, words: impl Into<String>) -> Self {
        self.current_step = Some(words.into());
        self
    }

    /// Numbers the step under way, from 1, and all steps.
    #[must_use]
    pub const fn with_position(mut self, number: u32, total: u32) -> Self {
        self.step_number = Some(number);
        self.total_steps = Some(total);
        self
    }

    /// Adds a counter that only this tool has.
    #[must_use]
    pub fn with_extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// Reads the body of a tool's `working` arm; what is no progress field is kept as [`Self::extra`].
    #[must_use]
    pub fn from_working(body: JsonObject) -> Self {
        let mut progress = Self::default();
        for (name, value) in body {
            let whole = || value.as_u64().and_then(|n| u32::try_from(n).ok());
            match name.as_str() {
                "percentage" => {
                    progress.percentage = value.as_f64().and_then(|n| Self::percent(n).percentage);
                }
                "current_step" => progress.current_step = value.as_str().map(str::to_owned),
                "step_number" => progress.step_number = whole(),
                "total_steps" => progress.total_steps = whole(),
                _ => {
                    progress.extra.insert(name, value);
                }
            }
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn progress_is_clamped() {
        assert_eq!(Progress::percent(250.0).percentage, Some(100.0));
        assert_eq!(Progress::percent(f64::NAN).percentage, Some(0.0));
    }

    #[test]
    fn a_working_body_becomes_progress() {
        let Value::Object(body) = json!({"percentage": 40, "total_steps": 3, "creatives_total": 7}) else {
            unreachable!()
        };
        let progress = Progress::from_working(body);
        assert_eq!((progress.percentage, progress.total_steps), (Some(40.0), Some(3)));
        assert_eq!(progress.extra["creatives_total"], 7);
    }
}
