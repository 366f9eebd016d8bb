//! Programs on the wire.

use super::domain::{CommissionApproval, LockPoint, NewProgram, Program, ProgramPatch};
use super::gate_dto::{GateBody, gates};
use super::store::{ProgramFilter, ProgramOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::FxPolicy;
use crate::kernel::id::ProgramId;
use crate::kernel::money::{Money, Rounding};
use crate::kernel::motion::Motion;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::time::ProgramZone;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A program to create.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProgramCreate, examples(json!({"name": "Referral Europe", "motion": "referral", "external_id": "terms-2026", "time_zone": "Europe/Berlin", "clawback_window_days": 90, "minimum_payouts": [{"amount": "50.00", "currency": "EUR"}], "gates": [{"blocks": "accruing", "requires": "certification", "document_name": "Fleet Expert"}]})))]
#[serde(deny_unknown_fields)]
pub struct NewProgramBody {
    /// Your own key for the program; unique among your programs.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "terms-2026"
    )]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Referral Europe"
    )]
    pub name: String,
    /// The way of selling that it is made for; set once.
    pub motion: Motion,
    /// The time zone of its days and months (IANA name); that of the organization when absent.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9_+/-]+$",
        example = "Europe/Berlin"
    )]
    pub time_zone: Option<String>,
    /// What becomes of an amount between two units of its currency: `half_up` (the nearer one, from the middle away from
    /// zero) when absent, `half_even` (from the middle the even one), or `down` (the one nearer to zero).
    #[schema(nullable = false)]
    pub rounding: Option<Rounding>,
    /// Whether commissions that are due are approved by themselves or by a person: `manual` when absent.
    #[schema(nullable = false)]
    pub commission_approval: Option<CommissionApproval>,
    /// The moment at which the terms of a deal are fixed: `deal_won` when absent.
    #[schema(nullable = false)]
    pub lock_point: Option<LockPoint>,
    /// When what a partner earns in another currency than it is paid in is exchanged: `at_accrual` when absent.
    #[schema(nullable = false)]
    pub fx_policy: Option<FxPolicy>,
    /// Refunds after this many days take no commission back; without it there is no end.
    #[schema(nullable = false, minimum = 0, maximum = 3650, example = 90)]
    pub clawback_window_days: Option<i32>,
    /// What a payout must reach to be made: a positive amount in each currency, at most one per currency.
    #[schema(nullable = false, max_items = 200)]
    pub minimum_payouts: Option<Vec<MoneyBody>>,
    /// What partners must have on file before they register, earn or are paid.
    #[schema(nullable = false, max_items = 50)]
    pub gates: Option<Vec<GateBody>>,
}

impl NewProgramBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewProgram, Problem> {
        let mut fields = Fields::new();
        let new = NewProgram {
            external_id: self.external_id.clone(),
            name: self.name.clone(),
            motion: self.motion,
            time_zone: zone(&mut fields, self.time_zone.as_deref()),
            rounding: self.rounding,
            commission_approval: self.commission_approval,
            lock_point: self.lock_point,
            fx_policy: self.fx_policy,
            clawback_window_days: self.clawback_window_days,
            minimum_payouts: minimum_payouts(&mut fields, self.minimum_payouts.as_deref())
                .unwrap_or_default(),
            gates: gates(&mut fields, self.gates.as_deref()).unwrap_or_default(),
        };
        fields.finish(Some(new))
    }
}

