//! Deals on the wire.

use super::domain::{Deal, DealPatch, DealStatus, DealType, NewDeal, WinWarning};
use super::store::{DealFilter, DealOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealId, PartnerId, PipelineStageId, ProductFamilyId, ProgramId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// An opportunity to open. Without program and partner it is a direct deal.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealCreate, examples(json!({"name": "Fleet telematics for Hansa Logistik", "external_id": "crm-opportunity-118", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "deal_type": "new", "amount": {"amount": "48000.00", "currency": "EUR"}, "opened_on": "2026-03-02", "expected_close_on": "2026-06-30"})))]
#[serde(deny_unknown_fields)]
pub struct NewDealBody {
    /// Your own key for the deal; unique among your deals.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-opportunity-118"
    )]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Fleet telematics for Hansa Logistik"
    )]
    pub name: String,
    /// The customer.
    pub account_id: AccountId,
    /// The program under which it is made; left out for a direct deal.
    #[schema(nullable = false)]
    pub program_id: Option<ProgramId>,
    /// The partner that made it; left out for a direct deal.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// What is sold.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// The step of the pipeline that it has reached.
    #[schema(nullable = false)]
    pub stage_id: Option<PipelineStageId>,
    /// New business, renewal or expansion; `new` when left out.
    #[schema(nullable = false)]
    pub deal_type: Option<DealType>,
    /// What it is worth; not negative.
    pub amount: MoneyBody,
    /// The day on which it was opened; today in UTC when left out.
    #[schema(nullable = false)]
    pub opened_on: Option<NaiveDate>,
    /// The day on which it is expected to close; not before `opened_on`.
    #[schema(nullable = false)]
    pub expected_close_on: Option<NaiveDate>,
    /// Whether partners above those that it concerns see neither it nor the credit for it; not hidden when left out.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
    /// Which partner your CRM says brought the deal, in its own words. It gives nobody credit.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht Consulting"
    )]
    pub crm_partner_source: Option<String>,
    /// Which partner your CRM says helped, in its own words. It gives nobody credit.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Nordlicht Consulting"
    )]
    pub crm_partner_influence: Option<String>,
}

impl NewDealBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> Result<NewDeal, Problem> {
        let mut fields = Fields::new();
        let amount = fields.money("/amount", &self.amount);
        let amount = fields.finish(amount)?;
        Ok(NewDeal {
            external_id: self.external_id.clone(),
            name: self.name.clone(),
            account_id: self.account_id,
            program_id: self.program_id,
            partner_id: self.partner_id,
            product_family_id: self.product_family_id,
            stage_id: self.stage_id,
            deal_type: self.deal_type.unwrap_or(DealType::New),
            amount,
            opened_on: self.opened_on,
            expected_close_on: self.expected_close_on,
            hidden_from_parent: self.hidden_from_parent.unwrap_or(false),
            crm_partner_source: self.crm_partner_source.clone(),
            crm_partner_influence: self.crm_partner_influence.clone(),
        })
    }
}

/// Changes of a deal: absent leaves a field as it is, `null` clears it. Sending a value that the deal has already is
/// never refused.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealUpdate, min_properties = 1, examples(json!({"amount": {"amount": "52000.00", "currency": "EUR"}, "expected_close_on": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchDealBody {
    /// Your own key for the deal.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "crm-opportunity-118")]
    pub external_id: Patch<String>,
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Fleet telematics for Hansa Logistik"
    )]
    pub name: Option<String>,
    /// The customer.
    #[schema(nullable = false)]
    pub account_id: Option<AccountId>,
    /// What is sold; settled once the deal is won.
    #[serde(default)]
    #[schema(value_type = Option<ProductFamilyId>)]
    pub product_family_id: Patch<ProductFamilyId>,
    /// The step of the pipeline; only while the deal is open.
    #[serde(default)]
    #[schema(value_type = Option<PipelineStageId>)]
    pub stage_id: Patch<PipelineStageId>,
    /// New business, renewal or expansion; settled once the deal is won.
    #[schema(nullable = false)]
    pub deal_type: Option<DealType>,
    /// What it is worth; not negative, and settled once the deal is won.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// The day on which it was opened.
    #[schema(nullable = false)]
    pub opened_on: Option<NaiveDate>,
    /// The day on which it is expected to close; not before `opened_on`.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub expected_close_on: Patch<NaiveDate>,
    /// Whether partners above those that it concerns see neither it nor the credit for it.
    #[schema(nullable = false)]
    pub hidden_from_parent: Option<bool>,
    /// Which partner your CRM says brought the deal.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "Nordlicht Consulting")]
    pub crm_partner_source: Patch<String>,
    /// Which partner your CRM says helped.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "Nordlicht Consulting")]
    pub crm_partner_influence: Patch<String>,
}

