//! What is wrong with a configuration, in words that say what to do.

use std::fmt;
use std::time::Duration;

use crate::generated::needs;

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No tools.
    #[error("nothing is mounted; call `.sales()` or another group of tools")]
    NothingMounted,
    /// A part that has no default.
    #[error("`.{0}(…)` is missing")]
    Missing(&'static str),
    /// Two groups offer one tool.
    #[error("the tool `{0}` is mounted twice")]
    MountedTwice(&'static str),
    /// Not a release.
    #[error("`{0}` is not a release; write MAJOR.MINOR or MAJOR.MINOR-PRERELEASE")]
    BadRelease(String),
    /// Outside what the protocol allows.
    #[error("the replay time of {0:?} is outside one hour to seven days")]
    ReplayTtl(Duration),
    /// Too short to be renewed in time.
    #[error("the lease of {0:?} is shorter than a second: it could not be renewed in time")]
    Lease(Duration),
    /// Over before anything could be handed over.
    #[error("the enqueue lease of {0:?} is shorter than a second: no workflow could be handed over in time")]
    EnqueueLease(Duration),
    /// Too often.
    #[error("the rescue interval of {0:?} is shorter than a second: the registry would do little else")]
    RescueInterval(Duration),
    /// Too often.
    #[error("the retention interval of {0:?} is shorter than a second: the registry would do little else")]
    RetentionInterval(Duration),
    /// Longer than receivers have to remember.
    #[error("notifications are tried for {0:?}, but receivers tell duplicates apart for seven days at most")]
    DeliveryHorizon(Duration),
    /// No handoff could ever run.
    #[error("room for zero background tasks: no handoff could run")]
    NoBackgroundTasks,
    /// Two handlers for one kind of job.
    #[error("two handlers are registered for jobs of kind `{0}`")]
    JobTwice(&'static str),
    /// A handler without a name for what it handles.
    #[error("a handler of jobs has an empty kind")]
    JobWithoutKind,
    /// No job could ever run.
    #[error("room for zero jobs: none could run")]
    NoJobSlots,
    /// Too often.
    #[error("the poll interval of {0:?} for jobs is shorter than 100 ms: the registry would do little else")]
    JobPollInterval(Duration),
    /// A wait that is none, or one that is longer than the longest.
    #[error("jobs that failed wait from {first:?} to {longest:?}: expected more than nothing, and an order")]
    JobWait {
        /// After the first attempt.
        first: Duration,
        /// At most.
        longest: Duration,
    },
    /// A time of the terms of proposals that is none.
    #[error("the {0} is zero")]
    NoTimeForProposals(&'static str),
    /// Tools, but none that opens a protocol.
    #[error(
        "what is mounted opens no protocol of AdCP; mount a group that does, such as `.sales()`, or declare \
         `supported_protocols` in `.capabilities(…)`"
    )]
    NoProtocol,
    /// A protocol of which nothing is mounted.
    #[error("`supported_protocols` contains `{0}`, but no mounted tool belongs to it")]
    ProtocolTools(String),
    /// Capabilities of a protocol that is not offered.
    #[error("the capabilities declare `{0}`, but what is mounted does not offer that protocol")]
    BlockWithoutProtocol(&'static str),
    /// A specialism whose tools are not mounted.
    #[error("the specialism `{specialism}` is claimed without {}", mounts(missing))]
    SpecialismTools {
        /// The claim.
        specialism: String,
        /// The tools it lacks.
        missing: Vec<&'static str>,
    },
    /// Not a specialism of this release.
    #[error("`{claimed}` is no specialism{}", meant(*did_you_mean))]
    UnknownSpecialism {
        /// The claim.
        claimed: String,
        /// A specialism that is written much like it.
        did_you_mean: Option<&'static str>,
    },
    /// A capability whose tools are not mounted.
    #[error("the capability `{capability}` needs {}", mounts(missing))]
    CapabilityTools {
        /// Its path in the capabilities.
        capability: String,
        /// The tools it lacks.
        missing: Vec<&'static str>,
    },
    /// Two claims that cannot both hold.
    #[error("{claim} is declared, but {against}")]
    Contradiction {
        /// What is claimed.
        claim: String,
        /// What speaks against it.
        against: String,
    },
    /// A compliance controller that plays nothing.
    #[error(
        "`.compliance_controller()` is mounted, but `compliance_testing.scenarios` does not say what it plays"
    )]
    NoScenarios,
    /// Capabilities that their own schema refuses.
    #[error("the capabilities are not valid at `{pointer}`: expected {expected}")]
    InvalidCapability {
        /// Where, as a JSON pointer.
        pointer: String,
        /// What should stand there.
        expected: String,
    },
    /// A tool without a schema in the bundle.
    #[error("the schema bundle has no request schema for `{0}`")]
    NoSchema(&'static str),
}

/// Tools, each with what mounts it.
fn mounts(tools: &[&'static str]) -> String {
    let one = |tool: &&str| match needs::mounted_by(tool) {
        "" => format!("`{tool}`"),
        method => format!("`{tool}` (mount `.{method}()`)"),
    };
    tools.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn meant(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Every fault of a configuration.
///
/// Its `Debug` is its `Display`: that is what a `main` that returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildErrors(Vec<BuildError>);

impl BuildErrors {
    pub(crate) const fn new(faults: Vec<BuildError>) -> Self {
        Self(faults)
    }

    /// The faults, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &BuildError> {
        self.0.iter()
    }
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the agent cannot be built")?;
        for (i, fault) in self.0.iter().enumerate() {
            write!(f, "{} {fault}", if i == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildErrors {}
