//! Subscriptions: judged, asked, kept, and found when something happens.

use std::sync::Arc;

use adcp_core::{
    AccountId, CallbackAuth, Clock as _, DeliveryOutbox as _, DeliveryState, ListDeliveries, Owner,
    Principal, Published, Registry, Scope, Secret, TenantId,
};
use adcp_types::core::{NotificationConfig, PushNotificationConfig};
use adcp_types::json::{FromJson as _, ToJson as _};
use adcp_webhooks::{
    BadSubscription, Notice, OrderAddress, OrderNews, SubscriptionError, Subscriptions, Webhooks,
};
use serde_json::{Map, Value, json};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::{Stage, TOKEN};
use crate::store::{Store, on_every_registry};
use Step::{Echo, Read, Send};

const CREDENTIALS: &str = "credentials-of-the-buyer-0123456789";

fn owner(account: &str, principal: &str) -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new(account)), Principal::new(principal))
}

fn config(value: Value) -> NotificationConfig {
    NotificationConfig::from_json(value).unwrap()
}

fn wants(name: &str, url: &str, events: &[&str]) -> NotificationConfig {
    config(json!({ "subscriber_id": name, "url": url, "event_types": events }))
}

struct Shop {
    stage: Stage,
    webhooks: Webhooks,
    subscriptions: Subscriptions,
}

async fn shop(store: Store) -> Shop {
    let stage = Stage::over(store).await;
    let webhooks = stage.start(stage.builder());
    let registry = Arc::clone(&stage.registry) as Arc<dyn Registry>;
    let subscriptions = Subscriptions::new(registry, webhooks.clone(), "https://seller.example/mcp");
    Shop { stage, webhooks, subscriptions }
}

fn purged(account: &str, id: &str) -> Notice {
    let mut body = Map::new();
    body.insert("creative_id".into(), "cr-1".into());
    Notice::of_account(TenantId::single(), AccountId::new(account), "creative.purged", id, body)
}

fn refused(error: SubscriptionError) -> Vec<(usize, String)> {
    let SubscriptionError::Refused(bad) = error else { panic!("{error:?}") };
    bad.into_iter().map(|BadSubscription { index, field, .. }| (index, field)).collect()
}

on_every_registry! {
    whoever_consented_hears_of_it_once,
    nothing_changes_when_one_is_wrong,
    consent_holds_for_what_was_asked_and_credentials_stay,
    reports_of_an_order_go_where_they_were_asked_for,
    news_of_an_order_go_to_the_address_of_the_call_that_made_it,
}

async fn whoever_consented_hears_of_it_once(store: Store) {
    let Shop { stage, subscriptions, .. } = shop(store).await;
    let consents: &[Step] = &[Read, Echo("challenge")];
    let receiver = Receiver::plain(&[consents, consents, &[Read, OK]]).await;
    let (mine, theirs) = (owner("acc-1", "buyer"), owner("acc-2", "buyer"));
    let url = receiver.url();
    let kept = subscriptions
        .replace(&mine, &[
            wants("one", &url, &["creative.purged", "product.created"]),
            wants("two", &url, &["product.created"]),
            config(json!({ "subscriber_id": "idle", "url": url, "event_types": ["creative.purged"], "active": false })),
        ])
        .await
        .unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(receiver.accepted(), 2, "the idle one is not asked");

    assert_eq!(subscriptions.publish(&purged("acc-1", "note-1")).await.unwrap(), 1);
    assert_eq!(subscriptions.publish(&purged("acc-1", "note-1")).await.unwrap(), 0, "the same again");
    assert_eq!(subscriptions.publish(&purged("acc-2", "note-2")).await.unwrap(), 0, "another account");
    assert_eq!(subscriptions.publish_to(&purged("acc-1", "note-3"), |_| false).await.unwrap(), 0);
    let everybody = Notice::of_tenant(TenantId::single(), "product.created", "note-4", Map::new());
    assert_eq!(subscriptions.publish(&everybody).await.unwrap(), 2);
    receiver.has_got(5).await;

    let bodies: Vec<Value> =
        receiver.got()[2..].iter().map(|got| serde_json::from_slice(&got.body).unwrap()).collect();
    let first = bodies.iter().find(|body| body["notification_id"] == "note-1").unwrap();
    let key = first["idempotency_key"].as_str().unwrap();
    assert!(key.starts_with("whk_") && key.len() == 36, "{key}");
    assert_eq!(
        first,
        &json!({
            "idempotency_key": key, "notification_id": "note-1", "notification_type": "creative.purged",
            "fired_at": stage.clock.now().to_string(), "subscriber_id": "one", "account_id": "acc-1", "creative_id": "cr-1",
        })
    );
    let keys: std::collections::HashSet<_> =
        bodies.iter().map(|body| body["idempotency_key"].to_string()).collect();
    assert_eq!(keys.len(), 3);
    // Who subscribed may read of the delivery, and nobody else.
    let mine = ListDeliveries::new(mine.scope());
    let listed = stage.registry.deliveries(mine).await.unwrap().deliveries;
    assert_eq!(listed.len(), 3);
    let theirs = stage.registry.deliveries(ListDeliveries::new(theirs.scope())).await.unwrap();
    assert!(theirs.deliveries.is_empty());
}

