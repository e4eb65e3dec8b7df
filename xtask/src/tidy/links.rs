//! Links between the pages of the repository lead somewhere.

use super::{Fault, repo::Repo};

pub(super) fn check(repo: &Repo) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in repo.files.iter().filter(|file| file.path.ends_with(".md")) {
        let Some(text) = &file.text else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            for target in targets(line) {
                let path = resolve(&file.path, target);
                let found = path.as_ref().is_some_and(|path| exists(repo, path));
                if !found {
                    faults.push(Fault::new(
                        &file.path,
                        number,
                        format!("`{target}` leads nowhere; correct the link"),
                    ));
                }
            }
        }
    }
    faults
}

/// Targets of `[text](target)` that name a file, without their anchors.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?.trim();
        let elsewhere = target.contains("://") || target.starts_with("mailto:");
        // A name without a slash or a dot is a path of rustdoc, which checks its own links.
        let file = target.contains('/') || target.contains('.');
        (!elsewhere && file && !target.contains("::")).then_some(target)
    })
}

/// `target` as seen from the file `from`, from the root; nothing when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn exists(repo: &Repo, path: &str) -> bool {
    let folder = format!("{path}/");
    repo.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let repo = Repo::of(&[("docs/a.md", text), ("docs/b.md", ""), ("crates/adcp/README.md", "# adcp\n")]);
        check(&repo).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "[b](b.md#part), [crate](../crates/adcp), [site](https://example.com/x), [here](#part), [T](crate::T)";
        assert_eq!(faults_of(text), [""; 0]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_reported() {
        for target in ["c.md", "../b.md", "../../outside.md", "api/"] {
            let found = faults_of(&format!("\n[x]({target})\n"));
            assert_eq!(found, [format!("docs/a.md:2: `{target}` leads nowhere; correct the link")]);
        }
    }
}
