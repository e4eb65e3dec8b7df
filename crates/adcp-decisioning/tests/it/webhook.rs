//! Notifications of the end of a task, up to the queue from which they are delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{
    AdcpError, Background, Delivery, DeliveryOutbox as _, DeliveryTerms, Event, Inadmissible, ListEvents,
    Registry, Scope, TaskRef, TaskRegistry as _, TenantId,
};
use adcp_decisioning::{Account, AccountKey, Agent, AgentBuilder, Call, Ctx, ExplicitAccounts, TaskDesk};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::ErrorCode;
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::flaky::Flaky;
use crate::handoff::ended;
use crate::scripted::{Bought, Scripted, all_tasks, bought, building, buy, poll, products, signals, task_of};
use crate::seller::{booked, call, code, object, order};

/// Carries nothing; admits https, and http to this host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Post(Arc<Office>);

#[derive(Debug, Default)]
pub(crate) struct Office {
    terms: Option<DeliveryTerms>,
    started: AtomicUsize,
    drained: AtomicUsize,
    broken: AtomicBool,
}

impl Post {
    /// One that says this of itself.
    pub(crate) fn telling(terms: DeliveryTerms) -> Self {
        Self(Arc::new(Office { terms: Some(terms), ..Office::default() }))
    }
}

#[async_trait]
impl Background for Post {
    fn start(&self, _registry: Arc<dyn Registry>) {
        self.0.started.fetch_add(1, Ordering::SeqCst);
    }

    async fn drain(&self, _within: Duration) {
        self.0.drained.fetch_add(1, Ordering::SeqCst);
    }

    fn is_healthy(&self) -> bool {
        !self.0.broken.load(Ordering::SeqCst)
    }
}

impl Delivery for Post {
    fn admits(&self, url: &str) -> Result<(), Inadmissible> {
        if url.starts_with("https://") || url.starts_with("http://127.0.0.1") {
            return Ok(());
        }
        Err(Inadmissible("expected an https address".into()))
    }

    fn terms(&self) -> DeliveryTerms {
        let day = || DeliveryTerms::new(Duration::from_secs(24 * 3600)).with_algorithm("ed25519").with_hmac();
        self.0.terms.clone().unwrap_or_else(day)
    }
}

const TOKEN: &str = "a-token-of-the-buyer-0123456789";

fn config() -> Value {
    json!({
        "url": "https://buyer.example/hooks/1?op=other",
        "operation_id": "op:2026.05-01_A",
        "token": TOKEN,
        "authentication": { "schemes": ["Bearer"], "credentials": "c".repeat(32) },
    })
}

/// A call of `tool` that wants to be notified.
fn asking(tool: &str, config: Value) -> Value {
    let mut request = match tool {
        "create_media_buy" => order("key-0123456789abcdef"),
        "get_products" => json!({ "buying_mode": "brief", "brief": "video" }),
        _ => json!({ "signal_spec": "weather" }),
    };
    request["push_notification_config"] = config;
    request["context"] = json!({ "trace": ["verbatim", 1.50, null] });
    request
}

fn delivering(seller: &Scripted) -> (AgentBuilder<Scripted>, Arc<MemoryRegistry>) {
    let registry = Arc::new(MemoryRegistry::volatile());
    (building(seller, registry.clone()).deliver_with(Post::default()), registry)
}

/// A seller whose tools all hand off to functions that end as `good` says.
fn handing_off(good: bool) -> Scripted {
    let end =
        move || if good { Ok(()) } else { Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not here")) };
    Scripted::buying(move |ctx| Ok(ctx.handoff_to_task(async move |_| end().and_then(|()| bought())).into()))
        .finding(
            move |ctx| Ok(ctx.handoff_to_task(async move |_| end().map(|()| products().into())).into()),
            move |ctx| Ok(ctx.handoff_to_task(async move |_| end().map(|()| signals())).into()),
        )
}

fn waiting(ctx: &Ctx) -> Result<Bought, AdcpError> {
    Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into())
}

async fn events(registry: &MemoryRegistry) -> Vec<Event> {
    registry.events(ListEvents::new(Scope::Operator { tenant: TenantId::single() })).await.unwrap()
}

