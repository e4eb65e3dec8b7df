//! Rules for every line of text, whatever the language.

use super::{Fault, repo::Repo};

/// Words that leave work to somebody else. Written in halves so that this file passes.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const UNFINISHED_MACROS: &[&str] = &[concat!("to", "do!"), concat!("unimple", "mented!")];

/// Places that exist on one machine only.
const ELSEWHERE: &[&str] = &[concat!("../", "shared"), concat!("/wo", "rk/"), concat!("/tmp/", "peer")];

pub(super) fn check(repo: &Repo) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in &repo.files {
        // The bundle is data of another project; its importer has its own checks.
        if file.path.starts_with("schemas/") || file.path.starts_with("crates/adcp-schemas/bundle/") {
            continue;
        }
        let Some(text) = &file.text else { continue };
        let mut fault = |line, what: String| faults.push(Fault::new(&file.path, line, what));
        if !text.is_empty() && !text.ends_with('\n') {
            fault(text.lines().count(), "the last line has no line end; add one".into());
        }
        for (number, line) in (1..).zip(text.split('\n')) {
            let bare = line.strip_suffix('\r').unwrap_or(line);
            if bare.len() != line.len() {
                fault(number, "CRLF line end; use LF".into());
            }
            if bare.ends_with([' ', '\t']) {
                fault(number, "white space at the end of the line; remove it".into());
            }
            for word in UNFINISHED {
                if has_word(bare, word) {
                    fault(number, format!("`{word}`; finish it, or open an issue and say what holds today"));
                }
            }
            for name in UNFINISHED_MACROS {
                if is_code(&file.path) && bare.contains(name) {
                    fault(number, format!("`{name}` would panic in front of a buyer; write it"));
                }
            }
            for place in ELSEWHERE {
                if bare.contains(place) {
                    fault(
                        number,
                        format!("`{place}` exists on one machine only; say it in our own words here"),
                    );
                }
            }
        }
    }
    faults
}

fn is_code(path: &str) -> bool {
    [".rs", ".md", ".toml"].iter().any(|end| path.ends_with(end))
}

/// Finds `word` where it is not part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part_of_word)
            && !line[at + word.len()..].chars().next().is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(path: &str, text: &str) -> Vec<String> {
        check(&Repo::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn clean_text_passes() {
        assert_eq!(faults_of("docs/a.md", "# A\n\nA line.\n"), [""; 0]);
        assert_eq!(faults_of("docs/empty.md", ""), [""; 0]);
    }

    #[test]
    fn white_space_and_line_ends_are_reported_where_they_are() {
        let cases = [
            ("a\nb \n", "docs/a.md:2: white space"),
            ("a\t\n", "docs/a.md:1: white space"),
            ("a\r\nb\n", "docs/a.md:1: CRLF"),
            ("a\nb", "docs/a.md:2: the last line has no line end"),
        ];
        for (text, start) in cases {
            let found = faults_of("docs/a.md", text);
            assert_eq!(found.len(), 1, "{text:?}: {found:?}");
            assert!(found[0].starts_with(start), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn unfinished_work_is_reported() {
        for word in UNFINISHED {
            assert_eq!(faults_of("crates/a/src/lib.rs", &format!("// {word}: later\n")).len(), 1, "{word}");
            assert_eq!(
                faults_of("crates/a/src/lib.rs", &format!("// {word}S and MY_{word}\n")).len(),
                0,
                "{word}"
            );
        }
        for name in UNFINISHED_MACROS {
            assert_eq!(faults_of("crates/a/src/lib.rs", &format!("    {name}()\n")).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_place_on_one_machine_is_reported() {
        for place in ELSEWHERE {
            assert_eq!(faults_of("docs/a.md", &format!("see {place}x\n")).len(), 1, "{place}");
        }
    }

    #[test]
    fn the_bundle_is_left_to_its_importer() {
        assert_eq!(faults_of("schemas/1.0/a.json", "{} "), [""; 0]);
    }
}
