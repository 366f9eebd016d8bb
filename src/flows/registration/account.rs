//! Which account is meant: the one that matching is certain of, or else a new one, with those that it may be laid before a
//! person. Registrations and referrals come to their accounts in this way.

use crate::features::accounts::{self, Account, AccountMatch, Candidate, NewAccount};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::matching::{CompanyName, registrable_domain};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// An account as a caller names it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its id, which the caller's own scope has shown.
    pub id: Option<AccountId>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Its domain.
    pub domain: Option<&'a str>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
}

impl Named<'_> {
    fn candidate(&self) -> Candidate {
        Candidate {
            name: self.name.map(str::to_owned),
            website: self.domain.map(str::to_owned),
            country: self.country.map(str::to_owned),
            ..Candidate::default()
        }
    }

    /// What others would name the same account by, in one order for everybody.
    fn keys(&self) -> Vec<String> {
        let names = self.name.map(CompanyName::all_of).unwrap_or_default();
        let names = names.iter().map(|name| format!("name {}", name.key()));
        let domain = self.domain.and_then(registrable_domain);
        let mut keys: Vec<String> = names
            .chain(domain.map(|domain| format!("domain {domain}")))
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

/// The account that is meant, if it is known; in house.
pub fn find(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Option<Account>, Problem> {
    look_for(tx, house, named).map(Result::ok)
}

/// The account that is meant, or those that are like it. The only place that matches accounts for claims.
fn look_for(
    tx: &mut Tx<'_>,
    house: &Ctx,
    named: Named<'_>,
) -> Result<Result<Account, Vec<AccountMatch>>, Problem> {
    if let Some(id) = named.id {
        let standing = accounts::resolve(tx, house, id)?;
        return accounts::get(tx, house, standing).map(Ok);
    }
    let mut found = accounts::find_match(tx, house, &named.candidate())?;
    if let Some(at) = found.iter().position(|found| found.verdict().decides_claims()) {
        return Ok(Ok(found.swap_remove(at).account));
    }
    let survivor = match named.domain.and_then(registrable_domain) {
        Some(domain) => accounts::survivor_of_domain(tx, house, &domain)?,
        None => None,
    };
    Ok(survivor.ok_or(found))
}

/// An account that is locked until the transaction ends.
#[derive(Debug)]
pub struct Locked {
    /// The account.
    pub account: Account,
    /// Whether this transaction made it, so that nobody else knows of it yet.
    pub is_new: bool,
    /// The others that may be it, the likeliest first, where they were looked for.
    like: Option<Vec<AccountMatch>>,
}

impl Locked {
    /// An account that was there before.
    pub fn known(account: Account) -> Self {
        Self {
            account,
            is_new: false,
            like: None,
        }
    }
}

/// The account that is meant, known or new, locked; in house. Of several who name the same new one at once, one makes
/// it. The country that a partner claims for it is not the account's, or another country would be a way around the claims
/// of others.
pub fn find_or_create(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Locked, Problem> {
    known_or_new(tx, house, named, None)
}

fn known_or_new(
    tx: &mut Tx<'_>,
    house: &Ctx,
    named: Named<'_>,
    country: Option<&str>,
) -> Result<Locked, Problem> {
    if named.id.is_none() {
        accounts::hold_keys(tx, house, &named.keys())?;
    }
    let like = match look_for(tx, house, named)? {
        Ok(known) => return accounts::lock_standing(tx, house, known.id).map(Locked::known),
        Err(like) => like,
    };
    let new = NewAccount {
        external_id: None,
        name: named.name.or(named.domain).unwrap_or_default().to_owned(),
        domain: named.domain.map(str::to_owned),
        country: country.map(str::to_owned),
    };
    // Those who are like it in a country that the account does not have are looked for without it.
    let is_as_named = named.country == country;
    Ok(Locked {
        account: accounts::create(tx, house, new)?,
        is_new: true,
        like: is_as_named.then_some(like),
    })
}

/// The account of a lead that the organization has accepted, known or new, locked; in house. Those that a new one may be
/// wait for a person's decision.
pub fn of_lead(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Account, Problem> {
    let mut locked = known_or_new(tx, house, named, named.country)?;
    if locked.is_new {
        let similar = similar(tx, house, &mut locked)?;
        accounts::suggest_matches(tx, house, locked.account.id, &similar)?;
    }
    Ok(locked.account)
}

/// Other accounts that may be this one, for a person to look at, the likeliest first; in house.
pub fn similar(tx: &mut Tx<'_>, house: &Ctx, locked: &mut Locked) -> Result<Vec<AccountMatch>, Problem> {
    if let Some(like) = locked.like.take() {
        return Ok(like);
    }
    let account = &locked.account;
    let candidate = Candidate {
        name: Some(account.name.clone()),
        website: account.domain.clone(),
        country: account.country.clone(),
        account_id: Some(account.id),
        ..Candidate::default()
    };
    accounts::find_match(tx, house, &candidate)
}
