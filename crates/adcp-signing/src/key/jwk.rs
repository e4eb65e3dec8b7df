//! One published key.

use serde_json::{Map, Value, json};

use crate::algorithm::{Algorithm, KeyUse};
use crate::alphabet;
use crate::backend;
use crate::digest::sha256;

/// A public key as a JWKS publishes it.
///
/// Members are kept as they were found, so that a document with one odd key is still of use; whether this key may verify
/// a signature is decided when one is verified. Private members are not kept: there is no way to print them from here.
///
/// Spec: RFC 7517; `adcp_use` is AdCP's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Jwk {
    /// The name that signatures give as `keyid`.
    pub kid: String,
    /// `OKP` or `EC`.
    pub kty: String,
    /// `Ed25519` or `P-256`.
    pub crv: Option<String>,
    /// `EdDSA` or `ES256`.
    pub alg: Option<String>,
    /// `sig`.
    pub r#use: Option<String>,
    /// Has to contain `verify`.
    pub key_ops: Vec<String>,
    /// What the key is for; a string that is not one of ours is kept.
    pub adcp_use: Option<String>,
    /// The point, base64url.
    pub x: Option<String>,
    /// The other half of the point, of `EC` keys only.
    pub y: Option<String>,
}

/// A key that is fit for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Jwk {
    /// Reads a key. `None` if it has no `kid` or no `kty`. Another member of a type that it cannot have reads as absent, so
    /// that the key is found and then fails for what it is.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let ops = members.get("key_ops").and_then(Value::as_array);
        Some(Self {
            kid: text("kid")?,
            kty: text("kty")?,
            crv: text("crv"),
            alg: text("alg"),
            r#use: text("use"),
            key_ops: ops.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            adcp_use: text("adcp_use"),
            x: text("x"),
            y: text("y"),
        })
    }

    /// The key as it is published.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("kid".into(), json!(self.kid));
        members.insert("kty".into(), json!(self.kty));
        if !self.key_ops.is_empty() {
            members.insert("key_ops".into(), json!(self.key_ops));
        }
        let rest = [
            ("crv", &self.crv),
            ("alg", &self.alg),
            ("use", &self.r#use),
            ("adcp_use", &self.adcp_use),
            ("x", &self.x),
            ("y", &self.y),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                members.insert(name.into(), json!(value));
            }
        }
        Value::Object(members)
    }

    /// The key's fingerprint, base64url, for people who name keys by it.
    ///
    /// Spec: RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let mut members = Map::new();
        let given = [("crv", &self.crv), ("x", &self.x), ("y", &self.y)];
        for (name, value) in given {
            if let Some(value) = value {
                members.insert(name.into(), json!(value));
            }
        }
        members.insert("kty".into(), json!(self.kty));
        // Members in the order of their names, without white space: the canonical form that the RFC asks for.
        alphabet::url_safe(&sha256(Value::Object(members).to_string().as_bytes()))
    }

    /// A public key of ours, ready to be published.
    pub(crate) fn of(algorithm: Algorithm, public: &[u8], kid: &str, purpose: KeyUse) -> Self {
        let (x, y) = match algorithm {
            Algorithm::Ed25519 => (public, None),
            // The first byte says that both halves follow.
            Algorithm::EcdsaP256Sha256 => (&public[1..33], Some(&public[33..])),
        };
        Self {
            kid: kid.to_owned(),
            kty: algorithm.key_type().to_owned(),
            crv: Some(algorithm.curve().to_owned()),
            alg: Some(algorithm.jwk_name().to_owned()),
            r#use: Some("sig".to_owned()),
            key_ops: vec!["verify".to_owned()],
            adcp_use: Some(purpose.name().to_owned()),
            x: Some(alphabet::url_safe(x)),
            y: y.map(alphabet::url_safe),
        }
    }

    /// Step 8: whether this key may verify signatures of `algorithm` for `purpose`.
    pub(crate) fn fit_for(&self, purpose: KeyUse, algorithm: Algorithm) -> Result<PublicKey, &'static str> {
        if self.r#use.as_deref() != Some("sig") {
            return Err("the key's use is not sig");
        }
        if !self.key_ops.iter().any(|op| op == "verify") {
            return Err("the key's key_ops do not contain verify");
        }
        if self.adcp_use.as_deref() != Some(purpose.name()) {
            return Err("the key's adcp_use is another");
        }
        self.key_of(algorithm)
    }

    /// The key itself, if its members agree with each other and with `algorithm`.
    fn key_of(&self, algorithm: Algorithm) -> Result<PublicKey, &'static str> {
        let agrees = self.kty == algorithm.key_type()
            && self.crv.as_deref() == Some(algorithm.curve())
            && self.alg.as_deref() == Some(algorithm.jwk_name());
        if !agrees {
            return Err("the key's kty, crv and alg are not those of the signature's algorithm");
        }
        let half = |value: &Option<String>| {
            let bytes = alphabet::from_url_safe(value.as_deref()?)?;
            (bytes.len() == 32).then_some(bytes)
        };
        let x = half(&self.x).ok_or("the key's x is not 32 bytes of base64url")?;
        let bytes = match algorithm {
            Algorithm::Ed25519 => x,
            Algorithm::EcdsaP256Sha256 => {
                let y = half(&self.y).ok_or("the key's y is not 32 bytes of base64url")?;
                [&[4][..], &x, &y].concat()
            }
        };
        Ok(PublicKey { algorithm, bytes })
    }
}

