//! Deal rules on the wire.

use super::domain::{
    AttributionClick, DealRules, DealRulesPatch, ExistingAccounts, ProtectionStart, QualificationField,
    QualificationType, SecondRegistrant, properties,
};
use crate::kernel::id::{ProductFamilyId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::time::{TimeOfDay, Weekday};
use crate::platform::web::{CountryCode, Fields, MoneyBody};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A field of a program's form.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = QualificationFieldInput, examples(json!({"key": "decision_by", "label": "When is the decision?", "type": "date", "is_required": true})))]
#[serde(deny_unknown_fields)]
pub struct QualificationFieldBody {
    /// The name of the field in a submission.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z][a-z0-9_]*$",
        example = "decision_by"
    )]
    pub key: String,
    /// What a person reads in front of it.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "When is the decision?"
    )]
    pub label: String,
    /// What a person reads who wants to know more.
    #[schema(nullable = false, max_length = 1000, pattern = r"^[^\x00]*$")]
    pub help: Option<String>,
    /// What is filled in.
    #[serde(rename = "type")]
    pub kind: QualificationType,
    /// Whether a submission must have it; not when left out.
    #[serde(default)]
    #[schema(default = false)]
    pub is_required: bool,
    /// What there is to choose from, for type `choice` only.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub choices: Vec<Choice>,
}

/// One of several values.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 255, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$", example = "up to 50 seats")]
#[schema(as = QualificationChoice)]
pub struct Choice(pub String);

/// A number of days before something ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(value_type = i32, minimum = 1, maximum = 365, example = 30)]
pub struct ReminderDays(pub i32);

/// Changes of deal rules: absent leaves a rule as it is, `null` clears it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = DealRulesUpdate, min_properties = 1, examples(json!({"qualification_fields": [{"key": "decision_by", "label": "When is the decision?", "type": "date", "is_required": true}, {"key": "size", "label": "How many seats?", "type": "choice", "choices": ["up to 50", "more than 50"]}], "protection_days": 120, "countries": ["AT", "CH", "DE"], "minimum_deal_sizes": [{"amount": "5000.00", "currency": "EUR"}], "maximum_open_registrations": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchDealRulesBody {
    /// What a submission is asked, in the order of the form.
    #[schema(nullable = false, max_items = 50)]
    pub qualification_fields: Option<Vec<QualificationFieldBody>>,
    /// What a deal must be worth: a positive amount per currency. With one, amounts in other currencies are not taken.
    #[schema(nullable = false, max_items = 50)]
    pub minimum_deal_sizes: Option<Vec<MoneyBody>>,
    /// What happens to a registration of a company that is a customer already.
    #[schema(nullable = false)]
    pub existing_accounts: Option<ExistingAccounts>,
    /// Days of protection by the calendar of the program, the first one included.
    #[schema(nullable = false, minimum = 1, maximum = 3650, example = 90)]
    pub protection_days: Option<i32>,
    /// When the protection of a registration begins.
    #[schema(nullable = false)]
    pub protection_starts: Option<ProtectionStart>,
    /// How often a protection may be extended.
    #[schema(nullable = false, minimum = 0, maximum = 20, example = 1)]
    pub extensions_allowed: Option<i32>,
    /// Days of one extension.
    #[schema(nullable = false, minimum = 1, maximum = 3650, example = 30)]
    pub extension_days: Option<i32>,
    /// How many open registrations a partner may have in the program; `null` is any number.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 100000, example = 20)]
    pub maximum_open_registrations: Patch<i32>,
    /// The countries of the program's customers; none is all.
    #[schema(nullable = false, max_items = 300)]
    pub countries: Option<Vec<CountryCode>>,
    /// Countries whose customers the program is not for.
    #[schema(nullable = false, max_items = 300)]
    pub excluded_countries: Option<Vec<CountryCode>>,
    /// The product families of the program; none is all.
    #[schema(nullable = false, max_items = 100)]
    pub product_family_ids: Option<Vec<ProductFamilyId>>,
    /// Days after which a referral without an outcome expires.
    #[schema(nullable = false, minimum = 1, maximum = 3650, example = 90)]
    pub referral_expiry_days: Option<i32>,
    /// Business hours within which a submission is answered; `null` is no promise.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 1000, example = 16)]
    pub response_business_hours: Patch<i32>,
    /// The days of the week on which the program's people are there.
    #[schema(nullable = false, min_items = 1, max_items = 7)]
    pub working_days: Option<Vec<Weekday>>,
    /// When a working day begins, in the program's time zone.
    #[schema(
        nullable = false,
        min_length = 5,
        max_length = 5,
        pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        example = "09:00"
    )]
    pub opens_at: Option<String>,
    /// When a working day ends; `24:00` is its very end.
    #[schema(
        nullable = false,
        min_length = 5,
        max_length = 5,
        pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        example = "17:00"
    )]
    pub closes_at: Option<String>,
    /// Dates on which nobody is there.
    #[schema(nullable = false, max_items = 1000)]
    pub holidays: Option<Vec<NaiveDate>>,
    /// What happens to whoever registers what another partner has registered, or what has an open deal of your own. With
    /// `refuse` such a deal is linked by nobody; with `queue` the registration waits, and is approved with it.
    #[schema(nullable = false)]
    pub second_registrant: Option<SecondRegistrant>,
    /// Whether what is put out to public tender is refused.
    #[schema(nullable = false)]
    pub excludes_public_tenders: Option<bool>,
    /// Whether a partner brings customers of its own territories only.
    #[schema(nullable = false)]
    pub respects_partner_territories: Option<bool>,
    /// Days before the end of a protection on which its partner is reminded.
    #[schema(nullable = false, max_items = 10)]
    pub reminder_days: Option<Vec<ReminderDays>>,
    /// Days for which a click on a referral link is remembered.
    #[schema(nullable = false, minimum = 1, maximum = 730, example = 90)]
    pub attribution_window_days: Option<i32>,
    /// Which of several clicks within the window is credited.
    #[schema(nullable = false)]
    pub attribution_click: Option<AttributionClick>,
}

