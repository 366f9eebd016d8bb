//! Which account is meant.

use crate::features::accounts::{self, Account, NewAccount};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
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
}

/// The account that is meant, if it is known; in house. The only place that matches accounts for claims.
pub fn find(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Option<Account>, Problem> {
    match (named.id, named.domain) {
        (Some(id), _) => accounts::get(tx, house, id).map(Some),
        (None, Some(domain)) => accounts::by_domain(tx, house, domain),
        (None, None) => Ok(None),
    }
}

/// The account that is meant, known or new; in house. Of several who name the same new one at once, one makes it.
pub fn find_or_create(tx: &mut Tx<'_>, house: &Ctx, named: Named<'_>) -> Result<Account, Problem> {
    if let (None, Some(domain)) = (named.id, named.domain) {
        accounts::hold_domain(tx, house, domain)?;
    }
    if let Some(known) = find(tx, house, named)? {
        return Ok(known);
    }
    let new = NewAccount {
        external_id: None,
        name: named.name.or(named.domain).unwrap_or_default().to_owned(),
        domain: named.domain.map(str::to_owned),
        country: None,
    };
    accounts::create(tx, house, new)
}