impl PatchDealBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<DealPatch, Problem> {
        let mut fields = Fields::new();
        let amount = match &self.amount {
            Some(amount) => fields.money("/amount", amount).map(Some),
            None => Some(None),
        };
        let amount = fields.finish(amount)?;
        Ok(DealPatch {
            external_id: self.external_id.clone(),
            name: self.name.clone(),
            account_id: self.account_id,
            product_family_id: self.product_family_id.clone(),
            stage_id: self.stage_id.clone(),
            deal_type: self.deal_type,
            amount,
            opened_on: self.opened_on,
            expected_close_on: self.expected_close_on.clone(),
            hidden_from_parent: self.hidden_from_parent,
            crm_partner_source: self.crm_partner_source.clone(),
            crm_partner_influence: self.crm_partner_influence.clone(),
        })
    }
}

/// A deal that the customer agreed to.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[schema(as = DealWin, examples(json!({"won_at": "2026-05-18T14:05:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct WinDealBody {
    /// When it was won; not in the future, and now when left out.
    #[schema(nullable = false)]
    pub won_at: Option<DateTime<Utc>>,
}

/// A deal that the customer turned down.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealLose, examples(json!({"reason": "The customer chose to build it in-house.", "lost_at": "2026-05-18T14:05:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct LoseDealBody {
    /// Why, for a person; kept with the deal.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The customer chose to build it in-house."
    )]
    pub reason: String,
    /// When it was lost; not in the future, and now when left out.
    #[schema(nullable = false)]
    pub lost_at: Option<DateTime<Utc>>,
}

/// A deal: an opportunity with amount, stage and close date.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Deal, examples(json!({"id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "crm-opportunity-118", "name": "Fleet telematics for Hansa Logistik", "account_id": "acc_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "product_family_id": null, "stage_id": null, "deal_type": "new", "status": "won", "amount": {"amount": "48000.00", "currency": "EUR"}, "opened_on": "2026-03-02", "expected_close_on": "2026-06-30", "hidden_from_parent": false, "crm_partner_source": "Nordlicht", "crm_partner_influence": null, "won_at": "2026-05-18T14:05:00Z", "lost_at": null, "lost_reason": null, "created_at": "2026-03-02T09:30:00Z", "updated_at": "2026-05-18T14:06:12Z", "warnings": []})))]
pub struct DealView {
    /// Its id.
    pub id: DealId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// The customer.
    pub account_id: AccountId,
    /// The program under which it is made; `null` for a direct deal.
    #[schema(required)]
    pub program_id: Option<ProgramId>,
    /// The partner that made it; `null` for a direct deal.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// What is sold.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// The step of the pipeline that it has reached.
    #[schema(required)]
    pub stage_id: Option<PipelineStageId>,
    /// New business, renewal or expansion.
    pub deal_type: DealType,
    /// Where it stands: open, won or lost.
    pub status: DealStatus,
    /// What it is worth.
    pub amount: MoneyBody,
    /// The day on which it was opened.
    pub opened_on: NaiveDate,
    /// The day on which it is expected to close.
    #[schema(required)]
    pub expected_close_on: Option<NaiveDate>,
    /// Whether partners above those that it concerns see neither it nor the credit for it.
    pub hidden_from_parent: bool,
    /// Which partner the CRM says brought the deal, in its own words. It gives nobody credit, and a partner's own caller
    /// reads `null`.
    #[schema(required, max_length = 255)]
    pub crm_partner_source: Option<String>,
    /// Which partner the CRM says helped, in its own words. It gives nobody credit, and a partner's own caller reads
    /// `null`.
    #[schema(required, max_length = 255)]
    pub crm_partner_influence: Option<String>,
    /// When it was won.
    #[schema(required)]
    pub won_at: Option<DateTime<Utc>>,
    /// When it was lost.
    #[schema(required)]
    pub lost_at: Option<DateTime<Utc>>,
    /// Why it was lost.
    #[schema(required, max_length = 1000)]
    pub lost_reason: Option<String>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Why the payments of a deal that was just won earn nobody anything; empty in every other answer.
    #[schema(max_items = 2)]
    pub warnings: Vec<WinWarning>,
}

