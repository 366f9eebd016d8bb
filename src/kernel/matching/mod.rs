//! Whether two companies are one: keys that decide, and a score with its reasons for a person to look at.
//!
//! Three keys are exact: an external id, the registrable domain of a web or mail address ([`registrable_domain`]), and
//! the company's name without all that people write in different ways ([`CompanyName`]). What is merely similar has a
//! score between 0 and 10,000 and is never certain.
//!
//! What is certain is said here and nowhere else: [`Verdict::certain`], and [`Verdict::decides_claims`] where a partner
//! claims a company.
//!
//! Everything here is a pure function of its arguments; lists of words are data beside the code.

mod domain;
mod evidence;
mod legal_form;
mod name;
mod search;
mod similarity;
#[cfg(test)]
mod tests;
mod words;

pub use domain::{registrable_domain, registrable_domain_of_mail};
pub use evidence::{Company, LIKELY, POSSIBLE, Reason, Verdict, compare, settle};
pub use name::{CompanyName, KEY_VERSION};
pub use search::Search;
