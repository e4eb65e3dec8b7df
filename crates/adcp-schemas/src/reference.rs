//! Where a `$ref` leads.

/// File and pointer that a reference inside the file `path` leads to.
pub(crate) fn resolve<'a>(path: &str, reference: &'a str) -> (String, &'a str) {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    if file.is_empty() {
        return (path.to_owned(), pointer);
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    (parts.join("/"), pointer)
}

/// Appends one token to a JSON pointer.
#[cfg(feature = "validate")]
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for letter in token.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            letter => pointer.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_relative_to_their_file() {
        let cases = [
            ("media-buy/a.json", "../core/b.json", ("core/b.json", "")),
            ("media-buy/a.json", "c.json#/definitions/x", ("media-buy/c.json", "/definitions/x")),
            ("media-buy/a.json", "#/$defs/x", ("media-buy/a.json", "/$defs/x")),
            ("a.json", "core/b.json", ("core/b.json", "")),
        ];
        for (path, reference, (file, pointer)) in cases {
            assert_eq!(resolve(path, reference), (file.to_owned(), pointer));
        }
    }
}
