//! Documents: one winner of each write, nobody else's in sight, every byte as it was.

use adcp_core::{
    AccountId, BadDocument, DeleteDocument, Deleted, Document, DocumentKey, DocumentScope, Expect,
    ListDocuments, MAX_DOCUMENT_BYTES, Owner, PutDocument, Reach, RegistryError, Revision, TenantId, Wrote,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Harness;
use crate::world::{MINUTE, Must, World, about, refused};

const KIND: &str = "test.kind";

impl World<'_> {
    fn document_key(&self, scope: DocumentScope, id: &str) -> DocumentKey {
        DocumentKey::new(scope, KIND, id).must()
    }

    /// A document of the buyer.
    fn own(&self, id: &str) -> DocumentKey {
        self.document_key(DocumentScope::Caller(self.buyer()), id)
    }

    async fn put(&self, key: &DocumentKey, body: Value, expect: Expect) -> Wrote {
        self.registry.put_document(PutDocument::new(key.clone(), body, expect)).await.must()
    }

    async fn make(&self, key: &DocumentKey, body: Value) -> Revision {
        match self.put(key, body, Expect::Absent).await {
            Wrote::Done(revision) => revision,
            other => panic!("expected to make {key:?}, got {other:?}"),
        }
    }

    async fn body(&self, key: &DocumentKey) -> Option<Value> {
        self.registry.document(key).await.must().map(|document| document.body)
    }

    async fn page(&self, req: ListDocuments) -> Vec<Document> {
        self.registry.list_documents(req).await.must().documents
    }
}

fn ids(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.key.id()).collect()
}

/// A document reads as it was written, whatever JSON it is, sealed or not, until it is written again or deleted.
pub async fn a_document_is_kept_whole(harness: &dyn Harness) {
    let world = World::new(harness);
    let bodies = [
        json!({}),
        json!([]),
        json!(""),
        json!(null),
        json!(false),
        json!(-0.0),
        json!([u64::MAX, i64::MIN, 9_007_199_254_740_993_u64, 1e308, 5e-324, 0.1, -1.5]),
        json!({ "é": "\u{1f600}\u{0}\u{7f}\"\\/\u{2028}", "": { "nested": [[], {}, null] }, "a b": "\r\n\t" }),
        json!("x".repeat(MAX_DOCUMENT_BYTES - 2)),
    ];
    for (number, body) in bodies.iter().enumerate() {
        for sealed in [false, true] {
            let key = world.own(&format!("{number}-{sealed}"));
            let put = PutDocument::new(key.clone(), body.clone(), Expect::Absent);
            let put = if sealed { put.sealed() } else { put };
            let Wrote::Done(revision) = world.registry.put_document(put).await.must() else {
                panic!("`{key:?}` is there already")
            };
            let found = world.registry.document(&key).await.must().must();
            assert_eq!(found.body, *body);
            assert_eq!((found.revision, found.secret, &found.key), (revision, sealed, &key));
            assert_eq!(found.body.to_string(), body.to_string(), "numbers keep their form");
        }
    }
    let key = world.own("times");
    let first = world.make(&key, json!(1)).await;
    let made = world.registry.document(&key).await.must().must();
    assert_eq!(made.created_at, made.updated_at);
    world.pass(MINUTE).await;
    assert_eq!(world.put(&key, json!(2), Expect::Revision(first)).await, Wrote::Done(first.next()));
    let found = world.registry.document(&key).await.must().must();
    assert_eq!((found.body, found.created_at, found.revision), (json!(2), made.created_at, first.next()));
    about(found.updated_at, made.created_at.after(MINUTE));
    // What was sealed may be written open, and the other way round.
    let sealed = PutDocument::new(key.clone(), json!(3), Expect::Any).sealed();
    world.registry.put_document(sealed).await.must();
    assert!(world.registry.document(&key).await.must().must().secret);
    world.put(&key, json!(4), Expect::Any).await;
    let found = world.registry.document(&key).await.must().must();
    assert_eq!((found.body, found.secret), (json!(4), false));
}

