//! A stand-in for Stripe, over HTTP, as its documentation describes it: transfers, idempotency keys, lists by group, events.
//!
//! An answer is kept by its key as soon as the order was carried out, whatever it says, and given again for the same order;
//! what was refused before that (no credential, too many requests, the same key at work) is not kept.

use super::{Actor, Ask};
use chrono::{DateTime, Utc};
use copartner::kernel::id::OrganizationId;
use copartner::platform::clock::{Clock, ManualClock};
use copartner::platform::stripe::{Stripe, StripeSettings};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The key that it knows.
pub const KEY: &str = "sk_test_standinstandin";
/// Another key of the same account.
pub const ROLLED_KEY: &str = "sk_test_rolledrolled";
const WEBHOOK_SECRET: &str = "whsec_standinstandin";

/// How it takes one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It carries it out, and the answer is lost on the way.
    LoseAnswer,
    /// It carries it out, and never answers.
    NeverAnswer,
    /// The order is lost on the way.
    LoseOrder,
    /// It carries it out and answers this status, as after a failure of its own.
    BreakAfter(u16),
    /// It answers this status, as after a failure of its own, and carries nothing out.
    BreakBefore(u16),
    /// It refuses what was ordered, with this status, code and message.
    Refuse(u16, &'static str, &'static str),
    /// It does not look at what was ordered: this status, and the type of the error.
    SendAway(u16, &'static str),
    /// It carries it out at another amount.
    Mistake,
    /// It waits before it carries anything out until [`StandIn::go_on`], or for ever.
    WaitBefore,
    /// It carries it out and waits with the answer.
    WaitAfter,
}

#[derive(Default)]
struct State {
    transfers: Vec<Value>,
    /// What was answered to which order, by its key.
    answers: HashMap<String, (String, u16, String)>,
    turns: VecDeque<Turn>,
    /// Statuses of the next lists.
    broken_lists: VecDeque<u16>,
    /// The keys of all orders that arrived.
    orders: Vec<String>,
    lists: usize,
    /// How many orders came to wait.
    waiting: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    over: AtomicBool,
    clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

/// A listening stand-in; dropping it stops it.
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// One whose time is that of a world.
    pub fn at(clock: &ManualClock) -> Self {
        let clock = clock.clone();
        Self::start(Box::new(move || clock.now()))
    }

    /// One whose time stands still.
    pub fn still(now: DateTime<Utc>) -> Self {
        Self::start(Box::new(move || now))
    }

