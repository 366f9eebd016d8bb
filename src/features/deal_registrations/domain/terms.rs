//! What registrations are made of and changed by.

use super::Attachment;
use crate::features::deal_rules::Qualification;
use crate::kernel::id::{AccountId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::patch::Patch;
use chrono::NaiveDate;

/// What a new registration is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRegistration {
    /// The partner's key for it.
    pub external_id: Option<String>,
    /// Who claims; the caller's partner where it is left out.
    pub partner_id: Option<PartnerId>,
    /// Under which program.
    pub program_id: ProgramId,
    /// The account, where the caller knows its id.
    pub account_id: Option<AccountId>,
    /// The account's name.
    pub account_name: Option<String>,
    /// The account's domain.
    pub account_domain: Option<String>,
    /// What is to be sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// What the opportunity is called; the account's name where it is left out.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Money,
    /// When it is expected to close.
    pub expected_close_on: Option<NaiveDate>,
    /// The customer's country.
    pub country: Option<String>,
    /// Whether it is put out to public tender.
    pub public_tender: bool,
    /// What the program's form asked.
    pub qualification: Qualification,
    /// Documents that lie elsewhere.
    pub attachments: Vec<Attachment>,
    /// Whether the partners above do not see it.
    pub hidden_from_parent: bool,
    /// Whether it is only written down.
    pub draft: bool,
}

/// What may be changed of a registration that is not submitted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegistrationPatch {
    /// The partner's key for it; changes in every state.
    pub external_id: Patch<String>,
    /// What is to be sold.
    pub product_family_id: Patch<ProductFamilyId>,
    /// What the opportunity is called.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Option<Money>,
    /// When it is expected to close.
    pub expected_close_on: Patch<NaiveDate>,
    /// The customer's country.
    pub country: Patch<String>,
    /// Whether it is put out to public tender.
    pub public_tender: Option<bool>,
    /// What the program's form asked; replaces what was filled in.
    pub qualification: Option<Qualification>,
    /// Documents that lie elsewhere; replaces the list.
    pub attachments: Option<Vec<Attachment>>,
    /// Whether the partners above do not see it; changes in every state.
    pub hidden_from_parent: Option<bool>,
}

/// The account of a new registration: which one it is, and how the caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedAccount {
    /// The account.
    pub id: AccountId,
    /// Its name, as the caller gave it.
    pub name: String,
    /// Its domain, as the caller gave it.
    pub domain: Option<String>,
}
