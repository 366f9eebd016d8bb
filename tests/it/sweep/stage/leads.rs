//! The leads of a house, the tiers of its partners, and what is disputed in it.

use super::KEPT;
use super::house::House;
use crate::world::money;
use serde_json::json;

impl House<'_> {
    /// A lead that waits for an answer, and one that was accepted.
    pub(super) fn referrals(&self, partner: &str, mark: &str) {
        for number in [1, 2] {
            let body = json!({
                "external_id": format!("{mark}-referral-{number}"), "partner_id": partner, "program_id": self.program,
                "company_name": format!("{mark} company"), "product_family_id": self.family, "note": mark,
                "amount": money("100.00 EUR")
            });
            let referral = self.admin.post("/v1/referrals", body).expect(201).id();
            if number == 2 {
                self.admin
                    .act(&format!("/v1/referrals/{referral}/accept"))
                    .expect(200);
            }
        }
    }

    /// A fact of billing that waits for its invoice.
    pub(super) fn arrival(&self) {
        let mark = self.mark(0);
        let body = json!({
            "kind": "payment", "external_id": format!("{mark}-arrival"), "invoice": format!("{mark}-not-there"),
            "amount": money("1.00 USD"), "paid_at": "2026-03-01T12:00:00Z"
        });
        self.admin.post_once("/v1/billing-arrivals", body).expect(201);
    }

    /// What a version of a rule would have paid.
    pub(super) fn backtest(&self) {
        let versions = self.admin.all("/v1/commission-rule-versions");
        let rule = versions[0]["commission_rule_id"].as_str().unwrap();
        let body = json!({
            "rule_version_id": versions[0]["id"], "from_on": "2026-01-01", "until_on": "2026-08-01"
        });
        let path = format!("/v1/commission-rules/{rule}/backtest");
        self.admin.post(&path, body).expect(202);
    }

    /// Somebody to talk to, and a paper on file.
    pub(super) fn contacts(&self, partner: &str, mark: &str) {
        let body = json!({
            "partner_id": partner, "name": mark, "email": format!("{mark}-contact@foil.example"), "job_title": mark,
            "roles": ["primary"]
        });
        self.admin.post("/v1/partner-contacts", body).expect(201);
        let body = json!({
            "external_id": format!("{mark}-paper"), "partner_id": partner, "kind": "license", "name": mark,
            "reference": mark, "valid_from": "2026-01-01"
        });
        self.admin.post("/v1/compliance-documents", body).expect(201);
    }

    /// A lead that those above do not see.
    pub(super) fn hidden_lead(&self, partner: &str, mark: &str) {
        let body = json!({
            "external_id": format!("{mark}-referral"), "partner_id": partner, "program_id": self.program,
            "company_name": format!("{mark} company"), "note": mark, "hidden_from_parent": true
        });
        self.admin.post("/v1/referrals", body).expect(201);
    }

    /// A dispute of money that is reviewed, with what is said about it.
    pub(super) fn dispute(&self, partner: &str, mark: &str) {
        let lines = self.admin.all(&format!("/v1/commissions?partner_id={partner}"));
        let line = lines
            .iter()
            .find(|line| line["net"]["currency"] == "EUR")
            .unwrap();
        let body = json!({
            "subject_ids": [line["id"]], "reason_code": "amount_too_low", "statement": mark,
            "claimed_amount": money("900.00 EUR"), "evidence": [{ "name": mark, "url": format!("https://{mark}.example/") }]
        });
        let dispute = self.admin.post("/v1/disputes", body).expect(201).id();
        let path = format!("/v1/disputes/{dispute}");
        let review = json!({ "note": mark, "found_amount": money("900.00 EUR") });
        self.admin.post(&format!("{path}/review"), review).expect(200);
        let body = json!({ "body": mark });
        self.admin.post(&format!("{path}/comments"), body).expect(200);
    }

    /// A link, and somebody who came by it.
    pub(super) fn links(&self, partner: &str, mark: &str) {
        let (program, url) = (&self.program, format!("https://{mark}.example/"));
        let body = json!({ "partner_id": partner, "program_id": program, "code": mark, "target_url": url });
        self.admin.post("/v1/referral-links", body).expect(201);
        let click = json!({ "code": mark, "visitor": mark, "user_agent": "Firefox/128.0" });
        let body = json!({ "clicks": [click] });
        self.admin.post("/v1/clicks", body).expect(200);
    }

    /// A ladder of the partner's own program, and a move on it whose reason nobody else reads.
    pub(super) fn tiers(&self, program: &str, enrollment: &str, mark: &str) {
        if program == self.program {
            return;
        }
        let top = format!("{mark}-top");
        let tier = |code: &str| json!({ "code": code, "name": code, "external_id": format!("{code}-tier") });
        let ladder = json!({ "tiers": [tier(mark), tier(&top)] });
        let path = format!("/v1/programs/{program}/tiers");
        self.admin.patch(&path, ladder).expect(200);
        let body = json!({
            "tier": top, "reason": format!("{mark}{KEPT}"), "pinned_until": "2030-01-01T00:00:00Z"
        });
        let path = format!("/v1/enrollments/{enrollment}/move-tier");
        self.admin.post(&path, body).expect(200);
    }
}
