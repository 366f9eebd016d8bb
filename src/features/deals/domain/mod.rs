//! What a deal is and how it moves.

#[cfg(test)]
mod tests;

use crate::kernel::id::{AccountId, DealId, PartnerId, PipelineStageId, ProductFamilyId, ProgramId};
use crate::kernel::money::Money;
pub use crate::kernel::motion::DealType;
use crate::kernel::patch::Patch;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

word_enum! {
    /// The name of a deal's state.
    DealStatus, "deal status" {
        /// It may still be won or lost.
        Open = "open",
        /// The customer bought.
        Won = "won",
        /// The customer did not buy.
        Lost = "lost",
    }
}

impl DealStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["win", "lose"],
            Self::Lost => &["reopen"],
            Self::Won => &[],
        }
    }
}

word_enum! {
    /// Why the payments of a deal that was just won earn nobody anything.
    WinWarning, "warning" {
        /// The deal is a partner's or belongs to a program, and nobody has confirmed credit for it.
        NoConfirmedCredit = "no_confirmed_credit",
        /// Partners have a part in the deal, and it belongs to no program.
        NoProgram = "no_program",
        /// None of the partners that have confirmed credit takes part in the deal's program.
        NotEnrolled = "not_enrolled",
        /// Partners have a part in the deal, and no rule of its program is in force at the instant of the win.
        WithoutRule = "no_rule",
    }
}

/// Where a deal stands, with what belongs to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DealState {
    /// It may still be won or lost.
    Open,
    /// The customer bought.
    Won {
        /// When.
        at: DateTime<Utc>,
    },
    /// The customer did not buy.
    Lost {
        /// When that was known.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
}

impl DealState {
    /// The name of the state.
    pub const fn status(&self) -> DealStatus {
        match self {
            Self::Open => DealStatus::Open,
            Self::Won { .. } => DealStatus::Won,
            Self::Lost { .. } => DealStatus::Lost,
        }
    }

    /// When the deal was won, if it was.
    pub const fn won_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Won { at } => Some(*at),
            Self::Open | Self::Lost { .. } => None,
        }
    }

    /// When the deal was lost, if it was.
    pub const fn lost_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Lost { at, .. } => Some(*at),
            Self::Open | Self::Won { .. } => None,
        }
    }

    /// Why the deal was lost, if it was.
    pub fn lost_reason(&self) -> Option<&str> {
        match self {
            Self::Lost { reason, .. } => Some(reason),
            Self::Open | Self::Won { .. } => None,
        }
    }
}

/// Written with every field in every state, so that a trail of changes shows what a move has cleared.
impl Serialize for DealState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("DealState", 4)?;
        fields.serialize_field("status", &self.status())?;
        fields.serialize_field("won_at", &self.won_at())?;
        fields.serialize_field("lost_at", &self.lost_at())?;
        fields.serialize_field("lost_reason", &self.lost_reason())?;
        fields.end()
    }
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The customer.
    pub account_id: AccountId,
    /// The program under which it is made; none for a direct deal.
    pub program_id: Option<ProgramId>,
    /// The partner that made it; none for a direct deal.
    pub partner_id: Option<PartnerId>,
    /// What is sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// The step of the pipeline that it has reached.
    pub stage_id: Option<PipelineStageId>,
    /// New business, renewal or expansion.
    pub deal_type: DealType,
    /// Where it stands.
    #[serde(flatten)]
    pub state: DealState,
    /// What it is worth; never negative.
    pub amount: Money,
    /// The day on which it was opened.
    pub opened_on: NaiveDate,
    /// The day on which it is expected to close.
    pub expected_close_on: Option<NaiveDate>,
    /// Whether the partners above those that it concerns see neither it nor the credit for it.
    pub hidden_from_parent: bool,
    /// Which partner the CRM says brought the deal, in the CRM's own words; it gives nobody credit.
    pub crm_partner_source: Option<String>,
    /// Which partner the CRM says helped, in the CRM's own words; it gives nobody credit.
    pub crm_partner_influence: Option<String>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be in this service.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new deal is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeal {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The customer.
    pub account_id: AccountId,
    /// The program under which it is made.
    pub program_id: Option<ProgramId>,
    /// The partner that made it.
    pub partner_id: Option<PartnerId>,
    /// What is sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// The step of the pipeline that it has reached.
    pub stage_id: Option<PipelineStageId>,
    /// New business, renewal or expansion.
    pub deal_type: DealType,
    /// What it is worth.
    pub amount: Money,
    /// The day on which it was opened; none is today in UTC.
    pub opened_on: Option<NaiveDate>,
    /// The day on which it is expected to close.
    pub expected_close_on: Option<NaiveDate>,
    /// Whether the partners above those that it concerns see neither it nor the credit for it.
    pub hidden_from_parent: bool,
    /// Which partner the CRM says brought the deal, in the CRM's own words; it gives nobody credit.
    pub crm_partner_source: Option<String>,
    /// Which partner the CRM says helped, in the CRM's own words; it gives nobody credit.
    pub crm_partner_influence: Option<String>,
}