/// A write that does not find what it expects writes nothing and says what is there.
pub async fn a_stale_revision_writes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let key = world.own("a");
    let unknown = Revision::new(7);
    assert_eq!(world.put(&key, json!(0), Expect::Revision(unknown)).await, Wrote::Stale(None));
    assert_eq!(world.body(&key).await, None);
    let first = world.make(&key, json!(1)).await;
    assert_eq!(world.put(&key, json!(0), Expect::Absent).await, Wrote::Stale(Some(first)));
    let second = first.next();
    assert_eq!(world.put(&key, json!(2), Expect::Revision(first)).await, Wrote::Done(second));
    assert_eq!(world.put(&key, json!(0), Expect::Revision(first)).await, Wrote::Stale(Some(second)));
    assert_eq!(world.body(&key).await, Some(json!(2)));
    let third = second.next();
    assert_eq!(world.put(&key, json!(3), Expect::Any).await, Wrote::Done(third));
}

/// A document is deleted by who knows its revision; made again, it is another one.
pub async fn a_document_is_deleted_as_it_was_read(harness: &dyn Harness) {
    let world = World::new(harness);
    let key = world.own("a");
    let delete =
        async |expect| world.registry.delete_document(DeleteDocument::new(key.clone(), expect)).await.must();
    assert_eq!(delete(Expect::Any).await, Deleted::Absent);
    let first = world.make(&key, json!(1)).await;
    let beside = world.own("ab");
    world.make(&beside, json!("beside")).await;
    let Wrote::Done(second) = world.put(&key, json!(2), Expect::Any).await else { panic!("not written") };
    assert_eq!(delete(Expect::Revision(first)).await, Deleted::Stale(second));
    assert_eq!(delete(Expect::Absent).await, Deleted::Stale(second));
    assert_eq!(world.body(&key).await, Some(json!(2)));
    assert_eq!(delete(Expect::Revision(second)).await, Deleted::Gone);
    assert_eq!((world.body(&key).await, delete(Expect::Revision(second)).await), (None, Deleted::Absent));
    let again = world.make(&key, json!(3)).await;
    assert!(again != first && again != second, "who read the old one must not overwrite the new one");
    assert_eq!(world.put(&key, json!(0), Expect::Revision(second)).await, Wrote::Stale(Some(again)));
    assert_eq!(delete(Expect::Any).await, Deleted::Gone);
    assert_eq!(world.body(&beside).await, Some(json!("beside")));
}

/// What is too long is refused by the name of the field, and what was there stays.
pub async fn an_oversize_document_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    let key = world.own("a");
    world.make(&key, json!("small")).await;
    // Each of these characters is two bytes, and the quotes are two more.
    let long = json!("é".repeat(MAX_DOCUMENT_BYTES / 2));
    let put = PutDocument::new(key.clone(), long, Expect::Any);
    let wanted = BadDocument::TooLarge { bytes: MAX_DOCUMENT_BYTES + 2 };
    match world.registry.put_document(put.clone()).await {
        Err(RegistryError::BadDocument(found)) => assert_eq!(found, wanted),
        other => panic!("expected a refusal, got {other:?}"),
    }
    refused!(world.registry.put_document(put.sealed()).await, RegistryError::BadDocument(_));
    assert_eq!(world.body(&key).await, Some(json!("small")));
}

