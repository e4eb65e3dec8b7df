//! What was looked at, whether it works, and what to do.

use adcp_signing::{Fault, KeyFault, Profile};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::output::{Terminal, tame};

/// The steps that were taken, in their order.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<Step>,
    /// Of the first step that failed.
    exit: Option<Exit>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    state: State,
    what: String,
}

#[derive(Debug)]
enum State {
    Good,
    Note,
    Failed { code: &'static str, advice: String },
}

impl Report {
    pub(super) fn good(&mut self, name: &'static str, what: impl AsRef<str>) {
        self.add(name, State::Good, what.as_ref());
    }

    /// Something to know that no verifier minds.
    pub(super) fn note(&mut self, name: &'static str, what: impl AsRef<str>) {
        self.add(name, State::Note, what.as_ref());
    }

    /// A document that has to change.
    pub(super) fn wrong(
        &mut self,
        name: &'static str,
        code: &'static str,
        what: impl AsRef<str>,
        advice: &str,
    ) {
        self.fail(name, code, what.as_ref(), advice, Exit::Correctable);
    }

    /// A document that cannot be fetched.
    pub(super) fn absent(
        &mut self,
        name: &'static str,
        code: &'static str,
        what: impl AsRef<str>,
        advice: &str,
    ) {
        self.fail(name, code, what.as_ref(), advice, Exit::Transport);
    }

    fn fail(&mut self, name: &'static str, code: &'static str, what: &str, advice: &str, exit: Exit) {
        self.exit.get_or_insert(exit);
        self.add(name, State::Failed { code, advice: advice.to_owned() }, what);
    }

    /// The words of peers are in it.
    fn add(&mut self, name: &'static str, state: State, what: &str) {
        self.steps.push(Step { name, state, what: tame(what) });
    }

    /// What failed first, for whoever needs the keys for something else.
    pub(super) fn into_failure(self) -> Failure {
        let failed = self.steps.iter().find_map(|step| match &step.state {
            State::Failed { code, advice } => Some(format!("{} ({code}); {advice}", step.what)),
            _ => None,
        });
        let words = failed.unwrap_or_else(|| "the way to the keys ends early".to_owned());
        Failure::new(self.exit.unwrap_or(Exit::Correctable), words)
    }

    /// Prints it.
    pub(super) fn show(&self, as_json: bool, terminal: &Terminal) -> Result<Exit, Failure> {
        let exit = self.exit.unwrap_or(Exit::Done);
        if as_json {
            let steps: Vec<Value> = self.steps.iter().map(Step::to_json).collect();
            terminal.json(&json!({ "steps": steps, "ok": self.exit.is_none() }), false)?;
            return Ok(exit);
        }
        self.steps.iter().try_for_each(|step| step.print(terminal))?;
        terminal.line(match self.exit {
            None => "verifiers find the keys",
            Some(_) => "verifiers do not get through",
        })?;
        Ok(exit)
    }
}

impl Step {
    fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        let what = &self.what;
        match &self.state {
            State::Good => terminal.line(&format!("{}  {what}", terminal.good("ok    "))),
            State::Note => terminal.line(&format!("{}  {what}", terminal.dim("note  "))),
            State::Failed { code, advice } => terminal
                .line(&format!("{}  {what}\n        {code}\n        → {advice}", terminal.bad("failed"))),
        }
    }

    fn to_json(&self) -> Value {
        let mut out = json!({ "step": self.name, "what": self.what });
        out["state"] = match &self.state {
            State::Good => "ok".into(),
            State::Note => "note".into(),
            State::Failed { code, advice } => {
                out["code"] = (*code).into();
                out["advice"] = advice.as_str().into();
                "failed".into()
            }
        };
        out
    }
}

/// The code for a document on the way to a key; the protocol names these after requests, whatever is verified.
pub(super) const fn code(fault: KeyFault) -> &'static str {
    Fault::Keys(fault).code(Profile::Request)
}
