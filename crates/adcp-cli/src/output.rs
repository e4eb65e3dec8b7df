//! Where text goes: answers to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde_json::Value;

use crate::colour;
use crate::exit::{Exit, Failure};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// Standard output, and whether it shows colours.
#[derive(Debug)]
pub(crate) struct Terminal {
    coloured: bool,
}

impl Terminal {
    pub(crate) fn new(when: When) -> Self {
        let coloured = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => io::stdout().is_terminal() && wants_colour(),
        };
        Self { coloured }
    }

    /// Writes a line.
    ///
    /// When the reader has left, as `head` does, the failure is one without words.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        writeln!(io::stdout(), "{text}").map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
            _ => Failure::new(Exit::Broken, "cannot write the output").because(error),
        })
    }

    /// Writes JSON, on one line when `compact`.
    pub(crate) fn json(&self, value: &Value, compact: bool) -> Result<(), Failure> {
        self.line(&if compact { colour::on_one_line(value) } else { colour::indented(value, self.coloured) })
    }

    /// Whether colours are shown.
    pub(crate) const fn is_coloured(&self) -> bool {
        self.coloured
    }

    /// `text` in bold.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    /// `text` in grey.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.painted("2", text)
    }

    /// `text` in green.
    pub(crate) fn good(&self, text: &str) -> String {
        self.painted("32", text)
    }

    /// `text` in red.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.painted("31", text)
    }

    fn painted(&self, style: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Tells the person something beside the answer.
pub(crate) fn say(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Text of a peer on one line, with nothing in it that a terminal would obey.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || reorders(c) { ' ' } else { c }).collect()
}

/// What changes the order in which a line is shown, or begins another one.
pub(crate) fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line on standard error that is written over, on a terminal; line after line elsewhere.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    overwrites: bool,
    last: String,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self { overwrites: io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows `text`, if it is news or can be written over the last one.
    pub(crate) fn show(&mut self, text: &str, elapsed: std::time::Duration) {
        if self.overwrites {
            let _ = write!(io::stderr(), "\r\u{1b}[2K{text} ({} s)", elapsed.as_secs());
        } else if self.last != text {
            say(text);
        }
        text.clone_into(&mut self.last);
    }

    /// Leaves the line as it is and goes on below.
    pub(crate) fn end(&self) {
        if self.overwrites && !self.last.is_empty() {
            say("");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of these variables")]
fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_peer_moves_the_cursor_or_the_order_of_a_line() {
        assert_eq!(tame("a\u{1b}[2Jb\r\n\u{9b}1m\u{202e}c\u{2066}é"), "a [2Jb   1m c é");
    }
}
