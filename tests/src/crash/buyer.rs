//! Buyers: each orders, repeats what got no answer under its key, and follows its tasks to their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adcp_core::hex;
use adcp_mcp::client::{Auth, Client, ClientError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use super::check::PASSING;
use super::history::{About, Heard, Order, Said};
use super::plan;
use super::recorder::Recorder;
use super::seed::Dice;

/// The longest a call may take: a store that is away is waited for.
const CALL: Duration = Duration::from_secs(20);

/// How long one order is asked for before others get their turn; it is taken up again at the end.
const TURN: Duration = Duration::from_millis(1500);

/// What all buyers of a run share.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) urls: Vec<String>,
    /// The receiver of each buyer.
    pub(crate) receivers: Vec<String>,
    pub(crate) recorder: Arc<Recorder>,
    /// The run's name, which every key begins with.
    pub(crate) run: String,
    pub(crate) seed: u64,
    /// Nobody orders anything new.
    pub(crate) closed: AtomicBool,
}

/// One buyer with its own token, principal and account.
#[derive(Debug)]
pub(crate) struct Buyer {
    name: String,
    token: String,
    account: String,
    receiver: String,
    dice: Dice,
    market: Arc<Market>,
    clients: BTreeMap<usize, Client>,
    /// Orders whose outcome it does not know.
    unknown: Vec<Order>,
    /// Tasks it was told of, until their ends.
    open: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Buyer {
    pub(crate) fn new(number: usize, market: Arc<Market>) -> Self {
        let token = format!("demo-crash-v{number}");
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        Self {
            name: format!("b{number}"),
            account: format!("demo-{}", &hex(&digest)[..16]),
            receiver: market.receivers[number].clone(),
            dice: Dice::stream(market.seed, &token),
            token,
            market,
            clients: BTreeMap::new(),
            unknown: Vec::new(),
            open: BTreeSet::new(),
            ended: BTreeSet::new(),
        }
    }

    /// Orders until the market closes.
    pub(crate) async fn trade(mut self) -> Self {
        for number in 1.. {
            if self.market.closed.load(Ordering::SeqCst) {
                break;
            }
            let order = plan::order(&mut self.dice, &self.name, &self.market.run, number);
            if let Some(id) = &order.proposal
                && !self.get_proposal(id).await
            {
                continue;
            }
            self.market.recorder.order(&order);
            let (repeats, alters) = (self.dice.chance(25), self.dice.chance(20));
            if let Some(taken) = self.ask(&order, TURN).await {
                // The key of an order that was refused is free for any other.
                if alters && taken {
                    self.call_order(&order, true).await;
                }
                if repeats && self.ask(&order, TURN).await.is_none() {
                    self.unknown.push(order);
                }
            } else {
                self.unknown.push(order);
            }
            self.poll_some().await;
            sleep(Duration::from_millis(self.dice.between(20, 250))).await;
        }
        self
    }

    /// Asks for what is unknown, and polls what is open, until there is nothing of the second or the time is over.
    pub(crate) async fn settle(&mut self, time: Duration) {
        let begun = Instant::now();
        loop {
            let unknown = std::mem::take(&mut self.unknown);
            for order in unknown {
                if self.ask(&order, Duration::ZERO).await.is_none() {
                    self.unknown.push(order);
                }
            }
            for task in self.open.clone() {
                self.poll(&task, None).await;
            }
            if self.open.is_empty() || begun.elapsed() >= time {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Asks every replica once more about every task.
    pub(crate) async fn look_back(&mut self) {
        for task in self.ended.clone() {
            for replica in 0..self.market.urls.len() {
                self.poll(&task, Some(replica)).await;
            }
        }
    }

    /// Has a proposal of its own offered and made firm.
    async fn get_proposal(&mut self, id: &str) -> bool {
        let brief = json!({ "buying_mode": "brief", "brief": id, "account": { "account_id": self.account } });
        let firm = json!({ "buying_mode": "refine", "account": { "account_id": self.account },
            "refine": [{ "scope": "proposal", "proposal_id": id, "action": "finalize" }] });
        let steps = if id.starts_with("draft") { vec![brief, firm] } else { vec![brief] };
        let slow = id.starts_with("slow");
        for step in steps {
            let begun = Instant::now();
            loop {
                match self.call("get_products", &step).await.1 {
                    Ok(body) if body["status"] == "completed" => break,
                    Ok(body) if !passing(&code(&body)) => {
                        self.market.recorder.note(&format!("{} has no proposal: {body}", self.name));
                        return false;
                    }
                    _ if begun.elapsed() > TURN || self.market.closed.load(Ordering::SeqCst) => return false,
                    _ => sleep(Duration::from_millis(100)).await,
                }
            }
        }
        !slow || self.make_firm(id).await
    }

    /// Has a draft made firm by a task, and waits for that. Such a call has no key, so it is made once.
    async fn make_firm(&mut self, id: &str) -> bool {
        let order = plan::firm(&mut self.dice, &self.name, id);
        self.market.recorder.order(&order);
        let (replica, answer) =
            self.call("get_products", &plan::firm_request(&order, &self.account, &self.receiver)).await;
        let said = match answer {
            Err(why) => Said::Silent(why),
            Ok(body) => match body["task_id"].as_str() {
                Some(task) if body["status"] == "submitted" => Said::Submitted(task.to_owned()),
                _ => Said::Refused(code(&body)),
            },
        };
        self.hear(replica, About::Order { key: id.to_owned(), altered: false }, said.clone());
        let Said::Submitted(task) = said else { return false };
        self.open.insert(task.clone());
        let begun = Instant::now();
        while self.open.contains(&task) && begun.elapsed() < TURN {
            sleep(Duration::from_millis(200)).await;
            self.poll(&task, None).await;
        }
        // Whoever buys too early or in vain is refused, which is an answer.
        true
    }

    /// Sends an order until it has an answer: whether it was taken, and `None` when it got no answer in time.
    async fn ask(&mut self, order: &Order, time: Duration) -> Option<bool> {
        let begun = Instant::now();
        loop {
            match self.call_order(order, false).await {
                Said::Submitted(task) => {
                    if !self.ended.contains(&task) {
                        self.open.insert(task);
                    }
                    return Some(true);
                }
                Said::Completed(_) => return Some(true),
                Said::Refused(code) if !passing(&code) => return Some(false),
                _ => {}
            }
            if begun.elapsed() >= time {
                return None;
            }
            sleep(Duration::from_millis(self.dice.between(50, 300))).await;
        }
    }

    async fn call_order(&mut self, order: &Order, altered: bool) -> Said {
        let request = plan::request(order, &self.account, &self.receiver, altered);
        let (replica, answer) = self.call("create_media_buy", &request).await;
        let said = match answer {
            Err(why) => Said::Silent(why),
            Ok(body) => {
                match (body["status"].as_str(), body["task_id"].as_str(), body["media_buy_id"].as_str()) {
                    (Some("submitted"), Some(task), _) => Said::Submitted(task.to_owned()),
                    (Some("completed"), _, Some(id)) => Said::Completed(id.to_owned()),
                    _ => Said::Refused(code(&body)),
                }
            }
        };
        let about = About::Order { key: order.key.clone(), altered };
        self.hear(replica, about, said.clone());
        said
    }

    async fn poll_some(&mut self) {
        let open: Vec<String> = self.open.iter().cloned().collect();
        for _ in 0..2.min(open.len()) {
            let at = usize::try_from(self.dice.between(0, open.len() as u64 - 1)).unwrap_or(0);
            self.poll(&open[at], None).await;
        }
    }

    async fn poll(&mut self, task: &str, replica: Option<usize>) {
        let request = json!({ "task_id": task, "include_result": true });
        let (replica, answer) = match replica {
            Some(replica) => self.call_at(replica, "get_task_status", &request).await,
            None => self.call("get_task_status", &request).await,
        };
        let said = match answer {
            Err(why) => Said::Silent(why),
            Ok(body) => match body["status"].as_str() {
                Some(status) if body["task_id"] == task => {
                    let firm = "/result/proposals/0/proposal_id";
                    let result = ["/result/media_buy_id", "/error/code", firm];
                    let result = result.into_iter().find_map(|pointer| body.pointer(pointer));
                    let result = result.and_then(Value::as_str).map(str::to_owned);
                    Said::Status { status: status.to_owned(), result }
                }
                _ => Said::Refused(code(&body)),
            },
        };
        if let Said::Status { status, .. } = &said
            && matches!(status.as_str(), "completed" | "failed" | "canceled" | "rejected")
        {
            self.open.remove(task);
            self.ended.insert(task.to_owned());
        }
        self.hear(replica, About::Task(task.to_owned()), said);
    }

    fn hear(&self, replica: usize, about: About, said: Said) {
        let at = self.market.recorder.now();
        self.market.recorder.heard(Heard { at, buyer: self.name.clone(), replica, about, said });
    }

    /// Calls a replica of the buyer's choice.
    async fn call(&mut self, tool: &str, arguments: &Value) -> (usize, Result<Value, String>) {
        let last = self.market.urls.len() as u64 - 1;
        let replica = usize::try_from(self.dice.between(0, last)).unwrap_or(0);
        self.call_at(replica, tool, arguments).await
    }

    async fn call_at(
        &mut self,
        replica: usize,
        tool: &str,
        arguments: &Value,
    ) -> (usize, Result<Value, String>) {
        let answer = self.try_call(replica, tool, arguments).await;
        if answer.is_err() {
            self.clients.remove(&replica);
        }
        (replica, answer)
    }

    async fn try_call(&mut self, replica: usize, tool: &str, arguments: &Value) -> Result<Value, String> {
        let client = match self.clients.remove(&replica) {
            Some(client) => client,
            None => {
                let url = &self.market.urls[replica];
                let client = Client::connect(url, Auth::bearer(&self.token)).await;
                client.map_err(|error| short(&error))?.with_timeout(CALL)
            }
        };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let answer = client.call(tool, arguments).await;
        self.clients.insert(replica, client);
        match answer {
            Ok(reply) => Ok(Value::Object(reply.body)),
            Err(error) => match error.adcp_error() {
                Some(body) => Ok(json!({ "adcp_error": body })),
                None => Err(short(&error)),
            },
        }
    }
}

fn passing(code: &str) -> bool {
    PASSING.contains(&code)
}

fn code(body: &Value) -> String {
    let code = body.pointer("/adcp_error/code").or_else(|| body.pointer("/errors/0/code"));
    code.and_then(Value::as_str).map_or_else(|| format!("without a code: {body}"), str::to_owned)
}

fn short(error: &ClientError) -> String {
    let words = match error {
        ClientError::Unreachable { .. } => "unreachable",
        ClientError::Timeout { .. } => "timeout",
        other => return other.to_string(),
    };
    words.to_owned()
}
