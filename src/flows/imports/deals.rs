//! Deals from rows, with the credit of the partners that they name.

use super::batch::{Batch, Outcome, Refused, Versioned, Writes};
use super::references::References;
use crate::features::imports::rows::Row;
use crate::features::imports::stored::{self, AttributionRow, DealRow};
use crate::flows::registration::deals::Arrival;
use crate::flows::{accrual, registration};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, AttributionId, DealId, PartnerId, ProductFamilyId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

const OPEN: &str = "open";
const WON: &str = "won";
const CONFIRMED: &str = "confirmed";
const WHOLE_BASIS_POINTS: i32 = 10_000;
/// The fields that name a partner for a role, and the roles.
const ROLES: [(&str, &str); 3] = [
    ("sourced_by", "sourced"),
    ("influenced_by", "influenced"),
    ("delivered_by", "delivered"),
];

/// Applies rows that are deals; what the deals that are won by it have earned is accrued.
pub fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: &mut Batch<'_>,
    references: &References,
) -> Result<(), Problem> {
    let known = stored::deals_by_key(tx, &ctx.scope, &batch.keys())?;
    let ids: Vec<Uuid> = known.values().map(|deal| deal.id).collect();
    let mut credits: HashMap<Uuid, Vec<AttributionRow>> = HashMap::new();
    for credit in stored::attributions_of(tx, &ctx.scope, &ids)? {
        credits.entry(credit.deal_id).or_default().push(credit);
    }
    let mut loading = Loading {
        ctx,
        references,
        deals: Writes::new(),
        credits: Writes::new(),
        won: Vec::new(),
        arrivals: Vec::new(),
    };
    for row in batch.rows() {
        let before = known.get(row.key("external_id"));
        let held = before.and_then(|deal| credits.get(&deal.id));
        let outcome = loading.row(batch, row, before, held.map_or(&[], Vec::as_slice))?;
        batch.decide(outcome);
    }
    loading.deals.write(tx)?;
    loading.credits.write(tx)?;
    registration::deals::flag_many(tx, ctx, &loading.arrivals)?;
    registration::deals::won(tx, ctx, &loading.won)?;
    accrual::of_deals(tx, ctx, &loading.won)
}

/// The deal as those see it who have a claim to its account.
fn arrival(deal: &DealRow) -> Arrival {
    Arrival {
        deal_id: DealId::from_uuid(deal.id),
        account_id: AccountId::from_uuid(deal.account_id),
        product_family_id: deal.product_family_id.map(ProductFamilyId::from_uuid),
        partner_id: deal.partner_id.map(PartnerId::from_uuid),
    }
}

struct Loading<'a> {
    ctx: &'a Ctx,
    references: &'a References,
    deals: Writes<DealRow>,
    credits: Writes<AttributionRow>,
    won: Vec<DealId>,
    /// The deals that are new at their account, or in their family.
    arrivals: Vec<Arrival>,
}

