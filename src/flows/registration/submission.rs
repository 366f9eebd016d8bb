//! A partner claims an account.

use super::account::{self, Locked, Named};
use super::standing::{self, Standing};
use super::{Attempt, contested};
use crate::features::deal_registrations::{
    self, ClaimedAccount, DealRegistration, NewRegistration, RegistrationStatus,
};
use crate::features::deal_rules::{DealRules, ExistingAccounts, SecondRegistrant};
use crate::features::partners::{self, Partner, PartnerStatus};
use crate::features::programs::{self, Program};
use crate::features::registration_conflicts::{self, ConflictKind, NewConflict};
use crate::features::{accounts, compliance_documents, enrollments, product_families};
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
    let partner = claimant(tx, ctx, new.partner_id)?;
    let program = require_known(tx, ctx, new.program_id, new.account_id, new.product_family_id)?;
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
        let locked = account::find_or_create(tx, house, named)?;
        let account = &locked.account;
        let own_domain = account.domain.clone().filter(|_| named.id.is_some());
        let claimed = ClaimedAccount {
            id: account.id,
            name: new.account_name.clone().unwrap_or_else(|| account.name.clone()),
            domain: new.account_domain.clone().or(own_domain),
        };
        let stays_draft = new.draft;
        let draft = DealRegistration::draft(new, partner.id, claimed, (registrar, author), house.now);
        if stays_draft {
            deal_registrations::create(tx, house, &draft)?;
            return Ok(Attempt::Done(Box::new(draft)));
        }
        let parties = Parties {
            partner,
            program,
            locked,
        };
        claim(tx, house, draft, Written::Not, parties)
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
        let locked = Locked::known(accounts::lock_standing(tx, house, seen.account_id)?);
        let registration = deal_registrations::lock(tx, house, id)?;
        precondition.check(registration.row_version)?;
        registration.require("submit")?;
        let parties = Parties {
            partner: partners::get(tx, house, registration.partner_id)?,
            program: programs::get(tx, house, registration.program_id)?,
            locked,
        };
        claim(tx, house, registration, Written::AsDraft, parties)
    })
}

/// Who claims which account under what.
struct Parties {
    partner: Partner,
    program: Program,
    locked: Locked,
}

/// Whether a registration stands in the database already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Not,
    AsDraft,
}

/// For whom the caller registers: its own partner, or one below it; the organization names one.
pub fn claimant(tx: &mut Tx<'_>, ctx: &Ctx, named: Option<PartnerId>) -> Result<Partner, Problem> {
    let missing = || Problem::field("/partner_id", "missing", "The partner who claims must be named.");
    let partner_id = named.or(ctx.scope.partner_id).ok_or_else(missing)?;
    let unknown = Problem::field("/partner_id", "unknown_reference", "There is no such record.");
    partners::get(tx, ctx, partner_id).map_err(|problem| problem.or_if_missing(unknown))
}

/// Refuses what the body names and the caller does not see, all at once; the program.
pub fn require_known(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: ProgramId,
    account_id: Option<AccountId>,
    family_id: Option<ProductFamilyId>,
) -> Result<Program, Problem> {
    let mut unknown = Vec::new();
    let program = known(&mut unknown, "/program_id", programs::get(tx, ctx, program_id))?;
    if let Some(id) = account_id {
        known(&mut unknown, "/account_id", accounts::get(tx, ctx, id))?;
    }
    if let Some(id) = family_id {
        let family = product_families::get(tx, ctx, id);
        known(&mut unknown, "/product_family_id", family)?;
    }
    match program {
        Some(program) if unknown.is_empty() => Ok(program),
        _ => Err(Problem::fields(unknown)),
    }
}