    fn start(clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            over: AtomicBool::new(false),
            clock,
        });
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if state.over.load(Ordering::Acquire) {
                    return;
                }
                let (state, stream) = (Arc::clone(&state), stream.unwrap());
                // Whoever is kept waiting keeps nobody else waiting.
                std::thread::spawn(move || answer(&state, stream));
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Where it is.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the service is told of it.
    pub fn settings(&self, organization_id: OrganizationId) -> StripeSettings {
        StripeSettings {
            stripe_secret_key: KEY.parse().ok(),
            stripe_organization_id: Some(organization_id),
            stripe_webhook_secret: WEBHOOK_SECRET.parse().ok(),
            stripe_api_base: self.base(),
            ..StripeSettings::none()
        }
    }

    /// The way to it for the service.
    pub fn account(&self, organization_id: OrganizationId) -> Stripe {
        Stripe::new(&self.settings(organization_id)).unwrap().unwrap()
    }

    /// The settings of a process.
    pub fn environment(&self, organization_id: OrganizationId) -> [(&'static str, String); 4] {
        [
            ("COPARTNER_STRIPE_SECRET_KEY", KEY.to_owned()),
            ("COPARTNER_STRIPE_ORGANIZATION_ID", organization_id.to_string()),
            ("COPARTNER_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("COPARTNER_STRIPE_API_BASE", self.base()),
        ]
    }

    /// How it takes the next orders, one after the other; after them it takes them well.
    pub fn turns(&self, turns: &[Turn]) {
        self.shared
            .state
            .lock()
            .unwrap()
            .turns
            .extend(turns.iter().cloned());
    }

    /// The statuses of the next lists; after them it answers well.
    pub fn break_lists(&self, statuses: &[u16]) {
        self.shared.state.lock().unwrap().broken_lists.extend(statuses);
    }

    /// It forgets all keys, as after a day.
    pub fn forget_keys(&self) {
        self.shared.state.lock().unwrap().answers.clear();
    }

    /// The transfers that were ever made.
    pub fn transfers(&self) -> Vec<Value> {
        self.shared.state.lock().unwrap().transfers.clone()
    }

    /// The keys of the orders that arrived.
    pub fn orders(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().orders.clone()
    }

    /// How often it was asked for a list.
    pub fn lists(&self) -> usize {
        self.shared.state.lock().unwrap().lists
    }

    /// Returns when an order has come to wait.
    pub fn wait_for_waiting(&self) {
        let state = self.shared.state.lock().unwrap();
        drop(
            self.shared
                .changed
                .wait_while(state, |state| state.waiting == 0)
                .unwrap(),
        );
    }

    /// Lets those who wait go on.
    pub fn go_on(&self) {
        self.shared.state.lock().unwrap().waiting = 0;
        self.shared.changed.notify_all();
    }

    /// Reverses so much of the only transfer, in its smallest unit, and gives the event that tells of it.
    pub fn reverse(&self, amount: i64) -> Value {
        let mut state = self.shared.state.lock().unwrap();
        let [transfer] = state.transfers.as_mut_slice() else {
            panic!("not one transfer");
        };
        let reversed = transfer["amount_reversed"].as_i64().unwrap() + amount;
        transfer["amount_reversed"] = json!(reversed);
        transfer["reversed"] = json!(transfer["amount"] == transfer["amount_reversed"]);
        event("transfer.reversed", transfer, (self.shared.clock)())
    }

    /// Makes the only transfer once more, as nobody ordered it.
    pub fn duplicate(&self, id: &str) {
        let mut state = self.shared.state.lock().unwrap();
        let mut copy = state.transfers[0].clone();
        copy["id"] = json!(id);
        state.transfers.push(copy);
    }

    /// The event that tells of a transfer that was made.
    pub fn created(&self, transfer: &Value) -> Value {
        event("transfer.created", transfer, (self.shared.clock)())
    }

    /// A signed event on its way to the service.
    pub fn deliver<'a>(&self, to: &'a Actor, event: &Value) -> Ask<'a> {
        let body = event.to_string().into_bytes();
        let signature = sign(WEBHOOK_SECRET, (self.shared.clock)().timestamp(), &body);
        webhook(to, &signature, body)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.go_on();
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A message to where events are taken.
pub fn webhook<'a>(to: &'a Actor, signature: &str, body: Vec<u8>) -> Ask<'a> {
    to.ask("POST", "/v1/rails/stripe/webhooks")
        .header("Stripe-Signature", signature)
        .bytes("application/json; charset=utf-8", body)
}

/// The header of a message that was signed at this second.
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let signature = mac.finalize().into_bytes();
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={signature},v0=0000")
}

/// The header as the stand-in signs.
pub fn sign_as_stand_in(seconds: i64, body: &[u8]) -> String {
    sign(WEBHOOK_SECRET, seconds, body)
}

fn event(kind: &str, transfer: &Value, now: DateTime<Utc>) -> Value {
    json!({
        "id": "evt_1MiN3gLkdIwHu7ixEgUcZxG6", "object": "event", "api_version": "2025-04-30.basil",
        "created": now.timestamp(), "data": { "object": transfer }, "livemode": false, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null }, "type": kind
    })
}

fn error(kind: &str, code: Option<&str>, message: &str) -> String {
    let mut error = json!({ "type": kind, "message": message });
    if let Some(code) = code {
        error["code"] = json!(code);
        error["doc_url"] = json!(format!("https://stripe.com/docs/error-codes/{code}"));
    }
    json!({ "error": error }).to_string()
}

/// What somebody asks.
struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