async fn nothing_changes_when_one_is_wrong(store: Store) {
    let Shop { subscriptions, stage, .. } = shop(store).await;
    let receiver = Receiver::plain(&[
        &[Read, Echo("challenge")],
        &[Read, Send("HTTP/1.1 404 No\r\nconnection: close\r\n\r\n")],
    ])
    .await;
    let (mine, url) = (owner("acc-1", "buyer"), receiver.url());
    let good = wants("one", &url, &["creative.purged"]);
    subscriptions.replace(&mine, std::slice::from_ref(&good)).await.unwrap();
    let before = subscriptions.of(&mine).await.unwrap().unwrap();
    let legacy = |scheme: &str, secret: Value| {
        config(json!({
            "subscriber_id": "new", "url": url, "event_types": ["creative.purged"],
            "authentication": { "schemes": [scheme], "credentials": secret },
        }))
    };
    for (name, configs, want) in [
        (
            "another events",
            vec![wants("a", &url, &["creative.purged", "scheduled"])],
            vec![(0, "event_types[1]")],
        ),
        ("no events", vec![wants("a", &url, &[])], vec![(0, "event_types")]),
        (
            "a forbidden address",
            vec![good.clone(), wants("a", "https://10.0.0.1/", &["creative.purged"])],
            vec![(1, "url")],
        ),
        (
            "an address that cannot be signed",
            vec![good.clone(), wants("a", "https://a_b.example/", &["creative.purged"])],
            vec![(1, "url")],
        ),
        ("one name twice", vec![good.clone(), good.clone()], vec![(1, "subscriber_id")]),
        ("no name", vec![wants("a b", &url, &["creative.purged"])], vec![(0, "subscriber_id")]),
        (
            "endless credentials",
            vec![legacy("HMAC-SHA256", json!("c".repeat(4_097)))],
            vec![(0, "authentication.credentials")],
        ),
        (
            "short credentials",
            vec![legacy("HMAC-SHA256", json!("short"))],
            vec![(0, "authentication.credentials")],
        ),
        ("another scheme", vec![legacy("Basic", json!(CREDENTIALS))], vec![(0, "authentication.schemes")]),
        ("no consent", vec![wants("a", &url, &["creative.purged"])], vec![(0, "url")]),
        (
            "several at once",
            vec![wants("", "nowhere", &["x"])],
            vec![(0, "subscriber_id"), (0, "url"), (0, "event_types[0]")],
        ),
    ] {
        let error = subscriptions.replace(&mine, &configs).await.unwrap_err();
        let want: Vec<(usize, String)> =
            want.into_iter().map(|(index, field)| (index, field.to_owned())).collect();
        assert_eq!(refused(error), want, "{name}");
        assert_eq!(subscriptions.of(&mine).await.unwrap().unwrap(), before, "{name}");
    }
    let many: Vec<_> = (0..17).map(|n| wants(&format!("s{n}"), &url, &["creative.purged"])).collect();
    assert_eq!(
        refused(subscriptions.check(&mine, &many).await.unwrap_err()),
        [(16, "subscriber_id".to_owned())]
    );
    assert_eq!(receiver.accepted(), 2, "nobody else was asked");
    let scope = Scope::Operator { tenant: TenantId::single() };
    assert!(stage.registry.deliveries(ListDeliveries::new(scope)).await.unwrap().deliveries.is_empty());
}

