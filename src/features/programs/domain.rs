//! What a program is.

use crate::kernel::exchange::FxPolicy;
use crate::kernel::gate::Gate;
use crate::kernel::id::ProgramId;
use crate::kernel::money::{Money, Rounding};
use crate::kernel::motion::Motion;
use crate::kernel::patch::Patch;
use crate::kernel::time::ProgramZone;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

word_enum! {
    /// How a commission that is due becomes approved.
    CommissionApproval, "commission approval" {
        /// By itself.
        Automatic = "automatic",
        /// By a person.
        Manual = "manual",
    }
}

word_enum! {
    /// The moment at which the terms of a deal are fixed.
    LockPoint, "lock point" {
        /// When the deal is won: the terms that were promised.
        DealWon = "deal_won",
        /// When the invoice is paid.
        InvoicePaid = "invoice_paid",
    }
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The way of selling that it is made for; set once.
    pub motion: Motion,
    /// The time zone of its days and months.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: ProgramZone,
    /// What happens to an amount exactly in the middle of two.
    pub rounding: Rounding,
    /// How its commissions become approved.
    pub commission_approval: CommissionApproval,
    /// When the terms of its deals are fixed.
    pub lock_point: LockPoint,
    /// When what partners earn in another currency than they are paid in is exchanged.
    pub fx_policy: FxPolicy,
    /// Days after a payment in which a refund takes commission back; `None` is without end.
    pub clawback_window_days: Option<i32>,
    /// What a payout must reach to be made; positive, at most one amount per currency.
    #[serde(serialize_with = "amounts")]
    pub minimum_payouts: Vec<Money>,
    /// What partners must have on file before they register, earn or are paid.
    pub gates: Vec<Gate>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new program is made of; what is absent takes its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProgram {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The way of selling that it is made for.
    pub motion: Motion,
    /// The time zone of its days and months; absent means that of the organization.
    pub time_zone: Option<ProgramZone>,
    /// What happens to an amount exactly in the middle of two; half up by default.
    pub rounding: Option<Rounding>,
    /// How its commissions become approved; by a person by default.
    pub commission_approval: Option<CommissionApproval>,
    /// When the terms of its deals are fixed; at the win by default.
    pub lock_point: Option<LockPoint>,
    /// When what partners earn is exchanged; when it is earned by default.
    pub fx_policy: Option<FxPolicy>,
    /// Days after a payment in which a refund takes commission back.
    pub clawback_window_days: Option<i32>,
    /// What a payout must reach to be made.
    pub minimum_payouts: Vec<Money>,
    /// What partners must have on file.
    pub gates: Vec<Gate>,
}

/// What may be changed of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
    /// The time zone of its days and months.
    pub time_zone: Option<ProgramZone>,
    /// What happens to an amount exactly in the middle of two.
    pub rounding: Option<Rounding>,
    /// How its commissions become approved.
    pub commission_approval: Option<CommissionApproval>,
    /// When the terms of its deals are fixed.
    pub lock_point: Option<LockPoint>,
    /// When what partners earn is exchanged; what was earned before keeps its policy.
    pub fx_policy: Option<FxPolicy>,
    /// Days after a payment in which a refund takes commission back.
    pub clawback_window_days: Patch<i32>,
    /// What a payout must reach to be made; replaces the list before.
    pub minimum_payouts: Option<Vec<Money>>,
    /// What partners must have on file; replaces the list before.
    pub gates: Option<Vec<Gate>>,
}