/// Every scope, kind and id is a place of its own: nobody reads, lists, overwrites or deletes what is in another.
pub async fn documents_of_other_scopes_are_absent(harness: &dyn Harness) {
    let world = World::new(harness);
    let abroad = TenantId::new(format!("{}_other", world.tenant));
    let account = |id: &str| DocumentScope::account(world.tenant.clone(), AccountId::new(id));
    let mut scopes = vec![
        DocumentScope::tenant(world.tenant.clone()),
        DocumentScope::tenant(abroad),
        account("acct_1"),
        account("acct_2"),
        account("*"),
        account(""),
        DocumentScope::Caller(world.buyer()),
    ];
    scopes.extend(world.strangers().into_iter().map(DocumentScope::Caller));
    let other_kind = |scope: &DocumentScope| DocumentKey::new(scope.clone(), "test.kind.b", "a").must();
    let mut revisions = Vec::new();
    for (number, scope) in scopes.iter().enumerate() {
        let key = world.document_key(scope.clone(), "a");
        assert_eq!(world.body(&key).await, None, "{scope:?} sees another's");
        revisions.push(world.make(&key, json!(number)).await);
        assert_eq!(world.body(&other_kind(scope)).await, None);
        world.make(&other_kind(scope), json!("other kind")).await;
    }
    for (number, scope) in scopes.iter().enumerate() {
        let list = ListDocuments::new(Reach::Scope(scope.clone()), KIND).must();
        let found = world.page(list).await;
        assert_eq!(found.iter().map(|found| &found.body).collect::<Vec<_>>(), [&json!(number)], "{scope:?}");
    }
    for (number, scope) in scopes.iter().enumerate() {
        let key = world.document_key(scope.clone(), "a");
        let foreign = revisions[(number + 1) % revisions.len()];
        assert!(matches!(world.put(&key, json!("x"), Expect::Revision(foreign)).await, Wrote::Stale(_)));
        let delete = DeleteDocument::new(key.clone(), Expect::Any);
        assert_eq!(world.registry.delete_document(delete).await.must(), Deleted::Gone);
        for (later, scope) in scopes.iter().enumerate() {
            let found = world.body(&world.document_key(scope.clone(), "a")).await;
            assert_eq!(found, (later > number).then(|| json!(later)), "{scope:?}");
        }
        assert_eq!(world.body(&other_kind(scope)).await, Some(json!("other kind")));
    }
}

