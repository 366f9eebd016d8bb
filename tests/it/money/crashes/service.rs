//! `kill -9` of the service.

use super::books;
use crate::serve::{Folder, Running, copartner};
use crate::world::{FINANCE, World, count, money};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A request of the story: who asks for what, and what is seen in the database once it is done.
struct Act {
    name: &'static str,
    token: String,
    path: String,
    key: &'static str,
    etag: Option<String>,
    body: Value,
    /// The tables before which it is killed.
    tables: &'static [&'static str],
    done: &'static str,
}

/// A house with a rule that counts, and a service of its own process over its database.
struct Stage {
    world: World,
    folder: Folder,
    invoice: String,
    clerk: String,
    finance: String,
}

const PENDING: &str = "SELECT count(*) AS count FROM commissions WHERE status = 'pending'";

impl Stage {
    fn new(name: &str) -> Self {
        let world = World::new();
        let program = world.program(json!({ "name": "Counted" }));
        let tiers = json!([{ "from": "0", "rate": "0.05" }, { "from": "100", "rate": "0.11" }]);
        let formula = json!({
            "type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "lifetime", "tiers": tiers
        });
        world.rule(&program, "0", json!({ "formula": formula, "hold_days": 30 }));
        let (a, b) = (world.enrolled("A", &program), world.enrolled("B", &program));
        let shares = [(a.as_str(), 3_333), (b.as_str(), 6_667)];
        let deal = world.won_deal(&program, "500.00 USD", &shares);
        world.pay(&world.invoice(&deal, "USD", &["99.99"]), "99.99 USD");
        let invoice = world.invoice(&deal, "USD", &["333.33", "0.07"]);
        let clerk = world.key(&["payout_runs:write", "payout_runs:read"]);
        let finance = world.key(&FINANCE);
        assert_eq!(count(&mut world.database().owner(), PENDING), 2);
        Self {
            folder: Folder::new(name),
            invoice,
            clerk: clerk.token().unwrap().to_owned(),
            finance: finance.token().unwrap().to_owned(),
            world,
        }
    }

    fn start(&self) -> Running {
        let database = self.world.database();
        let mut command = copartner(self.folder.path());
        command
            .env("DATABASE_URL", database.url("copartner_service"))
            .env("DATABASE_OWNER_URL", database.url("postgres"))
            .env("COPARTNER_WORKERS", "1")
            .env("COPARTNER_DATABASE_CONNECTIONS", "4");
        Running::run(&mut command)
    }

    fn owner(&self) -> PgConnection {
        self.world.database().owner()
    }

    fn finds(&self, query: &str) -> bool {
        count(&mut self.owner(), query) > 0
    }

    /// Asks until it is so. What is waited for comes by itself, or the test is ended by its runner.
    fn wait_until(&self, query: &str) {
        let mut owner = self.owner();
        while count(&mut owner, query) == 0 {
            std::thread::yield_now();
        }
    }

    /// Kills the process, and returns when Postgres has seen it go.
    fn kill(&self, running: Running) {
        running.signal("-KILL");
        running.ended();
        self.wait_until(
            "SELECT (count(*) = 0)::int::bigint AS count FROM pg_stat_activity \
             WHERE datname = current_database() AND usename = 'copartner_service'",
        );
    }

    /// Does something until it waits to write this table, and kills the service there.
    fn kill_before(&self, table: &str, running: Option<Running>, act: impl FnOnce(&Running)) {
        let mut lock = self.owner();
        // Whoever reads is let through, whoever writes waits.
        lock.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN SHARE MODE"))
            .unwrap();
        let own = count(&mut lock, "SELECT pg_backend_pid()::bigint AS count");
        let running = running.unwrap_or_else(|| self.start());
        act(&running);
        self.wait_until(&format!(
            "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() \
             AND usename = 'copartner_service' AND {own} = ANY (pg_blocking_pids(pid)) \
             AND query NOT LIKE '%sequence_events%' AND query NOT LIKE '%seal_audit%'"
        ));
        running.signal("-KILL");
        running.ended();
        // A session that waits for a lock learns of its client's end only afterwards.
        lock.batch_execute("ROLLBACK").unwrap();
        self.wait_until(
            "SELECT (count(*) = 0)::int::bigint AS count FROM pg_stat_activity \
             WHERE datname = current_database() AND usename = 'copartner_service'",
        );
    }

