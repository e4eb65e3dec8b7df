//! The state of the ad server, one drawer per buyer.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::change::apply;
use super::creative::Library;
use super::order::usable;
use super::{
    Account, AccountKey, AccountState, Assignment, Billing, Catalog, Change, Changed, Creative,
    CreativeDraft, CreativeState, CreativeSync, NewAccount, NewOrder, Note, Opened, Order, Reason, Refusal,
    Setup, Status, SyncAction, SyncOutcome, booking,
};

/// Who a drawer belongs to: an opaque name that the caller made from its own notion of identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Buyer(pub(crate) String);

/// How much one buyer may store, so that memory is bounded whatever buyers send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) buyers: usize,
    pub(crate) accounts_per_buyer: usize,
    pub(crate) orders_per_account: usize,
    pub(crate) creatives_per_account: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            buyers: 10_000,
            accounts_per_buyer: 2_000,
            orders_per_account: 10_000,
            creatives_per_account: 10_000,
        }
    }
}

/// A buyer's word on how well something did; one is the average.
#[derive(Clone, Debug)]
pub(crate) struct Feedback {
    pub(crate) order: String,
    pub(crate) line: Option<String>,
    pub(crate) creative: Option<String>,
    pub(crate) index: Decimal,
}

/// The ad server: a catalogue, and what buyers booked from it.
#[derive(Debug)]
pub(crate) struct AdServer {
    catalog: Catalog,
    bounds: Bounds,
    sandbox: bool,
    drawers: RwLock<HashMap<Buyer, Arc<Mutex<Drawer>>>>,
}

/// Everything of one buyer.
#[derive(Debug, Default)]
struct Drawer {
    serial: u64,
    accounts: BTreeMap<AccountKey, Account>,
    books: BTreeMap<AccountKey, Book>,
}

/// Everything of one account.
#[derive(Debug, Default)]
struct Book {
    orders: BTreeMap<String, Order>,
    library: Library,
}

impl Drawer {
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The books of one account, or of all; a closed or foreign account has none.
    fn books(&self, account: Option<&str>) -> impl Iterator<Item = (&AccountKey, &Book)> {
        self.books.iter().filter(move |(id, _)| account.is_none_or(|wanted| wanted == id.as_str()))
    }
}

