//! Writes a message as JSON, and that JSON as a JSON string: the largest part of answering.
//!
//! What `serde_json` would write, byte for byte, at about half its cost on messages of some kilobytes.

use adcp_types::json::JsonObject;
use serde_json::Value;

/// Appends `object` as compact JSON.
pub(crate) fn write_object(object: &JsonObject, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.push(b'{');
    for (i, (key, value)) in object.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(key, out)?;
        out.push(b':');
        write_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::String(text) => write_string(text, out),
        Value::Object(object) => write_object(object, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, out)?;
            }
            out.push(b']');
            Ok(())
        }
        Value::Number(number) => serde_json::to_writer(out, number),
        Value::Bool(true) => {
            out.extend_from_slice(b"true");
            Ok(())
        }
        Value::Bool(false) => {
            out.extend_from_slice(b"false");
            Ok(())
        }
        Value::Null => {
            out.extend_from_slice(b"null");
            Ok(())
        }
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    // No early end: the compiler looks at many bytes at once.
    let special =
        text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if special {
        return serde_json::to_writer(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

/// Appends the JSON text `json` as a JSON string.
///
/// JSON text has no control characters, so quotes and backslashes are all that must be escaped.
pub(crate) fn write_quoted(json: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + 2 * json.len(), 0);
    let room = &mut out[start..];
    let mut at = 0;
    for &byte in json {
        // Written in any case and overwritten where it is not wanted: quotes come too often to guess at.
        room[at] = b'\\';
        at += usize::from(byte == b'"' || byte == b'\\');
        room[at] = byte;
        at += 1;
    }
    out.truncate(start + at);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_writes_what_serde_json_writes() {
        let value = json!({
            "": null,
            "plain": "text", "naïve \u{1F600}": "ünï\u{7f}\u{2028}", "quoted \"key\"": "a \\ b \" c",
            "controls": "\u{0}\u{1}\u{8}\t\n\u{c}\r\u{1f} ",
            "numbers": [0, -1, 1.5, 1e300, 12345678901234567890_u64, -0.0, 0.1],
            "nested": {"array": [[], {}, [true, false, null]], "empty": ""},
        });
        let Value::Object(object) = value else { panic!("an object") };
        let mut out = Vec::new();
        write_object(&object, &mut out).unwrap();
        let text = serde_json::to_string(&object).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);

        let mut quoted = b"before ".to_vec();
        write_quoted(text.as_bytes(), &mut quoted);
        let expected = format!("before {}", serde_json::to_string(&text).unwrap());
        assert_eq!(String::from_utf8(quoted).unwrap(), expected);
    }
}
