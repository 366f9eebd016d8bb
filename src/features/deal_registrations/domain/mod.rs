//! What a registration is and how it moves.

mod machine;
mod terms;
mod threads;

pub use machine::{MOVES, RegistrationStatus};
pub use terms::{ClaimedAccount, NewRegistration, RegistrationPatch};
pub use threads::{Comment, CommentVisibility, Extension, ExtensionStatus};

use crate::features::deal_rules::{DealRules, ProtectionStart, Qualification};
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Why a registration was rejected or revoked.
    RegistrationReason, "registration reason" {
        /// Another claim to the account is better.
        Contested = "contested",
        /// The account is a customer already.
        ExistingCustomer = "existing_customer",
        /// What was asked for did not come.
        Incomplete = "incomplete",
        /// There is no opportunity, or none for this program.
        NotQualified = "not_qualified",
        /// The account is outside the partner's territory.
        OutOfTerritory = "out_of_territory",
        /// The partner does not work on it.
        Inactive = "inactive",
        /// What the partner said is not so.
        Misrepresented = "misrepresented",
        /// The text says it.
        Other = "other",
    }
}

word_enum! {
    /// How an account stands for whoever wants to register it.
    AccountStanding, "account standing" {
        /// Nothing is in the way now.
        Clear = "clear",
        /// Somebody else works on it.
        Contested = "contested",
        /// The company is a customer already.
        ExistingCustomer = "existing_customer",
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Who wants to register.
    pub partner_id: Option<PartnerId>,
    /// Under which program.
    pub program_id: ProgramId,
    /// The account, by its id.
    pub account_id: Option<AccountId>,
    /// By its domain.
    pub account_domain: Option<String>,
    /// What is to be sold.
    pub product_family_id: Option<ProductFamilyId>,
}

/// Why, in a word and for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// In a word.
    pub code: RegistrationReason,
    /// For a person.
    pub text: String,
}