/// The seller's machinery reaches an account's documents with those of its buyers, or all of a tenant, and no more.
pub async fn lists_of_documents_reach_as_far_as_they_say(harness: &dyn Harness) {
    let world = World::new(harness);
    let caller =
        |account: Option<&str>, principal: &str| DocumentScope::Caller(world.owner(account, principal));
    let account = |id: &str| DocumentScope::account(world.tenant.clone(), AccountId::new(id));
    let scopes = [
        (DocumentScope::tenant(world.tenant.clone()), "seller"),
        (account("acct_1"), "account"),
        (caller(Some("acct_1"), "agent_1"), "one"),
        (caller(Some("acct_1"), "agent_2"), "two"),
        (account("acct_2"), "other account"),
        (caller(Some("acct_2"), "agent_1"), "one there"),
        (caller(None, "agent_1"), "one without"),
    ];
    for (scope, name) in &scopes {
        world.make(&world.document_key(scope.clone(), "a"), json!(name)).await;
    }
    let stranger: Owner = world.strangers().pop().must();
    world.make(&world.document_key(DocumentScope::Caller(stranger), "a"), json!("abroad")).await;
    let reach = async |reach: Reach| {
        let found = world.page(ListDocuments::new(reach, KIND).must()).await;
        let mut names: Vec<_> = found.iter().map(|found| found.body.as_str().must().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let of_account = |id: &str| Reach::Account { tenant: world.tenant.clone(), account: AccountId::new(id) };
    assert_eq!(reach(of_account("acct_1")).await, ["account", "one", "two"]);
    assert_eq!(reach(of_account("acct_3")).await, [""; 0]);
    let mut all: Vec<_> = scopes.iter().map(|(_, name)| *name).collect();
    all.sort_unstable();
    assert_eq!(reach(Reach::Tenant { tenant: world.tenant.clone() }).await, all);
}

/// Pages are in order and complete, also when documents come and go between them.
pub async fn pages_of_documents_are_stable(harness: &dyn Harness) {
    let world = World::new(harness);
    let names: Vec<String> = (0..10).map(|number| format!("d{number}")).collect();
    for name in names.iter().rev() {
        world.make(&world.own(name), json!(name)).await;
    }
    let own = || ListDocuments::new(Reach::Scope(DocumentScope::Caller(world.buyer())), KIND).must();
    let first = world.registry.list_documents(own().with_limit(4)).await.must();
    assert_eq!((ids(&first.documents), first.has_more), (vec!["d0", "d1", "d2", "d3"], true));
    // The last one shown goes, one is put before it and one after.
    let gone = DeleteDocument::new(world.own("d3"), Expect::Any);
    world.registry.delete_document(gone).await.must();
    world.make(&world.own("d1b"), json!("before")).await;
    world.make(&world.own("d4b"), json!("after")).await;
    let second = world.registry.list_documents(own().with_limit(4).after(first.next())).await.must();
    assert_eq!((ids(&second.documents), second.has_more), (vec!["d4", "d4b", "d5", "d6"], true));
    let third = world.registry.list_documents(own().with_limit(4).after(second.next())).await.must();
    assert_eq!((ids(&third.documents), third.has_more), (vec!["d7", "d8", "d9"], false));
    assert_eq!(third.next(), None);
    assert_eq!(world.page(own().with_limit(11)).await.len(), 11);
    let exact = world.registry.list_documents(own().with_limit(11)).await.must();
    assert!(!exact.has_more, "an exact page is the last");
    assert_eq!(world.page(own().with_limit(0)).await.len(), 1, "no page is empty while there is more");

    // Across scopes, one after the other.
    for principal in ["agent_2", "agent_3"] {
        let scope = DocumentScope::Caller(world.owner(Some("acct_1"), principal));
        world.make(&world.document_key(scope, "d0"), json!(principal)).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let tenant = Reach::Tenant { tenant: world.tenant.clone() };
        let req = ListDocuments::new(tenant, KIND).must().with_limit(5).after(after);
        let page = world.registry.list_documents(req).await.must();
        after = page.next();
        seen.extend(page.documents.into_iter().map(|document| document.key));
        if after.is_none() {
            break;
        }
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (13, 13));
}

/// Of any number of writers that expect no document, one makes it.
pub async fn makers_of_a_document_race_to_one(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..6 {
        let key = world.own(&format!("race{round}"));
        let mut making = JoinSet::new();
        for writer in 0..8 {
            let (registry, key) = (world.instance(), key.clone());
            making.spawn(async move {
                let put = PutDocument::new(key, json!(writer), Expect::Absent);
                (writer, registry.put_document(put).await.must())
            });
        }
        let made = making.join_all().await;
        let winners: Vec<_> = made.iter().filter(|(_, wrote)| matches!(wrote, Wrote::Done(_))).collect();
        assert_eq!(winners.len(), 1, "{made:?}");
        let found = world.registry.document(&key).await.must().must();
        assert_eq!((&found.body, Wrote::Done(found.revision)), (&json!(winners[0].0), winners[0].1));
    }
}

/// Writers that read, count up and write again when they were late lose no count.
pub async fn writers_of_a_document_lose_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let key = world.own("counter");
    world.make(&key, json!(0)).await;
    let mut writing = JoinSet::new();
    for _ in 0..6 {
        let (registry, key) = (world.instance(), key.clone());
        writing.spawn(async move {
            for _ in 0..5 {
                loop {
                    let found = registry.document(&key).await.must().must();
                    let counted = json!(found.body.as_u64().must() + 1);
                    // The others read meanwhile.
                    tokio::task::yield_now().await;
                    let put = PutDocument::new(key.clone(), counted, Expect::Revision(found.revision));
                    if let Wrote::Done(_) = registry.put_document(put).await.must() {
                        break;
                    }
                }
            }
        });
    }
    writing.join_all().await;
    assert_eq!(world.body(&key).await, Some(json!(30)));
}
