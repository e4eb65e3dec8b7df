//! When a seller asks for a signature, and how a webhook is authenticated.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::algorithm::Profile;
use crate::message::Message;
use crate::rejection::{Fault, Rejection};
use crate::verify::DigestPolicy;

/// A name in a list of the policy that belongs into another list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is in `{list}`, where {instead} belong")]
pub struct BadPolicy {
    name: String,
    list: &'static str,
    instead: &'static str,
}

/// How strictly a call is held to being signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "the capability block has three lists")]
pub enum Enforcement {
    /// In no list. A signature that is there is verified all the same.
    Unlisted,
    /// Verified when it is there.
    Supported,
    /// Verified and logged; a call is not refused for it.
    Warned,
    /// Refused without one, unless the caller is known by another credential.
    Required,
}

/// What a seller says about signed requests, and then does.
///
/// Operations are AdCP tools, methods are those of JSON-RPC with a slash in their names; a list of one kind never matches the
/// other.
///
/// Spec: `request_signing` in `protocol/get-adcp-capabilities-response.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestPolicy {
    digest: DigestPolicy,
    operations: Lists,
    methods: Lists,
}

/// The three lists of a kind of name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lists {
    required: BTreeSet<String>,
    warned: BTreeSet<String>,
    supported: BTreeSet<String>,
}

impl Lists {
    fn enforcement(&self, name: &str) -> Enforcement {
        if self.required.contains(name) {
            Enforcement::Required
        } else if self.warned.contains(name) {
            Enforcement::Warned
        } else if self.supported.contains(name) {
            Enforcement::Supported
        } else {
            Enforcement::Unlisted
        }
    }

    fn add(&mut self, how: Enforcement, names: impl IntoIterator<Item = impl Into<String>>) {
        let list = match how {
            Enforcement::Unlisted => return,
            Enforcement::Supported => &mut self.supported,
            Enforcement::Warned => &mut self.warned,
            Enforcement::Required => &mut self.required,
        };
        list.extend(names.into_iter().map(Into::into));
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.required.iter().chain(&self.warned).chain(&self.supported)
    }
}

/// A call that carries no signature.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct UnsignedCall<'a> {
    /// The tool that is called.
    pub operation: Option<&'a str>,
    /// The JSON-RPC method, when it is not a tool that is called.
    pub method: Option<&'a str>,
    /// Whether another credential says who calls, and was recognised.
    pub is_authenticated: bool,
    /// Whether its arguments register credentials for callbacks; see [`registers_credentials`].
    pub registers_credentials: bool,
}

impl<'a> UnsignedCall<'a> {
    /// A call of a tool by nobody known.
    #[must_use]
    pub fn operation(name: &'a str) -> Self {
        Self { operation: Some(name), ..Self::default() }
    }

    /// A call of a protocol method by nobody known.
    #[must_use]
    pub fn method(name: &'a str) -> Self {
        Self { method: Some(name), ..Self::default() }
    }

    /// Says that another credential was recognised.
    #[must_use]
    pub const fn with_authenticated(mut self, is_authenticated: bool) -> Self {
        self.is_authenticated = is_authenticated;
        self
    }

    /// Says that it registers credentials for callbacks.
    #[must_use]
    pub const fn with_registered_credentials(mut self, registers: bool) -> Self {
        self.registers_credentials = registers;
        self
    }
}

impl RequestPolicy {
    /// A seller that verifies signatures and asks for none.
    #[must_use]
    pub fn new(digest: DigestPolicy) -> Self {
        Self { digest, ..Self::default() }
    }

    /// Adds tools to a list.
    #[must_use]
    pub fn with_operations(
        mut self,
        how: Enforcement,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.operations.add(how, names);
        self
    }

    /// Adds JSON-RPC methods to a list.
    #[must_use]
    pub fn with_methods(
        mut self,
        how: Enforcement,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.methods.add(how, names);
        self
    }

    /// Whether requests must cover their digest.
    #[must_use]
    pub const fn digest(&self) -> DigestPolicy {
        self.digest
    }

