//! How a name that may be written a little differently is looked for among very many, without going through all that is
//! somewhat alike: as a whole by what is one slip away, and by each of its words, as it is or one slip away.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A longer text is looked for as it is.
const LONGEST_WITH_SLIPS: usize = 40;
/// So is a shorter one: another letter makes another name of it.
const SHORTEST_WITH_SLIPS: usize = 4;
/// The most words that are looked for, the longest first.
const MOST_WORDS: usize = 6;
/// What may have been left out or mistaken; in a name also the space between two words.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The name's own words.
    pub core: String,
    /// What they may have been before one slip: a letter left out, put in, changed, or exchanged with its neighbor. No digit
    /// is a slip.
    pub slips: BTreeSet<String>,
    /// For each word the word, and behind it what is one slip away. Whatever is found without being the same or one slip away
    /// as a whole has one of them.
    pub words: Vec<Vec<String>>,
    /// From which share of common trigrams on, in thousandths, a name with one of the words is looked at. A slip costs a
    /// short name more of its trigrams than a long one. What is less alike to a longer name is found by the worker, which
    /// compares accounts in its own time.
    pub threshold: u32,
}

impl Search {
    /// How to look for the names that are like these own words.
    pub fn of(core: String) -> Self {
        Self {
            slips: slips(&core, &format!("{LETTERS} ")),
            words: words(&core),
            threshold: if core.len() <= 12 { 400 } else { 600 },
            core,
        }
    }
}

fn words(core: &str) -> Vec<Vec<String>> {
    let mut words: Vec<&str> = core.split(' ').filter(|word| !word.is_empty()).collect();
    words.sort_by_key(|word| (Reverse(word.len()), *word));
    words.dedup();
    words.truncate(MOST_WORDS);
    let looked_for = words.into_iter().map(|word| {
        let mut looked_for = vec![word.to_owned()];
        looked_for.extend(slips(word, LETTERS));
        looked_for
    });
    looked_for.collect()
}

fn slips(text: &str, letters: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if !(SHORTEST_WITH_SLIPS..=LONGEST_WITH_SLIPS).contains(&text.len()) {
        return found;
    }
    for at in 0..=text.len() {
        let (before, after) = text.split_at(at);
        found.extend(letters.chars().map(|letter| format!("{before}{letter}{after}")));
        let mut rest = after.chars();
        let Some(first) = rest.next().filter(|first| !first.is_ascii_digit()) else {
            continue;
        };
        let behind = rest.as_str();
        found.insert(format!("{before}{behind}"));
        found.extend(letters.chars().map(|letter| format!("{before}{letter}{behind}")));
        if let Some(second) = rest.next().filter(|second| !second.is_ascii_digit()) {
            found.insert(format!("{before}{second}{first}{}", rest.as_str()));
        }
    }
    found.retain(|slip| slip != text && slip.trim() == slip && !slip.contains("  "));
    found
}
