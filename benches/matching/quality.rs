//! Precision, recall and F1 of matching, next to what plain equality of cleaned names reaches.

use crate::Fault;
use crate::sets::{self, Record, Set};
use copartner::kernel::matching::{LIKELY, Search, Verdict, compare, settle};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// How a name is looked for, and its trigrams.
struct Looked {
    search: Search,
    trigrams: HashSet<String>,
}

/// What was said of pairs, against the truth.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Tally {
    fn count(&mut self, said: bool, truth: bool) {
        match (said, truth) {
            (true, true) => self.right += 1,
            (true, false) => self.wrong += 1,
            (false, true) => self.missed += 1,
            (false, false) => {}
        }
    }

    fn precision(&self) -> String {
        share(self.right, self.right + self.wrong)
    }

    fn recall(&self) -> String {
        share(self.right, self.right + self.missed)
    }

    /// 2PR / (P + R), in ten-thousandths.
    fn f1(&self) -> usize {
        let all = 2 * self.right + self.wrong + self.missed;
        (20_000 * self.right).checked_div(all).unwrap_or(0)
    }

    fn precise(&self) -> bool {
        self.right * 100 >= (self.right + self.wrong) * 98
    }

    fn line(&self, what: &str) -> String {
        format!(
            "  {what:<22} precision {}  recall {}  F1 {}  ({} right, {} wrong, {} missed)",
            self.precision(),
            self.recall(),
            share(self.f1(), 10_000),
            self.right,
            self.wrong,
            self.missed
        )
    }
}

/// Measures every set and says it.
pub fn measure(folder: &Path, say: fn(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    say(
        "Account matching: two records are said to be one when their score is likely (0.80) and Postgres would have found",
    )?;
    say(
        "the one by the other: by an equal key, or by the names' own words, one slip away or with a word and trigrams in",
    )?;
    say(
        "common. (That words which very many have count for less is not measured on sets as small as these.)\n",
    )?;
    for set in sets::all(folder)? {
        of_a_set(&set, say)?;
    }
    Ok(())
}

fn of_a_set(set: &Set, say: fn(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    let (mut plain, mut ours, mut alone) = (Tally::default(), Tally::default(), Tally::default());
    let cleaned: Vec<String> = set.records.iter().map(|record| clean(&record.name)).collect();
    let looked: Vec<Vec<Looked>> = set.records.iter().map(looked_for).collect();
    let shown = std::env::var_os("BENCH_SHOW_MISTAKES").is_some();
    let mut verdicts = Vec::with_capacity(set.pairs.len());
    for (at, partner, _) in &set.pairs {
        let (left, right) = (set.record(*at)?, set.record(*partner)?);
        verdicts.push(compare(&left.company, &right.company));
    }
    settle_all(set, &mut verdicts);
    for ((at, partner, truth), verdict) in set.pairs.iter().zip(&verdicts) {
        let (left, right) = (set.record(*at)?, set.record(*partner)?);
        plain.count(cleaned.get(*at) == cleaned.get(*partner), *truth);
        let found = shares_a_key(left, right)
            || looked
                .get(*at)
                .zip(looked.get(*partner))
                .is_some_and(|(a, b)| finds(a, b));
        let said = verdict.certain || found && verdict.score >= LIKELY;
        ours.count(said, *truth);
        alone.count(verdict.certain, *truth);
        if shown && (said != *truth || verdict.certain && !truth) {
            say(&format!(
                "  {} {} {found} | {} | {} | {:?}",
                if *truth {
                    "missed"
                } else if verdict.certain {
                    "WRONG"
                } else {
                    "wrong"
                },
                verdict.score,
                left.name,
                right.name,
                verdict.reasons
            ))?;
        }
    }
    say(&format!(
        "{} ({}; {} pairs)",
        set.name,
        set.about,
        set.pairs.len()
    ))?;
    say(&plain.line("equal cleaned names"))?;
    say(&ours.line("matching"))?;
    say(&alone.line("without a person"))?;
    let better = ours.f1() > plain.f1();
    say(&format!(
        "  better than plain equality: {}; at least 0.98 without a person: {}\n",
        if better { "yes" } else { "NO" },
        if alone.precise() { "yes" } else { "NO" }
    ))
}

/// Takes together what was said of each record on the left, as matching does for a candidate; a set of labeled pairs
/// has one for each.
fn settle_all(set: &Set, verdicts: &mut [Verdict]) {
    let mut of_left: HashMap<usize, Vec<&mut Verdict>> = HashMap::new();
    for ((at, _, _), verdict) in set.pairs.iter().zip(verdicts) {
        of_left.entry(*at).or_default().push(verdict);
    }
    for verdicts in of_left.into_values() {
        settle(verdicts.into_iter());
    }
}

fn shares_a_key(left: &Record, right: &Record) -> bool {
    let (left, right) = (&left.company, &right.company);
    let domain = left.domain.is_some() && left.domain == right.domain;
    domain
        || left
            .names
            .iter()
            .any(|a| right.names.iter().any(|b| a.key() == b.key()))
}

/// A name as one would clean it in a spreadsheet: small letters, and one space for whatever is no letter or digit.
fn clean(name: &str) -> String {
    let spaced: String = name
        .to_lowercase()
        .chars()
        .map(|sign| if sign.is_alphanumeric() { sign } else { ' ' })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How each name is looked for, with what pg_trgm makes of its own words: three letters at a time, each word with two
/// spaces before it and one behind.
fn looked_for(record: &Record) -> Vec<Looked> {
    let names = record.company.names.iter().map(|name| {
        let search = Search::of(name.core());
        let words = search.core.split(' ').map(|word| format!("  {word} "));
        let trigrams = words.flat_map(|word| {
            let signs: Vec<char> = word.chars().collect();
            signs
                .windows(3)
                .map(|three| three.iter().collect())
                .collect::<Vec<String>>()
        });
        Looked {
            trigrams: trigrams.collect(),
            search,
        }
    });
    names.collect()
}

/// Whether one would find the other.
fn finds(left: &[Looked], right: &[Looked]) -> bool {
    left.iter().any(|a| right.iter().any(|b| is_found(a, b)))
}

fn is_found(by: &Looked, other: &Looked) -> bool {
    let core = &other.search.core;
    let common = by.trigrams.intersection(&other.trigrams).count();
    let of_all = by.trigrams.len() + other.trigrams.len() - common;
    let alike = common as u64 * 1_000 >= of_all as u64 * u64::from(by.search.threshold);
    let has_one = |words: &Vec<String>| {
        core.split(' ')
            .any(|word| words.iter().any(|other| other == word))
    };
    let is_near = by.search.core == *core || by.search.slips.contains(core);
    is_near || alike && by.search.words.iter().any(has_one)
}

/// A share with three decimals, rounded half up.
fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "  -  ".to_owned();
    }
    let thousandths = (2_000 * part + whole) / (2 * whole);
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}
