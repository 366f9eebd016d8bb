//! What an organization is.

use crate::kernel::iban::Iban;
use crate::kernel::id::OrganizationId;
use crate::kernel::money::Currency;
use crate::kernel::patch::Patch;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::time::ProgramZone;
use crate::kernel::word::word_enum;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

word_enum! {
    /// What an organization is for.
    OrganizationMode, "organization mode" {
        /// Real partners, real money.
        Live = "live",
        /// Trying things out.
        Sandbox = "sandbox",
    }
}

/// The account that credit transfers are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debtor {
    /// Whose it is.
    pub name: String,
    /// Its number; it prints and serializes masked.
    pub iban: Iban,
    /// The bank.
    pub bic: Option<String>,
}

impl Debtor {
    /// The account that is kept in these columns, if there is one.
    pub fn of_columns(
        name: Option<String>,
        iban: Option<String>,
        bic: Option<String>,
    ) -> Result<Option<Self>, Problem> {
        let of_an_account = |(name, iban): (String, String)| {
            let iban = iban.parse().map_err(Problem::damaged)?;
            Ok(Self { name, iban, bic })
        };
        name.zip(iban).map(of_an_account).transpose()
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it is for; set once.
    pub mode: OrganizationMode,
    /// The time zone of programs that name none.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: ProgramZone,
    /// The currency of reports that name none.
    pub default_currency: Currency,
    /// A partner without a meaningful action for this many days is dormant.
    pub dormant_after_days: i32,
    /// Whether payouts are approved, and where they go is changed, only by people who signed in with a second factor.
    pub second_factor_for_payouts: bool,
    /// Hours between the confirmation of a payout method and the first payment by it.
    pub payout_method_cooling_off_hours: i32,
    /// The account that payouts by credit transfer are made from.
    pub payout_debtor: Option<Debtor>,
    /// How far its clock was moved ahead of the machine's; not at all where it is live.
    #[serde(skip)]
    pub clock_offset: TimeDelta,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The farthest that a clock can be ahead of the machine's.
const FARTHEST: TimeDelta = TimeDelta::days(36_500);

/// How far a clock is advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockAdvance {
    /// By this much.
    By(TimeDelta),
    /// Until it shows this instant.
    Until(DateTime<Utc>),
}

impl ClockAdvance {
    /// The field of the body that says so.
    const fn pointer(self) -> &'static str {
        match self {
            Self::By(_) => "/by_seconds",
            Self::Until(_) => "/until_at",
        }
    }
}

/// What may be changed of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationPatch {
    /// Its name.
    pub name: Option<String>,
    /// The time zone of programs that name none.
    pub time_zone: Option<ProgramZone>,
    /// The currency of reports that name none.
    pub default_currency: Option<Currency>,
    /// Days until a partner is dormant.
    pub dormant_after_days: Option<i32>,
    /// Whether payouts take a second factor.
    pub second_factor_for_payouts: Option<bool>,
    /// Hours between the confirmation of a payout method and the first payment by it.
    pub payout_method_cooling_off_hours: Option<i32>,
    /// Whose account payouts by credit transfer are made from.
    pub payout_debtor_name: Patch<String>,
    /// The number of that account.
    pub payout_debtor_iban: Patch<Iban>,
    /// The bank of that account.
    pub payout_debtor_bic: Patch<String>,
}

impl Organization {
    /// A new organization with the usual settings.
    pub fn found(name: String, mode: OrganizationMode, now: DateTime<Utc>) -> Self {
        Self {
            id: OrganizationId::new(now),
            name,
            mode,
            time_zone: ProgramZone::UTC,
            default_currency: Currency::USD,
            dormant_after_days: 90,
            second_factor_for_payouts: false,
            payout_method_cooling_off_hours: 72,
            payout_debtor: None,
            clock_offset: TimeDelta::zero(),
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The organization with the patch applied.
    pub fn patched(self, patch: OrganizationPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let payout_debtor = debtor(
            self.payout_debtor,
            patch.payout_debtor_name,
            patch.payout_debtor_iban,
            patch.payout_debtor_bic,
        )?;
        Ok(Self {
            payout_debtor,
            name: patch.name.unwrap_or(self.name),
            time_zone: patch.time_zone.unwrap_or(self.time_zone),
            default_currency: patch.default_currency.unwrap_or(self.default_currency),
            dormant_after_days: patch.dormant_after_days.unwrap_or(self.dormant_after_days),
            second_factor_for_payouts: patch
                .second_factor_for_payouts
                .unwrap_or(self.second_factor_for_payouts),
            payout_method_cooling_off_hours: patch
                .payout_method_cooling_off_hours
                .unwrap_or(self.payout_method_cooling_off_hours),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        })
    }
}

/// The account with what is patched of it; it is there as a whole or not at all.
fn debtor(
    current: Option<Debtor>,
    name: Patch<String>,
    iban: Patch<Iban>,
    bic: Patch<String>,
) -> Result<Option<Debtor>, Problem> {
    let (mut its_name, mut its_iban, mut its_bic) = match current {
        Some(debtor) => (Some(debtor.name), Some(debtor.iban), debtor.bic),
        None => (None, None, None),
    };
    let names_a_bank = matches!(bic, Patch::Set(_));
    name.apply_to(&mut its_name);
    iban.apply_to(&mut its_iban);
    bic.apply_to(&mut its_bic);
    let missing = |pointer: &str| {
        let message = "An account has a name and a number; send both, or null for both.";
        Err(Problem::field(pointer, "missing", message))
    };
    match (its_name, its_iban) {
        (Some(name), Some(iban)) => Ok(Some(Debtor {
            name,
            iban,
            bic: its_bic,
        })),
        (None, None) if !names_a_bank => Ok(None),
        (Some(_), None) | (None, None) => missing("/payout_debtor_iban"),
        (None, Some(_)) => missing("/payout_debtor_name"),
    }
}

impl Organization {
    /// What its clock shows when the machine's shows this.
    pub fn present(&self, wall_now: DateTime<Utc>) -> DateTime<Utc> {
        wall_now + self.clock_offset
    }

    /// The organization with its clock moved on. Time does not go back, and that of real partners is not played with.
    pub fn with_clock_advanced(
        self,
        advance: ClockAdvance,
        wall_now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        if self.mode != OrganizationMode::Sandbox {
            return Err(Problem::new(Code::SandboxOnly));
        }
        let present = self.present(wall_now);
        let by = match advance {
            ClockAdvance::By(time) => time,
            ClockAdvance::Until(instant) => instant - present,
        };
        let refuse = |code: &str, message: String| Err(Problem::field(advance.pointer(), code, message));
        if by <= TimeDelta::zero() {
            let shown = present.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            return refuse(
                "not_ahead",
                format!("The clock only goes forward, and shows {shown} already."),
            );
        }
        let clock_offset = self.clock_offset + by;
        if clock_offset > FARTHEST {
            let days = FARTHEST.num_days();
            return refuse(
                "too_far",
                format!("The clock can be {days} days ahead of the real time at most."),
            );
        }
        Ok(Self {
            clock_offset,
            row_version: self.row_version + 1,
            updated_at: present,
            ..self
        })
    }
}

fn zone_name<S: serde::Serializer>(zone: &ProgramZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}
