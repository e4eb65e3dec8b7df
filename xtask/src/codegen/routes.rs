//! What `adcp-decisioning` needs of the tool table: reads `tools.toml` and `traits.toml`, and refuses contradictions.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use super::bundle::Bundle;
use super::tools::{self, Facts};

/// A row of `xtask/codegen/tools.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    description: String,
    #[serde(rename = "trait")]
    home: String,
    returns: Option<Returns>,
    hook: Option<String>,
    first: Option<String>,
    no_account: Option<String>,
    #[serde(default)]
    says: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Returns {
    Plain,
    Decision,
    Asking,
    Interactive,
    Discovery,
}

/// A row of `xtask/codegen/traits.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: String,
    mounts: String,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    needed_for: Vec<String>,
    experimental: Option<String>,
}

/// The home of tools that the SDK answers itself.
const BUILTIN: &str = "builtin";

/// Both tables, agreed with each other and with the schemas.
#[derive(Debug)]
struct Tables {
    version: String,
    rows: BTreeMap<String, Row>,
    traits: BTreeMap<String, Group>,
    facts: BTreeMap<String, Facts>,
}

/// The generated files for the bundle, as paths from the repository's root and their text.
///
/// # Errors
///
/// When a file cannot be read, or the tables contradict the schemas or each other.
pub(crate) fn pinned(root: &Path, bundle: &Bundle) -> anyhow::Result<Vec<(String, String)>> {
    let read =
        |name: &str| std::fs::read_to_string(root.join("xtask/codegen").join(name)).context(name.to_owned());
    let facts = tools::facts(bundle)?;
    let tables = Tables::new(&read("tools.toml")?, &read("traits.toml")?, &bundle.version, facts)?;
    tables.agree_on_specialisms(&exercised(bundle))?;
    Ok(tables.files())
}

/// The tools that each specialism is certified with.
fn exercised(bundle: &Bundle) -> BTreeMap<String, BTreeSet<String>> {
    let list = bundle.manifest["specialisms"].as_object().into_iter().flatten();
    let tools = |entry: &serde_json::Value| -> BTreeSet<String> {
        let names = entry["exercised_tools"].as_array().into_iter().flatten();
        names.filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
    };
    list.map(|(name, entry)| (name.clone(), tools(entry))).collect()
}

impl Tables {
    fn new(tools: &str, traits: &str, version: &str, facts: BTreeMap<String, Facts>) -> anyhow::Result<Self> {
        let rows: BTreeMap<String, Row> = toml::from_str(tools).context("xtask/codegen/tools.toml")?;
        let traits: BTreeMap<String, Group> = toml::from_str(traits).context("xtask/codegen/traits.toml")?;
        let tables = Self { version: version.to_owned(), rows, traits, facts };
        tables.agree()?;
        Ok(tables)
    }

    fn agree(&self) -> anyhow::Result<()> {
        for tool in self.facts.keys() {
            ensure!(
                self.rows.contains_key(tool),
                "xtask/codegen/tools.toml has no row for `{tool}`; describe it there and give it a trait"
            );
        }
        for (tool, row) in &self.rows {
            let Some(facts) = self.facts.get(tool) else {
                bail!("xtask/codegen/tools.toml describes `{tool}`, which is no tool")
            };
            ensure!(row.description.len() <= 700, "the description of `{tool}` is longer than 700 bytes");
            row.agree(tool, facts)?;
            ensure!(
                row.home == BUILTIN || self.traits.contains_key(&row.home),
                "`{tool}` belongs to `{}`, which xtask/codegen/traits.toml does not have",
                row.home
            );
        }
        for (name, group) in &self.traits {
            let tools: Vec<&str> = self.tools_of(name).map(|(tool, _)| tool).collect();
            ensure!(!tools.is_empty(), "the trait `{name}` answers no tool");
            let experimental = tools.iter().any(|tool| self.facts[*tool].experimental);
            ensure!(
                experimental == group.experimental.is_some(),
                "the trait `{name}` needs `experimental` exactly when a tool of it is experimental"
            );
            for other in &group.with {
                ensure!(self.traits.contains_key(other), "`{name}` comes with `{other}`, which is no trait");
            }
        }
        Ok(())
    }

    /// A trait is needed for a specialism only if the manifest certifies that specialism with one of its tools.
    fn agree_on_specialisms(&self, exercised: &BTreeMap<String, BTreeSet<String>>) -> anyhow::Result<()> {
        for (name, group) in &self.traits {
            for specialism in &group.needed_for {
                let Some(tools) = exercised.get(specialism) else {
                    bail!("`{name}` is needed for `{specialism}`, which is no specialism")
                };
                ensure!(
                    tools.is_empty() || self.tools_of(name).any(|(tool, _)| tools.contains(tool)),
                    "`{name}` is needed for `{specialism}`, which is certified without it"
                );
            }
        }
        Ok(())
    }

    /// The tools of a trait, sorted.
    fn tools_of<'a>(&'a self, home: &'a str) -> impl Iterator<Item = (&'a str, &'a Row)> {
        self.rows.iter().filter(move |(_, row)| row.home == home).map(|(tool, row)| (tool.as_str(), row))
    }
}