/// What may be changed of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
    /// The customer.
    pub account_id: Option<AccountId>,
    /// What is sold; settled once the deal is won.
    pub product_family_id: Patch<ProductFamilyId>,
    /// The step of the pipeline; of an open deal only.
    pub stage_id: Patch<PipelineStageId>,
    /// New business, renewal or expansion; settled once the deal is won.
    pub deal_type: Option<DealType>,
    /// What it is worth; settled once the deal is won.
    pub amount: Option<Money>,
    /// The day on which it was opened.
    pub opened_on: Option<NaiveDate>,
    /// The day on which it is expected to close.
    pub expected_close_on: Patch<NaiveDate>,
    /// Whether it is hidden from the partners above those that it concerns.
    pub hidden_from_parent: Option<bool>,
    /// What the CRM says of who brought it.
    pub crm_partner_source: Patch<String>,
    /// What the CRM says of who helped.
    pub crm_partner_influence: Patch<String>,
}

impl Deal {
    /// A new, open deal.
    pub fn open(new: NewDeal, now: DateTime<Utc>) -> Result<Self, Problem> {
        let NewDeal {
            external_id,
            name,
            account_id,
            program_id,
            partner_id,
            product_family_id,
            stage_id,
            deal_type,
            amount,
            opened_on,
            expected_close_on,
            hidden_from_parent,
            crm_partner_source,
            crm_partner_influence,
        } = new;
        let mut refused = Vec::new();
        refused.extend(below_nothing(amount));
        // A day that was left out was not claimed, so it contradicts nothing.
        refused.extend(opened_on.and_then(|opened_on| closes_too_early(opened_on, expected_close_on)));
        if !refused.is_empty() {
            return Err(Problem::fields(refused));
        }
        Ok(Self {
            id: DealId::new(now),
            external_id,
            name,
            account_id,
            program_id,
            partner_id,
            product_family_id,
            stage_id,
            deal_type,
            state: DealState::Open,
            amount,
            opened_on: opened_on.unwrap_or_else(|| now.date_naive()),
            expected_close_on,
            hidden_from_parent,
            crm_partner_source,
            crm_partner_influence,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The deal with the patch applied. Sending a value that the deal has already changes nothing and is never
    /// refused, so that a connector may send whole records.
    pub fn patched(self, patch: DealPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let DealPatch {
            external_id,
            name,
            account_id,
            product_family_id,
            stage_id,
            deal_type,
            amount,
            opened_on,
            expected_close_on,
            hidden_from_parent,
            crm_partner_source,
            crm_partner_influence,
        } = patch;
        let mut after = self.clone();
        external_id.apply_to(&mut after.external_id);
        after.name = name.unwrap_or(after.name);
        after.account_id = account_id.unwrap_or(after.account_id);
        product_family_id.apply_to(&mut after.product_family_id);
        stage_id.apply_to(&mut after.stage_id);
        after.deal_type = deal_type.unwrap_or(after.deal_type);
        after.amount = amount.unwrap_or(after.amount);
        after.opened_on = opened_on.unwrap_or(after.opened_on);
        expected_close_on.apply_to(&mut after.expected_close_on);
        after.hidden_from_parent = hidden_from_parent.unwrap_or(after.hidden_from_parent);
        crm_partner_source.apply_to(&mut after.crm_partner_source);
        crm_partner_influence.apply_to(&mut after.crm_partner_influence);
        self.allows(&after)?;
        Ok(after.changed(now))
    }

    /// The open deal as that of a registration: the organization's own becomes the partner's, under the program, and it is
    /// hidden where the registration is.
    pub fn registered(
        self,
        program_id: ProgramId,
        partner_id: PartnerId,
        is_hidden: bool,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            program_id: self.program_id.or(Some(program_id)),
            partner_id: self.partner_id.or(Some(partner_id)),
            hidden_from_parent: self.hidden_from_parent || is_hidden,
            ..self.changed(now)
        }
    }

    /// The customer bought, now or at an earlier instant.
    pub fn win(self, won_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.state {
            DealState::Open => {
                let at = not_later(now, won_at, "/won_at")?;
                Ok(self.moved(DealState::Won { at }, now))
            }
            DealState::Won { .. } | DealState::Lost { .. } => Err(self.refuse("win")),
        }
    }

    /// The customer did not buy; known now or at an earlier instant.
    pub fn lose(
        self,
        reason: String,
        lost_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        match self.state {
            DealState::Open => {
                let at = not_later(now, lost_at, "/lost_at")?;
                Ok(self.moved(DealState::Lost { at, reason }, now))
            }
            DealState::Won { .. } | DealState::Lost { .. } => Err(self.refuse("lose")),
        }
    }

    /// The customer may buy after all.
    pub fn reopen(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.state {
            DealState::Lost { .. } => Ok(self.moved(DealState::Open, now)),
            DealState::Open | DealState::Won { .. } => Err(self.refuse("reopen")),
        }
    }

    /// Whether this deal may become `after` by a patch.
    fn allows(&self, after: &Self) -> Result<(), Problem> {
        let mut refused = Vec::new();
        if after.amount != self.amount {
            refused.extend(below_nothing(after.amount));
        }
        let dates = |deal: &Self| (deal.opened_on, deal.expected_close_on);
        if dates(after) != dates(self) {
            refused.extend(closes_too_early(after.opened_on, after.expected_close_on));
        }
        if !refused.is_empty() {
            return Err(Problem::fields(refused));
        }
        self.keeps_what_is_settled(after)?;
        if after.stage_id != self.stage_id && self.state != DealState::Open {
            return Err(self.refuse("change the stage"));
        }
        Ok(())
    }

    fn keeps_what_is_settled(&self, after: &Self) -> Result<(), Problem> {
        if self.state.status() != DealStatus::Won {
            return Ok(());
        }
        let settled = [
            ("/amount", after.amount != self.amount),
            (
                "/product_family_id",
                after.product_family_id != self.product_family_id,
            ),
            ("/deal_type", after.deal_type != self.deal_type),
        ];
        let errors: Vec<FieldProblem> = settled
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(pointer, _)| {
                FieldProblem::new(pointer, "settled", "It is settled, because the deal is won.")
            })
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Problem {
            errors,
            ..Problem::new(Code::DealSettled).because(
                "Amount, product family and type of a won deal stay; what changed later is another deal, or a credit \
                 note.",
            )
        })
    }

