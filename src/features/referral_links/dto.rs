//! Referral links and clicks on the wire.

use super::domain::{
    Click, Conversion, NewReferralLink, ReferralLink, ReferralLinkStatus, ReportedClick, Tally, is_bot,
};
use super::store::{ClickFilter, ReferralLinkFilter};
use crate::features::deal_rules::Qualification;
use crate::features::referrals::Lead;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{ClickId, PartnerId, ProductFamilyId, ProgramId, ReferralId, ReferralLinkId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A link to make.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralLinkCreate, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "target_url": "https://example.com/pricing"})))]
#[serde(deny_unknown_fields)]
pub struct NewReferralLinkBody {
    /// Whose it is. A partner's own caller need not say.
    #[schema(nullable = false)]
    pub partner_id: Option<PartnerId>,
    /// In which of the partner's programs.
    pub program_id: ProgramId,
    /// What tells it from all other links; one is drawn when left out.
    #[schema(
        nullable = false,
        min_length = 3,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9-]+[a-z0-9]$",
        example = "nordlicht-spring"
    )]
    pub code: Option<String>,
    /// Where it leads.
    #[schema(
        min_length = 9,
        max_length = 1024,
        pattern = r"^https?://[^\s\x00]+$",
        example = "https://example.com/pricing"
    )]
    pub target_url: String,
}

impl NewReferralLinkBody {
    /// The body as business speaks of it.
    pub fn terms(&self) -> NewReferralLink {
        NewReferralLink {
            partner_id: self.partner_id,
            program_id: self.program_id,
            code: self.code.clone(),
            target_url: self.target_url.clone(),
        }
    }
}

/// An address that a partner passes on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralLink, examples(json!({"id": "rln_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "code": "nordlicht-spring", "target_url": "https://example.com/pricing", "status": "active", "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z"})))]
pub struct ReferralLinkView {
    /// Its id.
    pub id: ReferralLinkId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// What tells it from all other links.
    #[schema(max_length = 64)]
    pub code: String,
    /// Where it leads.
    #[schema(max_length = 1024)]
    pub target_url: String,
    /// Where it stands: active or retired.
    pub status: ReferralLinkStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<ReferralLink> for ReferralLinkView {
    fn from(link: ReferralLink) -> Self {
        Self {
            id: link.id,
            partner_id: link.partner_id,
            program_id: link.program_id,
            code: link.code,
            target_url: link.target_url,
            status: link.status,
            created_at: link.created_at,
            updated_at: link.updated_at,
        }
    }
}

page_of!(ReferralLinkPage, ReferralLinkView, "referral links");

/// Somebody came by a link.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ClickReport, examples(json!({"code": "nordlicht-spring", "visitor": "v-7f3a9c", "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"})))]
#[serde(deny_unknown_fields)]
pub struct ReportedClickBody {
    /// The link's code.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00]+$",
        example = "nordlicht-spring"
    )]
    pub code: String,
    /// Your key for the visitor, such as the value of a cookie; no name and no address.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\x00]+$",
        example = "v-7f3a9c"
    )]
    pub visitor: String,
    /// When; not in the future, and now when left out.
    #[schema(nullable = false)]
    pub clicked_at: Option<DateTime<Utc>>,
    /// What the visitor's browser calls itself. It tells machines, and is not kept.
    #[schema(
        max_length = 512,
        pattern = r"^[^\x00]*$",
        example = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    )]
    pub user_agent: String,
}

/// Clicks to report, in any order.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ClickReports, examples(json!({"clicks": [{"code": "nordlicht-spring", "visitor": "v-7f3a9c", "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}]})))]
#[serde(deny_unknown_fields)]
pub struct ReportedClicksBody {
    /// The clicks.
    #[schema(min_items = 1, max_items = 1000)]
    pub clicks: Vec<ReportedClickBody>,
}