impl PatchDealRulesBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> Result<DealRulesPatch, Problem> {
        let mut fields = Fields::new();
        let body = self.clone();
        let time = |fields: &mut Fields, pointer: &str, text: Option<String>| -> Option<TimeOfDay> {
            fields.keep(pointer, "invalid_format", text?.parse())
        };
        let codes = |countries: Option<Vec<CountryCode>>| {
            countries.map(|all| all.into_iter().map(|country| country.0).collect())
        };
        let patch = DealRulesPatch {
            qualification_fields: body
                .qualification_fields
                .map(|all| all.into_iter().map(QualificationField::from).collect()),
            minimum_deal_sizes: minimum_sizes(&mut fields, self.minimum_deal_sizes.as_deref()),
            existing_accounts: body.existing_accounts,
            protection_days: body.protection_days,
            protection_starts: body.protection_starts,
            extensions_allowed: body.extensions_allowed,
            extension_days: body.extension_days,
            maximum_open_registrations: body.maximum_open_registrations,
            countries: codes(body.countries),
            excluded_countries: codes(body.excluded_countries),
            product_family_ids: body.product_family_ids.map(|all| all.into_iter().collect()),
            referral_expiry_days: body.referral_expiry_days,
            response_business_hours: body.response_business_hours,
            working_days: body.working_days.map(|all| all.into_iter().collect()),
            opens_at: time(&mut fields, "/opens_at", body.opens_at),
            closes_at: time(&mut fields, "/closes_at", body.closes_at),
            holidays: body.holidays.map(|all| all.into_iter().collect()),
            second_registrant: body.second_registrant,
            excludes_public_tenders: body.excludes_public_tenders,
            respects_partner_territories: body.respects_partner_territories,
            reminder_days: body
                .reminder_days
                .map(|all| all.into_iter().map(|days| days.0).collect()),
            attribution_window_days: body.attribution_window_days,
            attribution_click: body.attribution_click,
        };
        fields.finish(Some(patch))
    }
}

impl From<QualificationFieldBody> for QualificationField {
    fn from(body: QualificationFieldBody) -> Self {
        Self {
            key: body.key,
            label: body.label,
            help: body.help,
            kind: body.kind,
            is_required: body.is_required,
            choices: body.choices.into_iter().map(|choice| choice.0).collect(),
        }
    }
}

/// The amounts that are good; each of the others is noted at its place in the list.
fn minimum_sizes(fields: &mut Fields, bodies: Option<&[MoneyBody]>) -> Option<Vec<Money>> {
    let mut amounts: Vec<Money> = Vec::new();
    for (index, body) in bodies?.iter().enumerate() {
        let pointer = format!("/minimum_deal_sizes/{index}");
        let Some(amount) = fields.money(&pointer, body) else {
            continue;
        };
        let (value, currency) = (format!("{pointer}/amount"), format!("{pointer}/currency"));
        fields.require(
            amount.is_positive(),
            &value,
            "not_positive",
            "The amount must be above zero.",
        );
        let is_new = amounts.iter().all(|known| known.currency() != amount.currency());
        let message = "The list has an amount in this currency already.";
        fields.require(is_new, &currency, "duplicate_currency", message);
        amounts.push(amount);
    }
    Some(amounts)
}

