//! The page about tasks and the one transition table.

use std::fmt::Write as _;
use std::path::Path;

use adcp_core::TaskStatus;

/// The table as a diagram. What is true of every member of a group is one arrow of the group.
fn diagram() -> String {
    let (ends, open): (Vec<_>, Vec<_>) = TaskStatus::ALL.into_iter().partition(|status| status.is_terminal());
    let known: Vec<_> = open.iter().copied().filter(|status| *status != TaskStatus::Unknown).collect();
    let mut out =
        String::from("stateDiagram-v2\n    [*] --> submitted\n    state open {\n        state known {\n");
    arrows(&mut out, 12, &known, &known);
    out.push_str("        }\n");
    group(&mut out, 8, ("known", &known), ("unknown", &[TaskStatus::Unknown]));
    group(&mut out, 8, ("unknown", &[TaskStatus::Unknown]), ("known", &known));
    out.push_str("    }\n");
    for end in ends {
        group(&mut out, 4, ("open", &open), (&id(end), &[end]));
        let _ = writeln!(out, "    {} --> [*]", id(end));
        arrows(&mut out, 4, &[end], &TaskStatus::ALL);
    }
    out
}

fn id(status: TaskStatus) -> String {
    status.as_str().replace('-', "_")
}

fn group(out: &mut String, indent: usize, from: (&str, &[TaskStatus]), to: (&str, &[TaskStatus])) {
    if from.1.iter().all(|from| to.1.iter().all(|to| from.can_become(*to))) {
        let _ = writeln!(out, "{:indent$}{} --> {}", "", from.0, to.0);
    } else {
        arrows(out, indent, from.1, to.1);
    }
}

fn arrows(out: &mut String, indent: usize, from: &[TaskStatus], to: &[TaskStatus]) {
    for from in from {
        for to in to.iter().filter(|to| from.can_become(**to)) {
            let _ = writeln!(out, "{:indent$}{} --> {}", "", id(*from), id(*to));
        }
    }
}

/// The page shows what the table says. When it does not, the test writes the page that would.
#[test]
fn the_page_is_in_step_with_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tasks.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (before, rest) = text.split_once("```mermaid\n").unwrap();
    let (drawn, after) = rest.split_once("```\n").unwrap();
    let fresh = diagram();
    if drawn != fresh {
        let better = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tasks.md");
        std::fs::write(&better, format!("{before}```mermaid\n{fresh}```\n{after}")).unwrap();
        panic!("docs/tasks.md is out of step; take {}", better.display());
    }
}