impl From<Deal> for DealView {
    fn from(deal: Deal) -> Self {
        Self {
            id: deal.id,
            external_id: deal.external_id,
            name: deal.name,
            account_id: deal.account_id,
            program_id: deal.program_id,
            partner_id: deal.partner_id,
            product_family_id: deal.product_family_id,
            stage_id: deal.stage_id,
            deal_type: deal.deal_type,
            status: deal.state.status(),
            amount: deal.amount.into(),
            opened_on: deal.opened_on,
            expected_close_on: deal.expected_close_on,
            hidden_from_parent: deal.hidden_from_parent,
            crm_partner_source: deal.crm_partner_source,
            crm_partner_influence: deal.crm_partner_influence,
            won_at: deal.state.won_at(),
            lost_at: deal.state.lost_at(),
            lost_reason: deal.state.lost_reason().map(str::to_owned),
            created_at: deal.created_at,
            updated_at: deal.updated_at,
            warnings: Vec::new(),
        }
    }
}

page_of!(DealPage, DealView, "deals");

/// The order of a list of deals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum DealSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
    /// The last opened first.
    #[serde(rename = "-opened_on")]
    LastOpened,
    /// The first opened first.
    #[serde(rename = "opened_on")]
    FirstOpened,
}

/// What a list of deals is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DealsQuery {
    /// Only deals in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 3)]
    pub status: Vec<DealStatus>,
    /// Only the deal with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only deals of this customer.
    pub account_id: Option<AccountId>,
    /// Only deals under this program.
    pub program_id: Option<ProgramId>,
    /// Only deals that this partner made.
    pub partner_id: Option<PartnerId>,
    /// Only deals of this product family.
    pub product_family_id: Option<ProductFamilyId>,
    /// Only deals at this step of the pipeline.
    pub stage_id: Option<PipelineStageId>,
    /// Only deals opened on or after this day.
    pub opened_on_gte: Option<NaiveDate>,
    /// Only deals opened before this day.
    pub opened_on_lt: Option<NaiveDate>,
    /// Only what was created at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what was created before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: DealSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl DealsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> DealFilter {
        DealFilter {
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            account_id: self.account_id,
            program_id: self.program_id,
            partner_id: self.partner_id,
            product_family_id: self.product_family_id,
            stage_id: self.stage_id,
            opened_on_gte: self.opened_on_gte,
            opened_on_lt: self.opened_on_lt,
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                DealSort::Newest => DealOrder::Newest,
                DealSort::Oldest => DealOrder::Oldest,
                DealSort::LastOpened => DealOrder::LastOpened,
                DealSort::FirstOpened => DealOrder::FirstOpened,
            },
        }
    }
}

/// The deal that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DealPath {
    /// The deal.
    pub deal_id: DealId,
}