/// Changes of a program: absent leaves a field as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ProgramUpdate, min_properties = 1, examples(json!({"commission_approval": "automatic", "clawback_window_days": null, "minimum_payouts": [{"amount": "50.00", "currency": "EUR"}, {"amount": "5000", "currency": "JPY"}], "gates": [{"blocks": "accruing", "requires": "certification"}]})))]
#[serde(deny_unknown_fields)]
pub struct PatchProgramBody {
    /// Your own key for the program.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "terms-2026")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Referral Europe"
    )]
    pub name: Option<String>,
    /// The time zone of its days and months (IANA name).
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9_+/-]+$",
        example = "Europe/Berlin"
    )]
    pub time_zone: Option<String>,
    /// What happens to an amount exactly in the middle of two.
    #[schema(nullable = false)]
    pub rounding: Option<Rounding>,
    /// Whether commissions that are due are approved by themselves or by a person.
    #[schema(nullable = false)]
    pub commission_approval: Option<CommissionApproval>,
    /// The moment at which the terms of a deal are fixed.
    #[schema(nullable = false)]
    pub lock_point: Option<LockPoint>,
    /// When what a partner earns in another currency than it is paid in is exchanged; what was earned before keeps its
    /// policy.
    #[schema(nullable = false)]
    pub fx_policy: Option<FxPolicy>,
    /// Refunds after this many days take no commission back; `null` means that there is no end.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 3650, example = 90)]
    pub clawback_window_days: Patch<i32>,
    /// What a payout must reach to be made: a positive amount in each currency, at most one per currency.
    /// The list replaces the one before.
    #[schema(nullable = false, max_items = 200)]
    pub minimum_payouts: Option<Vec<MoneyBody>>,
    /// What partners must have on file before they register, earn or are paid. The list replaces the one before, and
    /// counts from now on: what was earned stays earned.
    #[schema(nullable = false, max_items = 50)]
    pub gates: Option<Vec<GateBody>>,
}

impl PatchProgramBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<ProgramPatch, Problem> {
        let mut fields = Fields::new();
        let patch = ProgramPatch {
            external_id: self.external_id.clone(),
            name: self.name.clone(),
            time_zone: zone(&mut fields, self.time_zone.as_deref()),
            rounding: self.rounding,
            commission_approval: self.commission_approval,
            lock_point: self.lock_point,
            fx_policy: self.fx_policy,
            clawback_window_days: self.clawback_window_days.clone(),
            minimum_payouts: minimum_payouts(&mut fields, self.minimum_payouts.as_deref()),
            gates: gates(&mut fields, self.gates.as_deref()),
        };
        fields.finish(Some(patch))
    }
}

fn zone(fields: &mut Fields, name: Option<&str>) -> Option<ProgramZone> {
    fields.keep("/time_zone", "unknown_time_zone", name?.parse())
}

/// The amounts that are good; each of the others is noted at its place in the list.
fn minimum_payouts(fields: &mut Fields, bodies: Option<&[MoneyBody]>) -> Option<Vec<Money>> {
    let mut amounts: Vec<Money> = Vec::new();
    for (index, body) in bodies?.iter().enumerate() {
        let pointer = format!("/minimum_payouts/{index}");
        let Some(amount) = fields.money(&pointer, body) else {
            continue;
        };
        fields.require(
            amount.is_positive(),
            &format!("{pointer}/amount"),
            "not_positive",
            "The amount must be above zero.",
        );
        fields.require(
            amounts.iter().all(|known| known.currency() != amount.currency()),
            &format!("{pointer}/currency"),
            "duplicate_currency",
            "The list has an amount in this currency already.",
        );
        amounts.push(amount);
    }
    Some(amounts)
}

