//! Webhooks in folders: as they came, so that they can be looked at later.

use std::fs;
use std::path::{Path, PathBuf};

use adcp_core::Timestamp;
use serde_json::{Value, json};

use super::http::{Request, field};
use crate::exit::{Exit, Failure};
use crate::files;

const HEADERS: &str = "headers";
const BODY: &str = "body";
const ABOUT: &str = "about.json";

/// Arrivals of one folder at most.
const MOST: usize = 100_000;

/// A webhook that was stored.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) url: String,
    /// When it arrived, if that is known.
    pub(super) at: Option<Timestamp>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// A folder of webhooks that is written to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    next: usize,
}

impl Folder {
    /// Makes the folder, for its owner only: what arrives is the business of two sides.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = |error| {
            Failure::new(Exit::Broken, format!("cannot save into `{}`", path.display())).because(error)
        };
        private().recursive(true).create(path).map_err(cannot)?;
        let next = fs::read_dir(path).map_err(cannot)?.count();
        Ok(Self { path: path.to_owned(), next })
    }

    /// Writes an arrival; says where.
    pub(super) fn save(
        &mut self,
        request: &Request,
        url: &str,
        at: Timestamp,
        key: Option<&str>,
    ) -> std::io::Result<String> {
        if self.next >= MOST {
            return Err(std::io::Error::other("the folder holds as many arrivals as it may"));
        }
        // A key comes from outside: of it only what is harmless in a name.
        let fits = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let key: String = key.unwrap_or("keyless").chars().take(12).filter(fits).collect();
        let folder = loop {
            self.next += 1;
            let folder = self.path.join(format!("{:04}-{key}", self.next));
            match private().create(&folder) {
                Ok(()) => break folder,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
        for (name, value) in &request.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        fs::write(folder.join(HEADERS), head)?;
        fs::write(folder.join(BODY), &request.body)?;
        let about = json!({ "url": url, "arrived_at": at.to_string() });
        fs::write(folder.join(ABOUT), format!("{about:#}\n"))?;
        Ok(folder.display().to_string())
    }
}

/// Makes folders for their owner only.
fn private() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "nothing to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Reads a webhook from a folder, or all that are in folders below it, in order of their names.
pub(super) fn read(path: &Path) -> Result<Vec<Capture>, Failure> {
    if path.join(HEADERS).is_file() {
        return Ok(vec![one(path)?]);
    }
    let cannot =
        |error| Failure::usage(format!("cannot read the folder `{}`", path.display())).because(error);
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let folder = entry.map_err(cannot)?.path();
        if folder.join(HEADERS).is_file() {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        let words = format!("nothing in `{}` was saved by `adcp webhooks listen --save`", path.display());
        return Err(Failure::usage(words));
    }
    folders.sort_unstable();
    folders.iter().map(|folder| one(folder)).collect()
}

fn one(folder: &Path) -> Result<Capture, Failure> {
    let about = file(&folder.join(ABOUT))?;
    let about: Option<Value> = serde_json::from_slice(&about).ok();
    let text = |name: &str| about.as_ref().and_then(|about| about.get(name)).and_then(Value::as_str);
    let Some(url) = text("url") else {
        return Err(Failure::usage(format!("`{}` does not say the url", folder.join(ABOUT).display())));
    };
    let at = text("arrived_at").and_then(|at| Timestamp::parse(at).ok());
    let mut capture = parts(&folder.join(HEADERS), &folder.join(BODY), url)?;
    capture.at = at;
    capture.name = folder.display().to_string();
    Ok(capture)
}

/// Reads a webhook from its parts.
pub(super) fn parts(headers: &Path, body: &Path, url: &str) -> Result<Capture, Failure> {
    let fields = fields(&file(headers)?).map_err(|line| {
        Failure::usage(format!("line {line} of `{}` is no header field", headers.display()))
    })?;
    let body = file(body)?;
    Ok(Capture { name: headers.display().to_string(), url: url.to_owned(), at: None, headers: fields, body })
}

/// Lines of `name: value`, perhaps below a request line; the number of the first line that is none.
fn fields(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>, usize> {
    let mut out = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // `curl -v` writes a mark before what it sends.
        let line = line.strip_prefix(b"> ").unwrap_or(line);
        let is_first_line = at == 0 && line.windows(5).any(|it| it == b"HTTP/");
        if line.is_empty() || is_first_line {
            continue;
        }
        out.push(field(line).ok_or(at + 1)?);
    }
    Ok(out)
}

fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, files::LARGE)
        .map_err(|error| Failure::usage(format!("cannot read `{}`", path.display())).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_are_read_as_people_keep_them() {
        let want = [("Signature".to_owned(), b"sig1=:a:".to_vec()), ("X".to_owned(), b"y:z".to_vec())];
        for text in [
            "POST /hook HTTP/1.1\r\nSignature: sig1=:a:\r\nX: y:z\r\n\r\n",
            "Signature:sig1=:a:\nX:  y:z  \n",
            "> POST /hook HTTP/1.1\n> Signature: sig1=:a:\n> X: y:z\n",
        ] {
            assert_eq!(fields(text.as_bytes()).unwrap(), want, "{text}");
        }
        assert_eq!(fields(b"A: b\n{\"a\": 1}\n"), Err(2));
    }
}