impl AdServer {
    /// `sandbox` also sells what exists for tests only.
    pub(crate) fn new(catalog: Catalog, bounds: Bounds, sandbox: bool) -> Self {
        Self { catalog, bounds, sandbox, drawers: RwLock::default() }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Accounts of a buyer that are not closed, in the order of opening.
    pub(crate) fn accounts(&self, buyer: &Buyer) -> Vec<Account> {
        let Some(drawer) = self.drawer(buyer) else { return Vec::new() };
        let drawer = lock(&drawer);
        let open = drawer.accounts.values().filter(|account| account.state == AccountState::Active);
        let mut accounts: Vec<Account> = open.cloned().collect();
        accounts.sort_by_key(|account| account.serial);
        accounts
    }

    pub(crate) fn account(&self, buyer: &Buyer, id: &str) -> Option<Account> {
        let drawer = self.drawer(buyer)?;
        let drawer = lock(&drawer);
        drawer.accounts.get(id).filter(|account| account.state == AccountState::Active).cloned()
    }

    /// The account that stands for a brand and operator.
    pub(crate) fn account_for(&self, buyer: &Buyer, setup: &Setup, sandbox: bool) -> Option<Account> {
        let drawer = self.drawer(buyer)?;
        let drawer = lock(&drawer);
        let is_it = |account: &&Account| account.sandbox == sandbox && account.setup.as_ref() == Some(setup);
        drawer.accounts.values().find(is_it).filter(|account| account.state == AccountState::Active).cloned()
    }

    /// Opens an account under a fresh id, or changes the one that stands for the same brand and operator.
    pub(crate) fn open_account(&self, buyer: &Buyer, new: NewAccount) -> Result<(Account, Opened), Reason> {
        let drawer = self.drawer_or_new(buyer)?;
        let mut drawer = lock(&drawer);
        let is_it = |account: &&mut Account| account.sandbox == new.sandbox && account.setup == new.setup;
        if let Some(known) = drawer.accounts.values_mut().find(is_it) {
            let same = known.billing == new.billing && holds(&known.note, &new.note);
            let opened = match (known.state, same) {
                (AccountState::Closed, _) => Opened::Created,
                (AccountState::Active, true) => Opened::Unchanged,
                (AccountState::Active, false) => Opened::Updated,
            };
            (known.billing, known.state) = (new.billing, AccountState::Active);
            known.note.extend(new.note);
            return Ok((known.clone(), opened));
        }
        Ok((self.add_account(&mut drawer, fresh("acc"), new)?, Opened::Created))
    }

    /// Opens an account under the id the buyer calls it by, for sandboxes.
    pub(crate) fn open_named_account(&self, buyer: &Buyer, id: &str) -> Result<Account, Reason> {
        let drawer = self.drawer_or_new(buyer)?;
        let mut drawer = lock(&drawer);
        if let Some(known) = drawer.accounts.get(id) {
            return match known.state {
                AccountState::Active => Ok(known.clone()),
                AccountState::Closed => Err(Reason::UnknownAccount),
            };
        }
        let (name, note) = (format!("Sandbox account {id}"), Note::new());
        let new = NewAccount { name, setup: None, billing: Billing::Operator, sandbox: true, note };
        self.add_account(&mut drawer, id.to_owned(), new)
    }

    fn add_account(&self, drawer: &mut Drawer, id: AccountKey, new: NewAccount) -> Result<Account, Reason> {
        if drawer.accounts.len() >= self.bounds.accounts_per_buyer {
            return Err(Reason::Full);
        }
        let serial = drawer.next_serial();
        let NewAccount { name, setup, billing, sandbox, note } = new;
        let state = AccountState::Active;
        let account = Account { id, serial, name, setup, billing, sandbox, state, note };
        drawer.accounts.insert(account.id.clone(), account.clone());
        Ok(account)
    }

    /// Replaces settings of an account and says whether anything is different.
    pub(crate) fn set_account_note(
        &self,
        buyer: &Buyer,
        id: &str,
        note: Note,
    ) -> Result<(Account, Opened), Reason> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownAccount)?;
        let mut drawer = lock(&drawer);
        let account = drawer.accounts.get_mut(id).filter(|account| account.state == AccountState::Active);
        let account = account.ok_or(Reason::UnknownAccount)?;
        let opened = if holds(&account.note, &note) { Opened::Unchanged } else { Opened::Updated };
        account.note.extend(note);
        Ok((account.clone(), opened))
    }

    /// Closes an account; its orders stay as they are and are no longer shown.
    pub(crate) fn close_account(&self, buyer: &Buyer, id: &str) {
        if let Some(drawer) = self.drawer(buyer)
            && let Some(account) = lock(&drawer).accounts.get_mut(id)
        {
            account.state = AccountState::Closed;
        }
    }

    /// Checks an order without booking it.
    pub(crate) fn check(
        &self,
        buyer: &Buyer,
        account: &str,
        new: &NewOrder,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownAccount)?;
        let drawer = lock(&drawer);
        let empty = Library::default();
        let library = drawer.books.get(account).map_or(&empty, |book| &book.library);
        let (library, _) = self.stocked(library, account, &new.drafts, 0, now)?;
        let creative = |id: &str| assignable(library.get(id));
        booking::lay_out(&self.catalog, new, now, creative, self.sandbox, String::new).map(|_| ())
    }

    /// Books an order: all of its lines, or nothing.
    pub(crate) fn book(
        &self,
        buyer: &Buyer,
        account: &str,
        new: &NewOrder,
        now: Timestamp,
    ) -> Result<(Order, Status), Refusal> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownAccount)?;
        let mut drawer = lock(&drawer);
        if !drawer.accounts.get(account).is_some_and(|account| account.state == AccountState::Active) {
            return Err(Reason::UnknownAccount.into());
        }
        let Drawer { serial, books, .. } = &mut *drawer;
        let book = books.entry(account.to_owned()).or_default();
        if book.orders.len() >= self.bounds.orders_per_account {
            return Err(Reason::Full.into());
        }
        let (library, used) = self.stocked(&book.library, account, &new.drafts, *serial, now)?;
        let creative = |id: &str| assignable(library.get(id));
        let (currency, lines) =
            booking::lay_out(&self.catalog, new, now, creative, self.sandbox, || fresh("pkg"))?;
        let mut order = Order {
            id: fresh("mb"),
            serial: used + 1,
            account: account.to_owned(),
            currency,
            lines,
            paused: false,
            canceled: None,
            revision: 1,
            confirmed: now,
            created: now,
            updated: now,
            history: Vec::new(),
            note: new.note.clone(),
        };
        order.turn(now, |id| self.catalog.product(id), |id| usable(library.get(id)));
        order.log(now, "created", None);
        let status = order.status(now, |id| usable(library.get(id)));
        if let Cow::Owned(library) = library {
            book.library = library;
        }
        *serial = order.serial;
        book.orders.insert(order.id.clone(), order.clone());
        Ok((order, status))
    }

    /// Changes an order as a whole, or leaves it as it was.
    pub(crate) fn change(
        &self,
        buyer: &Buyer,
        account: &str,
        order: &str,
        change: &Change,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownOrder)?;
        let mut drawer = lock(&drawer);
        let Drawer { serial, books, .. } = &mut *drawer;
        let Book { orders, library } = books.get_mut(account).ok_or(Reason::UnknownOrder)?;
        let known = orders.get_mut(order).ok_or(Reason::UnknownOrder)?;
        let status = known.status(now, |id| usable(library.get(id)));
        let (stocked, used) = self.stocked(library, account, &change.drafts, *serial, now)?;
        let mut draft = known.clone();
        let lines = apply(&mut draft, change, status, now, |id| assignable(stocked.get(id)))?;
        draft.turn(now, |id| self.catalog.product(id), |id| usable(stocked.get(id)));
        let status = draft.status(now, |id| usable(stocked.get(id)));
        *known = draft.clone();
        *serial = used;
        if let Cow::Owned(stocked) = stocked {
            *library = stocked;
        }
        Ok(Changed { order: draft, status, lines })
    }

    /// A library with `drafts` in it, and the last serial number used; a copy only if there are any.
    fn stocked<'a>(
        &self,
        library: &'a Library,
        account: &str,
        drafts: &[CreativeDraft],
        mut serial: u64,
        now: Timestamp,
    ) -> Result<(Cow<'a, Library>, u64), Reason> {
        if drafts.is_empty() {
            return Ok((Cow::Borrowed(library), serial));
        }
        let mut stocked = library.clone();
        for draft in drafts {
            serial += 1;
            stocked.put(account, draft, serial, now);
        }
        if stocked.len() > self.bounds.creatives_per_account {
            return Err(Reason::Full);
        }
        Ok((Cow::Owned(stocked), serial))
    }

    /// Orders of one account, or of all the buyer's, that `wanted` picks, with where they stand; newest first.
    pub(crate) fn orders(
        &self,
        buyer: &Buyer,
        account: Option<&str>,
        now: Timestamp,
        wanted: impl Fn(&Order, Status) -> bool,
    ) -> Vec<(Order, Status)> {
        let Some(drawer) = self.drawer(buyer) else { return Vec::new() };
        let drawer = lock(&drawer);
        let mut orders = Vec::new();
        for (_, book) in drawer.books(account) {
            for order in book.orders.values() {
                let status = order.status(now, |id| usable(book.library.get(id)));
                if wanted(order, status) {
                    orders.push((order.clone(), status));
                }
            }
        }
        orders.sort_by_key(|(order, _)| std::cmp::Reverse(order.serial));
        orders
    }

    /// Writes a batch of creatives to the library and puts them on lines.
    pub(crate) fn sync_creatives(
        &self,
        buyer: &Buyer,
        account: &str,
        sync: &CreativeSync,
        now: Timestamp,
    ) -> Result<Vec<SyncOutcome>, Reason> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownAccount)?;
        let mut drawer = lock(&drawer);
        let mut serial = drawer.serial;
        let book = drawer.books.entry(account.to_owned()).or_default();
        let Book { orders, library } = book;
        // Work on copies, so that a dry run is the same code with the copies dropped.
        let mut draft_library = library.clone();
        let mut draft_orders: BTreeMap<String, Order> = orders
            .iter()
            .filter(|(_, order)| sync.archive_missing.is_some() || sync.touches(order))
            .map(|(id, order)| (id.clone(), order.clone()))
            .collect();
        let mut outcomes = Vec::with_capacity(sync.drafts.len());
        for draft in &sync.drafts {
            let room = draft_library.get(&draft.id).is_some()
                || draft_library.len() < self.bounds.creatives_per_account;
            let mut outcome = SyncOutcome::new(&draft.id, SyncAction::Refused);
            if room {
                serial += 1;
                let (action, state, changes) = draft_library.put(account, draft, serial, now);
                (outcome.action, outcome.state, outcome.changes) = (action, Some(state), changes);
            }
            outcomes.push(outcome);
        }
        if let Some(spared) = &sync.archive_missing {
            let mut named: Vec<String> = sync.drafts.iter().map(|draft| draft.id.clone()).collect();
            named.extend(spared.iter().cloned());
            let archived = draft_library.archive_except(&named, now);
            outcomes.extend(archived.iter().map(|id| SyncOutcome::new(id, SyncAction::Archived)));
        }
        for (creative, line, weight) in &sync.assignments {
            let index = match outcomes.iter().position(|outcome| outcome.id == *creative) {
                Some(index) => index,
                None => {
                    let mut outcome = SyncOutcome::new(creative, SyncAction::Unchanged);
                    outcome.state = draft_library.get(creative).map(|known| known.state);
                    outcomes.push(outcome);
                    outcomes.len() - 1
                }
            };
            let outcome = &mut outcomes[index];
            let known = assignable(draft_library.get(creative));
            match known.and_then(|()| put_on_line(&mut draft_orders, creative, line, *weight, now)) {
                Ok(()) => outcome.assigned.push(line.clone()),
                Err(reason) => drop(outcome.unassigned.insert(line.clone(), reason)),
            }
        }
        if !sync.dry_run {
            for order in draft_orders.values_mut() {
                order.turn(now, |id| self.catalog.product(id), |id| usable(draft_library.get(id)));
            }
            orders.append(&mut draft_orders);
            *library = draft_library;
            drawer.serial = serial;
        }
        Ok(outcomes)
    }

    /// Creatives of one account, or of all the buyer's, with the lines they are on.
    pub(crate) fn creatives(&self, buyer: &Buyer, account: Option<&str>) -> Vec<(Creative, Vec<Placed>)> {
        let Some(drawer) = self.drawer(buyer) else { return Vec::new() };
        let drawer = lock(&drawer);
        drawer
            .books(account)
            .flat_map(|(_, book)| {
                book.library.iter().map(|creative| (creative.clone(), book.places(&creative.id)))
            })
            .collect()
    }

    /// Writes a buyer's word into the log of the order, which must be the buyer's.
    pub(crate) fn feed_back(
        &self,
        buyer: &Buyer,
        account: Option<&str>,
        feedback: &Feedback,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let drawer = self.drawer(buyer).ok_or(Reason::UnknownOrder)?;
        let mut drawer = lock(&drawer);
        let mut books =
            drawer.books.iter_mut().filter(|(id, _)| account.is_none_or(|wanted| wanted == id.as_str()));
        let book = books.find(|(_, book)| book.orders.contains_key(&feedback.order)).map(|(_, book)| book);
        let Book { orders, library } = book.ok_or(Reason::UnknownOrder)?;
        let order = orders.get_mut(&feedback.order).ok_or(Reason::UnknownOrder)?;
        if let Some(line) = &feedback.line {
            order.line(line).ok_or(Reason::UnknownLine)?;
        }
        if let Some(creative) = &feedback.creative {
            library.get(creative).ok_or(Reason::UnknownCreative)?;
        }
        order.log(now, "performance_feedback", feedback.line.as_deref());
        order.say(format!("performance index {}", feedback.index));
        Ok(())
    }

    fn drawer(&self, buyer: &Buyer) -> Option<Arc<Mutex<Drawer>>> {
        self.drawers.read().unwrap_or_else(PoisonError::into_inner).get(buyer).cloned()
    }

    fn drawer_or_new(&self, buyer: &Buyer) -> Result<Arc<Mutex<Drawer>>, Reason> {
        if let Some(drawer) = self.drawer(buyer) {
            return Ok(drawer);
        }
        let mut drawers = self.drawers.write().unwrap_or_else(PoisonError::into_inner);
        if drawers.len() >= self.bounds.buyers && !drawers.contains_key(buyer) {
            return Err(Reason::Full);
        }
        Ok(Arc::clone(drawers.entry(buyer.clone()).or_default()))
    }
}

