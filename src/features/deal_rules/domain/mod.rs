//! What the deal rules of a program are, and what they say to a submission.

mod qualification;
#[cfg(test)]
mod tests;

pub use qualification::{Qualification, QualificationField, QualificationType, properties};

use crate::kernel::id::{ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::patch::Patch;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::time::{BusinessHours, BusinessHoursError, ProgramZone, TimeOfDay, Weekday, release_at};
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// Days before the end of a protection on which its partner is reminded for the first time, unless the rules say otherwise.
pub const FIRST_REMINDER_DAYS: i32 = 30;
/// How often a protection may be extended, unless the rules say otherwise.
pub const EXTENSIONS_ALLOWED: i32 = 1;

word_enum! {
    /// What happens to a registration of a company that is a customer already.
    ExistingAccounts, "existing account policy" {
        /// It is taken like any other.
        Allow = "allow",
        /// It is flagged for a person.
        Review = "review",
        /// It is refused.
        Refuse = "refuse",
    }
}

word_enum! {
    /// When the protection of a registration begins.
    ProtectionStart, "protection start" {
        /// When it was submitted.
        Submission = "submission",
        /// When it was approved.
        Approval = "approval",
    }
}

word_enum! {
    /// What happens to whoever registers what somebody else has registered.
    SecondRegistrant, "second registrant policy" {
        /// The second registration is refused.
        Refuse = "refuse",
        /// It waits until the first one ends.
        Queue = "queue",
        /// Both share the deal.
        CoSellShare = "co_sell_share",
    }
}

word_enum! {
    /// Which of several clicks is credited.
    AttributionClick, "attribution click" {
        /// The first within the window.
        FirstClick = "first_click",
        /// The last within the window.
        LastClick = "last_click",
    }
}

/// The deal rules of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DealRules {
    /// Whose they are.
    pub program_id: ProgramId,
    /// What a submission is asked, in the order of the form.
    pub qualification_fields: Vec<QualificationField>,
    /// What a deal must be worth: one amount per currency; none is no minimum.
    #[serde(serialize_with = "amounts")]
    pub minimum_deal_sizes: Vec<Money>,
    /// Whether companies that are customers already may be registered.
    pub existing_accounts: ExistingAccounts,
    /// Days of protection, the first one included.
    pub protection_days: i32,
    /// When protection begins.
    pub protection_starts: ProtectionStart,
    /// How often the protection may be extended.
    pub extensions_allowed: i32,
    /// Days of one extension.
    pub extension_days: i32,
    /// How many open registrations a partner may have; `None` is any number.
    pub maximum_open_registrations: Option<i32>,
    /// The countries of the program, ISO 3166-1 alpha-2; none is all.
    pub countries: BTreeSet<String>,
    /// Countries that it is not for.
    pub excluded_countries: BTreeSet<String>,
    /// The product families of the program; none is all.
    pub product_family_ids: BTreeSet<ProductFamilyId>,
    /// Days after which a referral without an outcome expires.
    pub referral_expiry_days: i32,
    /// Business hours within which an answer is promised; `None` is no promise.
    pub response_business_hours: Option<i32>,
    /// When the program's people are there, in the program's time zone.
    #[serde(flatten)]
    pub hours: BusinessHours,
    /// What happens to whoever comes second.
    pub second_registrant: SecondRegistrant,
    /// Whether what is put out to public tender is refused.
    pub excludes_public_tenders: bool,
    /// Whether a partner brings customers of its own territories only.
    pub respects_partner_territories: bool,
    /// Days before the end of a protection on which its partner is reminded.
    pub reminder_days: BTreeSet<i32>,
    /// Days for which a click is remembered.
    pub attribution_window_days: i32,
    /// Which click is credited.
    pub attribution_click: AttributionClick,
    /// Counts their changes; zero while nobody has changed the defaults.
    pub row_version: i64,
    /// When they came to be.
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    pub updated_at: DateTime<Utc>,
}

