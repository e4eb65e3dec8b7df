//! What the end of a task does, as text. Credentials in it are sealed.

use std::time::Duration;

use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use super::{Reader, SealError, Sealer, Unreadable, put};
use crate::{
    AccountId, CallbackAuth, Effects, EventKey, Hold, KeepDrafts, Principal, ProposalId, ProposalKey,
    Registration, Secret, TaskId, TenantId, hex, unhex,
};

const WHAT: &str = "effects";

/// Writes the effects of the task `task`. Its id is sealed in with every credential.
///
/// # Errors
///
/// [`SealError`] when there are credentials to keep and no key to seal them with.
pub fn write_effects(effects: &Effects, task: &TaskId, sealer: &dyn Sealer) -> Result<String, SealError> {
    let mut out = JsonObject::new();
    put(&mut out, "purchase", effects.purchase.as_ref().map(hold));
    put(&mut out, "drafts", effects.drafts.as_ref().map(drafts));
    for (name, keys) in [("refines", &effects.refines), ("finalizes", &effects.finalizes)] {
        let keys: Vec<Value> = keys.iter().map(key).collect();
        put(&mut out, name, (!keys.is_empty()).then_some(keys));
    }
    if let Some(registration) = &effects.notify {
        out.insert("notify".into(), write_registration(registration, task, sealer)?);
    }
    Ok(Value::Object(out).to_string())
}

/// Reads the effects of the task `task`, to carry them out.
///
/// # Errors
///
/// [`Unreadable`], naming the field that is wrong; a credential that cannot be opened is one.
pub fn read_effects(text: &str, task: &TaskId, sealer: &dyn Sealer) -> Result<Effects, Unreadable> {
    let mut closed = None;
    let effects = read(text, task, sealer, &mut closed)?;
    closed.map_or(Ok(effects), |at| Err(Unreadable { what: WHAT, at }))
}

/// Reads the effects of the task `task`, to show them: credentials that cannot be opened are left out, and
/// [`Registration::unopened`] says so.
///
/// # Errors
///
/// [`Unreadable`], naming the field that is wrong.
pub fn show_effects(text: &str, task: &TaskId, sealer: &dyn Sealer) -> Result<Effects, Unreadable> {
    read(text, task, sealer, &mut None)
}

/// `closed` becomes the first credential that was not opened.
fn read(
    text: &str,
    task: &TaskId,
    sealer: &dyn Sealer,
    closed: &mut Option<&'static str>,
) -> Result<Effects, Unreadable> {
    let mut reader = Reader::parse(WHAT, text)?;
    let mut effects = Effects::none();
    effects.purchase = reader.take("purchase").map(read_hold).transpose()?;
    effects.drafts = reader.take("drafts").map(read_drafts).transpose()?;
    for draft in reader.list("refines")? {
        effects.refines.push(read_key(&mut Reader::of(WHAT, draft)?)?);
    }
    for draft in reader.list("finalizes")? {
        effects.finalizes.push(read_key(&mut Reader::of(WHAT, draft)?)?);
    }
    effects.notify =
        reader.take("notify").map(|value| read_registration(value, task, sealer, closed)).transpose()?;
    Ok(effects)
}

fn key(key: &ProposalKey) -> Value {
    json!({
        "tenant": key.tenant.as_str(),
        "account": key.account.as_ref().map(AccountId::as_str),
        "principal": key.principal.as_ref().map(Principal::as_str),
        "proposal": key.id.as_str(),
    })
}

fn read_key(reader: &mut Reader) -> Result<ProposalKey, Unreadable> {
    Ok(ProposalKey {
        tenant: TenantId::new(reader.text("tenant")?),
        account: reader.optional_text("account")?.map(AccountId::new),
        principal: reader.optional_text("principal")?.map(Principal::new),
        id: ProposalId::new(reader.text("proposal")?),
    })
}

fn hold(hold: &Hold) -> Value {
    let mut out = key(&hold.key);
    out["token"] = hex(&hold.token).into();
    out
}

fn read_hold(value: Value) -> Result<Hold, Unreadable> {
    let mut reader = Reader::of(WHAT, value)?;
    let key = read_key(&mut reader)?;
    let token = reader.text("token")?;
    let token = unhex(&token).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| reader.wrong("token"))?;
    Ok(Hold::new(key, token))
}

fn drafts(keep: &KeepDrafts) -> Value {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    json!({ "keep_ms": millis(keep.keep), "commit_for_ms": keep.commit_for.map(millis) })
}

fn read_drafts(value: Value) -> Result<KeepDrafts, Unreadable> {
    let mut reader = Reader::of(WHAT, value)?;
    let keep = reader.whole("keep_ms")?.ok_or_else(|| reader.wrong("keep_ms"))?;
    let commit_for = reader.whole("commit_for_ms")?.map(Duration::from_millis);
    Ok(KeepDrafts::new(Duration::from_millis(keep)).committing_for(commit_for))
}