    /// What somebody who wins this deal with so many confirmed credits should know: of partners so many of which take part
    /// in its program; `has_rule` where a commission rule of that is in force.
    pub fn win_warnings(&self, credits: usize, takes_part: usize, has_rule: bool) -> Vec<WinWarning> {
        let of_partners = self.partner_id.is_some() || self.program_id.is_some() || credits > 0;
        let no_credit = (of_partners && credits == 0).then_some(WinWarning::NoConfirmedCredit);
        let no_program = (of_partners && self.program_id.is_none()).then_some(WinWarning::NoProgram);
        let outside = credits > 0 && takes_part == 0 && self.program_id.is_some();
        let outside = outside.then_some(WinWarning::NotEnrolled);
        let no_rule = of_partners && self.program_id.is_some() && !has_rule;
        let no_rule = no_rule.then_some(WinWarning::WithoutRule);
        let warnings = no_credit.into_iter().chain(no_program).chain(outside);
        warnings.chain(no_rule).collect()
    }

    fn moved(self, state: DealState, now: DateTime<Utc>) -> Self {
        Self {
            state,
            ..self.changed(now)
        }
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        let status = self.state.status();
        Problem::wrong_state(verb, status.as_str(), status.moves())
    }
}

/// The given instant, in the microseconds that are kept, or now; nothing has happened in the future.
fn not_later(
    now: DateTime<Utc>,
    given: Option<DateTime<Utc>>,
    pointer: &str,
) -> Result<DateTime<Utc>, Problem> {
    match given {
        Some(at) if at > now => Err(Problem::field(
            pointer,
            "in_future",
            "The instant is in the future; it may be now or earlier.",
        )),
        Some(at) => Ok(at.trunc_subsecs(6)),
        None => Ok(now),
    }
}

fn below_nothing(amount: Money) -> Option<FieldProblem> {
    let message = "A deal is worth nothing or more; money that goes back is a refund or a credit note.";
    amount
        .is_negative()
        .then(|| FieldProblem::new("/amount/amount", "negative", message))
}

fn closes_too_early(opened_on: NaiveDate, expected_close_on: Option<NaiveDate>) -> Option<FieldProblem> {
    let expected_close_on = expected_close_on?;
    (expected_close_on < opened_on).then(|| {
        let message = format!("The deal cannot be expected to close before it was opened on {opened_on}.");
        FieldProblem::new("/expected_close_on", "before_opened_on", message)
    })
}