/// A field of a program's form.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QualificationField, examples(json!({"key": "decision_by", "label": "When is the decision?", "help": null, "type": "date", "is_required": true, "choices": []})))]
pub struct QualificationFieldView {
    /// The name of the field in a submission.
    #[schema(max_length = 64)]
    pub key: String,
    /// What a person reads in front of it.
    #[schema(max_length = 255)]
    pub label: String,
    /// What a person reads who wants to know more.
    #[schema(required, max_length = 1000)]
    pub help: Option<String>,
    /// What is filled in.
    #[serde(rename = "type")]
    pub kind: QualificationType,
    /// Whether a submission must have it.
    pub is_required: bool,
    /// What there is to choose from.
    #[schema(max_items = 100)]
    pub choices: Vec<Choice>,
}

impl From<QualificationField> for QualificationFieldView {
    fn from(field: QualificationField) -> Self {
        Self {
            key: field.key,
            label: field.label,
            help: field.help,
            kind: field.kind,
            is_required: field.is_required,
            choices: field.choices.into_iter().map(Choice).collect(),
        }
    }
}

/// The deal rules of a program: what it asks of what partners submit, and what it promises for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DealRules, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "qualification_fields": [{"key": "decision_by", "label": "When is the decision?", "help": null, "type": "date", "is_required": true, "choices": []}], "minimum_deal_sizes": [{"amount": "5000.00", "currency": "EUR"}], "existing_accounts": "review", "protection_days": 90, "protection_starts": "approval", "extensions_allowed": 1, "extension_days": 30, "maximum_open_registrations": null, "countries": ["AT", "CH", "DE"], "excluded_countries": [], "product_family_ids": [], "referral_expiry_days": 90, "response_business_hours": 16, "working_days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "opens_at": "09:00", "closes_at": "17:00", "holidays": ["2026-12-25"], "second_registrant": "refuse", "excludes_public_tenders": false, "respects_partner_territories": false, "reminder_days": [7, 30], "attribution_window_days": 90, "attribution_click": "last_click", "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:00Z"})))]
pub struct DealRulesView {
    /// The program whose rules they are.
    pub program_id: ProgramId,
    /// What a submission is asked, in the order of the form.
    #[schema(max_items = 50)]
    pub qualification_fields: Vec<QualificationFieldView>,
    /// What a deal must be worth: a positive amount per currency. With one, amounts in other currencies are not taken.
    #[schema(max_items = 50)]
    pub minimum_deal_sizes: Vec<MoneyBody>,
    /// What happens to a registration of a company that is a customer already.
    pub existing_accounts: ExistingAccounts,
    /// Days of protection by the calendar of the program, the first one included.
    #[schema(minimum = 1, maximum = 3650)]
    pub protection_days: i32,
    /// When the protection of a registration begins.
    pub protection_starts: ProtectionStart,
    /// How often a protection may be extended.
    #[schema(minimum = 0, maximum = 20)]
    pub extensions_allowed: i32,
    /// Days of one extension.
    #[schema(minimum = 1, maximum = 3650)]
    pub extension_days: i32,
    /// How many open registrations a partner may have in the program; `null` is any number.
    #[schema(required, minimum = 1, maximum = 100000)]
    pub maximum_open_registrations: Option<i32>,
    /// The countries of the program's customers; none is all.
    #[schema(max_items = 300)]
    pub countries: Vec<CountryCode>,
    /// Countries whose customers the program is not for.
    #[schema(max_items = 300)]
    pub excluded_countries: Vec<CountryCode>,
    /// The product families of the program; none is all.
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// Days after which a referral without an outcome expires.
    #[schema(minimum = 1, maximum = 3650)]
    pub referral_expiry_days: i32,
    /// Business hours within which a submission is answered; `null` is no promise.
    #[schema(required, minimum = 1, maximum = 1000)]
    pub response_business_hours: Option<i32>,
    /// The days of the week on which the program's people are there.
    #[schema(max_items = 7)]
    pub working_days: Vec<Weekday>,
    /// When a working day begins, in the program's time zone.
    #[schema(max_length = 5, example = "09:00")]
    pub opens_at: String,
    /// When a working day ends; `24:00` is its very end.
    #[schema(max_length = 5, example = "17:00")]
    pub closes_at: String,
    /// Dates on which nobody is there.
    #[schema(max_items = 1000)]
    pub holidays: Vec<NaiveDate>,
    /// What happens to whoever registers what another partner has registered, or what has an open deal of your own. With
    /// `refuse` such a deal is linked by nobody; with `queue` the registration waits, and is approved with it.
    pub second_registrant: SecondRegistrant,
    /// Whether what is put out to public tender is refused.
    pub excludes_public_tenders: bool,
    /// Whether a partner brings customers of its own territories only.
    pub respects_partner_territories: bool,
    /// Days before the end of a protection on which its partner is reminded.
    #[schema(max_items = 10)]
    pub reminder_days: Vec<ReminderDays>,
    /// Days for which a click on a referral link is remembered.
    #[schema(minimum = 1, maximum = 730)]
    pub attribution_window_days: i32,
    /// Which of several clicks within the window is credited.
    pub attribution_click: AttributionClick,
    /// When they came to be.
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<DealRules> for DealRulesView {
    fn from(rules: DealRules) -> Self {
        let (opens_at, closes_at) = (rules.hours.opens().to_string(), rules.hours.closes().to_string());
        let fields = rules.qualification_fields.into_iter();
        let sizes = rules.minimum_deal_sizes.into_iter();
        Self {
            program_id: rules.program_id,
            qualification_fields: fields.map(QualificationFieldView::from).collect(),
            minimum_deal_sizes: sizes.map(MoneyBody::from).collect(),
            countries: rules.countries.into_iter().map(CountryCode).collect(),
            excluded_countries: rules.excluded_countries.into_iter().map(CountryCode).collect(),
            product_family_ids: rules.product_family_ids.into_iter().collect(),
            working_days: rules.hours.working_days().iter().copied().collect(),
            opens_at,
            closes_at,
            holidays: rules.hours.holidays().iter().copied().collect(),
            reminder_days: rules.reminder_days.into_iter().map(ReminderDays).collect(),
            existing_accounts: rules.existing_accounts,
            protection_days: rules.protection_days,
            protection_starts: rules.protection_starts,
            extensions_allowed: rules.extensions_allowed,
            extension_days: rules.extension_days,
            maximum_open_registrations: rules.maximum_open_registrations,
            referral_expiry_days: rules.referral_expiry_days,
            response_business_hours: rules.response_business_hours,
            second_registrant: rules.second_registrant,
            excludes_public_tenders: rules.excludes_public_tenders,
            respects_partner_territories: rules.respects_partner_territories,
            attribution_window_days: rules.attribution_window_days,
            attribution_click: rules.attribution_click,
            created_at: rules.created_at,
            updated_at: rules.updated_at,
        }
    }
}

/// What a qualification looks like: a JSON Schema (draft 2020-12).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QualificationSchema, examples(json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"decision_by": {"type": "string", "format": "date", "maxLength": 10, "title": "When is the decision?", "x-field-type": "date", "x-position": 0}}, "required": ["decision_by"], "unevaluatedProperties": false})))]
pub struct QualificationSchema {
    /// The language that the schema is written in.
    #[serde(rename = "$schema")]
    #[schema(max_length = 255, example = "https://json-schema.org/draft/2020-12/schema")]
    pub dialect: String,
    /// Always `object`.
    #[serde(rename = "type")]
    #[schema(max_length = 16, example = "object")]
    pub kind: String,
    /// The schema of each field, by its key.
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
    /// The keys of the fields that must be there.
    #[schema(max_items = 50)]
    pub required: Vec<Choice>,
    /// Always false: nothing else is taken.
    #[serde(rename = "unevaluatedProperties")]
    pub unevaluated_properties: bool,
}

impl QualificationSchema {
    /// The schema of the rules' fields.
    pub fn of(rules: &DealRules) -> Self {
        let fields = &rules.qualification_fields;
        let required = fields.iter().filter(|field| field.is_required);
        Self {
            dialect: "https://json-schema.org/draft/2020-12/schema".to_owned(),
            kind: "object".to_owned(),
            properties: properties(fields),
            required: required.map(|field| Choice(field.key.clone())).collect(),
            unevaluated_properties: false,
        }
    }
}

/// The program that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DealRulesPath {
    /// The program.
    pub program_id: ProgramId,
}
