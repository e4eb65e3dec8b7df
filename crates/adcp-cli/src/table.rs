//! Tables for people.

use adcp_core::Timestamp;

use crate::exit::Failure;
use crate::output::{Terminal, tame};

/// Prints rows below their headings, each column as wide as its widest cell.
pub(crate) fn print<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    terminal: &Terminal,
) -> Result<(), Failure> {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| tame(cell))).collect();
    let width = |at: usize| {
        rows.iter().map(|row| row[at].chars().count()).chain([headings[at].len()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let cells = cells.into_iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    terminal.line(&terminal.dim(&line(headings)))?;
    rows.iter().try_for_each(|row| terminal.line(&line(row.each_ref().map(String::as_str))))
}

/// An instant to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}