fn answer(shared: &Shared, mut stream: TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let Some(request) = read(&mut stream) else { return };
    let keys = [KEY, ROLLED_KEY].map(|key| format!("Bearer {key}"));
    let is_known = request
        .headers
        .get("authorization")
        .is_some_and(|sent| keys.contains(sent));
    if !is_known || !request.headers.contains_key("stripe-version") {
        let message = error("invalid_request_error", None, "Invalid API Key provided");
        return reply(&mut stream, 401, false, &message);
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    match (request.method.as_str(), path) {
        ("POST", "/v1/transfers") => order(shared, &mut stream, &request),
        ("GET", "/v1/transfers") => list(shared, &mut stream, &form(query)),
        _ => reply(
            &mut stream,
            404,
            false,
            &error("invalid_request_error", None, "Unrecognized request URL"),
        ),
    }
}

fn list(shared: &Shared, stream: &mut TcpStream, query: &BTreeMap<String, String>) {
    let mut state = shared.state.lock().unwrap();
    state.lists += 1;
    if let Some(status) = state.broken_lists.pop_front() {
        return reply(
            stream,
            status,
            false,
            &error("api_error", None, "Something went wrong"),
        );
    }
    let group = query.get("transfer_group").map(String::as_str);
    let of_group = state
        .transfers
        .iter()
        .filter(|one| one["transfer_group"].as_str() == group);
    let found: Vec<&Value> = of_group.collect();
    let body = json!({ "object": "list", "url": "/v1/transfers", "has_more": false, "data": found });
    reply(stream, 200, false, &body.to_string());
}

fn order(shared: &Shared, stream: &mut TcpStream, request: &Request) {
    let mut state = shared.state.lock().unwrap();
    let key = request
        .headers
        .get("idempotency-key")
        .cloned()
        .expect("an order with a key");
    state.orders.push(key.clone());
    let mut turn = state.turns.pop_front();
    match &turn {
        Some(Turn::LoseOrder) => return,
        Some(Turn::SendAway(status, kind)) => {
            return reply(stream, *status, false, &error(kind, None, "Not now"));
        }
        Some(Turn::WaitBefore) => {
            state.waiting += 1;
            shared.changed.notify_all();
            state = shared
                .changed
                .wait_while(state, |state| state.waiting > 0)
                .unwrap();
            if shared.over.load(Ordering::Acquire) || is_gone(stream) {
                return;
            }
            turn = None;
        }
        _ => {}
    }
    if let Some((body, status, answer)) = state.answers.get(&key) {
        if *body != request.body {
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with";
            return reply(stream, 400, false, &error("idempotency_error", None, message));
        }
        return reply(stream, *status, true, &answer.clone());
    }
    let (status, body) = carry_out(shared, &mut state, &form(&request.body), turn.as_ref());
    state
        .answers
        .insert(key, (request.body.clone(), status, body.clone()));
    match turn {
        Some(Turn::LoseAnswer) => {}
        Some(Turn::NeverAnswer | Turn::WaitAfter) => {
            state.waiting += 1;
            shared.changed.notify_all();
            drop(
                shared
                    .changed
                    .wait_while(state, |state| state.waiting > 0)
                    .unwrap(),
            );
        }
        _ => reply(stream, status, false, &body),
    }
}

/// Makes the transfer, or not, and says what is answered.
fn carry_out(
    shared: &Shared,
    state: &mut State,
    form: &BTreeMap<String, String>,
    turn: Option<&Turn>,
) -> (u16, String) {
    match turn {
        Some(Turn::Refuse(status, code, message)) => {
            return (*status, error("invalid_request_error", Some(*code), message));
        }
        Some(Turn::BreakBefore(status)) => {
            return (*status, error("api_error", None, "Something went wrong"));
        }
        _ => {}
    }
    let mut amount: i64 = form["amount"].parse().unwrap();
    if turn == Some(&Turn::Mistake) {
        amount += 1;
    }
    let number = state.transfers.len();
    let transfer = json!({
        "id": format!("tr_1MiN3gLkdIwHu7ixNCZvF{number:03}"), "object": "transfer", "amount": amount, "amount_reversed": 0,
        "balance_transaction": "txn_1MiN3gLkdIwHu7ixxapQrznl", "created": (shared.clock)().timestamp(),
        "currency": form["currency"], "description": null, "destination": form["destination"],
        "destination_payment": "py_1MiN3gQ9PRzxEwkZWTPGNq9o", "livemode": false,
        "metadata": { "payout_id": form["metadata[payout_id]"] },
        "reversals": { "object": "list", "data": [], "has_more": false, "total_count": 0, "url": "/v1/transfers/x/reversals" },
        "reversed": false, "source_transaction": null, "source_type": "card", "transfer_group": form["transfer_group"]
    });
    state.transfers.push(transfer.clone());
    match turn {
        Some(Turn::BreakAfter(status)) => (*status, error("api_error", None, "Something went wrong")),
        _ => (200, transfer.to_string()),
    }
}

/// Whether nobody is at the other end any more.
fn is_gone(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let seen = stream.peek(&mut [0]);
    let gone = seen.map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |bytes| bytes == 0);
    stream.set_nonblocking(false).unwrap();
    gone
}

fn form(text: &str) -> BTreeMap<String, String> {
    serde_html_form::from_str::<Vec<(String, String)>>(text)
        .unwrap()
        .into_iter()
        .collect()
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    let length = |head: &str| {
        let named = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        };
        head.lines().find_map(named).unwrap_or(0)
    };
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= length(head)
        {
            break;
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        text += &String::from_utf8_lossy(&buffer[..read]);
    }
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split_whitespace();
    let headers = lines.filter_map(|line| line.split_once(':'));
    Some(Request {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: body.to_owned(),
    })
}

/// The asker may hang up in the middle, which is its right.
fn reply(stream: &mut TcpStream, status: u16, is_replayed: bool, body: &str) {
    let replayed = if is_replayed {
        "Idempotent-Replayed: true\r\n"
    } else {
        ""
    };
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{replayed}Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}
