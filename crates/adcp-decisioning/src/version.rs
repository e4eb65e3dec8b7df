//! Which AdCP release a call is served with.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::Value;

/// The releases an agent serves.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    releases: Vec<Release>,
}

/// `MAJOR.MINOR[-PRE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Release {
    text: String,
    major: u64,
    minor: u64,
    pre: bool,
}

impl Release {
    fn parse(text: &str) -> Option<Self> {
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let (major, minor) = core.split_once('.')?;
        let number = |digits: &str| {
            (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
                .then(|| digits.parse().ok())
                .flatten()
        };
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if pre.is_some_and(|pre| pre.is_empty() || !pre.bytes().all(word)) {
            return None;
        }
        Some(Self { text: text.to_owned(), major: number(major)?, minor: number(minor)?, pre: pre.is_some() })
    }

    const fn order(&self) -> (u64, u64, bool) {
        (self.major, self.minor, !self.pre)
    }
}

impl Versions {
    /// The releases to serve, the default first. Names the one that is not `MAJOR.MINOR[-PRE]`.
    pub(crate) fn new<'a>(releases: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let parse = |text: &str| Release::parse(text).ok_or_else(|| text.to_owned());
        Ok(Self { releases: releases.into_iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// The release that serves callers who name none.
    pub(crate) fn default_release(&self) -> &str {
        self.releases.first().map_or(adcp_types::ADCP_RELEASE, |release| release.text.as_str())
    }

    /// What `get_adcp_capabilities` lists.
    pub(crate) fn supported(&self) -> Vec<String> {
        self.releases.iter().map(|release| release.text.clone()).collect()
    }

    /// The majors of [`Self::supported`], each once.
    pub(crate) fn majors(&self) -> Vec<i64> {
        let mut majors: Vec<i64> = self.releases.iter().filter_map(|r| i64::try_from(r.major).ok()).collect();
        majors.sort_unstable();
        majors.dedup();
        majors
    }

    /// The release that serves `request`.
    ///
    /// Spec: `core/version-envelope.json`.
    pub(crate) fn negotiate(&self, request: &JsonObject) -> Result<&str, AdcpError> {
        let major = match request.get("adcp_major_version") {
            None | Some(Value::Null) => None,
            Some(value) => Some(whole(value).ok_or_else(|| {
                AdcpError::invalid_request("adcp_major_version", "expected an integer from 1 to 99")
            })?),
        };
        let pin = match request.get("adcp_version") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_str().and_then(Release::parse).ok_or_else(|| {
                AdcpError::invalid_request(
                    "adcp_version",
                    "expected MAJOR.MINOR or MAJOR.MINOR-PRERELEASE, without a patch number",
                )
            })?),
        };
        let served = match (&pin, major) {
            (None, None) => self.releases.first(),
            (None, Some(major)) => self.newest(|r| r.major == major),
            (Some(pin), Some(major)) if pin.major != major => None,
            (Some(pin), _) => self.releases.iter().find(|r| r.text == pin.text).or_else(|| {
                let below = |r: &Release| !r.pre && r.major == pin.major && r.minor <= pin.minor;
                if pin.pre { None } else { self.newest(below) }
            }),
        };
        served.map(|release| release.text.as_str()).ok_or_else(|| self.unsupported(request))
    }

    /// The newest release that `admits`; of equals, the one listed first.
    fn newest(&self, admits: impl Fn(&Release) -> bool) -> Option<&Release> {
        self.releases.iter().rev().filter(|r| admits(r)).max_by_key(|r| r.order())
    }

    fn unsupported(&self, request: &JsonObject) -> AdcpError {
        let mut error = AdcpError::new(
            ErrorCode::VERSION_UNSUPPORTED,
            "this agent does not speak the requested AdCP version",
        )
        .with_suggestion("choose one of details.supported_versions")
        .with_detail("supported_versions", self.supported())
        .with_detail("supported_majors", self.majors())
        .with_detail("build_version", adcp_types::ADCP_VERSION);
        for name in ["adcp_version", "adcp_major_version"] {
            if let Some(asked) = request.get(name) {
                error = error.with_detail(name, asked.clone());
            }
        }
        error
    }
}

fn whole(value: &Value) -> Option<u64> {
    let whole = |f: f64| (f.fract() == 0.0 && (0.0..1e9).contains(&f)).then_some(f as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole)).filter(|major| (1..=99).contains(major))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn served(releases: &[&str], request: &Value) -> Result<String, String> {
        let versions = Versions::new(releases.iter().copied()).unwrap();
        versions
            .negotiate(request.as_object().unwrap())
            .map(str::to_owned)
            .map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn negotiation_table() {
        let all = ["3.1-rc.9", "3.0", "3.1-beta.5"];
        let cases = [
            (json!({}), Ok("3.1-rc.9")),
            (json!({"adcp_version": null}), Ok("3.1-rc.9")),
            (json!({"adcp_version": "3.1-rc.9"}), Ok("3.1-rc.9")),
            (json!({"adcp_version": "3.1-beta.5"}), Ok("3.1-beta.5")),
            (json!({"adcp_version": "3.1-rc.8"}), Err("VERSION_UNSUPPORTED")),
            (json!({"adcp_version": "3.1"}), Ok("3.0")),
            (json!({"adcp_version": "3.7"}), Ok("3.0")),
            (json!({"adcp_version": "2.5"}), Err("VERSION_UNSUPPORTED")),
            (json!({"adcp_version": "99.0"}), Err("VERSION_UNSUPPORTED")),
            (json!({"adcp_major_version": 99}), Err("VERSION_UNSUPPORTED")),
            (json!({"adcp_major_version": 3}), Ok("3.1-rc.9")),
            (json!({"adcp_major_version": 3.0}), Ok("3.1-rc.9")),
            (json!({"adcp_version": "3.0", "adcp_major_version": 3}), Ok("3.0")),
            (json!({"adcp_version": "3.0", "adcp_major_version": 2}), Err("VERSION_UNSUPPORTED")),
            (json!({"adcp_version": "3.1.0-rc.9"}), Err("INVALID_REQUEST")),
            (json!({"adcp_version": 3}), Err("INVALID_REQUEST")),
            (json!({"adcp_version": "3.+1"}), Err("INVALID_REQUEST")),
            (json!({"adcp_major_version": 0}), Err("INVALID_REQUEST")),
            (json!({"adcp_major_version": "3"}), Err("INVALID_REQUEST")),
        ];
        for (request, want) in cases {
            let got = served(&all, &request);
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{request}");
        }
        assert_eq!(served(&["3.1-rc.9"], &json!({"adcp_version": "3.1"})), Err("VERSION_UNSUPPORTED".into()));
    }

    #[test]
    fn a_refusal_lists_what_is_served() {
        let versions = Versions::new(["3.1-rc.9", "3.0"]).unwrap();
        let request = json!({"adcp_version": "99.0"});
        let details =
            versions.negotiate(request.as_object().unwrap()).unwrap_err().to_json()["details"].clone();
        assert_eq!(details["supported_versions"], json!(["3.1-rc.9", "3.0"]));
        assert_eq!(details["supported_majors"], json!([3]));
        assert_eq!(details["adcp_version"], "99.0");
        assert_eq!(Versions::new(["3.1.0"]).unwrap_err(), "3.1.0");
    }
}
