//! What the seller did, a line on disk for each beginning and each end of its code.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use adcp_core::{Clock, SystemClock};
use serde_json::json;

/// Shared by all replicas: each line is one write to the end of the file.
const RUNS: &str = "runs.log";

/// The work items of the system that carries workflows.
const QUEUE: &str = "queue.log";

/// The seller's own record, which no registry knows.
#[derive(Debug)]
pub(super) struct Journal {
    runs: File,
    queue: File,
    clock: SystemClock,
    next: AtomicU64,
}

/// A piece of the seller's code while it runs.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) key: String,
    part: &'static str,
}

impl Journal {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let open = |name| OpenOptions::new().create(true).append(true).open(folder.join(name));
        Ok(Self {
            runs: open(RUNS)?,
            queue: open(QUEUE)?,
            clock: SystemClock::new(),
            next: AtomicU64::new(1),
        })
    }

    /// A piece of code begins: `decide`, and for a task `enqueue`, `work` or `job`.
    pub(super) fn start(&self, part: &'static str, key: &str, task: Option<&str>) -> Run {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let run = Run { id: format!("{}-{number}", std::process::id()), key: key.to_owned(), part };
        self.write("start", &run, task, None);
        run
    }

    /// It ended: `done`, `handoff`, `error`, or `again` for a job that shall be tried again.
    pub(super) fn finish(&self, run: &Run, how: &str) {
        self.write("finish", run, None, Some(how));
    }

    /// Hands a task to the system that will end it, as this says.
    pub(super) fn enqueue(&self, task: &str, order: &str, plan: &serde_json::Value) {
        append(&self.queue, &json!({ "task": task, "order": order, "plan": plan }));
    }

    fn write(&self, what: &str, run: &Run, task: Option<&str>, how: Option<&str>) {
        let line = json!({
            "at": self.clock.now().as_micros(), "pid": std::process::id(), "what": what, "part": run.part,
            "key": run.key, "run": run.id, "task": task, "how": how,
        });
        append(&self.runs, &line);
    }
}

fn append(mut file: &File, line: &serde_json::Value) {
    let written = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data());
    // What is not written down would be taken for something that never happened.
    written.expect("the folder of a trial can be written");
}
