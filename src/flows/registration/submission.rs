//! A partner claims an account.

use super::account::{self, Named};
use super::standing::{self, Standing};
use super::{Attempt, contested};
use crate::features::accounts::Account;
use crate::features::deal_registrations::{
    self, ClaimedAccount, DealRegistration, NewRegistration, RegistrationStatus,
};
use crate::features::deal_rules::{DealRules, ExistingAccounts, SecondRegistrant};
use crate::features::partners::{self, Partner, PartnerStatus};
use crate::features::registration_conflicts::{self, ConflictKind, NewConflict};
use crate::features::{accounts, enrollments, product_families, programs};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use chrono::{DateTime, TimeDelta, Utc};

/// Days in which a conflict is decided where the program promises no answer.
const DECISION_DAYS: i64 = 14;

/// Writes a registration down and, unless it is to stay a draft, submits it.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewRegistration) -> Result<Attempt, Problem> {
    let partner_id = claimant(tx, ctx, new.partner_id)?;
    require_known(tx, ctx, new.program_id, new.account_id, new.product_family_id)?;
    if new.account_id.is_none() && new.account_name.is_none() {
        let message = "Name the account, or give its id.";
        return Err(Problem::field("/account_name", "missing", message));
    }
    let author = deal_registrations::person(ctx)?;
    let registrar = ctx.scope.partner_id;
    tx.in_house(ctx, |tx, house| {
        let named = Named {
            id: new.account_id,
            name: new.account_name.as_deref(),
            domain: new.account_domain.as_deref(),
            country: new.country.as_deref(),
        };
        let account = account::find_or_create(tx, house, named)?;
        let claimed = ClaimedAccount {
            id: account.id,
            name: new.account_name.clone().unwrap_or(account.name),
            domain: new
                .account_domain
                .clone()
                .or(account.domain.filter(|_| named.id.is_some())),
        };
        let stays_draft = new.draft;
        let draft = DealRegistration::draft(new, partner_id, claimed, (registrar, author), house.now);
        deal_registrations::create(tx, house, &draft)?;
        if stays_draft {
            return Ok(Attempt::Done(Box::new(draft)));
        }
        claim(tx, house, draft)
    })
}

/// Submits a draft, or again what was sent back.
pub fn submit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
) -> Result<Attempt, Problem> {
    deal_registrations::get_own(tx, ctx, id)?;
    tx.in_house(ctx, |tx, house| {
        // Everybody takes the account first, as a merge of it does.
        let seen = deal_registrations::get(tx, house, id)?;
        accounts::lock_standing(tx, house, seen.account_id)?;
        let registration = deal_registrations::lock(tx, house, id)?;
        precondition.check(registration.row_version)?;
        registration.require("submit")?;
        claim(tx, house, registration)
    })
}

/// For whom the caller registers: its own partner, or one below it; the organization names one.
pub fn claimant(tx: &mut Tx<'_>, ctx: &Ctx, named: Option<PartnerId>) -> Result<PartnerId, Problem> {
    let missing = || Problem::field("/partner_id", "missing", "The partner who claims must be named.");
    let partner_id = named.or(ctx.scope.partner_id).ok_or_else(missing)?;
    let unknown = Problem::field("/partner_id", "unknown_reference", "There is no such record.");
    partners::get(tx, ctx, partner_id).map_err(|problem| problem.or_if_missing(unknown))?;
    Ok(partner_id)
}

/// Refuses what the body names and the caller does not see, all at once.
pub fn require_known(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: ProgramId,
    account_id: Option<AccountId>,
    family_id: Option<ProductFamilyId>,
) -> Result<(), Problem> {
    let mut unknown = Vec::new();
    let mut note = |pointer: &str, found: Result<(), Problem>| match found {
        Err(problem) if problem.code == Code::NotFound => {
            unknown.push(FieldProblem::new(
                pointer,
                "unknown_reference",
                "There is no such record.",
            ));
            Ok(())
        }
        other => other,
    };
    note("/program_id", programs::get(tx, ctx, program_id).map(drop))?;
    if let Some(id) = account_id {
        note("/account_id", accounts::get(tx, ctx, id).map(drop))?;
    }
    if let Some(id) = family_id {
        note("/product_family_id", product_families::get(tx, ctx, id).map(drop))?;
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(unknown))
    }
}

