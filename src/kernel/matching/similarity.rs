//! How alike two names are, word by word, between 0 and 10,000.

use super::name::CompanyName;
use super::words::{Kind, kind_of, weight_of};

/// What is the same in full.
pub const SAME: u64 = 10_000;

/// What was found when two names were laid beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Likeness {
    /// Between 0 and 10,000.
    pub score: u64,
    /// A word of one's own was spelled a little differently.
    pub spelled: bool,
    /// Words that both have stand in another order.
    pub reordered: bool,
    /// One has words that the other lacks.
    pub incomplete: bool,
    /// Each has a word of its own that the other lacks.
    pub apart: bool,
}

struct Word<'a> {
    text: &'a str,
    kind: Kind,
    weight: u64,
}

/// Lays two names beside each other.
pub fn likeness(left: &CompanyName, right: &CompanyName) -> Likeness {
    let (left, right) = (weighed(left), weighed(right));
    let pairs = paired(&left, &right);
    let mut common = 0;
    let mut found = Likeness::default();
    let mut last = None;
    for (at, partner, alike) in &pairs {
        let (Some(a), Some(b)) = (left.get(*at), right.get(*partner)) else {
            continue;
        };
        common += (a.weight + b.weight) * alike;
        found.spelled |= *alike < SAME;
        found.reordered |= last.is_some_and(|last| *partner < last);
        last = Some(*partner);
    }
    let over_left = rest(&left, |at| pairs.iter().any(|pair| pair.0 == at));
    let over_right = rest(&right, |at| pairs.iter().any(|pair| pair.1 == at));
    let total: u64 = left.iter().chain(&right).map(|word| word.weight).sum();
    // What is left over on both sides may be the same, divided in another way: "Good Will" and "Goodwill".
    let joined = spelling(&text_of(&over_left), &text_of(&over_right));
    if joined > 0 {
        common += over_left
            .iter()
            .chain(&over_right)
            .map(|word| word.weight)
            .sum::<u64>()
            * joined;
        found.spelled |= joined < SAME;
    } else {
        found.incomplete = !over_left.is_empty() || !over_right.is_empty();
        found.apart = tell_apart(&over_left, &over_right, &[Kind::Distinctive]);
    }
    let score = common.checked_div(total).unwrap_or(0);
    let against = if found.incomplete {
        contradiction(&over_left, &over_right)
    } else {
        0
    };
    found.score = score.saturating_sub(against);
    found
}

fn text_of(words: &[&Word<'_>]) -> String {
    words.iter().map(|word| word.text).collect()
}

/// What it costs that each name has a word of the same kind that the other lacks: "Bowne of Atlanta" and "Bowne of
/// Boston" are two, whatever else they have in common.
fn contradiction(left: &[&Word<'_>], right: &[&Word<'_>]) -> u64 {
    if tell_apart(left, right, &[Kind::Distinctive, Kind::Place, Kind::Number]) {
        2_000
    } else if tell_apart(left, right, &[Kind::Generic]) {
        1_000
    } else {
        0
    }
}

/// Whether both have a word of the same of these kinds.
fn tell_apart(left: &[&Word<'_>], right: &[&Word<'_>], kinds: &[Kind]) -> bool {
    let has = |words: &[&Word<'_>], kind: &Kind| words.iter().any(|word| word.kind == *kind);
    kinds.iter().any(|kind| has(left, kind) && has(right, kind))
}

/// Its words; those in brackets weigh little, but tell apart like others.
fn weighed(name: &CompanyName) -> Vec<Word<'_>> {
    let words = name.words().iter().map(|text| (text, false));
    let all = words.chain(name.qualifiers().iter().map(|text| (text, true)));
    let weighed = all.map(|(text, bracketed)| {
        let kind = kind_of(text);
        let weight = if bracketed { 1 } else { weight_of(kind) };
        Word { text, kind, weight }
    });
    weighed.collect()
}

fn rest<'a, 'b>(words: &'a [Word<'b>], paired: impl Fn(usize) -> bool) -> Vec<&'a Word<'b>> {
    let unpaired = words.iter().enumerate().filter(|(at, _)| !paired(*at));
    unpaired.map(|(_, word)| word).collect()
}

/// The best pairs first, each word in one of them at most; in the order of the left name.
fn paired(left: &[Word<'_>], right: &[Word<'_>]) -> Vec<(usize, usize, u64)> {
    let mut all = Vec::new();
    for (at, a) in left.iter().enumerate() {
        for (partner, b) in right.iter().enumerate() {
            let alike = spelling(a.text, b.text);
            if alike > 0 {
                all.push((at, partner, alike));
            }
        }
    }
    all.sort_by_key(|(at, partner, alike)| (SAME - alike, at.abs_diff(*partner), *at, *partner));
    let mut taken: Vec<(usize, usize, u64)> = Vec::new();
    for pair in all {
        if !taken.iter().any(|other| other.0 == pair.0 || other.1 == pair.1) {
            taken.push(pair);
        }
    }
    taken.sort_unstable();
    taken
}

/// How alike two spellings are: nothing, unless they differ by a slip or two. Numbers differ or do not.
pub fn spelling(left: &str, right: &str) -> u64 {
    if left == right {
        return if left.is_empty() { 0 } else { SAME };
    }
    let longer = left.len().max(right.len());
    let slips = match longer {
        0..=3 => 0,
        4..=7 => 1,
        8..=12 => 2,
        _ => 3,
    };
    let has_digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    if left.len().abs_diff(right.len()) > slips || has_digits(left) || has_digits(right) {
        return 0;
    }
    let distance = distance(left.as_bytes(), right.as_bytes());
    if distance > slips {
        return 0;
    }
    let (distance, longer) = (distance as u64, longer as u64);
    SAME - SAME * distance / longer
}

/// How many letters must be changed, left out, put in, or exchanged with their neighbor.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = Vec::with_capacity(right.len() + 1);
        row.push(i + 1);
        for (j, b) in right.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&last, j) + usize::from(a != b);
            let mut best = changed.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let exchanged = i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if exchanged {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}
