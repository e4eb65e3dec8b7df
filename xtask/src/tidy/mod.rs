//! Checks the rules of the repository that no compiler knows.
//!
//! Every rule is a pure function from what is in the repository to the faults it finds,
//! so that each can be shown a violation in a test. All faults are reported at once.

use std::fmt;

use anyhow::bail;

use self::repo::Repo;

mod arrows;
mod crates;
mod layout;
mod links;
mod metadata;
mod repo;
mod source;
mod text;

/// One broken rule: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl Fault {
    /// A fault of the file as a whole is reported on its first line.
    fn new(path: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Runs every rule and reports all faults.
///
/// # Errors
///
/// When a rule is broken, or when the repository or `cargo metadata` cannot be read.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some(arg) = args.first() {
        bail!("tidy takes no arguments, not `{arg}`");
    }
    let root = crate::root();
    let repo = Repo::read(&root)?;
    let metadata = metadata::Metadata::read(&root)?;

    let mut faults = layout::check(&repo);
    faults.extend(text::check(&repo));
    faults.extend(links::check(&repo));
    faults.extend(source::check(&repo));
    faults.extend(crates::check(&repo, &metadata));
    faults.extend(arrows::check(&metadata));
    faults.sort();
    faults.dedup();

    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => {
            println!("tidy: {} files, {} crates, no fault", repo.files.len(), metadata.members.len());
            Ok(())
        }
        1 => bail!("1 fault"),
        n => bail!("{n} faults"),
    }
}
