//! The tool table, the outcome of each tool, and the error codes, from the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::bundle::{Bundle, Loc};
use super::emit::Emit;
use super::facts::experimental;
use super::flat::Flat;
use super::model::{Kind, Ty};
use super::words::{constant, pascal};

/// A tool of the manifest.
#[derive(Debug)]
pub struct Tool {
    /// Name on the wire.
    pub name: String,
    /// Area it belongs to.
    pub protocol: String,
    /// Changes state.
    pub mutating: bool,
    /// Request schema.
    pub request: String,
    /// Response schema.
    pub response: String,
    /// Schemas by status: submitted, working, input-required.
    pub forms: [Option<String>; 3],
    /// Never answers with a task.
    pub synchronous: bool,
    /// Certified under these specialisms.
    pub specialisms: Vec<String>,
}

const FORMS: [&str; 3] = ["submitted", "working", "input-required"];

/// All tools, by name.
pub fn tools(bundle: &Bundle) -> Vec<Tool> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out: Vec<Tool> = bundle.manifest["tools"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, tool)| {
            let asynchronous: Vec<&str> = tool["async_response_schemas"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            Tool {
                name: name.clone(),
                protocol: text(&tool["protocol"]),
                mutating: tool["mutating"].as_bool().unwrap_or_default(),
                request: text(&tool["request_schema"]),
                response: text(&tool["response_schema"]),
                forms: FORMS.map(|form| {
                    asynchronous
                        .iter()
                        .find(|path| path.ends_with(&format!("-{form}.json")))
                        .map(|path| (*path).to_owned())
                }),
                synchronous: tool["synchronous"].as_bool().unwrap_or_default(),
                specialisms: tool["specialisms"].as_array().into_iter().flatten().map(text).collect(),
            }
        })
        .collect();
    out.retain(|tool| bundle.files.contains_key(&tool.request) && bundle.files.contains_key(&tool.response));
    for tool in &mut out {
        for form in &mut tool.forms {
            if form.as_ref().is_some_and(|path| !bundle.files.contains_key(path)) {
                *form = None;
            }
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// What one tool's answer can be.
#[derive(Debug)]
pub struct Outcome {
    /// The enum's name.
    pub name: String,
    tool: String,
    done: Ty,
    /// Keys that every success has.
    done_keys: Vec<String>,
    forms: [Option<Ty>; 3],
}

/// The outcome of each tool, by the file of its response.
pub fn outcomes(emit: &Emit<'_>, tools: &[Tool]) -> BTreeMap<String, Vec<Outcome>> {
    let mut out: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    for tool in tools {
        let Some(root) = emit.roots.get(&tool.response) else { continue };
        let mut done = root.clone();
        let mut forms: [Option<Ty>; 3] = [0, 1, 2]
            .map(|form: usize| tool.forms[form].as_ref().and_then(|file| emit.roots.get(file)).cloned());
        if let Ty::Named(id) = root
            && let Kind::Union(union) = &emit.types[*id].kind
        {
            let submitted = union.arms.iter().find(|arm| arm.variant == "Submitted");
            if let Some(arm) = submitted {
                forms[0] = Some(arm.ty.clone());
            }
            let rest: Vec<_> = union
                .arms
                .iter()
                .filter(|arm| !matches!(arm.variant.as_str(), "Submitted" | "Error"))
                .collect();
            if let ([one], true) = (&rest[..], rest.len() < union.arms.len()) {
                done = one.ty.clone();
            }
        }
        let done_keys = match &done {
            Ty::Named(id) => match &emit.types[*id].kind {
                Kind::Struct(inner) => inner
                    .fields
                    .iter()
                    .filter(|field| field.required)
                    .map(|field| field.wire.clone())
                    .collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let outcome = Outcome {
            name: format!("{}Outcome", pascal(&tool.name)),
            tool: tool.name.clone(),
            done,
            done_keys,
            forms,
        };
        out.entry(tool.response.clone()).or_default().push(outcome);
    }
    out
}

impl Outcome {
    /// The types it names.
    pub fn types(&self) -> impl Iterator<Item = &Ty> {
        std::iter::once(&self.done).chain(self.forms.iter().flatten())
    }

    /// The enum as Rust text.
    pub fn text(&self, emit: &Emit<'_>, file: &str) -> String {
        let name = &self.name;
        let update = "crate::envelope::Envelope".to_owned();
        let boxed = |ty: &str| format!("Box<{ty}>");
        let done = emit.ty(&self.done, file);
        let forms: Vec<String> = self
            .forms
            .iter()
            .map(|form| form.as_ref().map_or_else(|| update.clone(), |ty| emit.ty(ty, file)))
            .collect();
        let arms = [
            ("Done", "The work is done.", boxed(&done)),
            ("Submitted", "Accepted; a task goes on and is asked about later.", boxed(&forms[0])),
            ("Working", "The task is under way.", boxed(&forms[1])),
            ("InputRequired", "The task waits for the caller.", boxed(&forms[2])),
            ("Failed", "Refused, failed or cancelled.", boxed("crate::envelope::Failure")),
        ];
        let mut out = String::new();
        let _ = writeln!(
            out,
            "/// What `{}` answered, decided by the envelope's status first.\n///\n/// Spec: `{file}`.",
            self.tool
        );
        let _ = writeln!(out, "#[derive(Clone)]\n#[non_exhaustive]\npub enum {name} {{");
        for (arm, doc, ty) in &arms {
            let _ = writeln!(out, "    /// {doc}\n    {arm}({ty}),");
        }
        let _ = writeln!(
            out,
            "    /// Something this version does not know, kept as it came.\n    Unrecognized(Value),\n}}\n"
        );
        let _ = writeln!(
            out,
            "impl FromJson for {name} {{\n    /// Reads the whole message, envelope included.\n    fn from_json(value: Value) -> Result<Self, DecodeError> {{"
        );
        let _ = writeln!(out, "        match crate::envelope::Phase::of(&value, &{:?}) {{", self.done_keys);
        for (arm, _, _) in &arms {
            let _ = writeln!(
                out,
                "            crate::envelope::Phase::{arm} => FromJson::from_json(value).map(Self::{arm}),"
            );
        }
        let _ = writeln!(
            out,
            "            crate::envelope::Phase::Other => Ok(Self::Unrecognized(value)),\n        }}\n    }}\n}}\n"
        );
        let _ = writeln!(
            out,
            "impl ToJson for {name} {{\n    fn to_json(&self) -> Value {{\n        match self {{"
        );
        for (arm, _, _) in &arms {
            let _ = writeln!(out, "            Self::{arm}(inner) => inner.to_json(),");
        }
        let _ = writeln!(
            out,
            "            Self::Unrecognized(value) => value.clone(),\n        }}\n    }}\n}}\n"
        );
        out
    }
}

/// What a tool's answers may be, for whoever maps tools to methods.
#[derive(Debug, Default)]
pub struct Facts {
    /// A submitted answer and a task type: it may become a task.
    pub hands_off: bool,
    /// A question back to the caller.
    pub asks: bool,
    /// Marked experimental by its schemas.
    pub experimental: bool,
    /// Fields that the response's own schema declares.
    pub fields: BTreeSet<String>,
}

/// The facts of each tool, by name.
///
/// # Errors
///
/// When a reference leads nowhere.
pub fn facts(bundle: &Bundle) -> Result<BTreeMap<String, Facts>> {
    let tasks = task_types(bundle);
    let mut out = BTreeMap::new();
    for tool in tools(bundle) {
        let facts = Facts {
            hands_off: submitted_arm(bundle, &tool)? && tasks.contains(&tool.name),
            asks: tool.forms[2].is_some(),
            experimental: is_experimental(bundle, &tool),
            fields: bundle.files.get(&tool.response).map(own_fields).unwrap_or_default(),
        };
        out.insert(tool.name, facts);
    }
    Ok(out)
}

/// The fields a schema names itself or in its arms.
fn own_fields(schema: &Value) -> BTreeSet<String> {
    let here = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let arms = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array());
    here.chain(arms.flatten().flat_map(own_fields)).collect()
}

fn task_types(bundle: &Bundle) -> Vec<String> {
    let list = bundle.files.get("enums/task-type.json").and_then(|schema| schema["enum"].as_array());
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn submitted_arm(bundle: &Bundle, tool: &Tool) -> Result<bool> {
    Ok(!tool.synchronous && (tool.forms[0].is_some() || has_submitted_arm(bundle, &tool.response)?))
}

fn is_experimental(bundle: &Bundle, tool: &Tool) -> bool {
    experimental(bundle, &Loc::root(&tool.request)) || experimental(bundle, &Loc::root(&tool.response))
}

/// The table of tools as Rust text.
///
/// # Errors
///
/// When a reference leads nowhere.
pub fn table(bundle: &Bundle, tools: &[Tool], emit: &Emit<'_>) -> Result<String> {
    let mut out = emit.head("manifest.json");
    out.push_str("//! The tools of this version.\n\nuse crate::tools::{Presence, Protocol, SpecialismSpec, ToolSpec};\n\n");
    let tasks = task_types(bundle);
    let option =
        |value: Option<&String>| value.map_or_else(|| "None".to_owned(), |value| format!("Some({value:?})"));
    for tool in tools {
        let request = request_of(bundle, &tool.request)?;
        let presence = |key: &str| {
            if request.requires(key) {
                "Presence::Required"
            } else if request.props.contains_key(key) {
                "Presence::Optional"
            } else {
                "Presence::Absent"
            }
        };
        let submitted_arm = submitted_arm(bundle, tool)?;
        let _ =
            writeln!(out, "/// `{}`.\npub const {}: ToolSpec = ToolSpec {{", tool.name, constant(&tool.name));
        let _ = writeln!(out, "    name: {:?},", tool.name);
        let _ = writeln!(out, "    protocol: Protocol::{},", pascal(&tool.protocol));
        let _ = writeln!(out, "    mutating: {},", tool.mutating);
        let _ = writeln!(out, "    experimental: {},", is_experimental(bundle, tool));
        let _ = writeln!(out, "    request_schema: {:?},", tool.request);
        let _ = writeln!(out, "    response_schema: {:?},", tool.response);
        for (form, field) in
            tool.forms.iter().zip(["submitted_schema", "working_schema", "input_required_schema"])
        {
            let _ = writeln!(out, "    {field}: {},", option(form.as_ref()));
        }
        let _ = writeln!(out, "    submitted_arm: {submitted_arm},");
        let _ = writeln!(out, "    task_type: {},", option(tasks.iter().find(|task| **task == tool.name)));
        let _ = writeln!(out, "    idempotency_key: {},", presence("idempotency_key"));
        let _ = writeln!(out, "    account: {},", presence("account"));
        let _ = writeln!(
            out,
            "    push_notification_config: {},",
            request.props.contains_key("push_notification_config")
        );
        let _ = writeln!(out, "    pagination: {},", request.props.contains_key("pagination"));
        let _ = writeln!(out, "    specialisms: &{:?},\n}};\n", tool.specialisms);
    }
    let list: Vec<String> = tools.iter().map(|tool| format!("    &{},\n", constant(&tool.name))).collect();
    let _ = writeln!(
        out,
        "/// Every tool, sorted by name.\npub const ALL: &[&ToolSpec] = &[\n{}];\n",
        list.concat()
    );
    let _ = writeln!(
        out,
        "/// What a task can be about, as the vocabulary of task types lists it.\npub const TASK_TYPES: &[&str] = &{tasks:?};\n"
    );
    out.push_str(
        "/// Every specialism of the manifest, sorted by name.\npub const SPECIALISMS: &[SpecialismSpec] = &[\n",
    );
    for (name, entry) in bundle.manifest["specialisms"].as_object().into_iter().flatten() {
        let names = |key: &str| -> Vec<&str> {
            entry[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let protocol = entry["protocol"].as_str().unwrap_or_default();
        let _ =
            writeln!(out, "    SpecialismSpec {{\n        name: {name:?},\n        protocol: {protocol:?},");
        let _ = writeln!(out, "        entry_point_tools: &{:?},", names("entry_point_tools"));
        let _ = writeln!(out, "        exercised_tools: &{:?},\n    }},", names("exercised_tools"));
    }
    out.push_str("];\n");
    Ok(out)
}

/// A request with the fields of all its arms; required is what all of them require.
fn request_of(bundle: &Bundle, file: &str) -> Result<Flat> {
    let mut flat = Flat::of(bundle, &Loc::root(file))?;
    for union in std::mem::take(&mut flat.unions) {
        let count = bundle.get(&union).as_array().map_or(0, Vec::len);
        let mut common: Option<BTreeSet<String>> = None;
        for index in 0..count {
            let arm = Flat::of(bundle, &union.at(&[&index.to_string()]))?;
            let required: BTreeSet<String> = arm.required.iter().cloned().collect();
            common = Some(common.map_or_else(
                || required.clone(),
                |before| before.intersection(&required).cloned().collect(),
            ));
            for (name, prop) in arm.props {
                flat.props.entry(name).or_insert(prop);
            }
        }
        flat.required.extend(common.unwrap_or_default());
    }
    Ok(flat)
}

fn has_submitted_arm(bundle: &Bundle, file: &str) -> Result<bool> {
    let flat = Flat::of(bundle, &Loc::root(file))?;
    for union in &flat.unions {
        let count = bundle.get(union).as_array().map_or(0, Vec::len);
        for index in 0..count {
            let arm = Flat::of(bundle, &union.at(&[&index.to_string()]))?;
            let Some(status) = arm.props.get("status").filter(|status| !status.envelope) else { continue };
            if arm.requires("status")
                && bundle.get(&status.loc).get("const").and_then(Value::as_str) == Some("submitted")
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Protocols as an enum.
pub fn protocols(tools: &[Tool], emit: &Emit<'_>) -> String {
    let names: BTreeSet<&str> = tools.iter().map(|tool| tool.protocol.as_str()).collect();
    let mut out = emit.head("manifest.json");
    out.push_str("//! The protocol areas of this version.\n\nuse crate::json;\n\njson::string_enum! {\n    /// The area a tool belongs to.\n    Protocol, Unrecognized {\n");
    for name in names {
        let _ = writeln!(out, "        /// `{name}`.\n        {} = {name:?},", pascal(name));
    }
    out.push_str("    }\n}\n");
    out
}

/// The error codes and how to recover from each.
pub fn error_codes(bundle: &Bundle, emit: &Emit<'_>) -> String {
    let mut codes: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (code, entry) in bundle.manifest["error_codes"].as_object().into_iter().flatten() {
        codes.insert(code.clone(), entry["recovery"].as_str().map(str::to_owned));
    }
    let listed = bundle.files.get("enums/error-code.json").and_then(|schema| schema["enum"].as_array());
    for code in listed.into_iter().flatten().filter_map(Value::as_str) {
        codes.entry(code.to_owned()).or_insert(None);
    }
    let mut out = emit.head("manifest.json");
    out.push_str("//! The error codes of this version.\n\nuse std::borrow::Cow;\n\nuse crate::error_code::{ErrorCode, Recovery};\n\nimpl ErrorCode {\n");
    for (code, recovery) in &codes {
        let words = match recovery.as_deref() {
            Some("transient") => " Transient: the same call may succeed later.",
            Some("correctable") => " Correctable: change the request and try again.",
            Some("terminal") => " Terminal: somebody has to act outside the protocol.",
            _ => "",
        };
        let _ = writeln!(
            out,
            "    /// `{code}`.{words}\n    pub const {}: Self = Self(Cow::Borrowed({code:?}));",
            constant_of(code)
        );
    }
    let list: Vec<String> =
        codes.keys().map(|code| format!("        Self::{},\n", constant_of(code))).collect();
    let _ = writeln!(
        out,
        "\n    /// Every code this version names, sorted.\n    pub const ALL: &'static [Self] = &[\n{}    ];\n}}\n",
        list.concat()
    );
    out.push_str("/// What the manifest says about recovering from `code`.\npub(crate) fn recovery(code: &str) -> Option<Recovery> {\n    Some(match code {\n");
    let mut classes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (code, recovery) in &codes {
        if let Some(recovery) = recovery {
            classes.entry(recovery).or_default().push(format!("{code:?}"));
        }
    }
    for (class, codes) in classes {
        let _ = writeln!(out, "        {} => Recovery::{},", codes.join(" | "), pascal(class));
    }
    out.push_str("        _ => return None,\n    })\n}\n");
    out
}

fn constant_of(code: &str) -> String {
    let name: String = code
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("V{name}") } else { name }
}

/// The version's constants.
pub fn version(bundle: &Bundle, emit: &Emit<'_>) -> String {
    let version = &bundle.version;
    let (core, pre) =
        version.split_once('-').map_or((version.as_str(), None), |(core, pre)| (core, Some(pre)));
    let short: Vec<&str> = core.split('.').take(2).collect();
    let release = pre.map_or_else(|| short.join("."), |pre| format!("{}-{pre}", short.join(".")));
    format!(
        "{}//! The version these types are made from.\n\n/// The AdCP version of these types, in full.\npub const ADCP_VERSION: &str = {version:?};\n\n/// The release as it stands in `adcp_version` on the wire: without the patch number.\npub const ADCP_RELEASE: &str = {release:?};\n",
        emit.head("manifest.json")
    )
}
