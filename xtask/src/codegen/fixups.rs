//! Patches of schemas that are wrong or awkward for types. Each is a named function that errors once it no longer applies.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::bundle::Bundle;

/// A patch.
type Fixup = fn(&mut Bundle) -> Result<()>;

/// The patches in the order they apply.
const FIXUPS: [(&str, Fixup); 3] = [
    ("envelope_status_may_stand_outside_the_body", envelope_status_may_stand_outside_the_body),
    ("media_buy_status_stays_out_of_the_envelope", media_buy_status_stays_out_of_the_envelope),
    ("build_creative_stays_synchronous", build_creative_stays_synchronous),
];

/// Applies all patches to the pinned version.
///
/// # Errors
///
/// When a patch no longer applies: drop it, then.
pub fn apply(bundle: &mut Bundle) -> Result<()> {
    for (name, fixup) in FIXUPS {
        fixup(bundle).with_context(|| format!("fixup `{name}` no longer applies"))?;
    }
    Ok(())
}

/// Applies the patches that fit; other versions may have outgrown some.
pub fn apply_where_possible(bundle: &mut Bundle) {
    for (_, fixup) in FIXUPS {
        // A patch changes nothing before it has checked everything.
        let _ = fixup(bundle);
    }
}

/// The envelope requires `status`, which A2A carries beside the body: a decoder cannot insist on it.
fn envelope_status_may_stand_outside_the_body(bundle: &mut Bundle) -> Result<()> {
    let envelope = bundle.files.get_mut("core/protocol-envelope.json").context("no envelope")?;
    let required =
        envelope.get_mut("required").and_then(Value::as_array_mut).context("nothing is required")?;
    let at = required.iter().position(|key| key == "status").context("`status` is not required")?;
    required.remove(at);
    Ok(())
}

/// The success arms declare a deprecated `status` of another vocabulary under the name of the envelope's.
fn media_buy_status_stays_out_of_the_envelope(bundle: &mut Bundle) -> Result<()> {
    for file in ["media-buy/create-media-buy-response.json", "media-buy/update-media-buy-response.json"] {
        let arm = bundle
            .files
            .get(file)
            .and_then(|schema| schema.pointer("/oneOf/0/properties"))
            .context("no success arm")?;
        ensure!(
            arm.pointer("/status/deprecated") == Some(&Value::Bool(true)),
            "{file} has no deprecated `status`"
        );
    }
    for file in ["media-buy/create-media-buy-response.json", "media-buy/update-media-buy-response.json"] {
        let arm = bundle
            .files
            .get_mut(file)
            .and_then(|schema| schema.pointer_mut("/oneOf/0/properties"))
            .and_then(Value::as_object_mut);
        arm.context("no success arm")?.remove("status");
    }
    Ok(())
}

/// A submitted answer needs a task type to be followed by, and `build_creative` has none: the table says it never hands off.
fn build_creative_stays_synchronous(bundle: &mut Bundle) -> Result<()> {
    let types = bundle
        .files
        .get("enums/task-type.json")
        .and_then(|schema| schema["enum"].as_array())
        .context("no task types")?;
    ensure!(!types.iter().any(|kind| kind == "build_creative"), "`build_creative` has a task type now");
    let tool = bundle
        .manifest
        .pointer_mut("/tools/build_creative")
        .and_then(Value::as_object_mut)
        .context("no such tool")?;
    tool.insert("synchronous".to_owned(), Value::Bool(true));
    Ok(())
}