    /// Refuses names in a list of the other kind, for the start-up of a seller.
    ///
    /// # Errors
    ///
    /// [`BadPolicy`] for the first such name.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let bad = |name: &String, list, instead| BadPolicy { name: name.clone(), list, instead };
        if let Some(name) = self.operations.all().find(|name| name.contains('/')) {
            return Err(bad(name, "operations", "tools"));
        }
        if let Some(name) = self.methods.all().find(|name| !name.contains('/')) {
            return Err(bad(name, "methods", "JSON-RPC methods with a slash"));
        }
        Ok(())
    }

    /// How strictly a tool, or else a method, is held to being signed.
    #[must_use]
    pub fn enforcement(&self, operation: Option<&str>, method: Option<&str>) -> Enforcement {
        let operation = operation.map_or(Enforcement::Unlisted, |name| self.operations.enforcement(name));
        operation.max(method.map_or(Enforcement::Unlisted, |name| self.methods.enforcement(name)))
    }

    /// Whether a call without a signature may go on to the other credentials.
    ///
    /// Credentials for callbacks are registered by signed requests only, whatever else the caller presents: a bearer token
    /// that was stolen must not redirect what the seller sends.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] with the code `request_signature_required`.
    pub fn admit_unsigned(&self, call: &UnsignedCall<'_>) -> Result<(), Rejection> {
        let refuse = |detail| Err(Rejection::new(Fault::Required, Profile::Request, detail));
        if call.registers_credentials {
            return refuse("credentials for callbacks are registered by signed requests only");
        }
        let how = self.enforcement(call.operation, call.method);
        if how == Enforcement::Required && !call.is_authenticated {
            return refuse("the operation requires a signature");
        }
        Ok(())
    }
}

/// Whether the arguments of a call register credentials for callbacks: `push_notification_config.authentication`, or
/// `authentication` in a notification config of an account.
#[must_use]
pub fn registers_credentials(arguments: &Value) -> bool {
    let has = |config: &Value| match config.get("authentication") {
        None | Some(Value::Null) => false,
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    };
    let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    arguments.get("push_notification_config").is_some_and(has)
        || items(arguments.get("accounts"))
            .iter()
            .any(|account| items(account.get("notification_configs")).iter().any(has))
}

/// How the webhooks of one address are authenticated. Registering an address decides it; a message does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the schema knows two schemes, and their absence")]
pub enum WebhookMode {
    /// Signed after RFC 9421: the registration has no `authentication`.
    Signed,
    /// A keyed hash, of AdCP 2; see [`HmacKey`](crate::HmacKey).
    Hmac,
    /// A bearer token; see [`BearerToken`](crate::BearerToken).
    Bearer,
}

impl WebhookMode {
    /// The mode of a registration, from the `schemes` of its `authentication`, if it has one.
    ///
    /// `None` for a scheme that we do not know, and for several: exactly one is agreed for an address.
    ///
    /// Spec: `core/push-notification-config.json`.
    #[must_use]
    pub fn of_schemes(schemes: Option<&[&str]>) -> Option<Self> {
        match schemes {
            None => Some(Self::Signed),
            Some(["HMAC-SHA256"]) => Some(Self::Hmac),
            Some(["Bearer"]) => Some(Self::Bearer),
            Some(_) => None,
        }
    }