impl PublicKey {
    /// Whether `signature` is that of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        backend::verify(self.algorithm, &self.bytes, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwk() -> Value {
        json!({
            "kid": "k", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"],
            "adcp_use": "webhook-signing", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "secret", "n": 1,
        })
    }

    #[test]
    fn members_are_kept_and_private_ones_are_not() {
        let key = Jwk::from_json(&jwk()).unwrap();
        let text = key.to_json().to_string();
        assert!(!text.contains("secret") && !format!("{key:?}").contains("secret"), "{text}");
        assert_eq!(Jwk::from_json(&key.to_json()), Some(key.clone()));
        // The key and the thumbprint of RFC 8037, appendix A.3.
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_has_no_name_or_no_type_is_no_key() {
        for value in
            [json!([]), json!({ "kty": "OKP" }), json!({ "kid": "k" }), json!({ "kid": 1, "kty": "OKP" })]
        {
            assert_eq!(Jwk::from_json(&value), None, "{value}");
        }
    }

    #[test]
    fn a_key_is_fit_for_one_purpose_and_one_algorithm() {
        let fit = |name: &str, value: Value| {
            let mut other = jwk();
            other[name] = value;
            Jwk::from_json(&other).unwrap().fit_for(KeyUse::WebhookSigning, Algorithm::Ed25519)
        };
        assert!(fit("kid", json!("other")).is_ok());
        let long = json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo1");
        for (name, value, words) in [
            ("use", json!("enc"), "use is not sig"),
            ("key_ops", json!([]), "key_ops"),
            ("key_ops", json!(["sign"]), "key_ops"),
            ("key_ops", json!("verify"), "key_ops"),
            ("adcp_use", json!("request-signing"), "adcp_use"),
            ("adcp_use", json!(["webhook-signing"]), "adcp_use"),
            ("kty", json!("EC"), "kty, crv and alg"),
            ("crv", json!("P-256"), "kty, crv and alg"),
            ("crv", json!("X25519"), "kty, crv and alg"),
            ("alg", json!("ES256"), "kty, crv and alg"),
            ("x", json!("AQ"), "32 bytes"),
            ("x", long, "32 bytes"),
            ("x", json!("+1qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"), "32 bytes"),
        ] {
            let error = fit(name, value).unwrap_err();
            assert!(error.contains(words), "{name}: {error}");
        }
        let key = Jwk::from_json(&jwk()).unwrap();
        assert!(key.fit_for(KeyUse::WebhookSigning, Algorithm::EcdsaP256Sha256).is_err());
        assert!(key.fit_for(KeyUse::RequestSigning, Algorithm::Ed25519).is_err());
    }
}
