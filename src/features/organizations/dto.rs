//! The organization on the wire.

use super::domain::{ClockAdvance, Organization, OrganizationMode, OrganizationPatch};
use crate::kernel::iban::Iban;
use crate::kernel::id::OrganizationId;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::web::Fields;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use validator::Validate;

/// The organization that your credential belongs to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Organization, examples(json!({"id": "org_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Example Cloud", "mode": "live", "time_zone": "Europe/London", "default_currency": "GBP", "dormant_after_days": 90, "second_factor_for_payouts": false, "payout_method_cooling_off_hours": 72, "payout_debtor_name": "Example Cloud Ltd", "payout_debtor_masked_iban": "DE****3000", "payout_debtor_bic": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct OrganizationView {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// What it is for: live or sandbox.
    pub mode: OrganizationMode,
    /// The time zone of programs that name none (IANA name).
    #[schema(max_length = 64, example = "Europe/London")]
    pub time_zone: String,
    /// The currency of reports that name none, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub default_currency: String,
    /// A partner without a meaningful action for this many days is dormant.
    #[schema(minimum = 1, maximum = 3650)]
    pub dormant_after_days: i32,
    /// Whether payouts are approved, and where they go is changed, only by people who signed in with a second factor.
    pub second_factor_for_payouts: bool,
    /// Hours between the confirmation of a payout method and the first payment by it.
    #[schema(minimum = 0, maximum = 720)]
    pub payout_method_cooling_off_hours: i32,
    /// Whose account payouts by SEPA credit transfer are made from.
    #[schema(required, max_length = 70)]
    pub payout_debtor_name: Option<String>,
    /// The country and the last four characters of that account's number.
    #[schema(required, max_length = 16, pattern = r"^[A-Z]{2}\*{4}[A-Z0-9]{4}$")]
    pub payout_debtor_masked_iban: Option<String>,
    /// The bank of that account (BIC).
    #[schema(required, max_length = 11)]
    pub payout_debtor_bic: Option<String>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> Self {
        let (name, iban, bic) = match organization.payout_debtor {
            Some(debtor) => (Some(debtor.name), Some(debtor.iban.masked()), debtor.bic),
            None => (None, None, None),
        };
        Self {
            id: organization.id,
            name: organization.name,
            mode: organization.mode,
            time_zone: organization.time_zone.name().to_owned(),
            default_currency: organization.default_currency.code().to_owned(),
            dormant_after_days: organization.dormant_after_days,
            second_factor_for_payouts: organization.second_factor_for_payouts,
            payout_method_cooling_off_hours: organization.payout_method_cooling_off_hours,
            payout_debtor_name: name,
            payout_debtor_masked_iban: iban,
            payout_debtor_bic: bic,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

/// Changes of the settings: absent leaves a field as it is.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = OrganizationUpdate, min_properties = 1, examples(json!({"time_zone": "Europe/London", "default_currency": "GBP"})))]
#[serde(deny_unknown_fields)]
pub struct PatchOrganizationBody {
    /// Its name.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Example Cloud"
    )]
    pub name: Option<String>,
    /// The time zone of programs that name none (IANA name).
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9_+/-]+$",
        example = "Europe/London"
    )]
    pub time_zone: Option<String>,
    /// The currency of reports that name none, ISO 4217.
    #[schema(nullable = false, max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub default_currency: Option<String>,
    /// A partner without a meaningful action for this many days is dormant.
    #[schema(nullable = false, minimum = 1, maximum = 3650, example = 90)]
    pub dormant_after_days: Option<i32>,
    /// Whether payouts are approved, and where they go is changed, only by people who signed in with a second factor.
    /// Only such a person changes this.
    #[schema(nullable = false)]
    pub second_factor_for_payouts: Option<bool>,
    /// Hours between the confirmation of a payout method and the first payment by it; for methods that are confirmed
    /// from now on.
    #[schema(nullable = false, minimum = 0, maximum = 720, example = 72)]
    pub payout_method_cooling_off_hours: Option<i32>,
    /// Whose account payouts by SEPA credit transfer are made from; `null` with the number for none.
    #[serde(default)]
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 70,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Example Cloud Ltd"
    )]
    pub payout_debtor_name: Patch<String>,
    /// The number of that account (IBAN), with or without spaces, in a country of the single euro payments area.
    #[serde(default)]
    #[schema(
        value_type = Option<String>,
        min_length = 15,
        max_length = 42,
        pattern = "^[A-Z]{2}[0-9]{2}[A-Z0-9 ]+$",
        example = "DE89 3704 0044 0532 0130 00"
    )]
    pub payout_debtor_iban: Patch<String>,
    /// The bank of that account (BIC), if it wants to be named.
    #[serde(default)]
    #[schema(
        value_type = Option<String>,
        max_length = 11,
        pattern = "^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$",
        example = "COBADEFFXXX"
    )]
    pub payout_debtor_bic: Patch<String>,
}

