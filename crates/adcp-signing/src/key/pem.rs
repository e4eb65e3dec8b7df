//! The text around a private key in a file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::der::{self, Private};

const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";

/// Reads the first private key of a file, skipping other blocks (`openssl` writes parameters in front of one).
pub(super) fn read(text: &str) -> Option<Private> {
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut body = Zeroizing::new(String::with_capacity(text.len()));
        let ended = lines.by_ref().any(|line| {
            let is_end = line == end;
            if !is_end {
                body.push_str(line);
            }
            is_end
        });
        if !ended || !matches!(label, PKCS8 | SEC1) {
            continue;
        }
        let document = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
        return if label == PKCS8 { der::read_pkcs8(&document) } else { der::read_sec1(&document) };
    }
    None
}

/// Writes a PKCS#8 document.
pub(super) fn write(document: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(document));
    let mut out = Zeroizing::new(String::with_capacity(body.len() + 80));
    out.push_str("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str("-----END PRIVATE KEY-----\n");
    out
}
