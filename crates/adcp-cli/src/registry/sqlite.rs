//! `sqlite:PATH`: one file, for one machine.

use std::path::Path;
use std::sync::Arc;

use adcp_core::{Clock, SystemClock, Timestamp};
use adcp_registry_sqlite::{OpenError, Rows, Schema, SqliteConfig, SqliteRegistry};

use super::{Keys, Opened, SqliteFile, findings};
use crate::credential::others_may_read;
use crate::doctor::Findings;
use crate::exit::{Exit, Failure};
use crate::table::moment;

/// `PRAGMA synchronous` of a file whose commits are on disk.
const FULL: i64 = 2;

/// What waits beside the file when nobody keeps it there is a few MiB.
const LARGE: u64 = 64 << 20;

/// The first instant at which this version could have been run.
const PAST: &str = "2026-01-01T00:00:00Z";

pub(super) fn open(file: &SqliteFile, keys: Option<Keys>) -> Result<Opened, Failure> {
    let refuses_credentials = keys.is_none();
    let registry = SqliteRegistry::open(config(file, keys)).map_err(|error| unopened(file, error))?;
    Ok(Opened {
        companions: Vec::new(),
        registry: Arc::new(registry),
        what: format!("sqlite:{} (accepted tasks survive a restart)", file.path.display()),
        refuses_credentials,
    })
}

pub(super) fn migrate(file: &SqliteFile) -> Result<String, Failure> {
    file.make_folder()?;
    let config = config(file, None);
    let schema = || match SqliteRegistry::examine(&config) {
        Ok(found) => Some(found.schema),
        // What is wrong with the file is told by the migration itself.
        Err(_) => None,
    };
    let before = schema();
    SqliteRegistry::migrate(&config).map_err(|error| unopened(file, error))?;
    let (name, now) = (file.path.display(), schema());
    Ok(match (before, now) {
        (Some(Schema::Current(number)), _) => format!("{name} has schema {number} already"),
        (Some(Schema::Outdated { found, .. }), Some(Schema::Current(number))) => {
            format!("{name} was brought from schema {found} to {number}")
        }
        (_, Some(Schema::Current(number))) => format!("{name} was set up with schema {number}"),
        _ => format!("{name} was migrated"),
    })
}

pub(super) fn plan() -> String {
    SqliteRegistry::plan()
}

pub(super) fn examine(file: &SqliteFile, keys: Option<Keys>, findings: &mut Findings) -> Result<(), Failure> {
    let name = file.path.display();
    if !file.path.exists() {
        findings.bad(&format!("there is no file {name}"), "`adcp serve` or `adcp migrate` makes it");
        return Ok(());
    }
    privacy(file, findings);
    let origin = keys.as_ref().map(|keys| keys.origin.clone());
    let found = match SqliteRegistry::examine(&config(file, keys)) {
        Ok(found) => found,
        Err(error) => {
            let (what, advice) = explain(file, &error);
            findings.bad(&format!("{what} ({error})"), &advice);
            return Ok(());
        }
    };
    if found.faults.is_empty() {
        findings.good(&format!("{name} is a sound SQLite database"));
    } else {
        let first = found.faults.first().map_or("", String::as_str);
        findings.bad(
            &format!("{name} is damaged: {} (of {} faults)", crate::output::tame(first), found.faults.len()),
            RESTORE,
        );
    }
    match found.schema {
        Schema::Current(number) => findings.good(&format!("its schema is {number}, the one of this version")),
        Schema::Empty => findings.bad("nothing is in it", "run `adcp migrate`, or start `adcp serve`"),
        Schema::Outdated { found, needed } => {
            let what = format!("its schema is {found}, this version needs {needed}");
            findings.bad(&what, "stop the agent, make a copy, and run `adcp migrate`");
        }
        Schema::Unknown(number) => {
            let (what, advice) = explain(file, &OpenError::Unknown(number));
            findings.bad(&what, &advice);
        }
    }
    if let Some(rows) = found.rows {
        durability(&found.journal_mode, &rows, findings);
        waiting(file, rows.waiting, findings);
        clock(&rows, findings);
        findings::sealing(origin.as_deref(), rows.sealed, rows.unopened, findings);
        findings::work([rows.open, rows.events, rows.overdue, rows.fenced], findings);
    }
    Ok(())
}

const RESTORE: &str = "stop the agent, keep the file for somebody who can look at it, and restore a copy";

fn config(file: &SqliteFile, keys: Option<Keys>) -> SqliteConfig {
    let config = SqliteConfig::new(&file.path);
    match keys {
        Some(keys) => config.with_sealer(keys.sealer),
        None => config,
    }
}