/// What may be changed of deal rules; a list replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealRulesPatch {
    /// What a submission is asked.
    pub qualification_fields: Option<Vec<QualificationField>>,
    /// What a deal must be worth.
    pub minimum_deal_sizes: Option<Vec<Money>>,
    /// Whether companies that are customers already may be registered.
    pub existing_accounts: Option<ExistingAccounts>,
    /// Days of protection.
    pub protection_days: Option<i32>,
    /// When protection begins.
    pub protection_starts: Option<ProtectionStart>,
    /// How often the protection may be extended.
    pub extensions_allowed: Option<i32>,
    /// Days of one extension.
    pub extension_days: Option<i32>,
    /// How many open registrations a partner may have.
    pub maximum_open_registrations: Patch<i32>,
    /// The countries of the program.
    pub countries: Option<BTreeSet<String>>,
    /// Countries that it is not for.
    pub excluded_countries: Option<BTreeSet<String>>,
    /// The product families of the program.
    pub product_family_ids: Option<BTreeSet<ProductFamilyId>>,
    /// Days after which a referral without an outcome expires.
    pub referral_expiry_days: Option<i32>,
    /// Business hours within which an answer is promised.
    pub response_business_hours: Patch<i32>,
    /// The days of the week that are worked.
    pub working_days: Option<BTreeSet<Weekday>>,
    /// When a working day begins.
    pub opens_at: Option<TimeOfDay>,
    /// When a working day ends.
    pub closes_at: Option<TimeOfDay>,
    /// The dates that are not worked.
    pub holidays: Option<BTreeSet<NaiveDate>>,
    /// What happens to whoever comes second.
    pub second_registrant: Option<SecondRegistrant>,
    /// Whether what is put out to public tender is refused.
    pub excludes_public_tenders: Option<bool>,
    /// Whether a partner brings customers of its own territories only.
    pub respects_partner_territories: Option<bool>,
    /// Days before the end of a protection on which its partner is reminded.
    pub reminder_days: Option<BTreeSet<i32>>,
    /// Days for which a click is remembered.
    pub attribution_window_days: Option<i32>,
    /// Which click is credited.
    pub attribution_click: Option<AttributionClick>,
}

impl DealRules {
    /// The rules of a program that nobody has changed.
    pub fn defaults(program_id: ProgramId, zone: ProgramZone, created_at: DateTime<Utc>) -> Self {
        Self {
            program_id,
            qualification_fields: Vec::new(),
            minimum_deal_sizes: Vec::new(),
            existing_accounts: ExistingAccounts::Review,
            protection_days: 90,
            protection_starts: ProtectionStart::Approval,
            extensions_allowed: EXTENSIONS_ALLOWED,
            extension_days: 30,
            maximum_open_registrations: None,
            countries: BTreeSet::new(),
            excluded_countries: BTreeSet::new(),
            product_family_ids: BTreeSet::new(),
            referral_expiry_days: 90,
            response_business_hours: Some(16),
            hours: BusinessHours::nine_to_five(zone),
            second_registrant: SecondRegistrant::Refuse,
            excludes_public_tenders: false,
            respects_partner_territories: false,
            reminder_days: BTreeSet::from([7, FIRST_REMINDER_DAYS]),
            attribution_window_days: 90,
            attribution_click: AttributionClick::LastClick,
            row_version: 0,
            created_at,
            updated_at: created_at,
        }
    }

