//! Commission rules: versioned terms: who earns what on which money.
//!
//! version: draft → active → retired (final)
//!
//! Invariant: the terms of a version never change once it is active; only its end may be set.
//! Invariant: versions of one rule never overlap in time, and no two active versions of a program tie.
//! Invariant: tiers that rate everything anew never pay less for more once they are active.
//! Invariant: activating or retiring a version changes nothing about commissions that were already computed.
//! Events: `commission_rule.created`, `commission_rule.updated`, `commission_rule_version.created`,
//! `commission_rule_version.updated`, `commission_rule_version.activated`, `commission_rule_version.retired`.

mod assumed;
mod clauses_dto;
mod diff_dto;
mod domain;
mod dto;
mod formula_dto;
pub mod http;
mod sentence;
mod service;
mod store;
mod terms_dto;
#[cfg(test)]
mod tests;
mod usage_store;
mod version_dto;

pub use assumed::{KnownRule, rules_assuming};
pub use domain::{CommissionRule, CommissionRuleVersion, RuleVersionStatus, VersionTerms};
pub use service::{find_version, get, rules_of_program, rules_of_programs, rules_with_drafts};