/// A line that a creative is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) order: String,
    pub(crate) line: String,
    pub(crate) since: Timestamp,
}

impl Book {
    fn places(&self, creative: &str) -> Vec<Placed> {
        let mut places = Vec::new();
        for order in self.orders.values().filter(|order| order.canceled.is_none()) {
            for line in order.live_lines() {
                for assignment in line.creatives.iter().filter(|one| one.creative == creative) {
                    let (order, line) = (order.id.clone(), line.id.clone());
                    places.push(Placed { order, line, since: assignment.since });
                }
            }
        }
        places
    }
}

impl CreativeSync {
    /// Whether the batch names a line of this order, or a creative on one.
    fn touches(&self, order: &Order) -> bool {
        order.lines.iter().any(|line| {
            self.assignments.iter().any(|(_, wanted, _)| *wanted == line.id)
                || line.creatives.iter().any(|one| self.drafts.iter().any(|draft| draft.id == one.creative))
        })
    }
}

impl SyncOutcome {
    fn new(id: &str, action: SyncAction) -> Self {
        let (changes, assigned, unassigned) = Default::default();
        Self { id: id.to_owned(), action, state: None, changes, assigned, unassigned }
    }
}

/// Whether a creative may be put on a line.
fn assignable(creative: Option<&Creative>) -> Result<(), Reason> {
    match creative.map(|creative| creative.state) {
        None => Err(Reason::UnknownCreative),
        Some(CreativeState::Archived) => Err(Reason::RejectedCreative),
        Some(CreativeState::Approved) => Ok(()),
    }
}