    /// The rules with the patch applied, refused where they contradict themselves.
    pub fn patched(mut self, patch: DealRulesPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let hours = patch.hours(&self.hours)?;
        patch
            .maximum_open_registrations
            .apply_to(&mut self.maximum_open_registrations);
        patch
            .response_business_hours
            .apply_to(&mut self.response_business_hours);
        let after = Self {
            qualification_fields: patch.qualification_fields.unwrap_or(self.qualification_fields),
            minimum_deal_sizes: patch.minimum_deal_sizes.unwrap_or(self.minimum_deal_sizes),
            existing_accounts: patch.existing_accounts.unwrap_or(self.existing_accounts),
            protection_days: patch.protection_days.unwrap_or(self.protection_days),
            protection_starts: patch.protection_starts.unwrap_or(self.protection_starts),
            extensions_allowed: patch.extensions_allowed.unwrap_or(self.extensions_allowed),
            extension_days: patch.extension_days.unwrap_or(self.extension_days),
            countries: patch.countries.unwrap_or(self.countries),
            excluded_countries: patch.excluded_countries.unwrap_or(self.excluded_countries),
            product_family_ids: patch.product_family_ids.unwrap_or(self.product_family_ids),
            referral_expiry_days: patch.referral_expiry_days.unwrap_or(self.referral_expiry_days),
            hours,
            second_registrant: patch.second_registrant.unwrap_or(self.second_registrant),
            excludes_public_tenders: patch
                .excludes_public_tenders
                .unwrap_or(self.excludes_public_tenders),
            respects_partner_territories: patch
                .respects_partner_territories
                .unwrap_or(self.respects_partner_territories),
            reminder_days: patch.reminder_days.unwrap_or(self.reminder_days),
            attribution_window_days: patch
                .attribution_window_days
                .unwrap_or(self.attribution_window_days),
            attribution_click: patch.attribution_click.unwrap_or(self.attribution_click),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        };
        let contradictions = after.contradictions();
        if contradictions.is_empty() {
            Ok(after)
        } else {
            Err(Problem::fields(contradictions))
        }
    }

    fn contradictions(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        for (index, field) in self.qualification_fields.iter().enumerate() {
            let base = format!("/qualification_fields/{index}");
            if self
                .qualification_fields
                .iter()
                .take(index)
                .any(|one| one.key == field.key)
            {
                let message = "The list has a field with this key already.";
                found.push(FieldProblem::new(format!("{base}/key"), "duplicate", message));
            }
            let is_choice = field.kind == QualificationType::Choice;
            if is_choice == field.choices.is_empty() {
                let message = "A field of type `choice` has choices, and no other has.";
                found.push(FieldProblem::new(
                    format!("{base}/choices"),
                    "not_of_this_type",
                    message,
                ));
            }
        }
        if !self.countries.is_disjoint(&self.excluded_countries) {
            let message = "A country is either one of the program's or excluded.";
            found.push(FieldProblem::new("/excluded_countries", "contradiction", message));
        }
        found
    }

    /// When the protection begins.
    pub const fn protected_from(
        &self,
        submitted_at: DateTime<Utc>,
        approved_at: DateTime<Utc>,
    ) -> DateTime<Utc> {
        match self.protection_starts {
            ProtectionStart::Submission => submitted_at,
            ProtectionStart::Approval => approved_at,
        }
    }

    /// When a protection that begins at this instant ends: at 00:00 of the program's time zone, so many local dates
    /// later.
    pub fn protected_until(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        self.days_after(from, self.protection_days)
    }

    /// When a protection that would end at this instant ends once it is extended.
    pub fn extended_until(&self, until: DateTime<Utc>) -> DateTime<Utc> {
        self.days_after(until, self.extension_days)
    }

    /// When a referral that was submitted at this instant expires.
    pub fn referral_expires_at(&self, submitted_at: DateTime<Utc>) -> DateTime<Utc> {
        self.days_after(submitted_at, self.referral_expiry_days)
    }

    /// By when an answer is promised to what was submitted at this instant, if one is.
    pub fn respond_by(&self, submitted_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours = self.response_business_hours?;
        Some(self.hours.add(submitted_at, TimeDelta::hours(i64::from(hours))))
    }

    fn days_after(&self, instant: DateTime<Utc>, days: i32) -> DateTime<Utc> {
        release_at(
            instant,
            u32::try_from(days).unwrap_or_default(),
            self.hours.zone(),
        )
    }

    /// Everything in the submission that does not fit the program's form; `base` is the pointer to the form's object.
    pub fn qualification_problems(&self, submission: &Qualification, base: &str) -> Vec<FieldProblem> {
        qualification::problems(&self.qualification_fields, submission, base)
    }