async fn consent_holds_for_what_was_asked_and_credentials_stay(store: Store) {
    let Shop { stage, webhooks, subscriptions } = shop(store).await;
    let consents: &[Step] = &[Read, Echo("challenge")];
    let receiver = Receiver::plain(&[consents, consents, &[Read, OK]]).await;
    let (mine, url) = (owner("acc-1", "buyer"), receiver.url());
    assert_eq!(subscriptions.of(&mine).await.unwrap(), None, "nothing was ever said");
    let bearer = |credentials: Option<&str>| {
        let mut config = wants("one", &url, &["creative.purged"]).to_json();
        config["authentication"] = json!({ "schemes": ["Bearer"] });
        if let Some(credentials) = credentials {
            config["authentication"]["credentials"] = credentials.into();
        }
        self::config(config)
    };
    let without = refused(subscriptions.replace(&mine, &[bearer(None)]).await.unwrap_err());
    assert_eq!(without, [(0, "authentication.credentials".to_owned())]);
    let shown = subscriptions.replace(&mine, &[bearer(Some(CREDENTIALS))]).await.unwrap();
    assert_eq!(shown[0].to_json()["authentication"], json!({ "schemes": ["Bearer"] }), "never shown again");
    // What was shown may be sent back, and nobody is asked again.
    assert_eq!(subscriptions.replace(&mine, &shown).await.unwrap(), shown);
    assert_eq!(receiver.accepted(), 1);
    // Other credentials are another thing to consent to.
    subscriptions.replace(&mine, &[bearer(Some("other-credentials-of-the-buyer-0123"))]).await.unwrap();
    assert_eq!(receiver.accepted(), 2);

    subscriptions.publish(&purged("acc-1", "note-1")).await.unwrap();
    receiver.has_got(3).await;
    let got = receiver.got().pop().unwrap();
    assert_eq!(got.header("authorization"), Some("Bearer other-credentials-of-the-buyer-0123"));
    assert_eq!(got.header("signature"), None);

    assert!(subscriptions.replace(&mine, &[]).await.unwrap().is_empty());
    assert_eq!(subscriptions.of(&mine).await.unwrap(), Some(vec![]), "cleared");
    assert_eq!(subscriptions.publish(&purged("acc-1", "note-2")).await.unwrap(), 0);
    let scope = Scope::Operator { tenant: TenantId::single() };
    let listed = stage.registry.deliveries(ListDeliveries::new(scope)).await.unwrap().deliveries;
    assert!(listed.iter().all(|delivery| delivery.state != DeliveryState::Dead), "{listed:?}");
    drop(webhooks);
}