impl Program {
    /// A new program; `organization_zone` is taken where it names no zone of its own.
    pub fn create(new: NewProgram, organization_zone: ProgramZone, now: DateTime<Utc>) -> Self {
        Self {
            id: ProgramId::new(now),
            external_id: new.external_id,
            name: new.name,
            motion: new.motion,
            time_zone: new.time_zone.unwrap_or(organization_zone),
            rounding: new.rounding.unwrap_or(Rounding::HalfUp),
            commission_approval: new.commission_approval.unwrap_or(CommissionApproval::Manual),
            lock_point: new.lock_point.unwrap_or(LockPoint::DealWon),
            fx_policy: new.fx_policy.unwrap_or(FxPolicy::AtAccrual),
            clawback_window_days: new.clawback_window_days,
            minimum_payouts: new.minimum_payouts,
            gates: new.gates,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The program with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: ProgramPatch, now: DateTime<Utc>) -> Self {
        patch.external_id.apply_to(&mut self.external_id);
        patch
            .clawback_window_days
            .apply_to(&mut self.clawback_window_days);
        Self {
            name: patch.name.unwrap_or(self.name),
            time_zone: patch.time_zone.unwrap_or(self.time_zone),
            rounding: patch.rounding.unwrap_or(self.rounding),
            commission_approval: patch.commission_approval.unwrap_or(self.commission_approval),
            lock_point: patch.lock_point.unwrap_or(self.lock_point),
            fx_policy: patch.fx_policy.unwrap_or(self.fx_policy),
            minimum_payouts: patch.minimum_payouts.unwrap_or(self.minimum_payouts),
            gates: patch.gates.unwrap_or(self.gates),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

fn zone_name<S: Serializer>(zone: &ProgramZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// Amounts as events and the audit trail show them.
fn amounts<S: Serializer>(amounts: &[Money], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Amount {
        amount: String,
        currency: &'static str,
    }
    serializer.collect_seq(amounts.iter().map(|money| Amount {
        amount: money.amount_text(),
        currency: money.currency().code(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::gate::{DocumentKind, GatedStep};
    use crate::kernel::money::Currency;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn berlin() -> ProgramZone {
        "Europe/Berlin".parse().unwrap()
    }

    fn usd(amount: &str) -> Money {
        Money::parse(amount, Currency::USD).unwrap()
    }

    fn terms() -> NewProgram {
        NewProgram {
            external_id: Some("terms-7".to_owned()),
            name: "Referral Europe".to_owned(),
            motion: Motion::Referral,
            time_zone: None,
            rounding: None,
            commission_approval: None,
            lock_point: None,
            fx_policy: None,
            clawback_window_days: Some(90),
            minimum_payouts: vec![usd("50")],
            gates: Vec::new(),
        }
    }

    fn tax_form() -> Gate {
        Gate {
            blocks: GatedStep::Paying,
            requires: DocumentKind::TaxForm,
            document_name: None,
            product_family_ids: Vec::new(),
            countries: Vec::new(),
        }
    }

    #[test]
    fn what_is_absent_takes_its_default() {
        let program = Program::create(terms(), berlin(), at(100));
        assert_eq!(program.time_zone, berlin());
        assert_eq!(program.rounding, Rounding::HalfUp);
        assert_eq!(program.commission_approval, CommissionApproval::Manual);
        assert_eq!(program.lock_point, LockPoint::DealWon);
        assert_eq!(program.fx_policy, FxPolicy::AtAccrual);
        assert_eq!(
            (program.row_version, program.created_at, program.updated_at),
            (1, at(100), at(100))
        );
    }

    #[test]
    fn what_is_named_stands() {
        let new = NewProgram {
            time_zone: Some(ProgramZone::UTC),
            rounding: Some(Rounding::HalfEven),
            commission_approval: Some(CommissionApproval::Automatic),
            lock_point: Some(LockPoint::InvoicePaid),
            fx_policy: Some(FxPolicy::AtPayout),
            ..terms()
        };
        let program = Program::create(new, berlin(), at(100));
        assert_eq!(program.time_zone, ProgramZone::UTC);
        assert_eq!(program.rounding, Rounding::HalfEven);
        assert_eq!(program.commission_approval, CommissionApproval::Automatic);
        assert_eq!(program.lock_point, LockPoint::InvoicePaid);
    }

    #[test]
    fn an_empty_patch_changes_the_version_only() {
        let before = Program::create(terms(), berlin(), at(100));
        let after = before.clone().patched(ProgramPatch::default(), at(200));
        let expected = Program {
            row_version: 2,
            updated_at: at(200),
            ..before
        };
        assert_eq!(after, expected);
    }

    #[test]
    fn a_patch_sets_replaces_and_clears() {
        let patch = ProgramPatch {
            external_id: Patch::Clear,
            name: Some("Referral EMEA".to_owned()),
            time_zone: Some(ProgramZone::UTC),
            rounding: Some(Rounding::HalfEven),
            commission_approval: Some(CommissionApproval::Automatic),
            lock_point: Some(LockPoint::InvoicePaid),
            fx_policy: Some(FxPolicy::AtPayout),
            clawback_window_days: Patch::Clear,
            minimum_payouts: Some(vec![usd("75")]),
            gates: Some(vec![tax_form()]),
        };
        let before = Program::create(terms(), berlin(), at(100));
        let after = before.clone().patched(patch, at(200));
        let expected = Program {
            external_id: None,
            name: "Referral EMEA".to_owned(),
            time_zone: ProgramZone::UTC,
            rounding: Rounding::HalfEven,
            commission_approval: CommissionApproval::Automatic,
            lock_point: LockPoint::InvoicePaid,
            fx_policy: FxPolicy::AtPayout,
            clawback_window_days: None,
            minimum_payouts: vec![usd("75.00")],
            gates: vec![tax_form()],
            row_version: 2,
            updated_at: at(200),
            ..before
        };
        assert_eq!(after, expected);
    }

    #[test]
    fn the_event_shows_zone_and_amounts_as_text() {
        let program = Program::create(terms(), berlin(), at(100));
        let facts = serde_json::to_value(&program).unwrap();
        assert_eq!(facts["time_zone"], "Europe/Berlin");
        assert_eq!(
            facts["minimum_payouts"],
            serde_json::json!([{ "amount": "50.00", "currency": "USD" }])
        );
    }
}
