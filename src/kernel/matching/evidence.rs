//! All that is known of two companies, weighed.

use super::name::CompanyName;
use super::similarity::{SAME, likeness};
use crate::kernel::word::word_enum;

/// From this score on two companies are likely one, and a person is asked.
pub const LIKELY: u32 = 8_000;
/// From this score on they may be one; below it they are not shown.
pub const POSSIBLE: u32 = 6_500;

word_enum! {
    /// What speaks for or against two companies being one.
    Reason, "reason" {
        /// They have the same external id.
        SameExternalId = "same_external_id",
        /// They have the same registrable domain.
        SameDomain = "same_domain",
        /// Their names are the same but for spelling habits and legal form.
        SameName = "same_name",
        /// Their names are alike.
        SimilarName = "similar_name",
        /// A word is spelled a little differently.
        SimilarSpelling = "similar_spelling",
        /// The words stand in another order.
        WordOrder = "word_order",
        /// One name has words that the other lacks.
        ExtraWords = "extra_words",
        /// Their names have little in common.
        OtherName = "other_name",
        /// Their legal forms exclude one another.
        OtherLegalForm = "other_legal_form",
        /// They have different registrable domains.
        OtherDomain = "other_domain",
        /// They are in different countries.
        OtherCountry = "other_country",
        /// A person said that they are one.
        Confirmed = "confirmed",
    }
}

/// What is known of a company.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Company {
    /// Its names; more than one where it trades under another.
    pub names: Vec<CompanyName>,
    /// Its registrable domain.
    pub domain: Option<String>,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// Whether two companies are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Between 0 and 10,000.
    pub score: u32,
    /// It is decided without a person.
    pub certain: bool,
    /// Their names have the same key, whatever stands in brackets.
    pub same_key: bool,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// Whether whoever claims a company by what it says of it claims this one. A domain decides that also where the name
    /// speaks against it: the name is what a partner makes of it, and would be a way around the claims of others.
    pub fn decides_claims(&self) -> bool {
        self.certain || self.reasons.contains(&Reason::SameDomain)
    }
}

/// Takes a candidate's verdicts together: where several companies bear its name and nothing else decides between them,
/// a person does.
pub fn settle<'a>(verdicts: impl Iterator<Item = &'a mut Verdict>) {
    let decided = |verdict: &Verdict| {
        let keys = [Reason::SameExternalId, Reason::SameDomain, Reason::Confirmed];
        keys.iter().any(|key| verdict.reasons.contains(key))
    };
    let verdicts: Vec<&mut Verdict> = verdicts.collect();
    let named = verdicts.iter().filter(|verdict| verdict.same_key).count();
    if named > 1 {
        for verdict in verdicts {
            verdict.certain &= decided(verdict);
        }
    }
}

/// Compares two companies. Equal keys decide, unless another thing that is known of both speaks against it; whatever
/// else is alike is for a person to decide.
pub fn compare(left: &Company, right: &Company) -> Verdict {
    let mut reasons = Vec::new();
    if both_and(&left.external_id, &right.external_id, |a, b| a == b) {
        reasons.push(Reason::SameExternalId);
    }
    let same_domain = both_and(&left.domain, &right.domain, |a, b| a == b);
    let other_domain = both_and(&left.domain, &right.domain, |a, b| a != b);
    let other_country = both_and(&left.country, &right.country, |a, b| a != b);
    if same_domain {
        reasons.push(Reason::SameDomain);
    }
    let name = compare_names(left, right);
    reasons.extend(&name.reasons);
    if other_domain {
        reasons.push(Reason::OtherDomain);
    }
    if other_country {
        reasons.push(Reason::OtherCountry);
    }
    let certain = reasons.contains(&Reason::SameExternalId)
        || same_domain && !name.contradicts
        || name.same && !name.other_form && !other_domain && !other_country;
    let against = u64::from(other_domain) * 1_000 + u64::from(other_country) * 500;
    let score = if reasons.contains(&Reason::SameExternalId) {
        SAME
    } else if same_domain {
        name.score.max(if name.contradicts { 7_500 } else { 9_500 })
    } else {
        name.score.saturating_sub(against)
    };
    Verdict {
        score: u32::try_from(score).unwrap_or(10_000),
        certain,
        same_key: name.same_key,
        reasons,
    }
}

struct Names {
    score: u64,
    same: bool,
    same_key: bool,
    other_form: bool,
    contradicts: bool,
    reasons: Vec<Reason>,
}

/// The pair of names that is most alike decides. A second name is worth less where both have one and the first names
/// differ: companies of a group trade under one name.
fn compare_names(left: &Company, right: &Company) -> Names {
    let mut pairs = Vec::new();
    for (at, a) in left.names.iter().enumerate() {
        for (partner, b) in right.names.iter().enumerate() {
            pairs.push((at + partner > 0, of_a_pair(a, b)));
        }
    }
    let both_have_two = left.names.len().min(right.names.len()) > 1;
    let first = pairs.first().map_or(0, |(_, names)| names.score);
    let weighed = pairs.into_iter().map(|(second, mut names)| {
        if second && both_have_two && first < u64::from(LIKELY) {
            names.score = names.score.midpoint(first);
            names.same = false;
        }
        names
    });
    weighed
        .max_by_key(|names| (names.score, names.same))
        .unwrap_or(Names {
            score: 0,
            same: false,
            same_key: false,
            other_form: false,
            contradicts: false,
            reasons: Vec::new(),
        })
}

fn of_a_pair(left: &CompanyName, right: &CompanyName) -> Names {
    let likeness = likeness(left, right);
    let same = left.key() == right.key()
        && left.qualifiers() == right.qualifiers()
        && left.is_distinctive()
        && !left.differs_in_script(right);
    let other_form = !left.forms().is_empty() && !right.forms().is_empty() && left.forms() != right.forms();
    let mut reasons = Vec::new();
    let mut note = |holds: bool, reason: Reason| {
        if holds {
            reasons.push(reason);
        }
    };
    let similar = !same && likeness.score >= u64::from(POSSIBLE);
    note(same, Reason::SameName);
    note(similar, Reason::SimilarName);
    note(similar && likeness.spelled, Reason::SimilarSpelling);
    note(similar && likeness.reordered, Reason::WordOrder);
    note(similar && likeness.incomplete, Reason::ExtraWords);
    note(!same && !similar, Reason::OtherName);
    note(other_form, Reason::OtherLegalForm);
    Names {
        score: likeness.score.saturating_sub(u64::from(other_form) * 500),
        same,
        same_key: left.key() == right.key(),
        other_form,
        contradicts: likeness.apart || likeness.score < 3_000,
        reasons,
    }
}

fn both_and(left: &Option<String>, right: &Option<String>, holds: impl Fn(&str, &str) -> bool) -> bool {
    matches!((left, right), (Some(a), Some(b)) if holds(a, b))
}