fn write_registration(to: &Registration, task: &TaskId, sealer: &dyn Sealer) -> Result<Value, SealError> {
    let seal = |secret: &Secret| sealer.seal(secret.expose(), task.as_str());
    let mut out = JsonObject::new();
    out.insert("url".into(), to.url.as_str().into());
    out.insert("operation_id".into(), to.operation_id.as_str().into());
    out.insert("event_key".into(), to.event_key.as_str().into());
    put(&mut out, "sealed_token", to.token.as_ref().map(&seal).transpose()?);
    if let Some(auth) = &to.authentication {
        out.insert("scheme".into(), auth.scheme.as_str().into());
        out.insert("sealed_credentials".into(), seal(&auth.credentials)?.into());
    }
    put(&mut out, "by_seller", to.by_seller.then_some(true));
    Ok(Value::Object(out))
}

fn read_registration(
    value: Value,
    task: &TaskId,
    sealer: &dyn Sealer,
    closed: &mut Option<&'static str>,
) -> Result<Registration, Unreadable> {
    let mut reader = Reader::of(WHAT, value)?;
    let mut open = |sealed: Option<&String>, name: &'static str| {
        let plain = sealer.open(sealed?, task.as_str()).ok();
        if plain.is_none() {
            closed.get_or_insert(name);
        }
        plain.map(Secret::new)
    };
    let token = open(reader.optional_text("sealed_token")?.as_ref(), "sealed_token");
    let sealed = reader.optional_text("sealed_credentials")?;
    let scheme = reader.optional_text("scheme")?;
    if scheme.is_some() != sealed.is_some() {
        return Err(reader.wrong("scheme"));
    }
    let credentials = open(sealed.as_ref(), "sealed_credentials");
    let authentication =
        scheme.zip(credentials).map(|(scheme, credentials)| CallbackAuth::new(scheme, credentials));
    Ok(Registration {
        url: reader.text("url")?,
        operation_id: reader.text("operation_id")?,
        token,
        authentication,
        event_key: EventKey::stored(reader.text("event_key")?),
        by_seller: reader.take("by_seller").is_some(),
        unopened: closed.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::NoSealer;

    /// Turns bytes round. Enough to see that a credential is never stored as it is.
    #[derive(Debug)]
    struct Mirror;

    impl Sealer for Mirror {
        fn has_key(&self) -> bool {
            true
        }

        fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError> {
            Ok(format!("{bound_to}|{}", plain.chars().rev().collect::<String>()))
        }

        fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError> {
            let (bound, text) = sealed.split_once('|').ok_or(SealError::Forged)?;
            if bound == bound_to { Ok(text.chars().rev().collect()) } else { Err(SealError::Forged) }
        }
    }

    fn effects() -> Effects {
        let key = ProposalKey {
            tenant: TenantId::new("t"),
            account: None,
            principal: Some(Principal::new("p")),
            id: ProposalId::new("x"),
        };
        let registration = Registration::new("https://buyer.example/hook", "op-1")
            .unwrap()
            .with_token(Some(Secret::new("a token of the buyer")))
            .with_authentication(Some(CallbackAuth::new("Bearer", Secret::new("abcdefghij"))));
        let draft = ProposalKey { id: ProposalId::new("y"), ..key.clone() };
        Effects::none()
            .with_purchase(Hold::new(key, [7; 16]))
            .with_drafts(KeepDrafts::new(Duration::from_secs(5)).committing_for(Some(Duration::from_secs(9))))
            .with_refines(vec![ProposalKey { id: ProposalId::new("z"), ..draft.clone() }])
            .with_finalizes(vec![draft])
            .with_notify(Some(registration))
    }

    #[test]
    fn effects_read_back_and_credentials_are_sealed_to_their_task() {
        let (task, other) = (TaskId::new("task_1"), TaskId::new("task_2"));
        let text = write_effects(&effects(), &task, &Mirror).unwrap();
        for secret in ["a token of the buyer", "abcdefghij"] {
            assert!(!text.contains(secret), "{text}");
        }
        let read = read_effects(&text, &task, &Mirror).unwrap();
        let mut expected = effects();
        if let (Some(expected), Some(read)) = (&mut expected.notify, &read.notify) {
            expected.event_key = read.event_key.clone();
        }
        assert_eq!(read, expected);
        assert_eq!(read_effects(&text, &other, &Mirror).unwrap_err().at, "sealed_token");
    }

    #[test]
    fn effects_are_shown_without_the_credentials_that_do_not_open() {
        let task = TaskId::new("task_1");
        let text = write_effects(&effects(), &task, &Mirror).unwrap();
        let shown = show_effects(&text, &task, &NoSealer::new()).unwrap().notify.unwrap();
        assert_eq!((shown.token, shown.authentication, shown.unopened), (None, None, true));
        assert_eq!(shown.url, "https://buyer.example/hook");
        let opened = show_effects(&text, &task, &Mirror).unwrap();
        assert_eq!(opened, read_effects(&text, &task, &Mirror).unwrap());
        assert!(opened.notify.is_some_and(|to| !to.unopened && to.token.is_some()));
    }

    #[test]
    fn without_a_key_no_credential_is_kept() {
        let task = TaskId::new("task_1");
        assert_eq!(write_effects(&effects(), &task, &NoSealer::new()), Err(SealError::NoKey));
        let plain = Effects::none();
        let text = write_effects(&plain, &task, &NoSealer::new()).unwrap();
        assert_eq!(read_effects(&text, &task, &NoSealer::new()).unwrap(), plain);
    }
}
