//! What happens in the demo: two deals of an invented vendor, from the program to the report.

use super::caller::{Answer, Caller};
use super::{DemoError, table};
use serde_json::{Value, json};
use std::io::Write;

/// Who takes part, and the share of each in the first deal, in basis points.
const PARTNERS: [(&str, u32); 3] = [
    ("Nordlicht Consulting", 6_000),
    ("Harbor Systems", 3_000),
    ("Lakeside Digital", 1_000),
];

/// The caller with every permission, and the screen.
struct Stage<'a> {
    admin: Caller<'a>,
    operations: Caller<'a>,
    finance: Caller<'a>,
    out: &'a mut dyn Write,
}

/// A deal and the first payment for it.
struct Sale {
    invoice_id: String,
    payment_id: String,
}

/// Walks through the story against the service at this address, with a key that holds every permission.
pub fn walk(base_url: &str, key: &str, out: &mut dyn Write) -> Result<(), DemoError> {
    let mut admin = Caller::new(base_url, "admin", key);
    writeln!(
        out,
        "Two keys, because nobody approves a payout run of their own, nor one of a key that they made"
    )?;
    let operations = ["payout_runs:read", "payout_runs:write"];
    let operations = new_key(&mut admin, "Operations", &operations, out)?;
    let finance = [
        "payout_runs:read",
        "payout_runs:approve",
        "payout_runs:process",
        "payouts:confirm",
    ];
    let finance = new_key(&mut admin, "Finance", &finance, out)?;
    let stage = Stage {
        admin,
        operations: Caller::new(base_url, "operations", &operations),
        finance: Caller::new(base_url, "finance", &finance),
        out,
    };
    stage.play()
}

fn new_key(
    admin: &mut Caller<'_>,
    name: &str,
    permissions: &[&str],
    out: &mut dyn Write,
) -> Result<String, DemoError> {
    let body = json!({ "name": name, "permissions": permissions });
    let made = admin.post(out, "/v1/api-keys", &body, |key| key.read_out("/name"))?;
    Ok(made.text("/secret")?.to_owned())
}

