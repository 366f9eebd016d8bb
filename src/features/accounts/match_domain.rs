//! Accounts that may be a company that somebody names.

use super::domain::Account;
use crate::kernel::id::AccountId;
use crate::kernel::matching::{
    Company, CompanyName, POSSIBLE, Reason, Verdict, compare, registrable_domain, registrable_domain_of_mail,
    settle,
};

/// The most matches that are told.
const MOST_TOLD: usize = 20;

/// What is known of a company that may be an account already. What is unknown is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidate {
    /// Its name, perhaps with "trading as".
    pub name: Option<String>,
    /// Its internet domain or home page; a domain that anybody may have an address at says nothing.
    pub website: Option<String>,
    /// An e-mail address of somebody there.
    pub email: Option<String>,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The account that it is, where it is one already and others like it are looked for.
    pub account_id: Option<AccountId>,
}

/// Accounts that are known to be the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// The one that it is itself, which is not told.
    pub own: Option<AccountId>,
    /// The survivor of the merged one with its external id.
    pub by_external_id: Option<AccountId>,
}

/// What a person decided about two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The two.
    pub between: (AccountId, AccountId),
    /// Whether they are one.
    pub confirmed: bool,
}

/// An account that may be the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountMatch {
    /// The account.
    pub account: Account,
    /// How much speaks for it, between 0 and 10,000.
    pub score: u32,
    /// It is decided by an exact key or by a person. What is not certain is for a person to look at.
    pub certain: bool,
    /// What speaks for it and against it.
    pub reasons: Vec<Reason>,
}

impl Candidate {
    /// What matching compares.
    pub fn company(&self) -> Company {
        let of_website = self.website.as_deref().and_then(registrable_domain);
        let of_mail = || self.email.as_deref().and_then(registrable_domain_of_mail);
        Company {
            names: self.name.as_deref().map(CompanyName::all_of).unwrap_or_default(),
            domain: of_website.or_else(of_mail),
            external_id: self.external_id.clone(),
            country: self.country.clone(),
        }
    }
}

impl AccountMatch {
    /// What was found, without the account.
    pub fn verdict(&self) -> Verdict {
        Verdict {
            score: self.score,
            certain: self.certain,
            same_key: self.reasons.contains(&Reason::SameName),
            reasons: self.reasons.clone(),
        }
    }
}

impl Account {
    /// What matching compares.
    pub fn company(&self) -> Company {
        Company {
            names: CompanyName::all_of(&self.name),
            domain: self.domain.as_deref().and_then(registrable_domain),
            external_id: self.external_id.clone(),
            country: self.country.clone(),
        }
    }
}

/// The accounts that may be this company, the best first. What people decided between the accounts that it certainly is
/// and others goes before what is merely alike.
pub fn matches(
    company: &Company,
    known: &Known,
    accounts: Vec<Account>,
    decisions: &[Decision],
) -> Vec<AccountMatch> {
    let mut compared: Vec<(Account, Verdict)> = accounts
        .into_iter()
        .map(|account| {
            let mut theirs = account.company();
            if Some(account.id) == known.by_external_id {
                theirs.external_id.clone_from(&company.external_id);
            }
            let verdict = compare(company, &theirs);
            (account, verdict)
        })
        .collect();
    settle(compared.iter_mut().map(|(_, verdict)| verdict));
    honor(&mut compared, known.own, decisions);
    compared.retain(|(account, _)| Some(account.id) != known.own);
    let told = compared
        .into_iter()
        .filter(|(_, verdict)| verdict.certain || verdict.score >= POSSIBLE);
    let mut matches: Vec<AccountMatch> = told
        .map(|(account, verdict)| AccountMatch {
            account,
            score: verdict.score,
            certain: verdict.certain,
            reasons: verdict.reasons,
        })
        .collect();
    matches.sort_by_key(|found| (!found.certain, u32::MAX - found.score, found.account.id.uuid()));
    matches.truncate(MOST_TOLD);
    matches
}

/// Has decisions count: whoever is certainly one of two accounts is certainly the other where they are one, and is not
/// the other where they are two; who would certainly be both of two is for a person to look at.
fn honor(compared: &mut Vec<(Account, Verdict)>, own: Option<AccountId>, decisions: &[Decision]) {
    let certain = compared.iter().filter(|(_, verdict)| verdict.certain);
    let mut certain: Vec<AccountId> = certain.map(|(account, _)| account.id).collect();
    certain.extend(own);
    let mut excluded = Vec::new();
    for decision in decisions {
        let (one, other) = decision.between;
        for (known, second) in [(one, other), (other, one)] {
            if !certain.contains(&known) {
                continue;
            }
            let Some((_, verdict)) = compared.iter_mut().find(|(account, _)| account.id == second) else {
                continue;
            };
            if decision.confirmed {
                verdict.certain = true;
                verdict.score = 10_000;
                verdict.reasons.push(Reason::Confirmed);
            } else if certain.contains(&second) && Some(known) != own {
                verdict.certain = false;
            } else {
                excluded.push(second);
            }
        }
    }
    compared.retain(|(account, _)| !excluded.contains(&account.id));
}

/// One key of an account, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchKey {
    /// The account.
    pub account_id: AccountId,
    /// Counts its names.
    pub position: i32,
    /// The name's key.
    pub name_key: Option<String>,
    /// The words that are the company's own.
    pub core: Option<String>,
    /// The registrable domain, with the first name.
    pub domain: Option<String>,
}

/// The keys of an account: one for each of its names, and one where it has none that says anything.
pub fn keys_of(account_id: AccountId, name: &str, domain: Option<&str>) -> Vec<MatchKey> {
    let names = CompanyName::all_of(name);
    let domain = domain.and_then(registrable_domain);
    let mut keys = vec![MatchKey {
        account_id,
        position: 0,
        name_key: names.first().map(CompanyName::key),
        core: names.first().map(CompanyName::core),
        domain,
    }];
    keys.extend((1..).zip(names.iter().skip(1)).map(|(position, name)| MatchKey {
        account_id,
        position,
        name_key: Some(name.key()),
        core: Some(name.core()),
        domain: None,
    }));
    keys
}
