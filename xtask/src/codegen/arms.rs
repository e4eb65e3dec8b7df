//! Names the arms of a union: by tag, title, reference, JSON type, or own key; never by number.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bundle::Loc;
use super::sig::{KINDS, Sig};
use super::words::{pascal, words};

/// What is known about an arm besides its signature.
#[derive(Debug)]
pub struct ArmHint {
    /// What it is known by.
    pub id: Loc,
    /// Where it stands.
    pub loc: Loc,
    /// Its title as an identifier.
    pub title: Option<String>,
    /// The file or definition it refers to.
    pub stem: Option<String>,
    /// Its required keys in schema order.
    pub required: Vec<String>,
}

/// One name per arm.
///
/// # Errors
///
/// The arms for which no rule gives a name of their own.
pub fn names(
    parent: &str,
    hints: &[ArmHint],
    sigs: &[Sig],
    tag: Option<&str>,
    declared: Option<&str>,
    settled: impl Fn(&ArmHint) -> Option<String>,
) -> Result<Vec<String>, Vec<Loc>> {
    let lists: Vec<Vec<String>> = (0..hints.len())
        .map(|index| match settled(&hints[index]) {
            Some(name) => vec![name],
            None => candidates(parent, hints, sigs, tag.or(declared), index),
        })
        .collect();
    let mut at = vec![0_usize; hints.len()];
    let name = |at: &[usize], index: usize| lists[index].get(at[index]).cloned();
    loop {
        let mut moved = false;
        for index in 0..hints.len() {
            let Some(mine) = name(&at, index) else { continue };
            let rivals: Vec<usize> =
                (0..hints.len()).filter(|other| name(&at, *other).as_deref() == Some(&mine)).collect();
            if rivals.len() > 1 {
                let free: Vec<usize> =
                    rivals.iter().copied().filter(|rival| at[*rival] + 1 < lists[*rival].len()).collect();
                // Whoever has another name to offer moves on; when nobody has, only the first keeps its name.
                let movers = if free.is_empty() {
                    rivals.into_iter().filter(|rival| *rival != index).collect()
                } else {
                    free
                };
                for mover in movers {
                    at[mover] += 1;
                    moved = true;
                }
            }
        }
        if !moved {
            break;
        }
    }
    let unnamed: Vec<Loc> = (0..hints.len())
        .filter(|index| name(&at, *index).is_none())
        .map(|index| hints[index].loc.clone())
        .collect();
    if unnamed.is_empty() {
        Ok((0..hints.len()).filter_map(|index| name(&at, index)).collect())
    } else {
        Err(unnamed)
    }
}

fn candidates(parent: &str, hints: &[ArmHint], sigs: &[Sig], tag: Option<&str>, index: usize) -> Vec<String> {
    let (hint, sig) = (&hints[index], &sigs[index]);
    let mut out = Vec::new();
    let all_tagged = tag.is_some_and(|key| {
        sigs.iter().all(|sig| !sig.is_object() || sig.tags.get(key).is_some_and(|values| values.len() == 1))
    });
    if let Some(key) = tag.filter(|_| all_tagged) {
        match sig.tags.get(key).and_then(|values| values.first()) {
            Some(Value::String(value)) => out.push(pascal(value)),
            Some(Value::Bool(flag)) => out.push(flag_name(key, *flag)),
            _ => {}
        }
    }
    out.extend(hint.title.as_deref().map(|title| without(title, parent)));
    out.extend(hint.title.clone());
    if let Some(stem) = &hint.stem {
        out.push(without(stem, parent));
        out.push(stem.clone());
    }
    // The untitled one of two arms of a response, beside the errors.
    let errs = |sig: &Sig| ["errors", "error"].iter().any(|key| sig.required.contains_key(*key));
    if hint.title.is_none()
        && parent.ends_with("Response")
        && sigs.len() == 2
        && !errs(sig)
        && sigs.iter().any(errs)
    {
        out.push("Success".to_owned());
    }
    let kind = KINDS.iter().find(|kind| sig.only(kind));
    let alone = kind.is_some_and(|kind| sigs.iter().filter(|other| other.kinds.contains(kind)).count() == 1);
    if let Some(kind) = kind.filter(|_| alone) {
        out.push((*kind).to_owned());
    }
    if sig.only("List")
        && let [item] = sig.items.iter().copied().collect::<Vec<_>>()[..]
    {
        out.push(format!("{item}List"));
    }
    let others: Vec<&Sig> =
        sigs.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, sig)| sig).collect();
    let own: Vec<&String> = hint
        .required
        .iter()
        .filter(|key| !others.iter().any(|other| other.required.contains_key(*key)))
        .collect();
    if own.iter().any(|key| matches!(key.as_str(), "errors" | "error")) {
        out.push("Error".to_owned());
    }
    out.extend(own.iter().map(|key| pascal(key)));
    if own.len() > 1 {
        out.push(format!("{}And{}", pascal(own[0]), pascal(own[1])));
    }
    // A constant or vocabulary of its own.
    for (key, values) in &sig.tags {
        if let [Value::String(value)] = &values[..]
            && others.iter().all(|other| other.tags.get(key) != Some(values))
        {
            out.push(pascal(value));
            out.push(format!("{}{}", pascal(key), pascal(value)));
        }
    }
    let shared: Vec<String> = hint.required.iter().map(|key| pascal(key)).collect();
    out.extend(shared.iter().cloned());
    if !shared.is_empty() {
        out.push(shared.concat());
    }
    let forbidden: BTreeSet<&String> = sig
        .forbidden
        .iter()
        .filter(|key| others.iter().any(|other| !other.forbidden.contains(*key)))
        .collect();
    out.extend(forbidden.first().map(|key| format!("Without{}", pascal(key))));
    if sig.required.is_empty() && others.iter().all(|other| !other.required.is_empty()) {
        out.push("Plain".to_owned());
    }
    out.retain(|name| {
        !name.is_empty()
            && name != "Unrecognized"
            && name != "Self"
            && !name.starts_with(|first: char| first.is_ascii_digit())
    });
    let mut seen = BTreeSet::new();
    out.retain(|name| seen.insert(name.clone()));
    out
}

fn flag_name(key: &str, flag: bool) -> String {
    match (key, flag) {
        ("success", false) => "Failure".to_owned(),
        (key, true) => pascal(key),
        (key, false) => {
            let name = pascal(key);
            let mut chars = name.chars();
            let first = chars.next().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
            format!("Un{first}{}", chars.as_str())
        }
    }
}

/// A title without the words it shares with the union's own name.
fn without(title: &str, parent: &str) -> String {
    let title = words(title);
    let parent = words(parent);
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let front = title.iter().zip(&parent).take_while(|(a, b)| same(a, b)).count();
    let rest = &title[front..];
    let back = rest.iter().rev().zip(parent.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    // A common ending is only noise when something is left before it.
    let rest = if back < rest.len() { &rest[..rest.len() - back] } else { rest };
    if rest.is_empty() { pascal(&title.join("-")) } else { pascal(&rest.join("-")) }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn the_unions_own_words_are_dropped() {
        for (title, parent, left) in [
            ("CreateMediaBuySuccess", "CreateMediaBuyResponse", "Success"),
            ("PreviewCreativeSingleResponse", "PreviewCreativeResponse", "Single"),
            ("CustomScope", "ScopeName", "CustomScope"),
        ] {
            assert_eq!(without(title, parent), left);
        }
    }
}