async fn reports_of_an_order_go_where_they_were_asked_for(store: Store) {
    let Shop { stage, subscriptions, .. } = shop(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let (mine, theirs) = (owner("acc-1", "buyer"), owner("acc-1", "another buyer"));
    let mut result = Map::new();
    result.insert("notification_type".into(), "scheduled".into());
    let publish = async |owner: &Owner, report: &str| {
        subscriptions.publish_report(owner, "mb/1 \u{fc}", report, result.clone()).await.unwrap()
    };
    assert_eq!(publish(&mine, "1").await, None, "nobody asked");

    let address = OrderAddress::new(receiver.url())
        .with_token(Some(Secret::new(TOKEN)))
        .with_operation_id(Some("op-7".into()))
        .with_authentication(Some(CallbackAuth::new("Bearer", Secret::new(CREDENTIALS))));
    let too_long = "c".repeat(4_097);
    for (bad, field) in [
        (OrderAddress::new("http://buyer.example/"), "url"),
        (
            address.clone().with_authentication(Some(CallbackAuth::new("Bearer", Secret::new("short")))),
            "authentication.credentials",
        ),
        (
            address.clone().with_authentication(Some(CallbackAuth::new("Bearer", Secret::new(too_long)))),
            "authentication.credentials",
        ),
    ] {
        let error = subscriptions.keep_reporting(&mine, "mb/1 \u{fc}", &bad).await.unwrap_err();
        assert_eq!(refused(error), [(0, field.to_owned())]);
    }
    subscriptions.keep_reporting(&mine, "mb/1 \u{fc}", &address).await.unwrap();
    assert_eq!(subscriptions.reporting(&mine, "mb/1 \u{fc}").await.unwrap(), Some(address));
    assert_eq!(publish(&theirs, "1").await, None, "another buyer's order");
    assert_eq!(publish(&mine, "1").await, Some(Published::Queued));
    assert_eq!(publish(&mine, "1").await, Some(Published::Known));
    assert_eq!(publish(&mine, "2").await, Some(Published::Queued));
    receiver.has_got(2).await;
    let got = receiver.got();
    assert_eq!(got[0].header("authorization"), Some(&*format!("Bearer {CREDENTIALS}")));
    let body: Value = serde_json::from_slice(&got[0].body).unwrap();
    let key = &body["idempotency_key"];
    assert_eq!(
        body,
        json!({
            "idempotency_key": key, "operation_id": "op-7", "task_id": "mb/1 \u{fc}", "task_type": "media_buy_delivery",
            "protocol": "media-buy", "status": "completed", "timestamp": stage.clock.now().to_string(), "token": TOKEN,
            "result": { "notification_type": "scheduled" },
        })
    );
    subscriptions.forget_reporting(&mine, "mb/1 \u{fc}").await.unwrap();
    assert_eq!(publish(&mine, "3").await, None);
}

async fn news_of_an_order_go_to_the_address_of_the_call_that_made_it(store: Store) {
    let Shop { stage, subscriptions, .. } = shop(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let mine = owner("acc-1", "buyer");
    let object = |value: Value| value.as_object().unwrap().clone();
    let canceled = OrderNews::lifecycle(
        "mb-1.canceled",
        object(json!({
            "status": "canceled",
            "cancellation": { "canceled_at": "2026-11-21T07:59:00Z", "canceled_by": "seller", "reason": "sold out" },
        })),
    );
    assert_eq!(subscriptions.publish_order(&mine, "mb-1", &canceled).await.unwrap(), None, "nobody asked");

    let config = PushNotificationConfig::from_json(json!({
        "url": receiver.url(), "operation_id": "op-7", "token": TOKEN,
        "authentication": { "schemes": ["Bearer"], "credentials": CREDENTIALS },
    }))
    .unwrap();
    let address = OrderAddress::from(&config).with_context(Some(object(json!({ "trace": 7 }))));
    subscriptions.keep_order(&mine, "mb-1", &address).await.unwrap();
    assert_eq!(subscriptions.order(&mine, "mb-1").await.unwrap(), Some(address));
    assert_eq!(subscriptions.reporting(&mine, "mb-1").await.unwrap(), None, "reports go their own way");
    let publish = async |news: &OrderNews| subscriptions.publish_order(&mine, "mb-1", news).await.unwrap();
    assert_eq!(publish(&canceled).await, Some(Published::Queued));
    assert_eq!(publish(&canceled).await, Some(Published::Known));
    let impaired =
        OrderNews::impairment("mb-1.health-2", object(json!({ "health": "ok", "impairments": [] })));
    assert_eq!(publish(&impaired).await, Some(Published::Queued));
    receiver.has_got(2).await;

    let bodies: Vec<Value> =
        receiver.got().iter().map(|got| serde_json::from_slice(&got.body).unwrap()).collect();
    let of = |id: &str| bodies.iter().find(|body| body["notification_id"] == id).unwrap();
    let (first, second) = (of("mb-1.canceled"), of("mb-1.health-2"));
    assert_eq!(
        first,
        &json!({
            "idempotency_key": first["idempotency_key"], "operation_id": "op-7", "task_id": "mb-1",
            "task_type": "update_media_buy", "protocol": "media-buy", "status": "completed",
            "timestamp": stage.clock.now().to_string(), "token": TOKEN, "context": { "trace": 7 },
            "notification_id": "mb-1.canceled",
            "result": {
                "media_buy_id": "mb-1", "status": "canceled",
                "cancellation": { "canceled_at": "2026-11-21T07:59:00Z", "canceled_by": "seller", "reason": "sold out" },
            },
        })
    );
    assert_eq!(second["notification_type"], "impairment");
    assert_eq!(
        second["result"],
        json!({
            "media_buy_id": "mb-1", "notification_type": "impairment", "health": "ok", "impairments": [],
        })
    );
    let schema = adcp_schemas::validator("core/mcp-webhook-payload.json").unwrap();
    for (body, got) in bodies.iter().zip(receiver.got()) {
        assert_eq!(got.header("authorization"), Some(&*format!("Bearer {CREDENTIALS}")));
        schema.validate(body).unwrap();
    }
    subscriptions.forget_order(&mine, "mb-1").await.unwrap();
    assert_eq!(subscriptions.publish_order(&mine, "mb-1", &canceled).await.unwrap(), None);
}