impl ReportedClicksBody {
    /// The clicks of people, and how many were those of machines.
    pub fn clicks(&self, now: DateTime<Utc>) -> Result<(Vec<ReportedClick>, i64), Problem> {
        let mut fields = Fields::new();
        let (mut people, mut bots) = (Vec::new(), 0);
        for (index, click) in self.clicks.iter().enumerate() {
            let clicked_at = click.clicked_at.map_or(now, |instant| instant.trunc_subsecs(6));
            fields.require(
                clicked_at <= now,
                &format!("/clicks/{index}/clicked_at"),
                "in_future",
                "The instant is in the future; it may be now or earlier.",
            );
            if is_bot(&click.user_agent) {
                bots += 1;
            } else {
                people.push(ReportedClick {
                    code: click.code.clone(),
                    visitor: click.visitor.clone(),
                    clicked_at,
                });
            }
        }
        fields.finish(Some((people, bots)))
    }
}

/// What became of the clicks that were reported.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClickTally, examples(json!({"recorded": 96, "repeated": 2, "bots": 1, "unknown": 1})))]
pub struct TallyView {
    /// Those that count.
    #[schema(minimum = 0, maximum = 1000)]
    pub recorded: i64,
    /// Those of a visitor whose click by the same link in the same half hour counts already.
    #[schema(minimum = 0, maximum = 1000)]
    pub repeated: i64,
    /// Those of machines, as their user agents say.
    #[schema(minimum = 0, maximum = 1000)]
    pub bots: i64,
    /// Those by a code that no active link has.
    #[schema(minimum = 0, maximum = 1000)]
    pub unknown: i64,
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        Self {
            recorded: tally.recorded,
            repeated: tally.repeated,
            bots: tally.bots,
            unknown: tally.unknown,
        }
    }
}

/// Somebody who came by a link, within half an hour.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Click, examples(json!({"id": "clk_01j9zq4y8k7m5n3p2r1s0t6v4w", "referral_link_id": "rln_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "visitor": "v-7f3a9c", "clicked_at": "2026-03-02T09:12:00Z", "last_clicked_at": "2026-03-02T09:20:00Z", "referral_id": null})))]
pub struct ClickView {
    /// Its id.
    pub id: ClickId,
    /// By which link.
    pub referral_link_id: ReferralLinkId,
    /// Whose link that is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// Your key for the visitor; partners are not told.
    #[schema(required, max_length = 128)]
    pub visitor: Option<String>,
    /// When the visitor first came in this half hour.
    pub clicked_at: DateTime<Utc>,
    /// When the visitor last came in this half hour.
    pub last_clicked_at: DateTime<Utc>,
    /// The referral that it became.
    #[schema(required)]
    pub referral_id: Option<ReferralId>,
}

impl ClickView {
    /// The click as this caller may see it.
    pub fn of(click: Click, scope: &Scope) -> Self {
        Self {
            id: click.id,
            referral_link_id: click.referral_link_id,
            partner_id: click.partner_id,
            program_id: click.program_id,
            visitor: Some(click.visitor).filter(|_| scope.partner_id.is_none()),
            clicked_at: click.clicked_at,
            last_clicked_at: click.last_clicked_at,
            referral_id: click.referral_id,
        }
    }
}

page_of!(ClickPage, ClickView, "clicks");

/// A visitor who makes itself known: the lead that it becomes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = VisitorConversion, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "visitor": "v-7f3a9c", "company_name": "Hansa Logistik", "company_domain": "hansa-logistik.example", "country": "DE", "contact_email": "jonas@hansa-logistik.example"})))]
#[serde(deny_unknown_fields)]
pub struct ConvertVisitorBody {
    /// In which program.
    pub program_id: ProgramId,
    /// Your key for the visitor, as in its clicks.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\x00]+$",
        example = "v-7f3a9c"
    )]
    pub visitor: String,
    /// The name of the company.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Hansa Logistik"
    )]
    pub company_name: String,
    /// Its internet domain, in lower case.
    #[schema(
        nullable = false,
        max_length = 253,
        pattern = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        example = "hansa-logistik.example"
    )]
    pub company_domain: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
    /// Whom to talk to.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Jonas Petersen"
    )]
    pub contact_name: Option<String>,
    /// The person's e-mail address.
    #[schema(
        nullable = false,
        max_length = 254,
        pattern = r"^[^@\s\x00]+@[^@\s\x00]+$",
        example = "jonas@hansa-logistik.example"
    )]
    pub contact_email: Option<String>,
    /// What the company needs.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What the deal may be worth; not negative.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// What the program asks: as `GET /v1/programs/{program_id}/qualification-schema` says.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub qualification: Qualification,
    /// What else there is to say; the partner reads it.
    #[schema(nullable = false, max_length = 4000, pattern = r"^[^\x00]*$")]
    pub note: Option<String>,
}