/// Claims the account, once everything speaks for it; in house.
fn claim(tx: &mut Tx<'_>, house: &Ctx, registration: DealRegistration) -> Result<Attempt, Problem> {
    let account = accounts::lock_standing(tx, house, registration.account_id)?;
    let rules = deal_registrations::rules(tx, house, registration.program_id)?;
    let partner = require_enrolled(tx, house, &registration)?;
    require_rules(&registration, &rules, &partner, account.country.as_deref())?;
    if registration.status == RegistrationStatus::ActionRequired {
        // It has been a claim all along, so that nothing new stands in its way.
        let submitted = submitted(tx, house, &registration, &rules)?;
        return Ok(Attempt::Done(Box::new(submitted)));
    }
    require_room(tx, house, &registration, &rules)?;
    let (family, partner) = (registration.product_family_id, Some(registration.partner_id));
    let standing = standing::of(tx, house, &account, family, partner)?;
    if standing.is_customer && rules.existing_accounts == ExistingAccounts::Refuse {
        return Err(Problem::new(Code::ExistingCustomer));
    }
    if let Some(new) = refused(&standing, &registration, &rules, house.now) {
        let conflict = registration_conflicts::raise(tx, house, &new)?;
        let kept = format!("Your registration is kept as the draft {}.", registration.id);
        return Ok(contested(&registration, &conflict, &kept));
    }
    let submitted = submitted(tx, house, &registration, &rules)?;
    for new in flagged(&standing, &submitted, &rules, house.now) {
        registration_conflicts::raise(tx, house, &new)?;
    }
    flag_similar(tx, house, &account, &submitted, &rules)?;
    Ok(Attempt::Done(Box::new(submitted)))
}

/// Lays before a person that others are at work at an account that may be the claimed one. No partner hears of it.
fn flag_similar(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account: &Account,
    registration: &DealRegistration,
    rules: &DealRules,
) -> Result<(), Problem> {
    let similar = account::similar(tx, house, account)?;
    accounts::suggest_matches(tx, house, account.id, &similar)?;
    for found in &similar {
        let (family, partner) = (registration.product_family_id, Some(registration.partner_id));
        let standing = standing::of(tx, house, &found.account, family, partner)?;
        if !standing.is_contested() {
            continue;
        }
        let new = NewConflict {
            kind: ConflictKind::SimilarAccount,
            policy: rules.second_registrant,
            incumbent: standing.rival.as_ref(),
            deal_id: standing.deal.as_ref().map(|deal| deal.id),
            referral_id: standing.referral.as_ref().map(|referral| referral.id),
            challenger: Some(registration),
            respond_by: respond_by(rules, house.now),
            is_refused: false,
        };
        registration_conflicts::raise(tx, house, &new)?;
    }
    Ok(())
}

fn submitted(
    tx: &mut Tx<'_>,
    house: &Ctx,
    before: &DealRegistration,
    rules: &DealRules,
) -> Result<DealRegistration, Problem> {
    let after = before.clone().submit(rules, house.now)?;
    deal_registrations::save(tx, house, "deal_registration.submitted", before, &after)?;
    Ok(after)
}

fn require_enrolled(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
) -> Result<Partner, Problem> {
    let partner = partners::get(tx, house, registration.partner_id)?;
    if partner.status != PartnerStatus::Approved {
        let message = "Only an approved partner registers.";
        return Err(Problem::field("/partner_id", "partner_not_approved", message));
    }
    if enrollments::takes_part(tx, house, registration.partner_id, registration.program_id)? {
        return Ok(partner);
    }
    let message = "The partner does not take part in this program now.";
    Err(Problem::field("/program_id", "not_enrolled", message))
}