impl Stage<'_> {
    fn play(mut self) -> Result<(), DemoError> {
        let program_id = self.program()?;
        let partner_ids = self.partners(&program_id)?;
        let shared: Vec<(&str, u32)> = partner_ids
            .iter()
            .zip(PARTNERS)
            .map(|(id, (_, share))| (id.as_str(), share))
            .collect();
        let alone = [(shared[1].0, 10_000)];

        self.chapter("A deal that three partners sourced: 60, 30 and 10 per cent of the credit")?;
        let portal = self.deal(
            "Meadow Hospital",
            "Patient portal",
            "13333.33",
            &program_id,
            &shared,
        )?;
        self.chapter("Its invoice, paid in part")?;
        let portal = self.invoice(
            &portal,
            &[("10000.00", "1900.00"), ("3333.33", "633.33")],
            "5000.00",
        )?;
        self.chapter("A deal of one partner, its invoice, paid in full")?;
        let archive = self.deal("Fjord Bank", "Card archive", "5000.00", &program_id, &alone)?;
        let archive = self.invoice(&archive, &[("5000.00", "950.00")], "5950.00")?;
        self.chapter("The payout run of January")?;
        self.payout_run("2026-01-31")?;

        self.chapter("February: a refund of what has been paid out, and the rest of the first invoice")?;
        self.refund(&archive.payment_id, "1190.00")?;
        self.payment(&portal.invoice_id, "10866.66", "2026-02-18T10:00:00Z")?;
        self.chapter("The payout run of February; what was refunded is taken off")?;
        self.payout_run("2026-02-28")?;

        self.why(shared[2].0)?;
        self.report()
    }

    fn chapter(&mut self, title: &str) -> Result<(), DemoError> {
        writeln!(self.out, "\n{title}")?;
        Ok(())
    }

    fn post(&mut self, path: &str, body: &Value, shown: &'static str) -> Result<Answer, DemoError> {
        self.admin
            .post(self.out, path, body, |answer| answer.read_out(shown))
    }

    fn act(&mut self, path: &str) -> Result<Answer, DemoError> {
        self.admin
            .act(self.out, path, None, |answer| answer.read_out("/status"))
    }

    fn program(&mut self) -> Result<String, DemoError> {
        self.chapter("A program and its rule: 10 per cent of what is paid, without a hold")?;
        let program = json!({
            "name": "Reseller program", "motion": "reseller", "time_zone": "Europe/Berlin",
            "commission_approval": "automatic", "clawback_window_days": 90,
        });
        let program_id = self.post("/v1/programs", &program, "/name")?.id()?;
        let rule = json!({
            "program_id": program_id, "name": "Ten per cent",
            "terms": {
                "formula": { "type": "percentage", "rate": "0.1000" },
                "hold_days": 0, "effective_from": "2026-01-01T00:00:00Z",
            },
        });
        let rule = self.post("/v1/commission-rules", &rule, "/name")?;
        let version = format!("/v1/commission-rule-versions/{}", rule.text("/first_version_id")?);
        let seen = self
            .admin
            .get(self.out, &version, |draft| draft.read_out("/sentence"))?;
        self.admin
            .act(self.out, &format!("{version}/activate"), Some(&seen), |active| {
                active.read_out("/status")
            })?;
        Ok(program_id)
    }

    fn partners(&mut self, program_id: &str) -> Result<Vec<String>, DemoError> {
        self.chapter("Three partners, approved and enrolled")?;
        let mut ids = Vec::new();
        for (name, _) in PARTNERS {
            let partner_id = self
                .post("/v1/partners", &json!({ "name": name }), "/name")?
                .id()?;
            self.act(&format!("/v1/partners/{partner_id}/approve"))?;
            let enrollment = json!({ "partner_id": partner_id, "program_id": program_id });
            let enrollment = self.post("/v1/enrollments", &enrollment, "/status")?.id()?;
            self.act(&format!("/v1/enrollments/{enrollment}/activate"))?;
            ids.push(partner_id);
        }
        Ok(ids)
    }

    /// An account, its deal, the credits of the partners, and the win; the deal's id.
    fn deal(
        &mut self,
        account: &str,
        name: &str,
        amount: &str,
        program_id: &str,
        credits: &[(&str, u32)],
    ) -> Result<String, DemoError> {
        let account = self.post("/v1/accounts", &json!({ "name": account }), "/name")?;
        let deal = json!({
            "name": name, "account_id": account.id()?, "program_id": program_id,
            "amount": euros(amount), "opened_on": "2026-01-05",
        });
        let deal_id = self.post("/v1/deals", &deal, "/amount")?.id()?;
        for (partner_id, share) in credits {
            let credit = json!({
                "deal_id": deal_id, "partner_id": partner_id, "role": "sourced",
                "share_basis_points": share, "confirm": true,
            });
            self.admin.post(self.out, "/v1/attributions", &credit, |credit| {
                let (role, share) = (credit.read_out("/role"), credit.read_out("/share_basis_points"));
                format!("{role}, {share} basis points")
            })?;
        }
        let won = json!({ "won_at": "2026-01-12T15:00:00Z" });
        self.post(&format!("/v1/deals/{deal_id}/win"), &won, "/status")?;
        Ok(deal_id)
    }

    /// An invoice of these lines (net, tax) and a payment of it.
    fn invoice(&mut self, deal_id: &str, lines: &[(&str, &str)], paid: &str) -> Result<Sale, DemoError> {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(net, tax)| json!({ "net": net, "tax": tax }))
            .collect();
        let invoice =
            json!({ "deal_id": deal_id, "currency": "EUR", "issued_on": "2026-01-14", "lines": lines });
        let invoice_id = self.post("/v1/invoices", &invoice, "/total_amount")?.id()?;
        let payment_id = self.payment(&invoice_id, paid, "2026-01-20T10:00:00Z")?;
        Ok(Sale {
            invoice_id,
            payment_id,
        })
    }

    fn payment(&mut self, invoice_id: &str, amount: &str, paid_at: &str) -> Result<String, DemoError> {
        let payment = json!({ "amount": euros(amount), "paid_at": paid_at });
        let path = format!("/v1/invoices/{invoice_id}/payments");
        self.post(&path, &payment, "/amount")?.id()
    }

    fn refund(&mut self, payment_id: &str, amount: &str) -> Result<(), DemoError> {
        let refund =
            json!({ "kind": "refund", "amount": euros(amount), "refunded_at": "2026-02-10T10:00:00Z" });
        self.post(&format!("/v1/payments/{payment_id}/refunds"), &refund, "/amount")?;
        Ok(())
    }

    /// A run for the month that ends on this day: proposed by one key, approved and paid by another. The admin, who
    /// made the first, is refused.
    fn payout_run(&mut self, last_day: &str) -> Result<(), DemoError> {
        let cut_off = format!("{last_day}T22:59:59Z");
        let proposal = json!({ "cut_off_at": cut_off, "rail": "manual" });
        let total = |run: &Answer| run.read_out("/totals/0");
        let run = self
            .operations
            .post(self.out, "/v1/payout-runs", &proposal, total)?;
        let path = format!("/v1/payout-runs/{}", run.id()?);
        let approve = format!("{path}/approve");
        self.admin.refused(self.out, &approve, &run, 409)?;
        let status = |run: &Answer| format!("{}, by the second key", run.read_out("/status"));
        self.finance.act(self.out, &approve, Some(&run), status)?;
        self.finance
            .act(self.out, &format!("{path}/process"), None, status)?;
        let paid = json!({ "paid_at": cut_off, "reference": format!("SEPA-{last_day}") });
        let confirm = format!("{path}/confirm");
        self.finance.post(self.out, &confirm, &paid, |run| {
            let (count, total) = (run.read_out("/payout_count"), run.read_out("/totals/0"));
            format!("{}: {count} payouts, {total}", run.read_out("/status"))
        })?;
        Ok(())
    }

    /// The explanation of the newest line of a partner, and whether it still holds.
    fn why(&mut self, partner_id: &str) -> Result<(), DemoError> {
        self.chapter("Why a line has its amount, and that it comes out the same when it is computed again")?;
        let newest = format!("/v1/commissions?partner_id={partner_id}&sort=-created_at&limit=1");
        let lines = self
            .admin
            .get(self.out, &newest, |list| list.read_out("/data/0/amount"))?;
        let line = format!("/v1/commissions/{}", lines.text("/data/0/id")?);
        self.admin.get(self.out, &format!("{line}/explanation"), |why| {
            why.read_out("/sentence")
        })?;
        self.admin
            .get(self.out, &format!("{line}/verification"), |verdict| {
                format!("matches: {}", verdict.read_out("/matches"))
            })?;
        Ok(())
    }

    fn report(&mut self) -> Result<(), DemoError> {
        self.chapter("The report, in EUR; each partner's revenue is that of all deals it has a credit for")?;
        let report = self
            .admin
            .get(self.out, "/v1/reports/partner-performance", |_| String::new())?;
        writeln!(self.out)?;
        table::write(self.out, report.list("/rows")?)
    }
}

fn euros(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}