    /// Refuses a message that is authenticated in another way than this one. Whether it is authentic comes afterwards.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] with the code `webhook_mode_mismatch`: never try the other way instead.
    pub fn check(self, message: &Message<'_>) -> Result<(), Rejection> {
        let signed = message.has("signature") || message.has("signature-input");
        let hmac = message.has("x-adcp-signature");
        let matches = match self {
            Self::Signed => signed || !(hmac || message.has("authorization")),
            Self::Hmac => hmac || !signed,
            Self::Bearer => !(signed || hmac),
        };
        // Both at once is what no sender may do.
        if matches && !(signed && hmac) {
            return Ok(());
        }
        Err(Rejection::new(Fault::ModeMismatch, Profile::Webhook, "another mode was agreed for this address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_strictest_list_wins_and_kinds_never_mix() {
        let policy = RequestPolicy::new(DigestPolicy::Required)
            .with_operations(Enforcement::Supported, ["create_media_buy", "sync_creatives"])
            .with_operations(Enforcement::Warned, ["update_media_buy", "create_media_buy"])
            .with_operations(Enforcement::Required, ["create_media_buy"])
            .with_operations(Enforcement::Unlisted, ["ignored"])
            .with_methods(Enforcement::Required, ["tasks/cancel"]);
        assert_eq!(policy.check(), Ok(()));
        for (operation, want) in [
            ("create_media_buy", Enforcement::Required),
            ("update_media_buy", Enforcement::Warned),
            ("sync_creatives", Enforcement::Supported),
            ("get_products", Enforcement::Unlisted),
            ("tasks/cancel", Enforcement::Unlisted),
            ("ignored", Enforcement::Unlisted),
        ] {
            assert_eq!(policy.enforcement(Some(operation), Some("tools/call")), want, "{operation}");
        }
        assert_eq!(policy.enforcement(None, Some("tasks/cancel")), Enforcement::Required);
        assert_eq!(policy.enforcement(None, Some("create_media_buy")), Enforcement::Unlisted);

        let bad = policy.clone().with_operations(Enforcement::Supported, ["tasks/get"]).check().unwrap_err();
        assert_eq!(bad.to_string(), "`tasks/get` is in `operations`, where tools belong");
        assert!(policy.with_methods(Enforcement::Warned, ["create_media_buy"]).check().is_err());
    }

    #[test]
    fn unsigned_calls_are_admitted_by_list_and_by_other_credentials() {
        let policy = RequestPolicy::default()
            .with_operations(Enforcement::Required, ["create_media_buy"])
            .with_methods(Enforcement::Required, ["tasks/cancel"]);
        let code =
            |call: UnsignedCall<'_>| policy.admit_unsigned(&call).map_err(|rejection| rejection.code());
        let required = Err("request_signature_required");
        assert_eq!(code(UnsignedCall::operation("create_media_buy")), required);
        assert_eq!(code(UnsignedCall::operation("create_media_buy").with_authenticated(true)), Ok(()));
        assert_eq!(code(UnsignedCall::operation("get_products")), Ok(()));
        assert_eq!(code(UnsignedCall::method("tasks/cancel")), required);
        let update = UnsignedCall::operation("update_media_buy").with_authenticated(true);
        assert_eq!(code(update), Ok(()));
        assert_eq!(code(update.with_registered_credentials(true)), required);
    }

    #[test]
    fn credentials_of_callbacks_are_found_where_they_are_registered() {
        let auth = json!({ "schemes": ["Bearer"], "credentials": "c" });
        for (arguments, found) in [
            (json!({ "push_notification_config": { "url": "u", "authentication": auth } }), true),
            (json!({ "accounts": [{}, { "notification_configs": [{}, { "authentication": auth }] }] }), true),
            (json!({ "push_notification_config": { "authentication": "odd" } }), true),
            (json!({ "push_notification_config": { "authentication": {} } }), false),
            (json!({ "push_notification_config": { "authentication": null } }), false),
            (json!({ "authentication": auth, "accounts": { "notification_configs": [] } }), false),
            (json!([]), false),
        ] {
            assert_eq!(registers_credentials(&arguments), found, "{arguments}");
        }
    }

    #[test]
    fn the_agreed_mode_and_no_other() {
        use WebhookMode::{Bearer, Hmac, Signed};
        assert_eq!(WebhookMode::of_schemes(None), Some(Signed));
        assert_eq!(WebhookMode::of_schemes(Some(&["HMAC-SHA256"])), Some(Hmac));
        assert_eq!(WebhookMode::of_schemes(Some(&["Bearer"])), Some(Bearer));
        for schemes in [&[][..], &["Basic"], &["Bearer", "HMAC-SHA256"]] {
            assert_eq!(WebhookMode::of_schemes(Some(schemes)), None);
        }
        let cases: [(&[&str], &[WebhookMode]); 6] = [
            (&["Signature", "Signature-Input"], &[Signed]),
            (&["X-AdCP-Signature", "X-AdCP-Timestamp"], &[Hmac]),
            (&["Authorization"], &[Hmac, Bearer]),
            // Nothing at all is no other mode: the agreed one says what is missing.
            (&[], &[Signed, Hmac, Bearer]),
            (&["Signature", "X-AdCP-Signature"], &[]),
            (&["Signature", "Authorization"], &[Signed]),
        ];
        for (headers, fits) in cases {
            let message = Message::new("POST", "https://a.example/", b"")
                .with_headers(headers.iter().map(|name| (*name, &b"x"[..])));
            for mode in [Signed, Hmac, Bearer] {
                let code = mode.check(&message).map_err(|rejection| rejection.code());
                let want = if fits.contains(&mode) { Ok(()) } else { Err("webhook_mode_mismatch") };
                assert_eq!(code, want, "{headers:?} {mode:?}");
            }
        }
    }
}