impl ConvertVisitorBody {
    /// The lead as business speaks of it.
    pub fn lead(&self) -> Result<Lead, Problem> {
        let mut fields = Fields::new();
        let body = self.clone();
        let amount = body
            .amount
            .as_ref()
            .and_then(|amount| fields.money("/amount", amount));
        let is_positive = amount.is_none_or(|amount| !amount.is_negative());
        fields.require(
            is_positive,
            "/amount/amount",
            "negative",
            "The amount must not be below zero.",
        );
        fields.finish(Some(Lead {
            company_name: body.company_name,
            company_domain: body.company_domain,
            country: body.country,
            contact_name: body.contact_name,
            contact_email: body.contact_email,
            product_family_id: body.product_family_id,
            amount,
            is_public_tender: false,
            qualification: body.qualification,
            note: body.note,
        }))
    }
}

/// A visitor became a referral.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralLinkConversion, examples(json!({"referral_id": "ref_01j9zq4y8k7m5n3p2r1s0t6v4w", "referral_link_id": "rln_01j9zq4y8k7m5n3p2r1s0t6v4w", "click_id": "clk_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "clicked_at": "2026-03-02T09:20:00Z", "converted_at": "2026-03-05T14:00:00Z"})))]
pub struct ConversionView {
    /// The referral.
    pub referral_id: ReferralId,
    /// The link by which the visitor came.
    pub referral_link_id: ReferralLinkId,
    /// The click that is credited.
    pub click_id: ClickId,
    /// Whose link that is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// When the visitor came.
    pub clicked_at: DateTime<Utc>,
    /// When it became a referral.
    pub converted_at: DateTime<Utc>,
}

impl From<Conversion> for ConversionView {
    fn from(conversion: Conversion) -> Self {
        Self {
            referral_id: conversion.referral_id,
            referral_link_id: conversion.referral_link_id,
            click_id: conversion.click_id,
            partner_id: conversion.partner_id,
            program_id: conversion.program_id,
            clicked_at: conversion.clicked_at,
            converted_at: conversion.converted_at,
        }
    }
}

/// What a list of referral links is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReferralLinksQuery {
    /// Only links of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only links in this program.
    pub program_id: Option<ProgramId>,
    /// Only links in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 2)]
    pub status: Vec<ReferralLinkStatus>,
    /// Only the link with this code.
    #[param(min_length = 1, max_length = 64, pattern = r"^[^\x00]+$")]
    pub code: Option<String>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ReferralLinksQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ReferralLinkFilter {
        ReferralLinkFilter {
            partner_id: self.partner_id,
            program_id: self.program_id,
            statuses: self.status.clone(),
            code: self.code.clone(),
        }
    }
}

/// What a list of clicks is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClicksQuery {
    /// Only clicks by this link.
    pub referral_link_id: Option<ReferralLinkId>,
    /// Only clicks by links of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only clicks in this program.
    pub program_id: Option<ProgramId>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ClicksQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ClickFilter {
        ClickFilter {
            referral_link_id: self.referral_link_id,
            partner_id: self.partner_id,
            program_id: self.program_id,
        }
    }
}

/// The link that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReferralLinkPath {
    /// The link.
    pub referral_link_id: ReferralLinkId,
}
