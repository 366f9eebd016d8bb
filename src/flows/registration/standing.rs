//! What stands in the way of a claim.

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

/// How the account stands for a partner; in house, and true until the end of the transaction when the account is locked.
pub fn of(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account: &Account,
    family: Option<ProductFamilyId>,
    partner_id: Option<PartnerId>,
) -> Result<Standing, Problem> {
    Ok(Standing {
        rival: deal_registrations::incumbent(tx, house, account.id, family, partner_id)?,
        deal: deals::open_direct(tx, house, account.id, family)?,
        referral: referrals::open_of_others(tx, house, &account.company(), family, partner_id)?,
        is_customer: deals::is_customer(tx, house, account.id, partner_id)?,
    })
}
