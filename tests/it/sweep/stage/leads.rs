//! The leads of a house, and the tiers of its partners.

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
