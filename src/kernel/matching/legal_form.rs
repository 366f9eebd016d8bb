//! Legal forms in company names: found at the end and the start of a name, in many countries' spellings.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A legal form, in one spelling for all of its own.
pub type LegalForm = &'static str;

/// The most words that a form is written with.
const LONGEST: usize = 6;

struct Forms {
    by_words: HashMap<String, Option<LegalForm>>,
    at_start: HashSet<&'static str>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms {
        by_words: HashMap::new(),
        at_start: HashSet::new(),
    };
    for line in include_str!("legal_forms.txt").lines() {
        if let Some(words) = line.strip_prefix("start|") {
            forms.at_start.extend(words.split(' '));
        } else if let Some((class, rest)) = line.split_once('|')
            && let Some((form, spellings)) = rest.split_once('|')
        {
            // A word like "company" says that it is one, not of which form.
            let form = (class != "any").then_some(form);
            let spellings = spellings.split(';').map(|spelling| (spelling.to_owned(), form));
            forms.by_words.extend(spellings);
        }
    }
    forms
});

/// Whether one word is a legal form that tells something.
pub fn is_form(word: &str) -> bool {
    matches!(FORMS.by_words.get(word), Some(Some(_)))
}

/// Takes the legal forms off both ends of a name, as long as something remains of it; which they were, sorted.
pub fn take_off(words: &mut Vec<String>) -> Vec<LegalForm> {
    let mut found = Vec::new();
    while let Some((length, form)) = at_end(words) {
        words.truncate(words.len() - length);
        found.extend(form);
    }
    while let Some((length, form)) = at_start(words) {
        words.drain(..length);
        found.extend(form);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Takes the legal forms out that stand alone in brackets; which they were.
pub fn take_out(words: &mut Vec<String>) -> Vec<LegalForm> {
    match FORMS.by_words.get(&words.join(" ")) {
        Some(form) => {
            words.clear();
            form.iter().copied().collect()
        }
        None => Vec::new(),
    }
}

fn at_end(words: &[String]) -> Option<(usize, Option<LegalForm>)> {
    let longest = LONGEST.min(words.len().checked_sub(1)?);
    (1..=longest).rev().find_map(|length| {
        let phrase = words.get(words.len() - length..)?.join(" ");
        Some((length, *FORMS.by_words.get(&phrase)?))
    })
}

fn at_start(words: &[String]) -> Option<(usize, Option<LegalForm>)> {
    let longest = LONGEST.min(words.len().checked_sub(1)?);
    (1..=longest).rev().find_map(|length| {
        let phrase = words.get(..length)?.join(" ");
        let may_stand_here = length > 1 || FORMS.at_start.contains(phrase.as_str());
        may_stand_here.then_some(())?;
        Some((length, *FORMS.by_words.get(&phrase)?))
    })
}