/// A program: a set of written terms for one motion.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Program, examples(json!({"id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "terms-2026", "name": "Referral Europe", "motion": "referral", "time_zone": "Europe/Berlin", "rounding": "half_up", "commission_approval": "manual", "lock_point": "deal_won", "fx_policy": "at_accrual", "clawback_window_days": 90, "minimum_payouts": [{"amount": "50.00", "currency": "EUR"}], "gates": [{"blocks": "paying", "requires": "tax_form", "product_family_ids": [], "countries": []}], "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct ProgramView {
    /// Its id.
    pub id: ProgramId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(max_length = 255, example = "Referral Europe")]
    pub name: String,
    /// The way of selling that it is made for.
    pub motion: Motion,
    /// The time zone of its days and months (IANA name).
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub time_zone: String,
    /// What happens to an amount exactly in the middle of two.
    pub rounding: Rounding,
    /// Whether commissions that are due are approved by themselves or by a person.
    pub commission_approval: CommissionApproval,
    /// The moment at which the terms of a deal are fixed.
    pub lock_point: LockPoint,
    /// When what a partner earns in another currency than it is paid in is exchanged: when it is earned, or when it is
    /// paid.
    pub fx_policy: FxPolicy,
    /// Refunds after this many days take no commission back; without it there is no end.
    #[schema(required, minimum = 0, maximum = 3650)]
    pub clawback_window_days: Option<i32>,
    /// What a payout must reach to be made, at most one amount per currency.
    #[schema(max_items = 200)]
    pub minimum_payouts: Vec<MoneyBody>,
    /// What partners must have on file before they register, earn or are paid.
    #[schema(max_items = 50)]
    pub gates: Vec<GateBody>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        Self {
            id: program.id,
            external_id: program.external_id,
            name: program.name,
            motion: program.motion,
            time_zone: program.time_zone.name().to_owned(),
            rounding: program.rounding,
            commission_approval: program.commission_approval,
            lock_point: program.lock_point,
            fx_policy: program.fx_policy,
            clawback_window_days: program.clawback_window_days,
            minimum_payouts: program.minimum_payouts.into_iter().map(MoneyBody::from).collect(),
            gates: program.gates.into_iter().map(GateBody::from).collect(),
            created_at: program.created_at,
            updated_at: program.updated_at,
        }
    }
}

page_of!(ProgramPage, ProgramView, "programs");

/// The order of a list of programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ProgramSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
}

/// What a list of programs is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProgramsQuery {
    /// Only programs for one of these motions; repeat for several.
    #[serde(default)]
    #[param(max_items = 6)]
    pub motion: Vec<Motion>,
    /// Only the program with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: ProgramSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ProgramsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ProgramFilter {
        ProgramFilter {
            motions: self.motion.clone(),
            external_id: self.external_id.clone(),
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                ProgramSort::Newest => ProgramOrder::Newest,
                ProgramSort::Oldest => ProgramOrder::Oldest,
                ProgramSort::Name => ProgramOrder::Name,
                ProgramSort::NameDescending => ProgramOrder::NameDescending,
            },
        }
    }
}

/// The program that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProgramPath {
    /// The program.
    pub program_id: ProgramId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(amounts: serde_json::Value) -> Vec<(String, String)> {
        let bodies: Vec<MoneyBody> = serde_json::from_value(amounts).unwrap();
        let mut fields = Fields::new();
        let found = minimum_payouts(&mut fields, Some(&bodies));
        match fields.finish(found) {
            Ok(_) => Vec::new(),
            Err(problem) => problem
                .errors
                .into_iter()
                .map(|error| (error.pointer, error.code))
                .collect(),
        }
    }

    #[test]
    fn one_positive_amount_per_currency_is_taken() {
        let amounts = serde_json::json!([
            { "amount": "50.00", "currency": "EUR" },
            { "amount": "5000", "currency": "JPY" },
        ]);
        assert_eq!(refused(amounts), []);
    }

    #[test]
    fn every_bad_amount_is_named_at_its_place() {
        let amounts = serde_json::json!([
            { "amount": "50.00", "currency": "EUR" },
            { "amount": "5000.5", "currency": "JPY" },
            { "amount": "0", "currency": "USD" },
            { "amount": "60", "currency": "EUR" },
            { "amount": "60", "currency": "QQQ" },
        ]);
        let expected = [
            ("/minimum_payouts/1/amount", "too_many_decimals"),
            ("/minimum_payouts/2/amount", "not_positive"),
            ("/minimum_payouts/3/currency", "duplicate_currency"),
            ("/minimum_payouts/4/currency", "unknown_currency"),
        ];
        assert_eq!(
            refused(amounts),
            expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        );
    }
}