/// What every notification must hold, whatever it tells of; its body.
fn checked(event: &Event, tool: &str, task_id: &Value, status: &str) -> Value {
    let body: Value = serde_json::from_str(&event.body).unwrap();
    let schema = adcp_schemas::validator("core/mcp-webhook-payload.json").unwrap();
    schema.validate(&body).unwrap_or_else(|violations| panic!("{violations}: {body}"));
    assert_eq!(body["operation_id"], "op:2026.05-01_A");
    assert_eq!(body["context"], json!({ "trace": ["verbatim", 1.50, null] }));
    assert_eq!(body["token"], TOKEN);
    assert_eq!(&body["task_id"], task_id);
    assert_eq!((&body["task_type"], &body["status"]), (&tool.into(), &status.into()));
    let protocol = if tool == "get_signals" { "signals" } else { "media-buy" };
    assert_eq!((&body["protocol"], &body["domain"]), (&protocol.into(), &protocol.into()));
    let key = body["idempotency_key"].as_str().unwrap();
    assert!(key.starts_with("whk_") && key.len() >= 4 + 32, "{key}");
    assert_eq!(key, event.key.as_str());
    assert_eq!(event.url, "https://buyer.example/hooks/1?op=other");
    assert_eq!(event.authentication.as_ref().unwrap().credentials.expose(), "c".repeat(32));
    let printed = format!("{event:?}");
    assert!(!printed.contains(TOKEN) && !printed.contains(&"c".repeat(32)), "{printed}");
    body
}

#[tokio::test]
async fn async_discovery_and_orders_notify_of_completion_and_of_failure() {
    for (good, status) in [(true, "completed"), (false, "failed")] {
        for tool in ["get_products", "get_signals", "create_media_buy"] {
            let (builder, registry) = delivering(&handing_off(good));
            let agent = builder.build().unwrap();
            let printed = format!("{:?}", Call::new(tool, object(asking(tool, config()))));
            assert!(!printed.contains(TOKEN) && printed.contains(tool), "{printed}");
            let reply = call(&agent, "acme", tool, asking(tool, config())).await;
            assert_eq!(reply.body["status"], "submitted", "{tool}: {:?}", reply.body);
            let task = ended(&agent, &reply.body["task_id"]).await;
            assert_eq!((&task["status"], &task["has_webhook"]), (&status.into(), &true.into()), "{tool}");
            let queued = events(&registry).await;
            assert_eq!(queued.len(), 1, "{tool} {status}");
            let body = checked(&queued[0], tool, &reply.body["task_id"], status);
            if good {
                assert_eq!(body["result"], task["result"], "{tool}: push and poll tell the same");
                let schema = adcp_schemas::tool_validator(tool, adcp_schemas::Part::Response).unwrap();
                schema.validate(&body["result"]).unwrap();
            } else {
                assert_eq!(body["result"]["adcp_error"]["code"], "POLICY_VIOLATION");
                assert_eq!(body["result"]["errors"], json!([body["result"]["adcp_error"]]));
                assert_eq!(body["result"]["adcp_error"]["recovery"], "correctable");
            }
            assert_eq!(body["result"]["context"], body["context"]);
        }
    }
}

#[tokio::test]
async fn every_end_from_outside_notifies_once() {
    for status in ["completed", "failed", "canceled", "rejected"] {
        let (builder, registry) = delivering(&Scripted::buying(waiting));
        let agent = builder.build().unwrap();
        let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
        let task = task_of(&reply);
        assert_eq!(events(&registry).await, [], "nothing has ended yet");
        let desk = agent.desk();
        for _ in 0..2 {
            match status {
                "completed" => desk.complete(&task, &booked()).await,
                "failed" => desk.fail(&task, AdcpError::unavailable()).await,
                "canceled" => desk.cancel(&task, "called off").await,
                _ => desk.reject(&task, AdcpError::new(ErrorCode::POLICY_VIOLATION, "no")).await,
            }
            .unwrap();
        }
        assert!(desk.fail(&task, AdcpError::overdue()).await.is_err());
        let queued = events(&registry).await;
        assert_eq!(queued.len(), 1, "{status}");
        checked(&queued[0], "create_media_buy", &reply.body["task_id"], status);
    }
}

#[tokio::test]
async fn two_tasks_have_two_keys() {
    let (builder, registry) = delivering(&handing_off(true));
    let agent = builder.build().unwrap();
    for _ in 0..2 {
        let reply = call(&agent, "acme", "get_products", asking("get_products", config())).await;
        ended(&agent, &reply.body["task_id"]).await;
    }
    let queued = events(&registry).await;
    assert_eq!(queued.len(), 2);
    assert_ne!(queued[0].key, queued[1].key);
}