/// A document that lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// A partner's claim to an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DealRegistration {
    /// Its id.
    pub id: DealRegistrationId,
    /// The partner's key for it.
    pub external_id: Option<String>,
    /// Who claims.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// The account; not told in events, which go to the partner as well: an id tells how long the account is known.
    #[serde(skip)]
    pub account_id: AccountId,
    /// The account as whoever registered it named it.
    pub account_name: String,
    /// The account's domain as whoever registered it named it.
    pub account_domain: Option<String>,
    /// What is to be sold; none claims the account for every family.
    pub product_family_id: Option<ProductFamilyId>,
    /// What the opportunity is called.
    pub name: String,
    /// What it is worth.
    pub amount: Money,
    /// When it is expected to close.
    pub expected_close_on: Option<NaiveDate>,
    /// The customer's country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Whether it is put out to public tender.
    pub public_tender: bool,
    /// What the program's form asked.
    pub qualification: Qualification,
    /// Documents that lie elsewhere.
    pub attachments: Vec<Attachment>,
    /// Whether the partners above do not see it.
    pub hidden_from_parent: bool,
    /// Where it stands.
    pub status: RegistrationStatus,
    /// Why it stands there, in a word.
    pub reason_code: Option<RegistrationReason>,
    /// Why it stands there, or what is missing, for a person.
    pub reason: Option<String>,
    /// When it was submitted last.
    pub submitted_at: Option<DateTime<Utc>>,
    /// By when an answer is promised.
    pub respond_by: Option<DateTime<Utc>>,
    /// By when the answer was promised that last did not come in time.
    pub sla_breached_at: Option<DateTime<Utc>>,
    /// When it was approved or rejected.
    pub decided_at: Option<DateTime<Utc>>,
    /// Days of protection that were promised when it was submitted.
    pub protection_days: Option<i32>,
    /// When protection begins, as it was promised then.
    pub protection_starts: Option<ProtectionStart>,
    /// From when it is protected.
    pub protected_from: Option<DateTime<Utc>>,
    /// Until when, exclusively.
    pub protected_until: Option<DateTime<Utc>>,
    /// For how long the clock of the protection stood still, because the organization was late.
    pub paused_seconds: i64,
    /// When the end is announced next.
    pub remind_at: Option<DateTime<Utc>>,
    /// When the protection ended, whichever way.
    pub closed_at: Option<DateTime<Utc>>,
    /// The deal that came of it.
    pub deal_id: Option<DealId>,
    /// The partner whose caller registered it; none is the organization.
    pub registrar_id: Option<PartnerId>,
    /// Who registered it.
    pub created_by: ActorId,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl DealRegistration {
    /// A draft, which claims nothing yet.
    pub fn draft(
        new: NewRegistration,
        partner_id: PartnerId,
        account: ClaimedAccount,
        (registrar_id, created_by): (Option<PartnerId>, ActorId),
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: DealRegistrationId::new(now),
            external_id: new.external_id,
            partner_id,
            program_id: new.program_id,
            account_id: account.id,
            name: new.name.unwrap_or_else(|| account.name.clone()),
            account_name: account.name,
            account_domain: account.domain,
            product_family_id: new.product_family_id,
            amount: new.amount,
            expected_close_on: new.expected_close_on,
            country: new.country,
            public_tender: new.public_tender,
            qualification: new.qualification,
            attachments: new.attachments,
            hidden_from_parent: new.hidden_from_parent,
            status: RegistrationStatus::Draft,
            reason_code: None,
            reason: None,
            submitted_at: None,
            respond_by: None,
            sla_breached_at: None,
            decided_at: None,
            protection_days: None,
            protection_starts: None,
            protected_from: None,
            protected_until: None,
            paused_seconds: 0,
            remind_at: None,
            closed_at: None,
            deal_id: None,
            registrar_id,
            created_by,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The registration with the patch applied. What is claimed changes only before it is submitted.
    pub fn patched(self, patch: RegistrationPatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let mut after = self.clone();
        patch.external_id.apply_to(&mut after.external_id);
        after.hidden_from_parent = patch.hidden_from_parent.unwrap_or(after.hidden_from_parent);
        let claim = after.clone();
        patch.product_family_id.apply_to(&mut after.product_family_id);
        after.name = patch.name.unwrap_or(after.name);
        after.amount = patch.amount.unwrap_or(after.amount);
        patch.expected_close_on.apply_to(&mut after.expected_close_on);
        patch.country.apply_to(&mut after.country);
        after.public_tender = patch.public_tender.unwrap_or(after.public_tender);
        after.qualification = patch.qualification.unwrap_or(after.qualification);
        after.attachments = patch.attachments.unwrap_or(after.attachments);
        if after != claim && !self.status.is_open_to_changes() {
            return Err(self.refusal("change what is claimed"));
        }
        let is_claimed = self.status == RegistrationStatus::ActionRequired;
        if is_claimed && after.product_family_id != self.product_family_id {
            let message = "The claim is to this family; withdraw it and register anew to claim another one.";
            return Err(Problem::field("/product_family_id", "already_claimed", message));
        }
        Ok(after.changed(now))
    }

    /// Claims the account. What the program promises now is kept.
    pub fn submit(self, rules: &DealRules, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            submitted_at: Some(now),
            respond_by: rules.respond_by(now),
            protection_days: Some(rules.protection_days),
            protection_starts: Some(rules.protection_starts),
            ..self.moved("submit", None, now)?
        })
    }

    /// Somebody looks at it.
    pub fn review(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.moved("review", None, now)
    }

    /// Protects it, for as long as was promised; what the organization answered late is added where the clock ran.
    pub fn approve(self, rules: &DealRules, deal_id: DealId, now: DateTime<Utc>) -> Result<Self, Problem> {
        let approved = self.moved("approve", None, now)?;
        let promised = DealRules {
            protection_days: approved.protection_days.unwrap_or(rules.protection_days),
            protection_starts: approved.protection_starts.unwrap_or(rules.protection_starts),
            ..rules.clone()
        };
        let from = promised.protected_from(approved.submitted_at.unwrap_or(now), now);
        let late = match promised.protection_starts {
            ProtectionStart::Submission => overdue(approved.respond_by, now),
            ProtectionStart::Approval => TimeDelta::zero(),
        };
        let until = promised.protected_until(from) + late;
        Ok(Self {
            decided_at: Some(now),
            protected_from: Some(from),
            protected_until: Some(until.max(from)),
            paused_seconds: late.num_seconds(),
            remind_at: next_reminder(rules, until, now),
            deal_id: Some(deal_id),
            ..approved
        })
    }

    /// Does not protect it.
    pub fn reject(self, why: Why, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            decided_at: Some(now),
            ..self.moved("reject", Some(why), now)?
        })
    }

    /// Asks the partner for what is missing.
    pub fn request_action(self, missing: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            reason: Some(missing),
            ..self.moved("request_action", None, now)?
        })
    }

    /// Takes the claim back.
    pub fn withdraw(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.moved("withdraw", None, now)
    }

    /// Takes the protection away.
    pub fn revoke(self, why: Why, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.ended("revoke", Some(why), now)
    }

    /// The deal was won.
    pub fn convert(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.ended("convert", None, now)
    }

    /// The deal was lost.
    pub fn lose(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.ended("lose", None, now)
    }

    /// The protection came to its end.
    pub fn expire(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.ended("expire", None, now)
    }

    /// A dispute has it looked at again, as if nobody had decided; it protects nobody meanwhile.
    pub fn reopen(self, rules: &DealRules, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            respond_by: rules.respond_by(now),
            decided_at: None,
            protected_from: None,
            protected_until: None,
            paused_seconds: 0,
            remind_at: None,
            closed_at: None,
            ..self.moved("reopen", None, now)?
        })
    }

    /// A dispute has it protected again: for what was left when it was taken away, or for an extension once it is over.
    pub fn reinstate(self, rules: &DealRules, now: DateTime<Utc>) -> Result<Self, Problem> {
        let before = self.moved("reinstate", None, now)?;
        let left = before.protected_until.zip(before.closed_at);
        let left = left.map_or(TimeDelta::zero(), |(until, closed)| until - closed);
        let until = if left > TimeDelta::zero() {
            now + left
        } else {
            rules.extended_until(now)
        };
        Ok(Self {
            protected_from: Some(now),
            protected_until: Some(until),
            remind_at: next_reminder(rules, until, now),
            closed_at: None,
            ..before
        })
    }

    /// Answers a request for more time: granted or not, what the organization was late is given back.
    pub fn answered_extension(
        self,
        extension: &Extension,
        rules: &DealRules,
        granted: bool,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let (RegistrationStatus::Approved, Some(until)) = (self.status, self.protected_until) else {
            return Err(self.refusal("extend"));
        };
        let late = overdue(extension.respond_by, now);
        let until = if granted {
            rules.extended_until(until)
        } else {
            until
        } + late;
        Ok(Self {
            protected_until: Some(until),
            paused_seconds: self.paused_seconds + late.num_seconds(),
            remind_at: next_reminder(rules, until, now),
            ..self.changed(now)
        })
    }

    /// The end was announced; when it is announced next.
    pub fn reminded(self, rules: &DealRules, now: DateTime<Utc>) -> Self {
        let remind_at = self
            .protected_until
            .and_then(|until| next_reminder(rules, until, now));
        Self {
            remind_at,
            ..self.changed(now)
        }
    }

    /// The answer did not come in time.
    pub fn breached(self, now: DateTime<Utc>) -> Self {
        Self {
            sla_breached_at: self.respond_by,
            ..self.changed(now)
        }
    }

    /// The promise that is broken, if somebody waits for an answer that is late.
    fn late_answer(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let waits = matches!(
            self.status,
            RegistrationStatus::Submitted | RegistrationStatus::InReview
        );
        self.respond_by.filter(|by| waits && *by < now)
    }

    /// Whether it excludes others.
    pub fn is_protected(&self) -> bool {
        self.status == RegistrationStatus::Approved
    }

    /// A move that this state does not allow.
    pub fn refusal(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), &self.status.moves())
    }

    /// Refuses a verb that this state does not allow, before anything else is looked at.
    pub fn require(&self, verb: &str) -> Result<(), Problem> {
        match self.status.after(verb) {
            Some(_) => Ok(()),
            None => Err(self.refusal(verb)),
        }
    }

    fn ended(self, verb: &str, why: Option<Why>, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            closed_at: Some(now),
            remind_at: None,
            ..self.moved(verb, why, now)?
        })
    }

    fn moved(self, verb: &str, why: Option<Why>, now: DateTime<Utc>) -> Result<Self, Problem> {
        let Some(status) = self.status.after(verb) else {
            return Err(self.refusal(verb));
        };
        let (reason_code, reason) = why.map(|why| (why.code, why.text)).unzip();
        // Whoever begins to look at it has not answered yet.
        let late = self.late_answer(now).filter(|_| verb != "review");
        Ok(Self {
            status,
            reason_code,
            reason,
            sla_breached_at: late.or(self.sla_breached_at),
            ..self.changed(now)
        })
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

/// How long an answer is overdue, in whole seconds.
fn overdue(respond_by: Option<DateTime<Utc>>, now: DateTime<Utc>) -> TimeDelta {
    let late = respond_by.map_or(0, |by| (now - by).num_seconds());
    TimeDelta::seconds(late.max(0))
}

/// The next of the instants at which the end is announced.
fn next_reminder(rules: &DealRules, until: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let instants = rules
        .reminder_days
        .iter()
        .map(|days| until - TimeDelta::days(i64::from(*days)));
    instants.filter(|instant| *instant > now).min()
}