fn require_rules(
    registration: &DealRegistration,
    rules: &DealRules,
    partner: &Partner,
    known_country: Option<&str>,
) -> Result<(), Problem> {
    let country = registration.country.as_deref().or(known_country);
    let mut found = rules.qualification_problems(&registration.qualification, "/qualification");
    found.extend(rules.size_problem(Some(registration.amount), "/amount"));
    found.extend(rules.territory_problem(country, "/country"));
    found.extend(rules.partner_territory_problem(&partner.territories, country, "/country"));
    found.extend(rules.product_problem(registration.product_family_id, "/product_family_id"));
    found.extend(rules.tender_problem(registration.public_tender, "/public_tender"));
    if found.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(found))
    }
}

fn require_room(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
    rules: &DealRules,
) -> Result<(), Problem> {
    if let Some(own) = deal_registrations::own_claim(tx, house, registration)? {
        let detail = format!("The partner has a registration of this account already: {own}.");
        return Err(Problem::new(Code::AlreadyExists).because(detail));
    }
    let Some(most) = rules.maximum_open_registrations else {
        return Ok(());
    };
    // Several at once count one another.
    partners::lock(tx, house, registration.partner_id)?;
    let open = deal_registrations::live_count(tx, house, registration.partner_id, registration.program_id)?;
    if open < i64::from(most) {
        return Ok(());
    }
    let detail = format!("{open} registrations are open in this program, and it allows {most}.");
    Err(Problem::new(Code::TooManyRegistrations).because(detail))
}

/// The conflict by which the program refuses whoever comes second.
fn refused<'a>(
    standing: &'a Standing,
    registration: &'a DealRegistration,
    rules: &DealRules,
    now: DateTime<Utc>,
) -> Option<NewConflict<'a>> {
    let is_refused = rules.second_registrant == SecondRegistrant::Refuse;
    let mut met = met(standing, registration, rules, now).into_iter();
    met.next().filter(|_| is_refused).map(|conflict| NewConflict {
        is_refused,
        ..conflict
    })
}

/// The conflicts that a person decides.
fn flagged<'a>(
    standing: &'a Standing,
    registration: &'a DealRegistration,
    rules: &DealRules,
    now: DateTime<Utc>,
) -> Vec<NewConflict<'a>> {
    let mut found = met(standing, registration, rules, now);
    if standing.is_customer && rules.existing_accounts == ExistingAccounts::Review {
        found.push(NewConflict {
            kind: ConflictKind::ExistingCustomer,
            policy: rules.second_registrant,
            incumbent: None,
            deal_id: None,
            referral_id: None,
            challenger: Some(registration),
            respond_by: respond_by(rules, now),
            is_refused: false,
        });
    }
    found
}

/// What the claim meets: another one, a deal, and a referral.
fn met<'a>(
    standing: &'a Standing,
    registration: &'a DealRegistration,
    rules: &DealRules,
    now: DateTime<Utc>,
) -> Vec<NewConflict<'a>> {
    let conflict = |kind, incumbent, deal_id, referral_id| NewConflict {
        kind,
        policy: rules.second_registrant,
        incumbent,
        deal_id,
        referral_id,
        challenger: Some(registration),
        respond_by: respond_by(rules, now),
        is_refused: false,
    };
    let rival = standing.rival.as_ref();
    let rivals_deal = rival.and_then(|rival| rival.deal_id);
    // The deal of the claim that stands in the way is the same obstacle again.
    let deal = standing.deal.as_ref().filter(|deal| Some(deal.id) != rivals_deal);
    let rival = rival.map(|rival| conflict(ConflictKind::Registration, Some(rival), None, None));
    let deal = deal.map(|deal| conflict(ConflictKind::Deal, None, Some(deal.id), None));
    let referral = standing.referral.as_ref();
    let referral = referral.map(|referral| conflict(ConflictKind::Referral, None, None, Some(referral.id)));
    rival.into_iter().chain(deal).chain(referral).collect()
}

/// By when a conflict or a dispute is decided.
pub fn respond_by(rules: &DealRules, now: DateTime<Utc>) -> DateTime<Utc> {
    rules
        .respond_by(now)
        .unwrap_or(now + TimeDelta::days(DECISION_DAYS))
}
