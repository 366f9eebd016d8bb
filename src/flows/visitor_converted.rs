//! A visitor of the organization's site makes itself known: a referral of the partner by whose link it came.

use crate::features::product_families;
use crate::features::referral_links::{self, Conversion};
use crate::features::referrals::{self, Lead, NewReferral};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProgramId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// A visitor, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The site's key for it.
    pub key: String,
    /// In which program.
    pub program_id: ProgramId,
    /// The lead that it becomes.
    pub lead: Lead,
}

/// Submits the referral for whoever's click is credited.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, visitor: Visitor) -> Result<Conversion, Problem> {
    // Before the click is looked for: what the body names must exist, whoever the visitor is.
    if let Some(family) = visitor.lead.product_family_id {
        let unknown = Problem::field(
            "/product_family_id",
            "unknown_reference",
            "There is no such record.",
        );
        product_families::get(tx, ctx, family).map_err(|problem| problem.or_if_missing(unknown))?;
    }
    let click = referral_links::credited(tx, ctx, visitor.program_id, &visitor.key)?;
    let referral = NewReferral {
        external_id: None,
        partner_id: Some(click.partner_id),
        program_id: visitor.program_id,
        lead: visitor.lead,
        hidden_from_parent: false,
    };
    let referral = referrals::submit(tx, ctx, referral)?;
    referral_links::converted(tx, ctx, &click, referral.id)
}
