//! Ends this process at a named point, as `kill -9` would.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use adcp_core::fault;
use rustix::process::{Signal, getpid, kill_process};

use super::delivery::life;
use super::{folder, variable};

/// Where to die, such as `after-issue:2` for the second time that point is reached.
const VARIABLE: &str = "ADCP_FAULT";

/// Every point that was reached, and the one where the process ended, a line each: for the last one with the name of
/// its process and what it was about.
const LOG: &str = "faults.log";

/// A point where the answer is about to be sent, and how long to wait so that it was.
const AFTER_REPLY: &str = "after-reply";
const REPLY_TIME: Duration = Duration::from_millis(30);

static STATE: OnceLock<Mutex<State>> = OnceLock::new();

struct State {
    log: File,
    life: String,
    reached: BTreeSet<&'static str>,
    armed: Option<(String, u64)>,
}

/// Has the points of this process watched, when this is a trial.
pub(crate) fn arm() {
    let Some(folder) = folder() else { return };
    let Ok(log) = OpenOptions::new().create(true).append(true).open(folder.join(LOG)) else { return };
    let armed = variable(VARIABLE).and_then(|fault| {
        let (name, hit) = fault.rsplit_once(':')?;
        Some((name.to_owned(), hit.parse().ok()?))
    });
    if STATE.set(Mutex::new(State { log, life: life(), reached: BTreeSet::new(), armed })).is_ok() {
        fault::on_point(reached);
        thread::spawn(end_with_the_suite);
    }
}

/// The suite holds the other end of standard input: when it is gone, nobody else would end this process.
fn end_with_the_suite() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    let _ = kill_process(getpid(), Signal::KILL);
}

fn reached(name: &'static str, subjects: &[String]) {
    let Some(state) = STATE.get() else { return };
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.reached.insert(name) {
        state.write(&format!("reached {name}\n"));
    }
    match &mut state.armed {
        Some((armed, left)) if armed == name && *left > 1 => *left -= 1,
        Some((armed, _)) if armed == name => {
            state.armed = None;
            if name != AFTER_REPLY {
                state.end(name, subjects);
            }
            drop(state);
            thread::spawn(move || {
                thread::park_timeout(REPLY_TIME);
                if let Some(state) = STATE.get() {
                    state.lock().unwrap_or_else(PoisonError::into_inner).end(name, &[]);
                }
            });
        }
        _ => {}
    }
}

impl State {
    fn write(&mut self, line: &str) {
        // Without its log the suite misses the point and says so.
        let _ = self.log.write_all(line.as_bytes());
    }

    /// Nothing is unwound or flushed, and no other thread gets a turn.
    fn end(&mut self, name: &str, subjects: &[String]) -> ! {
        let line = format!("ended {name} {} {}\n", self.life, subjects.join(" "));
        self.write(&line);
        let _ = kill_process(getpid(), Signal::KILL);
        loop {
            thread::park();
        }
    }
}