    /// Why an amount is too small for the program, or cannot be compared.
    pub fn size_problem(&self, amount: Option<Money>, pointer: &str) -> Option<FieldProblem> {
        if self.minimum_deal_sizes.is_empty() {
            return None;
        }
        let currencies = || {
            let codes = self.minimum_deal_sizes.iter().map(|one| one.currency().code());
            codes.collect::<Vec<_>>().join(", ")
        };
        let Some(amount) = amount else {
            let message = format!(
                "The program has a minimum size; state the amount in {}.",
                currencies()
            );
            return Some(FieldProblem::new(pointer, "missing", message));
        };
        match self.minimum_size(amount.currency()) {
            None => {
                let message = format!("The program takes amounts in {}.", currencies());
                Some(FieldProblem::new(
                    format!("{pointer}/currency"),
                    "currency_not_taken",
                    message,
                ))
            }
            Some(least) if amount.minor_units() < least.minor_units() => {
                let message = format!(
                    "The program takes deals from {} {} on.",
                    least.amount_text(),
                    least.currency()
                );
                Some(FieldProblem::new(
                    format!("{pointer}/amount"),
                    "below_minimum",
                    message,
                ))
            }
            Some(_) => None,
        }
    }

    fn minimum_size(&self, currency: Currency) -> Option<&Money> {
        self.minimum_deal_sizes
            .iter()
            .find(|one| one.currency() == currency)
    }

    /// Why a customer's country is outside the program's territory, or not known well enough.
    pub fn territory_problem(&self, country: Option<&str>, pointer: &str) -> Option<FieldProblem> {
        if self.countries.is_empty() && self.excluded_countries.is_empty() {
            return None;
        }
        let Some(country) = country else {
            let message = "The program has a territory; state the customer's country.";
            return Some(FieldProblem::new(pointer, "missing", message));
        };
        let is_inside = (self.countries.is_empty() || self.countries.contains(country))
            && !self.excluded_countries.contains(country);
        let message = "The program is not for customers in this country.";
        (!is_inside).then(|| FieldProblem::new(pointer, "outside_territory", message))
    }

    /// Why a customer's country is none of the partner's, or not known, where the program minds.
    pub fn partner_territory_problem(
        &self,
        territories: &BTreeSet<String>,
        country: Option<&str>,
        pointer: &str,
    ) -> Option<FieldProblem> {
        if !self.respects_partner_territories || territories.is_empty() {
            return None;
        }
        let Some(country) = country else {
            let message = "The partner has territories; state the customer's country.";
            return Some(FieldProblem::new(pointer, "missing", message));
        };
        let message = "The customer's country is none of the partner's territories.";
        (!territories.contains(country))
            .then(|| FieldProblem::new(pointer, "outside_partner_territory", message))
    }

    /// Why a product family is none of the program's, or is not named.
    pub fn product_problem(&self, family: Option<ProductFamilyId>, pointer: &str) -> Option<FieldProblem> {
        if self.product_family_ids.is_empty() {
            return None;
        }
        match family {
            None => {
                let message = "The program is for certain product families; name one.";
                Some(FieldProblem::new(pointer, "missing", message))
            }
            Some(family) if !self.product_family_ids.contains(&family) => {
                let message = "The program is not for this product family.";
                Some(FieldProblem::new(pointer, "outside_program", message))
            }
            Some(_) => None,
        }
    }

    /// Why what is put out to public tender is refused.
    pub fn tender_problem(&self, is_public_tender: bool, pointer: &str) -> Option<FieldProblem> {
        let message = "The program does not take public tenders.";
        (self.excludes_public_tenders && is_public_tender)
            .then(|| FieldProblem::new(pointer, "public_tender_excluded", message))
    }
}

impl DealRulesPatch {
    /// The business hours with what the patch names of them.
    fn hours(&self, before: &BusinessHours) -> Result<BusinessHours, Problem> {
        let changed = BusinessHours::new(
            before.zone(),
            self.working_days
                .clone()
                .unwrap_or_else(|| before.working_days().clone()),
            self.opens_at.unwrap_or(before.opens()),
            self.closes_at.unwrap_or(before.closes()),
            self.holidays.clone().unwrap_or_else(|| before.holidays().clone()),
        );
        changed.map_err(|error| {
            let (pointer, code) = match error {
                BusinessHoursError::NoWorkingDay => ("/working_days", "too_few"),
                BusinessHoursError::NoTime | BusinessHoursError::NotATime => {
                    ("/closes_at", "not_after_opens_at")
                }
            };
            Problem::field(pointer, code, error.to_string())
        })
    }
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