impl Row {
    /// Whether the row promises what the schemas allow, and all that they allow of a task.
    fn agree(&self, tool: &str, facts: &Facts) -> anyhow::Result<()> {
        let Some(returns) = self.returns else {
            ensure!(
                self.home == BUILTIN,
                "`{tool}` needs `returns = \"plain\" | \"decision\" | \"asking\" | \"interactive\" | \"discovery\"`"
            );
            return Ok(());
        };
        ensure!(self.home != BUILTIN, "`{tool}` has no method, so it returns nothing");
        let hands_off = matches!(returns, Returns::Decision | Returns::Interactive | Returns::Discovery);
        ensure!(
            hands_off == facts.hands_off,
            "`{tool}` may become a task exactly when it has a submitted answer and a task type"
        );
        let asks = matches!(returns, Returns::Asking | Returns::Interactive);
        ensure!(!asks || facts.asks, "`{tool}` cannot ask for input: no schema says how");
        if let Some(name) = self.says.iter().find(|name| !facts.fields.contains(*name)) {
            bail!("`{tool}` does not say `{name}`: its response does not declare it")
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: &str = r#"
        [get_things]
        description = "Gets things."
        trait = "ThingSales"
        returns = "plain"

        [make_thing]
        description = "Makes a thing."
        trait = "ThingSales"
        returns = "interactive"
        hook = "make_thing::HOOK"

        [poll]
        description = "Polls."
        trait = "builtin"
    "#;

    const TRAITS: &str = r#"
        [ThingSales]
        group = "Things"
        mounts = "things"
    "#;

    fn facts(names: &[&str]) -> BTreeMap<String, Facts> {
        let facts = |name: &str| Facts {
            hands_off: name.starts_with("make"),
            asks: name.starts_with("make"),
            ..Facts::default()
        };
        names.iter().map(|name| ((*name).to_owned(), facts(name))).collect()
    }

    fn tables(tools: &str, traits: &str, names: &[&str]) -> anyhow::Result<Tables> {
        Tables::new(tools, traits, "9.9.9", facts(names))
    }

    const ALL: [&str; 3] = ["get_things", "make_thing", "poll"];

    #[test]
    fn a_trait_gets_one_route_per_tool_and_one_way_to_mount() {
        let files = tables(TOOLS, TRAITS, &ALL).unwrap().files();
        let text = |end: &str| &files.iter().find(|(path, _)| path.ends_with(end)).unwrap().1;
        let routes = text("routes.rs");
        assert!(routes.contains("pub(crate) fn thing_sales<S: ThingSales>(seller: &Arc<S>) -> Vec<Route> {"));
        assert!(routes.contains("seller.get_things(&ctx, req).await.map(Plain)"));
        assert!(routes.contains("\"make_thing\" => &hooks::make_thing::HOOK,"));
        assert!(!routes.contains("poll"));
        assert!(text("mount.rs").contains("pub fn thing_sales(self) -> Self"));
        assert!(
            text("traits.md")
                .contains("| `make_thing` | `ThingSales` | required | now, as a task, or with a question |")
        );
    }

    #[test]
    fn tables_and_manifest_must_agree() {
        let rows = |from: &str, to: &str| TOOLS.replace(from, to);
        let mut more = ALL.to_vec();
        more.push("new_tool");
        let cases = [
            (TOOLS.to_owned(), TRAITS.to_owned(), &more[..], "no row for `new_tool`"),
            (TOOLS.to_owned(), TRAITS.to_owned(), &["get_things", "poll"], "`make_thing`, which is no tool"),
            (
                rows("\"plain\"", "\"decision\""),
                TRAITS.to_owned(),
                &ALL,
                "`get_things` may become a task exactly when",
            ),
            (rows("\"plain\"", "\"asking\""), TRAITS.to_owned(), &ALL, "`get_things` cannot ask"),
            (
                rows("\"interactive\"", "\"plain\""),
                TRAITS.to_owned(),
                &ALL,
                "`make_thing` may become a task exactly when",
            ),
            (rows("\"plain\"", "\"plain\"\nsays = [\"x\"]"), TRAITS.to_owned(), &ALL, "does not say `x`"),
            (
                rows("\"ThingSales\"", "\"Elsewhere\""),
                TRAITS.to_owned(),
                &ALL,
                "which xtask/codegen/traits.toml does not have",
            ),
            (
                TOOLS.to_owned(),
                format!("{TRAITS}\nexperimental = \"x\""),
                &ALL,
                "exactly when a tool of it is experimental",
            ),
        ];
        for (tools, traits, names, want) in cases {
            let error = tables(&tools, &traits, names).unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
        }
        let tables = tables(TOOLS, &format!("{TRAITS}\nneeded_for = [\"selling\"]"), &ALL).unwrap();
        let certified =
            |tool: &str| BTreeMap::from([("selling".to_owned(), BTreeSet::from([tool.to_owned()]))]);
        assert!(tables.agree_on_specialisms(&certified("make_thing")).is_ok());
        assert!(tables.agree_on_specialisms(&certified("poll")).is_err());
    }
}