impl Loading<'_> {
    fn row(
        &mut self,
        batch: &mut Batch<'_>,
        row: &Row,
        before: Option<&DealRow>,
        held: &[AttributionRow],
    ) -> Result<Result<Outcome, Vec<Refused>>, Problem> {
        let mut refused = Vec::new();
        let deal = self.deal(row, before, &mut refused);
        let credits = self.credits(row, before, &deal, held, &mut refused);
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
        let is_won_now = deal.status == WON && before.is_none_or(|before| before.status != WON);
        let is_new_there = |before: &DealRow| {
            (before.account_id, before.product_family_id) != (deal.account_id, deal.product_family_id)
        };
        if before.is_none_or(is_new_there) {
            self.arrivals.push(arrival(&deal));
        }
        let outcome = self.keep_deal(batch, before, deal.clone(), is_won_now)?;
        if is_won_now {
            self.won.push(DealId::from_uuid(deal.id));
            self.settle(batch, held)?;
        }
        let has_new_credits = !credits.is_empty();
        for credit in credits {
            let concerned = Some(credit.partner_id);
            batch
                .happened
                .created("attribution.created", &credit, concerned)?;
            self.credits.created.push(credit);
        }
        Ok(Ok(match outcome {
            Outcome::Unchanged if has_new_credits => Outcome::Updated,
            outcome => outcome,
        }))
    }

    fn keep_deal(
        &mut self,
        batch: &mut Batch<'_>,
        before: Option<&DealRow>,
        mut deal: DealRow,
        is_won_now: bool,
    ) -> Result<Outcome, Problem> {
        let concerned = deal.partner_id;
        match before {
            None => {
                batch.happened.created("deal.created", &deal, concerned)?;
                if is_won_now {
                    let open = DealRow {
                        status: OPEN.to_owned(),
                        won_at: None,
                        ..deal.clone()
                    };
                    batch.happened.updated("deal.won", &open, &deal, concerned)?;
                }
                self.deals.created.push(deal);
                Ok(Outcome::Created)
            }
            Some(before) if *before == deal => Ok(Outcome::Unchanged),
            Some(before) => {
                deal.touch(self.ctx.now);
                let event = if is_won_now { "deal.won" } else { "deal.updated" };
                batch.happened.updated(event, before, &deal, concerned)?;
                self.deals.updated.push(deal);
                Ok(Outcome::Updated)
            }
        }
    }

    /// The deal as the row says it is.
    fn deal(&self, row: &Row, before: Option<&DealRow>, refused: &mut Vec<Refused>) -> DealRow {
        let mut deal = before.cloned().unwrap_or_else(|| self.opened(row));
        if let Some(name) = row.text("name") {
            name.clone_into(&mut deal.name);
        }
        if let Some(account) = self.references.find(row, "account", refused) {
            deal.account_id = account;
        }
        let mut change = |field| self.references.change(row, field, refused);
        change("product_family").apply_to(&mut deal.product_family_id);
        // Once given they stay, whatever a file leaves empty: a direct deal may have become a partner's by a registration.
        for (field, to) in [
            ("program", &mut deal.program_id),
            ("partner", &mut deal.partner_id),
        ] {
            if let Patch::Set(id) = change(field) {
                *to = Some(id);
            }
        }
        deal.amount = row.amount("amount");
        row.key("currency").clone_into(&mut deal.currency);
        if let Patch::Set(day) = row.date_change("opened_on") {
            deal.opened_on = day;
        }
        row.date_change("expected_close_on")
            .apply_to(&mut deal.expected_close_on);
        row.change("crm_partner_source")
            .apply_to(&mut deal.crm_partner_source);
        row.change("crm_partner_influence")
            .apply_to(&mut deal.crm_partner_influence);
        if let Some(deal_type) = row.text("deal_type") {
            deal_type.clone_into(&mut deal.deal_type);
        }
        if deal.amount.is_sign_negative() && !deal.amount.is_zero() {
            let message = "The amount of a deal is not negative.";
            refused.push(Refused::new("amount", "negative_amount", message));
        }
        close(row, &mut deal, self.ctx.now, refused);
        // A day that was left out was not claimed, so it contradicts nothing.
        let days = |deal: &DealRow| (deal.opened_on, deal.expected_close_on);
        let is_said_now = before.is_none_or(|before| days(before) != days(&deal));
        let opened_on = row.date("opened_on").filter(|_| is_said_now);
        if opened_on.is_some_and(|opened_on| deal.expected_close_on.is_some_and(|day| day < opened_on)) {
            let message = "The deal cannot be expected to close before it was opened.";
            refused.push(Refused::new("expected_close_on", "before_opened_on", message));
        }
        if let Some(before) = before {
            refuse_frozen(before, &deal, refused);
        }
        deal
    }

    fn opened(&self, row: &Row) -> DealRow {
        let now = self.ctx.now;
        DealRow {
            organization_id: self.ctx.organization_id().uuid(),
            id: DealId::new(now).uuid(),
            external_id: Some(row.key("external_id").to_owned()),
            name: row.key("external_id").to_owned(),
            account_id: Uuid::nil(),
            program_id: None,
            partner_id: None,
            product_family_id: None,
            stage_id: None,
            deal_type: "new".to_owned(),
            status: OPEN.to_owned(),
            amount: row.amount("amount"),
            currency: row.key("currency").to_owned(),
            opened_on: row.instant("won_at").unwrap_or(now).date_naive(),
            expected_close_on: None,
            won_at: None,
            lost_at: None,
            lost_reason: None,
            hidden_from_parent: false,
            crm_partner_source: None,
            crm_partner_influence: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The credits that the row names and the deal does not have yet.
    fn credits(
        &self,
        row: &Row,
        before: Option<&DealRow>,
        deal: &DealRow,
        held: &[AttributionRow],
        refused: &mut Vec<Refused>,
    ) -> Vec<AttributionRow> {
        let mut new = Vec::new();
        for (field, role) in ROLES {
            let Some(partner) = self.references.find(row, field, refused) else {
                continue;
            };
            let of_role = || held.iter().filter(|credit| credit.role == role);
            let living: Vec<&AttributionRow> =
                of_role().filter(|credit| credit.status != "rejected").collect();
            match living.as_slice() {
                [] if before.is_some_and(|before| before.status != OPEN) => {
                    let message = "The deal is closed and its credits are settled.";
                    refused.push(Refused::new(field, "deal_settled", message));
                }
                // What was rejected is not claimed anew for who takes part no more.
                [] if !self.references.is_approved(partner)
                    && of_role().any(|credit| credit.partner_id == partner) => {}
                [] if !self.references.is_approved(partner) => {
                    let message = "Only an approved partner is credited.";
                    refused.push(Refused::new(field, "partner_not_approved", message));
                }
                [] => {
                    let last_rank = of_role().map(|credit| credit.allocation_rank).max();
                    new.push(self.credit(deal, partner, role, last_rank.unwrap_or(0) + 1));
                }
                [only] if is_all(only, partner) => {}
                _ => {
                    let message = format!("The deal has other {role} credits; change them by themselves.");
                    refused.push(Refused::new(field, "already_attributed", message));
                }
            }
        }
        new
    }

    fn credit(&self, deal: &DealRow, partner: Uuid, role: &str, rank: i32) -> AttributionRow {
        let now = self.ctx.now;
        AttributionRow {
            organization_id: deal.organization_id,
            id: AttributionId::new(now).uuid(),
            external_id: None,
            deal_id: deal.id,
            partner_id: partner,
            role: role.to_owned(),
            share_basis_points: WHOLE_BASIS_POINTS,
            allocation_rank: rank,
            status: CONFIRMED.to_owned(),
            status_reason: None,
            confirmed_at: Some(now),
            settled_at: (deal.status == WON).then_some(now),
            touchpoint_ids: Vec::new(),
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The credits that a deal had before it was won are settled with it.
    fn settle(&mut self, batch: &mut Batch<'_>, held: &[AttributionRow]) -> Result<(), Problem> {
        let open = held
            .iter()
            .filter(|credit| credit.status == CONFIRMED && credit.settled_at.is_none());
        for credit in open {
            let mut settled = credit.clone();
            settled.settled_at = Some(self.ctx.now);
            settled.touch(self.ctx.now);
            let concerned = Some(credit.partner_id);
            batch
                .happened
                .updated("attribution.settled", credit, &settled, concerned)?;
            self.credits.updated.push(settled);
        }
        Ok(())
    }
}

fn is_all(credit: &AttributionRow, partner: Uuid) -> bool {
    credit.partner_id == partner
        && credit.status == CONFIRMED
        && credit.share_basis_points == WHOLE_BASIS_POINTS
}

/// Where the row says that the deal stands.
fn close(row: &Row, deal: &mut DealRow, now: DateTime<Utc>, refused: &mut Vec<Refused>) {
    let (won_at, known) = (row.instant("won_at"), deal.status.clone());
    match (known.as_str(), row.text("status")) {
        (OPEN, Some(WON)) => {
            match won_at {
                None => refused.push(Refused::new("won_at", "missing", "A won deal needs won_at.")),
                Some(at) => refused.extend(Refused::if_in_future("won_at", at, now)),
            }
            WON.clone_into(&mut deal.status);
            deal.won_at = won_at;
        }
        (OPEN, _) if won_at.is_some() => {
            let message = "The deal has won_at but is not won; map its status too.";
            refused.push(Refused::new("won_at", "wrong_state", message));
        }
        (WON, Some(WON) | None) => deal.won_at = won_at.or(deal.won_at),
        (OPEN, _) | (_, None) => {}
        (known, Some(wanted)) => {
            let message = format!("The deal is {known}; an import cannot make it {wanted}.");
            refused.push(Refused::new("status", "wrong_state", message));
        }
    }
}

/// What decides about money is frozen once a deal is closed.
fn refuse_frozen(before: &DealRow, after: &DealRow, refused: &mut Vec<Refused>) {
    if before.status == OPEN {
        return;
    }
    let fields = [
        ("account", before.account_id == after.account_id),
        ("program", before.program_id == after.program_id),
        ("partner", before.partner_id == after.partner_id),
        (
            "product_family",
            before.product_family_id == after.product_family_id,
        ),
        ("amount", before.amount == after.amount),
        ("currency", before.currency == after.currency),
        ("deal_type", before.deal_type == after.deal_type),
        ("won_at", before.won_at == after.won_at),
    ];
    for (field, _) in fields.into_iter().filter(|(_, is_same)| !is_same) {
        let message = format!("The deal is {}; this cannot be changed any more.", before.status);
        refused.push(Refused::new(field, "deal_settled", message));
    }
}
