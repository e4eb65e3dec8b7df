//! The signature base: the text that is signed.

use std::borrow::Cow;

use crate::field::Covered;
use crate::message::Message;
use crate::target::TargetUri;

/// Why a covered component has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// The message lacks the field.
    Absent,
    /// The profile has no such component, or not with parameters.
    Unknown,
    /// The field's value cannot be signed.
    Malformed(&'static str),
}

/// One line for each covered component, then the parameters.
///
/// Spec: RFC 9421 section 2.5.
pub(crate) fn signature_base(
    covered: &Covered,
    message: &Message<'_>,
    target: &TargetUri,
) -> Result<String, NoValue> {
    signature_base_ending(covered, &covered.to_text(), message, target)
}

/// The same for whoever has the text of `covered` already.
pub(crate) fn signature_base_ending(
    covered: &Covered,
    text: &str,
    message: &Message<'_>,
    target: &TargetUri,
) -> Result<String, NoValue> {
    let mut base = String::with_capacity(512 + text.len());
    for component in &covered.components {
        if !component.params.is_empty() {
            return Err(NoValue::Unknown);
        }
        let value = match component.name.as_str() {
            "@method" => Cow::Owned(message.method().to_ascii_uppercase()),
            "@target-uri" => Cow::Borrowed(target.as_str()),
            "@authority" => Cow::Borrowed(target.authority()),
            name => Cow::Owned(field_value(name, message)?),
        };
        component.write(&mut base);
        base.push_str(": ");
        base.push_str(&value);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(text);
    Ok(base)
}

fn field_value(name: &str, message: &Message<'_>) -> Result<String, NoValue> {
    // Field names are covered in small letters; anything else is no field name.
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
        });
    if !is_name {
        return Err(NoValue::Unknown);
    }
    match message.combined(name) {
        Some(value) => value.map_err(NoValue::Malformed),
        None => Err(NoValue::Absent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    fn base(input: &str) -> Result<String, NoValue> {
        let url = "https://Buyer.example:443/a";
        let message = Message::new("post", url, b"")
            .with_header("Content-Type", " application/json ")
            .with_header("X-A", "1")
            .with_header("X-A", "2")
            .with_header("X-B", "ü");
        let members = field::signature_input(&format!("s={input}")).unwrap();
        signature_base(&members[0].1, &message, &TargetUri::parse(url).unwrap())
    }

    #[test]
    fn lines_in_the_order_of_the_list_and_no_newline_at_the_end() {
        let found =
            base(r#"("@authority" "content-type" "@method" "@target-uri" "x-a");created=1;tag="t""#).unwrap();
        let want = [
            r#""@authority": buyer.example"#,
            r#""content-type": application/json"#,
            r#""@method": POST"#,
            r#""@target-uri": https://buyer.example/a"#,
            r#""x-a": 1, 2"#,
            r#""@signature-params": ("@authority" "content-type" "@method" "@target-uri" "x-a");created=1;tag="t""#,
        ];
        assert_eq!(found, want.join("\n"));
        assert_eq!(base("()").unwrap(), "\"@signature-params\": ()");
    }

    #[test]
    fn components_without_a_value() {
        for unknown in
            ["(\"@query\")", "(\"@method\";req)", "(\"content-type\";bs)", "(\"Content-Type\")", "(\"\")"]
        {
            assert_eq!(base(unknown), Err(NoValue::Unknown), "{unknown}");
        }
        assert_eq!(base("(\"x-c\")"), Err(NoValue::Absent));
        assert!(matches!(base("(\"x-b\")"), Err(NoValue::Malformed(_))));
    }
}