/// What is wrong with a file that is not opened, and what to do.
fn explain(file: &SqliteFile, error: &OpenError) -> (String, String) {
    let name = file.path.display();
    match error {
        OpenError::Damaged(_) => (format!("{name} is damaged, or no SQLite database"), RESTORE.to_owned()),
        OpenError::Outdated { .. } => (
            format!("{name} was written by an older version"),
            "stop the agent, make a copy, and run `adcp migrate`".to_owned(),
        ),
        OpenError::Unknown(0) => (
            format!("{name} is a database of something else"),
            "name another file with --registry sqlite:PATH; this one was not touched".to_owned(),
        ),
        OpenError::Unknown(_) => (
            format!("{name} was written by a newer version, or changed by other hands"),
            "use that version of adcp, or restore a copy from before".to_owned(),
        ),
        _ if file.path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.exists()) => (
            format!("the folder of {name} does not exist"),
            "make it, for its owner only, or name another file with --registry sqlite:PATH".to_owned(),
        ),
        _ => (
            format!("{name} cannot be opened"),
            "see that this user may write the file and its folder, and that the disk is not full".to_owned(),
        ),
    }
}

fn unopened(file: &SqliteFile, error: OpenError) -> Failure {
    let (what, advice) = explain(file, &error);
    Failure::new(Exit::Broken, format!("{what}; {advice}")).because(error)
}

/// Tasks hold what buyers order; nobody else of this machine should read them.
fn privacy(file: &SqliteFile, findings: &mut Findings) {
    let beside = |ending: &str| {
        let mut name = file.path.clone().into_os_string();
        name.push(ending);
        name
    };
    let mut open = false;
    for path in [file.path.clone().into_os_string(), beside("-wal"), beside("-shm")] {
        let path = Path::new(&path);
        if others_may_read(path) {
            open = true;
            let name = path.display();
            findings
                .bad(&format!("others on this machine may open {name}"), &format!("run: chmod 600 {name}"));
        }
    }
    let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    if others_may_write(folder) {
        open = true;
        let name = folder.display();
        findings.bad(
            &format!("others on this machine may replace files in {name}"),
            &format!("run: chmod go-w {name}"),
        );
    }
    if let Some(key) = file.own_key.as_deref().filter(|key| others_may_read(key)) {
        open = true;
        let name = key.display();
        findings.bad(
            &format!("others on this machine may read the key {name}"),
            &format!("run: chmod 600 {name}"),
        );
    }
    if !open {
        findings.good("only its owner may open it");
    }
}

#[cfg(unix)]
fn others_may_write(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // In a sticky folder such as /tmp nobody replaces the files of others.
    let mode = |folder| std::fs::metadata(folder).map(|meta| meta.permissions().mode());
    mode(folder).is_ok_and(|mode| mode & 0o022 != 0 && mode & 0o1000 == 0)
}

#[cfg(not(unix))]
fn others_may_write(_folder: &Path) -> bool {
    false
}

fn durability(journal_mode: &str, rows: &Rows, findings: &mut Findings) {
    if journal_mode.eq_ignore_ascii_case("wal") && rows.synchronous >= FULL {
        findings.good("what is accepted is on disk first (journal_mode=wal, synchronous=full)");
    } else {
        findings.bad(
            &format!(
                "a crash may lose accepted tasks (journal_mode={journal_mode}, synchronous={})",
                rows.synchronous
            ),
            "put the file on a local disk: WAL does not work on network file systems",
        );
    }
}

/// What waits beside the file is moved into it at every thousandth page, unless somebody reads an old state of it.
fn waiting(file: &SqliteFile, waiting: u64, findings: &mut Findings) {
    let (name, megabytes) = (file.path.display(), waiting >> 20);
    if waiting >= LARGE {
        findings.bad(
            &format!("{megabytes} MiB wait in {name}-wal: a program holds the file and keeps them from moving into it"),
            &format!("find who has it open (lsof {name}), let them end, and start the agent again"),
        );
    } else {
        findings.good(&format!("the {name}-wal is small ({megabytes} MiB)"));
    }
}

/// Deadlines, leases and retention count by this machine's clock.
fn clock(rows: &Rows, findings: &mut Findings) {
    let now = SystemClock::new().now();
    let ahead = rows.newest.map(|newest| newest.since(now)).filter(|ahead| ahead.as_secs() >= 2);
    let advice = "set this machine's clock (NTP): deadlines, leases and retention count by it";
    if Timestamp::parse(PAST).is_ok_and(|past| now < past) {
        findings.bad(&format!("the clock says {}", moment(now)), advice);
    } else if let Some(ahead) = ahead {
        let what =
            format!("the newest row was written {} s from now: the clock was set back", ahead.as_secs());
        findings.bad(&what, advice);
    } else {
        findings.good(&format!("the clock is after every row ({})", moment(now)));
    }
}