/// Without what must not be logged.
impl fmt::Debug for PatchOrganizationBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PatchOrganizationBody")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PatchOrganizationBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<OrganizationPatch, Problem> {
        let mut fields = Fields::new();
        let zone = self
            .time_zone
            .as_deref()
            .and_then(|name| fields.keep("/time_zone", "unknown_time_zone", name.parse()));
        let currency = self
            .default_currency
            .as_deref()
            .and_then(|code| fields.currency("/default_currency", code));
        let iban = match &self.payout_debtor_iban {
            Patch::Set(number) => {
                match fields.keep("/payout_debtor_iban", "invalid_iban", number.parse::<Iban>()) {
                    Some(iban) if !iban.is_of_sepa() => {
                        let message = "The account is outside the single euro payments area.";
                        fields.refuse("/payout_debtor_iban", "not_in_sepa", message);
                        Patch::Absent
                    }
                    iban => iban.map_or(Patch::Absent, Patch::Set),
                }
            }
            Patch::Clear => Patch::Clear,
            Patch::Absent => Patch::Absent,
        };
        let patch = OrganizationPatch {
            name: self.name.clone(),
            time_zone: zone,
            default_currency: currency,
            dormant_after_days: self.dormant_after_days,
            second_factor_for_payouts: self.second_factor_for_payouts,
            payout_method_cooling_off_hours: self.payout_method_cooling_off_hours,
            payout_debtor_name: self.payout_debtor_name.clone(),
            payout_debtor_iban: iban,
            payout_debtor_bic: self.payout_debtor_bic.clone(),
        };
        fields.finish(Some(patch))
    }
}

/// What time it is in the organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OrganizationClock, examples(json!({"mode": "sandbox", "current_at": "2026-06-01T08:00:00Z", "wall_clock_at": "2026-03-02T08:00:00Z", "ahead_seconds": 7862400})))]
pub struct ClockView {
    /// What the organization is for; only the clock of a sandbox can be advanced.
    pub mode: OrganizationMode,
    /// What the organization's clock shows. Deadlines, holds and what happens in it go by this.
    pub current_at: DateTime<Utc>,
    /// What the service's own clock shows. Keys, tokens and sessions end by this.
    pub wall_clock_at: DateTime<Utc>,
    /// How far the organization's clock is ahead, in whole seconds; 0 for a live organization.
    #[schema(minimum = 0, maximum = 3_153_600_000_i64)]
    pub ahead_seconds: i64,
}

impl ClockView {
    /// The organization's clock at this instant of the machine's.
    pub fn new(organization: &Organization, wall_now: DateTime<Utc>) -> Self {
        Self {
            mode: organization.mode,
            current_at: organization.present(wall_now),
            wall_clock_at: wall_now,
            ahead_seconds: organization.clock_offset.num_seconds(),
        }
    }
}

/// How far to advance the clock: by some time, or until an instant.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ClockAdvance, min_properties = 1, max_properties = 1, examples(json!({"by_seconds": 7776000}), json!({"until_at": "2026-06-01T08:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct AdvanceClockBody {
    /// Advance by this many seconds.
    #[schema(nullable = false, minimum = 1, maximum = 315_360_000, example = 7_776_000)]
    pub by_seconds: Option<i32>,
    /// Advance until the clock shows this instant, which must lie ahead.
    #[schema(nullable = false, example = "2026-06-01T08:00:00Z")]
    pub until_at: Option<DateTime<Utc>>,
}

impl AdvanceClockBody {
    /// The body as business speaks of it.
    pub fn advance(&self) -> Result<ClockAdvance, Problem> {
        let by = |seconds: i32| ClockAdvance::By(TimeDelta::seconds(seconds.into()));
        let until = |instant: DateTime<Utc>| ClockAdvance::Until(instant.trunc_subsecs(6));
        match (self.by_seconds, self.until_at) {
            (Some(seconds), None) => Ok(by(seconds)),
            (None, Some(instant)) => Ok(until(instant)),
            _ => {
                let message = "Send one of by_seconds and until_at.";
                Err(Problem::field("", "invalid_value", message))
            }
        }
    }
}
