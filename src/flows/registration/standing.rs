//! What stands in the way of a claim.

use crate::features::deal_registrations::{self, DealRegistration};
use crate::features::deals::{self, Deal};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, PartnerId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// What others have to do with an account. Each source of claims is a field: open referrals of other partners belong
/// here as well.
#[derive(Debug)]
pub struct Standing {
    /// Another partner's live claim.
    pub rival: Option<DealRegistration>,
    /// An open deal of the organization's own.
    pub deal: Option<Deal>,
    /// Whether the company bought before, and not from this partner.
    pub is_customer: bool,
}

/// How the account stands for a partner; in house, and true until the end of the transaction when the account is locked.
pub fn of(
    tx: &mut Tx<'_>,
    house: &Ctx,
    account_id: AccountId,
    family: Option<ProductFamilyId>,
    partner_id: Option<PartnerId>,
) -> Result<Standing, Problem> {
    Ok(Standing {
        rival: deal_registrations::incumbent(tx, house, account_id, family, partner_id)?,
        deal: deals::open_direct(tx, house, account_id, family)?,
        is_customer: deals::is_customer(tx, house, account_id, partner_id)?,
    })
}
