//! What stands in the way of a claim.

use super::account::Locked;
use crate::features::accounts::Account;
use crate::features::deal_registrations::{self, DealRegistration};
use crate::features::deals::{self, Deal};
use crate::features::referrals::{self, Referral};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// What others have to do with an account. Each source of claims is a field.
#[derive(Debug)]
pub struct Standing {
    /// Another partner's live claim.
    pub rival: Option<DealRegistration>,
    /// An open deal of the organization's own.
    pub deal: Option<Deal>,
    /// Another partner's referral that is not closed.
    pub referral: Option<Referral>,
    /// Whether the company bought before, and not from this partner.
    pub is_customer: bool,
}

impl Standing {
    /// Whether somebody else is at work there.
    pub fn is_contested(&self) -> bool {
        self.rival.is_some() || self.deal.is_some() || self.referral.is_some()
    }
}

/// How the account stands for who claims it; in house, and true until the end of the transaction when it is locked.
pub fn of(
    tx: &mut Tx<'_>,
    house: &Ctx,
    locked: &Locked,
    registration: &DealRegistration,
) -> Result<Standing, Problem> {
    let (family, partner_id) = (registration.product_family_id, registration.partner_id);
    if !locked.is_new {
        return of_known(tx, house, &locked.account, family, partner_id);
    }
    let company = locked.account.company();
    Ok(Standing {
        rival: None,
        deal: None,
        referral: referrals::open_of_others(tx, house, &company, family, Some(partner_id))?,
        is_customer: false,
    })
}

/// How an account stands that was there before, for a partner.
pub fn of_known(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account: &Account,
    family: Option<ProductFamilyId>,
    partner_id: PartnerId,
) -> Result<Standing, Problem> {
    let (id, own) = (account.id, Some(partner_id));
    let (deal, is_customer) = deals::business(tx, house, id, family, partner_id)?;
    Ok(Standing {
        rival: deal_registrations::incumbent(tx, house, id, family, own)?,
        deal,
        referral: referrals::open_of_others(tx, house, &account.company(), family, own)?,
        is_customer,
    })
}
