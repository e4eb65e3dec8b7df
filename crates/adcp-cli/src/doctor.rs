//! `adcp doctor`: what is wrong with a registry, in words, and what to do.

use serde_json::{Value, json};

use crate::args::DoctorArgs;
use crate::exit::{Exit, Failure};
use crate::log;
use crate::output::Terminal;
use crate::registry::Place;

/// What was found, in the order it was looked for.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

#[derive(Debug)]
enum Finding {
    Good(String),
    Note(String),
    Bad { what: String, advice: String },
}

impl Findings {
    /// Whether nothing is wrong so far.
    pub(crate) fn are_good(&self) -> bool {
        !self.0.iter().any(|finding| matches!(finding, Finding::Bad { .. }))
    }

    /// Something is as it should be.
    pub(crate) fn good(&mut self, what: &str) {
        self.0.push(Finding::Good(what.to_owned()));
    }

    /// Something to know, and nothing to do.
    pub(crate) fn note(&mut self, what: &str) {
        self.0.push(Finding::Note(what.to_owned()));
    }

    /// Something is wrong, and this helps.
    pub(crate) fn bad(&mut self, what: &str, advice: &str) {
        self.0.push(Finding::Bad { what: what.to_owned(), advice: advice.to_owned() });
    }
}

/// Runs the command.
pub(crate) async fn run(args: &DoctorArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("error")?;
    let mut findings = Findings::default();
    Place::of(&args.registry)?.examine(&args.keys, &mut findings).await?;
    let wrong = findings.0.iter().filter(|finding| matches!(finding, Finding::Bad { .. })).count();
    if args.json {
        let all: Vec<Value> = findings.0.iter().map(Finding::to_json).collect();
        terminal.json(&json!({ "findings": all, "wrong": wrong }), false)?;
    } else {
        findings.0.iter().try_for_each(|finding| finding.print(terminal))?;
        match wrong {
            0 => terminal.line("nothing is wrong")?,
            1 => terminal.line("1 thing is wrong")?,
            _ => terminal.line(&format!("{wrong} things are wrong"))?,
        }
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Broken })
}

impl Finding {
    fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        match self {
            Self::Good(what) => terminal.line(&format!("{}  {what}", terminal.good("ok   "))),
            Self::Note(what) => terminal.line(&format!("{}  {what}", terminal.dim("note "))),
            Self::Bad { what, advice } => {
                terminal.line(&format!("{}  {what}\n       → {advice}", terminal.bad("wrong")))
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Good(what) => json!({ "level": "ok", "what": what }),
            Self::Note(what) => json!({ "level": "note", "what": what }),
            Self::Bad { what, advice } => json!({ "level": "wrong", "what": what, "advice": advice }),
        }
    }
}
