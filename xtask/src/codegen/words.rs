//! Turns wire names into Rust names.

/// Splits at non-alphanumerics and at changes of case.
pub fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = text.chars().collect();
    for (index, &char) in chars.iter().enumerate() {
        if !char.is_ascii_alphanumeric() {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            continue;
        }
        if char.is_ascii_uppercase() && !word.is_empty() {
            let before = chars[index - 1];
            let after = chars.get(index + 1).copied().unwrap_or('_');
            let starts = before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase());
            if starts {
                out.push(std::mem::take(&mut word));
            }
        }
        word.push(char);
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// `media-buy` to `MediaBuy`; a leading digit gets a `V`.
pub fn pascal(text: &str) -> String {
    let mut out = String::new();
    for word in words(text) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            // Two numbers side by side would read as one.
            if first.is_ascii_digit() && out.ends_with(|last: char| last.is_ascii_digit()) {
                out.push('_');
            }
            out.push(first.to_ascii_uppercase());
            out.extend(chars.map(|char| char.to_ascii_lowercase()));
        }
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, 'V');
    }
    out
}

/// Like [`pascal`], with the capitals of the wire.
pub fn pascal_keeping_case(text: &str) -> String {
    let mut out = String::new();
    for part in text.split(|char: char| !char.is_ascii_alphanumeric()) {
        let mut chars = part.chars();
        if let Some(first) = chars.next() {
            out.push(first.to_ascii_uppercase());
            out.extend(chars);
        }
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, 'V');
    }
    out
}

/// The rule of names.lock for titles: drops parentheses, keeps the words as written.
pub fn title_ident(title: &str) -> Option<String> {
    let mut depth = 0_u32;
    let plain: String = title
        .chars()
        .filter(|char| match char {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect();
    let ident = pascal_keeping_case(&plain);
    (!ident.is_empty()).then_some(ident)
}

/// `mediaBuy-id` to `media_buy_id`, with a trailing underscore on keywords.
pub fn snake(text: &str) -> String {
    let mut out = words(text).join("_").to_ascii_lowercase();
    if out.is_empty() {
        out.push_str("field");
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, 'v');
    }
    if is_keyword(&out) {
        out.push('_');
    }
    out
}

/// `categories` to `category`.
pub fn singular(text: &str) -> String {
    const SAME: [&str; 12] = [
        "status", "series", "address", "news", "analysis", "business", "basis", "canvas", "access",
        "progress", "always", "https",
    ];
    let lower = text.to_ascii_lowercase();
    if SAME.iter().any(|same| lower.ends_with(same))
        || lower.ends_with("ss")
        || lower.ends_with("us")
        || lower.ends_with("is")
    {
        return text.to_owned();
    }
    if let Some(stem) = text.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for suffix in ["sses", "xes", "ches", "shes", "zes"] {
        if text.ends_with(suffix) {
            return text[..text.len() - 2].to_owned();
        }
    }
    text.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(text).to_owned()
}

/// `camel` of a type name as a constant: `CREATE_MEDIA_BUY`.
pub fn constant(text: &str) -> String {
    words(text).join("_").to_ascii_uppercase()
}

fn is_keyword(text: &str) -> bool {
    matches!(
        text,
        "abstract"
            | "as"
            | "async"
            | "await"
            | "become"
            | "box"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "do"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "final"
            | "fn"
            | "for"
            | "gen"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "macro"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "override"
            | "priv"
            | "pub"
            | "ref"
            | "return"
            | "self"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "true"
            | "try"
            | "type"
            | "typeof"
            | "unsafe"
            | "unsized"
            | "use"
            | "virtual"
            | "where"
            | "while"
            | "yield"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust() {
        for (wire, rust) in [
            ("media-buy", "MediaBuy"),
            ("CPM", "Cpm"),
            ("3p", "V3p"),
            ("HTML5Format", "Html5Format"),
            ("1x1", "V1x1"),
        ] {
            assert_eq!(pascal(wire), rust);
        }
        for (wire, rust) in [
            ("type", "type_"),
            ("mediaBuyId", "media_buy_id"),
            ("$schema", "schema"),
            ("v1_format_ref", "v1_format_ref"),
        ] {
            assert_eq!(snake(wire), rust);
        }
        for (many, one) in [
            ("categories", "category"),
            ("status", "status"),
            ("boxes", "box"),
            ("packages", "package"),
            ("matches", "match"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