/// What was found, or else a note that it was not.
fn known<T>(
    unknown: &mut Vec<FieldProblem>,
    pointer: &str,
    found: Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    match found {
        Err(problem) if problem.code == Code::NotFound => {
            let message = "There is no such record.";
            unknown.push(FieldProblem::new(pointer, "unknown_reference", message));
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Claims the account, once everything speaks for it; in house.
fn claim(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: DealRegistration,
    written: Written,
    parties: Parties,
) -> Result<Attempt, Problem> {
    let Parties {
        partner,
        program,
        locked,
    } = parties;
    let rules = deal_registrations::rules_of(tx, house, &program)?;
    let known_country = locked.account.country.as_deref();
    let mut found = Vec::from_iter(enrollment_problem(tx, house, &registration, &partner)?);
    let registering = compliance_documents::Registering {
        partner_id: registration.partner_id,
        product_family_id: registration.product_family_id,
        country: known_country.or(registration.country.as_deref()),
    };
    found.extend(compliance_documents::gate_problem(
        tx,
        house,
        &program,
        &registering,
    )?);
    found.extend(rule_problems(&registration, &rules, &partner, known_country));
    if !found.is_empty() {
        return Err(Problem::fields(found));
    }
    if registration.status == RegistrationStatus::ActionRequired {
        // It has been a claim all along, so that nothing new stands in its way.
        let submitted = submitted(tx, house, &registration, written, &rules)?;
        return Ok(Attempt::Done(Box::new(submitted)));
    }
    if !locked.is_new {
        require_first(tx, house, &registration)?;
    }
    require_room(tx, house, &registration, &rules)?;
    let standing = standing::of(tx, house, &locked, &registration)?;
    if standing.is_customer && rules.existing_accounts == ExistingAccounts::Refuse {
        return Err(Problem::new(Code::ExistingCustomer));
    }
    if let Some(new) = refused(&standing, &registration, &rules, house.now) {
        if written == Written::Not {
            deal_registrations::create(tx, house, &registration)?;
        }
        let conflict = registration_conflicts::raise(tx, house, &new)?;
        let kept = format!("Your registration is kept as the draft {}.", registration.id);
        return Ok(contested(&registration, &conflict, &kept));
    }
    let submitted = submitted(tx, house, &registration, written, &rules)?;
    for new in flagged(&standing, &submitted, &rules, house.now) {
        registration_conflicts::raise(tx, house, &new)?;
    }
    flag_similar(tx, house, locked, &submitted, &rules)?;
    Ok(Attempt::Done(Box::new(submitted)))
}

/// Lays before a person that others are at work at an account that may be the claimed one. No partner hears of it.
fn flag_similar(
    tx: &mut Tx<'_>,
    house: &Ctx,
    mut locked: Locked,
    registration: &DealRegistration,
    rules: &DealRules,
) -> Result<(), Problem> {
    let similar = account::similar(tx, house, &mut locked)?;
    accounts::suggest_matches(tx, house, locked.account.id, &similar)?;
    for found in similar {
        let standing = standing::of(tx, house, &Locked::known(found.account), registration)?;
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
    written: Written,
    rules: &DealRules,
) -> Result<DealRegistration, Problem> {
    let after = before.clone().submit(rules, house.now)?;
    match written {
        Written::Not => deal_registrations::create_submitted(tx, house, before, &after)?,
        Written::AsDraft => {
            deal_registrations::save(tx, house, "deal_registration.submitted", before, &after)?;
        }
    }
    Ok(after)
}

/// Why the partner may not register in the program at all.
fn enrollment_problem(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
    partner: &Partner,
) -> Result<Option<FieldProblem>, Problem> {
    if partner.status != PartnerStatus::Approved {
        let message = "Only an approved partner registers.";
        return Ok(Some(FieldProblem::new(
            "/partner_id",
            "partner_not_approved",
            message,
        )));
    }
    let takes_part = enrollments::takes_part(tx, house, registration.partner_id, registration.program_id)?;
    let message = "The partner does not take part in this program now.";
    Ok((!takes_part).then(|| FieldProblem::new("/program_id", "not_enrolled", message)))
}

/// What the program's rules have against a registration.
fn rule_problems(
    registration: &DealRegistration,
    rules: &DealRules,
    partner: &Partner,
    known_country: Option<&str>,
) -> Vec<FieldProblem> {
    // What the organization knows counts: another word of the partner's would be a way around the territories.
    let country = known_country.or(registration.country.as_deref());
    let mut found = rules.qualification_problems(&registration.qualification, "/qualification");
    found.extend(rules.size_problem(Some(registration.amount), "/amount"));
    found.extend(rules.territory_problem(country, "/country"));
    found.extend(rules.partner_territory_problem(&partner.territories, country, "/country"));
    found.extend(rules.product_problem(registration.product_family_id, "/product_family_id"));
    found.extend(rules.tender_problem(registration.public_tender, "/public_tender"));
    found
}

/// Refuses a second claim of one partner to the same; in house.
pub(super) fn require_first(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
) -> Result<(), Problem> {
    let Some(own) = deal_registrations::own_claim(tx, house, registration)? else {
        return Ok(());
    };
    let detail = format!("The partner has a registration of this account already: {own}.");
    Err(Problem::new(Code::AlreadyExists).because(detail))
}

fn require_room(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
    rules: &DealRules,
) -> Result<(), Problem> {
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
