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

/// The account that is meant, if it is known; in house. The only place that matches accounts for claims.
pub fn find(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Option<Account>, Problem> {
    if let Some(id) = named.id {
        let standing = accounts::resolve(tx, house, id)?;
        return accounts::get(tx, house, standing).map(Some);
    }
    let found = accounts::find_match(tx, house, &named.candidate())?;
    if let Some(found) = found.into_iter().find(|found| found.verdict().decides_claims()) {
        return Ok(Some(found.account));
    }
    match named.domain.and_then(registrable_domain) {
        Some(domain) => accounts::survivor_of_domain(tx, house, &domain),
        None => Ok(None),
    }
}

/// The account that is meant, known or new, locked; in house. Of several who name the same new one at once, one makes
/// it. The country that a partner claims for it is not the account's, or another country would be a way around the claims
/// of others.
pub fn find_or_create(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Account, Problem> {
    known_or_new(tx, house, named, None)
}

fn known_or_new(
    tx: &mut Tx<'_>,
    house: &Ctx,
    named: Named<'_>,
    country: Option<&str>,
) -> Result<Account, Problem> {
    if named.id.is_none() {
        for key in named.keys() {
            accounts::hold_key(tx, house, &key)?;
        }
    }
    if let Some(known) = find(tx, house, named)? {
        return accounts::lock_standing(tx, house, known.id);
    }
    let new = NewAccount {
        external_id: None,
        name: named.name.or(named.domain).unwrap_or_default().to_owned(),
        domain: named.domain.map(str::to_owned),
        country: country.map(str::to_owned),
    };
    accounts::create(tx, house, new)
}

/// The account of a lead that the organization has accepted, known or new, locked; in house. Those that a new one may be
/// wait for a person's decision.
pub fn of_lead(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Account, Problem> {
    let account = known_or_new(tx, house, named, named.country)?;
    let similar = similar(tx, house, &account)?;
    accounts::suggest_matches(tx, house, account.id, &similar)?;
    Ok(account)
}

/// Other accounts that may be this one, for a person to look at, the likeliest first; in house.
pub fn similar(tx: &mut Tx<'_>, house: &Ctx, account: &Account) -> Result<Vec<AccountMatch>, Problem> {
    let candidate = Candidate {
        name: Some(account.name.clone()),
        website: account.domain.clone(),
        country: account.country.clone(),
        account_id: Some(account.id),
        ..Candidate::default()
    };
    accounts::find_match(tx, house, &candidate)
}