#[tokio::test]
async fn answers_at_once_and_tasks_that_nobody_was_told_of_notify_of_nothing() {
    let at_once = Scripted::buying(|_| bought().map(Into::into));
    let refused = Scripted::buying(|_| Err(AdcpError::unavailable()));
    let discarded = Scripted::buying(|ctx| {
        Ok(ctx.handoff_to_workflow(async move |_| Err(AdcpError::unavailable())).into())
    });
    for seller in [at_once, refused, discarded] {
        let (builder, registry) = delivering(&seller);
        let agent = builder.build().unwrap();
        let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
        assert_ne!(reply.body["status"], "submitted");
        assert_eq!(seller.calls(), 1);
        assert_eq!(events(&registry).await, []);
    }
}

#[tokio::test]
async fn a_registration_that_can_never_be_used_is_refused_before_anything_exists() {
    let with = |name: &str, value: Value| {
        let mut config = config();
        config[name] = value;
        config
    };
    let without = |name: &str| {
        let mut config = config();
        config.as_object_mut().unwrap().remove(name);
        config
    };
    let bearer = |credentials: &str| json!({ "schemes": ["Bearer"], "credentials": credentials });
    let cases = [
        (with("url", "http://buyer.example/hook".into()), "push_notification_config.url"),
        (with("url", "https://user:pw@buyer.example/hook".into()), "push_notification_config.url"),
        (without("url"), "push_notification_config.url"),
        (without("operation_id"), "push_notification_config.operation_id"),
        (
            with("authentication", json!({ "schemes": ["Basic"], "credentials": "c".repeat(32) })),
            "push_notification_config.authentication.schemes[0]",
        ),
        (
            with("authentication", bearer(&"line\nbreak".repeat(4))),
            "push_notification_config.authentication.credentials",
        ),
        (
            with("authentication", bearer(&"c".repeat(4_097))),
            "push_notification_config.authentication.credentials",
        ),
        (
            with("authentication", json!({ "schemes": ["HMAC-SHA256"], "credentials": "c".repeat(4_097) })),
            "push_notification_config.authentication.credentials",
        ),
        (with("authentication", bearer("short")), "push_notification_config.authentication.credentials"),
    ];
    let seller = Scripted::buying(waiting);
    let (builder, registry) = delivering(&seller);
    let agent = builder.build().unwrap();
    for (config, field) in cases {
        let reply =
            call(&agent, "acme", "create_media_buy", asking("create_media_buy", config.clone())).await;
        let error = &reply.body["adcp_error"];
        assert!(["INVALID_REQUEST", "VALIDATION_ERROR"].contains(&code(&reply)), "{config}: {error}");
        assert_eq!((&error["field"], &error["recovery"]), (&field.into(), &"correctable".into()), "{error}");
        assert!(!error.to_string().contains(TOKEN) && !error.to_string().contains("line\\nbreak"), "{error}");
    }
    assert_eq!(seller.calls(), 0);
    assert!(all_tasks(&registry).await.is_empty());
    // As long as credentials may be.
    let mut local = with("authentication", bearer(&"c".repeat(4_096)));
    local["url"] = "http://127.0.0.1:9/hook".into();
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", local)).await;
    assert_eq!(reply.body["status"], "submitted", "the delivery admits it, and the key was never claimed");
}

#[tokio::test]
async fn a_store_without_a_key_takes_no_credentials_and_says_so_by_their_field() {
    let flaky = Flaky::new();
    flaky.keyless.store(true, Ordering::SeqCst);
    let seller = Scripted::buying(waiting);
    let agent = building(&seller, flaky.clone()).deliver_with(Post::default()).build().unwrap();
    let mut config = config();
    for field in ["token", "authentication"] {
        let ask = asking("create_media_buy", config.clone());
        let reply = call(&agent, "acme", "create_media_buy", ask).await;
        assert_eq!(code(&reply), "INVALID_REQUEST");
        let named = format!("push_notification_config.{field}");
        assert_eq!(reply.body["adcp_error"]["field"], named.as_str());
        config.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(seller.calls(), 0);
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config)).await;
    assert_eq!(reply.body["status"], "submitted", "without credentials there is nothing to seal");
}

#[tokio::test]
async fn where_nothing_can_be_handed_off_a_registration_is_tolerated() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = building(&Scripted::buying(waiting), registry).build().unwrap();
    let mut ask = json!({ "task_id": "task_none" });
    ask["push_notification_config"] = json!({ "url": "https://buyer.example/hook" });
    assert_eq!(code(&call(&agent, "acme", "get_task_status", ask).await), "REFERENCE_NOT_FOUND");
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
    assert_eq!(reply.body["adcp_error"]["field"], "push_notification_config");
}