    /// Sends a request and leaves; nobody hears the answer.
    fn send(running: &Running, act: &Act) -> TcpStream {
        let mut stream = TcpStream::connect(&running.address).unwrap();
        let body = if act.body.is_null() {
            String::new()
        } else {
            act.body.to_string()
        };
        let etag = act.etag.as_ref();
        let etag = etag.map_or_else(String::new, |etag| format!("If-Match: {etag}\r\n"));
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {}\r\n{etag}\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            act.path,
            running.address,
            act.token,
            act.key,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// The whole answer to a request.
    fn ask(running: &Running, act: &Act) -> String {
        let mut answer = String::new();
        Self::send(running, act).read_to_string(&mut answer).unwrap();
        answer
    }

    /// Does something whatever happens to the service: killed before it writes each of its tables, killed when it is
    /// done but has not answered, asked again with the same key.
    fn survive(&self, running: Option<Running>, act: &Act) -> Running {
        let mut running = running;
        for table in act.tables {
            self.kill_before(table, running.take(), |running| {
                Self::send(running, act);
            });
            assert!(!self.finds(act.done), "{}: half done before {table}", act.name);
            self.world.books_balance();
        }
        let last = running.unwrap_or_else(|| self.start());
        let stream = Self::send(&last, act);
        self.wait_until(act.done);
        self.kill(last);
        drop(stream);
        self.world.books_balance();
        let again = self.start();
        let answer = Self::ask(&again, act);
        assert!(answer.starts_with("HTTP/1.1 20"), "{}: {answer}", act.name);
        assert!(
            answer.to_lowercase().contains("idempotency-replayed: true"),
            "{}: {answer}",
            act.name
        );
        self.world.books_balance();
        again
    }

    /// The same without any trouble.
    fn perform(&self, running: Option<Running>, act: &Act) -> Running {
        let running = running.unwrap_or_else(|| self.start());
        let answer = Self::ask(&running, act);
        assert!(answer.starts_with("HTTP/1.1 20"), "{}: {answer}", act.name);
        running
    }

    fn payment(&self) -> Act {
        Act {
            name: "accrual",
            token: self.world.admin().token().unwrap().to_owned(),
            path: format!("/v1/invoices/{}/payments", self.invoice),
            key: "payment",
            etag: None,
            body: json!({ "amount": money("333.40 USD"), "paid_at": "2026-03-02T10:00:00Z" }),
            tables: &[
                "payments",
                "commission_standings",
                "commissions",
                "ledger_entries",
                "events",
            ],
            done: "SELECT (count(*) = 2)::int::bigint AS count FROM payments",
        }
    }

    /// A draft of everything; it reserves nothing yet.
    fn draft(&self) -> String {
        let clerk = self.world.bearer(&self.clerk);
        let body = json!({ "cut_off_at": self.world.pass(chrono::TimeDelta::days(60)), "rail": "manual" });
        clerk
            .post_with_key("draft", "/v1/payout-runs", body)
            .expect(201)
            .id()
    }

    fn run(&self, run: &str, verb: &'static str, body: Value) -> Act {
        let path = format!("/v1/payout-runs/{run}");
        let current = self.world.admin().get(&path).expect(200);
        let (tables, done): (&[&str], _) = match verb {
            "approve" => (
                &["payout_items", "ledger_entries"],
                "SELECT count(*) AS count FROM payout_runs WHERE status = 'approved'",
            ),
            "process" => (
                &["payouts"],
                "SELECT count(*) AS count FROM payout_runs WHERE status = 'processing'",
            ),
            _ => (
                &["ledger_entries"],
                "SELECT count(*) AS count FROM payout_runs WHERE status = 'completed'",
            ),
        };
        Act {
            name: verb,
            token: self.finance.clone(),
            path: format!("{path}/{verb}"),
            key: verb,
            etag: Some(current.header("etag").to_owned()),
            body,
            tables,
            done,
        }
    }

    /// The whole story, from a payment to the bank; `does` says how each request goes.
    fn live(
        &self,
        release: impl FnOnce(&Self) -> Running,
        does: impl Fn(&Self, Option<Running>, &Act) -> Running,
    ) {
        let running = release(self);
        let mut running = does(self, Some(running), &self.payment());
        let run = self.draft();
        for (verb, body) in [
            ("approve", Value::Null),
            ("process", Value::Null),
            ("confirm", json!({})),
        ] {
            running = does(self, Some(running), &self.run(&run, verb, body));
        }
        running.signal("-TERM");
        assert_eq!(running.ended().0, Some(0));
        self.world.books_balance();
    }
}

/// The worker of the process releases what was held, since there is today.
fn released(stage: &Stage) -> Running {
    let running = stage.start();
    stage.wait_until("SELECT (count(*) = 0)::int::bigint AS count FROM commissions WHERE status = 'pending'");
    running
}

#[test]
fn a_service_that_is_killed_at_any_step_ends_with_the_books_of_one_that_never_was() {
    let calm = Stage::new("calm");
    calm.live(released, Stage::perform);
    let troubled = Stage::new("troubled");
    troubled.live(
        |stage| {
            for table in ["commissions", "ledger_entries"] {
                stage.kill_before(table, None, |_| {});
                assert_eq!(
                    count(&mut stage.owner(), PENDING),
                    2,
                    "half released before {table}"
                );
                stage.world.books_balance();
            }
            released(stage)
        },
        Stage::survive,
    );
    let (one, other) = (books(&calm.world), books(&troubled.world));
    for ((what, calm), (_, troubled)) in one.iter().zip(&other) {
        assert!(!calm.is_empty(), "{what} is empty");
        assert_eq!(calm, troubled, "{what}");
    }
}