fn put_on_line(
    orders: &mut BTreeMap<String, Order>,
    creative: &str,
    line: &str,
    weight: Option<Decimal>,
    now: Timestamp,
) -> Result<(), Reason> {
    let holds = |order: &&mut Order| order.line(line).is_some();
    let order = orders.values_mut().find(holds).ok_or(Reason::UnknownLine)?;
    if order.canceled.is_some() {
        return Err(Reason::Over(Status::Canceled));
    }
    let found =
        order.lines.iter_mut().find(|known| known.id == line).expect("the order was found by this line");
    if found.canceled.is_some() {
        return Err(Reason::LineCanceled);
    }
    match found.creatives.iter_mut().find(|one| one.creative == creative) {
        Some(known) => known.weight = weight.or(known.weight),
        None => found.creatives.push(Assignment { creative: creative.to_owned(), weight, since: now }),
    }
    Ok(())
}

fn holds(note: &Note, wanted: &Note) -> bool {
    wanted.iter().all(|(key, value)| note.get(key) == Some(value))
}

/// An id that nobody can guess, such as `mb_3f6c…`.
fn fresh(kind: &str) -> String {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    let mut id = String::with_capacity(kind.len() + 1 + 2 * bytes.len());
    id.push_str(kind);
    id.push('_');
    for byte in bytes {
        id.push(char::from_digit(u32::from(byte >> 4), 16).expect("four bits are a hexadecimal digit"));
        id.push(char::from_digit(u32::from(byte & 15), 16).expect("four bits are a hexadecimal digit"));
    }
    id
}

fn lock(drawer: &Mutex<Drawer>) -> MutexGuard<'_, Drawer> {
    // A panic under the lock leaves a drawer as it was before the change: changes are made on copies.
    drawer.lock().unwrap_or_else(PoisonError::into_inner)
}