#[tokio::test]
async fn a_seller_who_notifies_itself_gets_no_events() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = building(&Scripted::buying(waiting), registry.clone()).auto_emit(false).build().unwrap();
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
    let task = task_of(&reply);
    agent.desk().complete(&task, &booked()).await.unwrap();
    assert_eq!(poll(&agent, &task).await["has_webhook"], true);
    assert_eq!(events(&registry).await, []);
}

/// An agent for which a call acts on an account only when it names one.
fn by_name(seller: &Scripted) -> (Agent, Arc<MemoryRegistry>) {
    let (builder, registry) = delivering(seller);
    let accounts = ExplicitAccounts::new(async |_, key| match key {
        AccountKey::Id(id) => Ok(Some(Account::new(id))),
        _ => Ok(None),
    });
    (builder.accounts(accounts).build().unwrap(), registry)
}

#[tokio::test]
async fn what_comes_later_needs_an_account() {
    let seller = handing_off(true);
    let (agent, registry) = by_name(&seller);
    for tool in ["get_products", "get_signals"] {
        let registered = call(&agent, "acme", tool, asking(tool, config())).await;
        let error = &registered.body["adcp_error"];
        assert_eq!((code(&registered), &error["field"]), ("INVALID_REQUEST", &"account".into()), "{tool}");
        assert_eq!(error["recovery"], "correctable");
    }
    assert_eq!(seller.calls(), 0, "refused before the seller was asked");
    for tool in ["get_products", "get_signals"] {
        let mut plain = asking(tool, Value::Null);
        plain.as_object_mut().unwrap().remove("push_notification_config");
        let handed_off = call(&agent, "acme", tool, plain).await;
        assert_eq!(handed_off.body["adcp_error"]["field"], "account", "{tool}");
    }
    assert!(all_tasks(&registry).await.is_empty());
    let mut named = asking("get_products", config());
    named["account"] = json!({ "account_id": "acme" });
    assert_eq!(call(&agent, "acme", "get_products", named).await.body["status"], "submitted");
}

#[tokio::test]
async fn a_delivery_lives_as_long_as_its_agent() {
    let post = Post::default();
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = building(&handing_off(true), registry).deliver_with(post.clone()).build().unwrap();
    assert_eq!(post.0.started.load(Ordering::SeqCst), 0);
    agent.start();
    buy(&agent).await;
    agent.clone().start();
    assert_eq!(post.0.started.load(Ordering::SeqCst), 1);
    assert!(agent.health().ok);
    post.0.broken.store(true, Ordering::SeqCst);
    assert!(!agent.health().ok);
    agent.drain(Duration::from_secs(1)).await;
    assert_eq!(post.0.drained.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_registration_is_never_printed() {
    let (builder, registry) = delivering(&Scripted::buying(waiting));
    let agent = builder.build().unwrap();
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
    let task = task_of(&reply);
    let record = registry.get(&task.id, &task.scope()).await.unwrap().unwrap();
    let printed = format!("{record:?}");
    assert!(!printed.contains(TOKEN) && !printed.contains(&"c".repeat(32)), "{printed}");
}

#[tokio::test]
async fn an_end_before_the_answer_notifies_once_the_buyer_was_told() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let desk = TaskDesk::new(registry.clone());
    let seen = Arc::new(AtomicUsize::new(usize::MAX));
    let (inside, told) = (registry.clone(), Arc::clone(&seen));
    let seller = Scripted::buying(move |ctx| {
        let (desk, registry, told) = (desk.clone(), inside.clone(), Arc::clone(&told));
        Ok(ctx
            .handoff_to_workflow(async move |task: TaskRef| {
                desk.complete(&task, &booked()).await.unwrap();
                told.store(events(&registry).await.len(), Ordering::SeqCst);
                Ok(())
            })
            .into())
    });
    let agent = building(&seller, registry.clone()).deliver_with(Post::default()).build().unwrap();
    let reply = call(&agent, "acme", "create_media_buy", asking("create_media_buy", config())).await;
    assert_eq!(seen.load(Ordering::SeqCst), 0, "the buyer was told of a task that it did not know");
    let queued = events(&registry).await;
    assert_eq!(queued.len(), 1);
    checked(&queued[0], "create_media_buy", &reply.body["task_id"], "completed");
}
