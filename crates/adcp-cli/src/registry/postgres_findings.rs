//! What the doctor says of a Postgres: what was found there, in words, and what to do.

use std::time::Duration;

use adcp_registry_postgres::{Connections, Examination, Server, Skew, Writes};

use super::findings as of_any;
use crate::doctor::Findings;

/// The oldest server that is tested.
const OLDEST: u32 = 13;

/// Clocks that are further apart than this confuse whoever compares logs, and replicas whose deadlines differ.
const APART: Duration = Duration::from_secs(2);

/// A shorter limit of the role ends statements of ours that do nothing wrong.
const SHORT: Duration = Duration::from_millis(500);

/// Says what is right and what is wrong; `origin` is where the sealing keys are from.
pub(super) fn judge(found: &Examination, origin: Option<&str>, findings: &mut Findings) {
    server(&found.server, findings);
    durability(&found.server, found.writes.as_ref(), findings);
    if let Some(writes) = &found.writes {
        transactions(&found.server, writes, findings);
    }
    privileges(&found.forbidden, findings);
    connections(&found.connections, &found.server, findings);
    clock(found.ahead, findings);
    if let Some(rows) = &found.rows {
        if let Some(ahead) = rows.from_the_future {
            findings.bad(
                &format!(
                    "the newest row was written {} s from now: the server's clock was set back",
                    ahead.as_secs()
                ),
                "set the server's clock (NTP): deadlines, leases and retention count by it",
            );
        }
        of_any::sealing(origin, rows.sealed, rows.unopened, findings);
        of_any::work([rows.open, rows.events, rows.overdue, rows.fenced], findings);
    }
}

fn server(server: &Server, findings: &mut Findings) {
    if server.major < OLDEST {
        findings.bad(
            &format!("PostgreSQL {} is older than any that is tested", server.version),
            "use PostgreSQL 13 or newer",
        );
    }
    if server.is_standby {
        findings.bad(
            "the server is a standby, which only reads",
            "name the primary: several hosts and target_session_attrs=read-write in the address find it",
        );
    }
    if server.encoding != "UTF8" {
        findings.bad(
            &format!(
                "the database keeps texts as {}, which cannot hold every name and every JSON",
                server.encoding
            ),
            "make a database with ENCODING 'UTF8' TEMPLATE template0, and move the registry there",
        );
    }
    if server.autovacuum == "off" {
        findings.bad(
            "autovacuum is off: tables and indexes grow, and every statement slows down with them",
            "set autovacuum = on and reload the server",
        );
    }
    if server.is_pooled {
        findings.note("a pooler stands in between, which is fine in transaction mode, too");
    }
    if !server.is_encrypted && !server.is_local && !server.is_pooled {
        findings.bad(
            "the connection is not encrypted, and the server is on another machine",
            "add sslmode=require to the address, and sslrootcert=FILE where the certificate is of your own making",
        );
    }
}

/// What is accepted must be on disk before the buyer is told.
fn durability(server: &Server, writes: Option<&Writes>, findings: &mut Findings) {
    let mut safe = true;
    let mut lossy = |name: &str, findings: &mut Findings| {
        safe = false;
        findings.bad(
            &format!("a crash of the server may lose accepted tasks, or the whole database ({name}=off)"),
            &format!("set {name} = on and reload the server"),
        );
    };
    for (name, value) in [("fsync", &server.fsync), ("full_page_writes", &server.full_page_writes)] {
        if value == "off" {
            lossy(name, findings);
        }
    }
    let Some(writes) = writes else { return };
    if writes.synchronous_commit == "off" {
        lossy("synchronous_commit", findings);
    }
    if safe {
        findings.good(&format!(
            "what is accepted is on disk first (fsync={}, full_page_writes={}, synchronous_commit={})",
            server.fsync, server.full_page_writes, writes.synchronous_commit
        ));
    }
    if server.synchronous_commit == "off" {
        findings.note(
            "synchronous_commit is off for this role; the registry turns it on for each write of its own, and \
             transactions of yours that end tasks have to do so themselves",
        );
    } else if server.synchronous_commit == "local" {
        findings.note("synchronous_commit is local for this role: a standby may lack what was accepted last");
    }
}

fn transactions(server: &Server, writes: &Writes, findings: &mut Findings) {
    match &server.shortest_timeout {
        Some((name, limit)) if *limit < SHORT => findings.bad(
            &format!("{name} is {} ms for this role, which ends healthy statements", limit.as_millis()),
            &format!("ALTER ROLE … SET {name} = 0: the registry limits each statement itself"),
        ),
        _ => findings.good(&format!(
            "a statement may take {}, a transaction is {}",
            writes.statement_timeout, writes.isolation
        )),
    }
    if server.isolation != writes.isolation {
        findings.note(&format!(
            "this role's transactions are {}; those of the registry are not, by their own word",
            server.isolation
        ));
    }
}

fn privileges(forbidden: &[String], findings: &mut Findings) {
    if forbidden.is_empty() {
        return;
    }
    findings.bad(
        &format!("this role lacks privileges on tables of the registry ({})", forbidden.join("; ")),
        "have their owner say: GRANT USAGE ON SCHEMA … TO …; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN \
         SCHEMA … TO …",
    );
}

fn connections(found: &Connections, server: &Server, findings: &mut Findings) {
    let Connections { allowed, used, pool, .. } = *found;
    if server.is_pooled {
        return findings.note(&format!(
            "one process opens up to {pool} connections to the pooler; see that it takes them"
        ));
    }
    if pool > allowed {
        findings.bad(
            &format!("one process may open {pool} connections, and the server allows this role {allowed}"),
            "give a smaller --registry-connections, or raise max_connections or the limit of the role",
        );
    } else {
        findings.good(&format!(
            "one process opens up to {pool} connections of the {allowed} that are allowed, of which {used} are in \
             use: {} processes fit",
            allowed / pool.max(1)
        ));
    }
}

/// The registry counts by the server's clock, an agent's functions by this machine's.
fn clock(ahead: Skew, findings: &mut Findings) {
    let apart = ahead.apart();
    if apart >= APART {
        let side = if ahead.least > 0 { "ahead of" } else { "behind" };
        findings.bad(
            &format!("the server's clock is {} s {side} this machine's", apart.as_secs()),
            "set both clocks (NTP): the registry counts by the server's, what is sold by this one",
        );
    } else {
        findings.good("the server's clock and this machine's agree");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_told_apart_only_when_that_is_certain() {
        for (least, most, words) in [
            (-9_000_000, 500, "agree"),
            (1_000_000, 1_200_000, "agree"),
            (3_000_000, 3_100_000, "3 s ahead of"),
            (-4_100_000, -4_000_000, "4 s behind"),
        ] {
            let mut findings = Findings::default();
            clock(Skew { least, most }, &mut findings);
            assert!(format!("{findings:?}").contains(words), "{least} to {most}: {findings:?}");
        }
    }
}
