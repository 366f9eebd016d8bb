//! A company's name without what people write in different ways.

use super::legal_form::{self, LegalForm};
use super::words::{self, Kind};
use any_ascii::any_ascii;

/// Which way of making keys this is. Raising it has the keys of all accounts made anew.
pub const KEY_VERSION: i32 = 2;
/// The most words and the longest word that are looked at, so that nobody makes us work with a name.
const MOST_WORDS: usize = 40;
const LONGEST_WORD: usize = 60;
/// The longest key.
const LONGEST_KEY: usize = 400;
/// What stands between a company's registered name and the one that it trades under, in lower case.
const TRADING_AS: &[&str] = &[
    "trading as",
    "t/a",
    "t/as",
    "d/b/a",
    "d.b.a.",
    "d.b.a",
    "dba",
    "doing business as",
    "also known as",
    "a/k/a",
    "aka",
    "a.k.a.",
    "o/a",
    "operating as",
    "handelend onder de naam",
    "h.o.d.n.",
    "hodn",
    "nom commercial",
    "firmierend als",
    "nombre comercial",
];

/// A company's name as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyName {
    words: Vec<String>,
    qualifiers: Vec<String>,
    forms: Vec<LegalForm>,
    native: Option<String>,
}

impl CompanyName {
    /// The names that a text gives: one, or, with "trading as" in it, two; never an empty one.
    pub fn all_of(text: &str) -> Vec<Self> {
        let text = text.trim();
        let names = match split_at_trading(text) {
            Some((registered, trading)) => vec![Self::of(registered), Self::of(trading)],
            None => vec![Self::of(text)],
        };
        let mut kept: Vec<Self> = Vec::new();
        for name in names {
            if !name.words.is_empty() && !kept.contains(&name) {
                kept.push(name);
            }
        }
        kept
    }

    /// One name.
    pub fn of(text: &str) -> Self {
        let (plain, bracketed) = out_of_brackets(text);
        let (mut words, mut qualifiers) = (settled_words(&plain), settled_words(&bracketed));
        let mut forms = legal_form::take_off(&mut words);
        forms.extend(legal_form::take_out(&mut qualifiers));
        if words.is_empty() {
            std::mem::swap(&mut words, &mut qualifiers);
            forms.extend(legal_form::take_off(&mut words));
        }
        forms.sort_unstable();
        forms.dedup();
        Self {
            words: added_up(words),
            qualifiers,
            forms,
            native: native(text),
        }
    }

    /// Words in brackets, which tell a branch or a country or repeat an abbreviation.
    pub fn qualifiers(&self) -> &[String] {
        &self.qualifiers
    }

    /// Whether it has a word of its own, and not only words that many companies have.
    pub fn is_distinctive(&self) -> bool {
        self.words
            .iter()
            .any(|word| words::kind_of(word) == Kind::Distinctive)
    }

    /// Whether both are written in another script than Latin and differ there: what is read alike is not the same.
    pub fn differs_in_script(&self, other: &Self) -> bool {
        matches!((&self.native, &other.native), (Some(a), Some(b)) if a != b)
    }

    /// The words that are left, in their order.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Its legal forms, sorted.
    pub fn forms(&self) -> &[LegalForm] {
        &self.forms
    }

    /// The words as one text.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }

    /// The exact key: the words without spaces, so that it does not matter where a name is divided. Empty for no name.
    pub fn key(&self) -> String {
        let mut key = self.words.concat();
        key.truncate(LONGEST_KEY);
        key
    }

    /// What is looked for by similarity: the words that are the company's own, or all of them where none is.
    pub fn core(&self) -> String {
        let own = self
            .words
            .iter()
            .filter(|word| matches!(words::kind_of(word), Kind::Distinctive | Kind::Number));
        let own: Vec<&str> = own.map(String::as_str).collect();
        let mut core = if own.is_empty() {
            self.text()
        } else {
            own.join(" ")
        };
        core.truncate(LONGEST_KEY);
        core
    }
}

/// The text without what stands in brackets, and what stands in them.
fn out_of_brackets(text: &str) -> (String, String) {
    let (mut plain, mut bracketed, mut depth) = (String::new(), String::new(), 0_usize);
    for sign in text.chars() {
        match sign {
            '(' | '[' | '（' => depth += 1,
            ')' | ']' | '）' => depth = depth.saturating_sub(1),
            _ if depth > 0 => bracketed.push(sign),
            _ => plain.push(sign),
        }
        if matches!(sign, '(' | '[' | '（' | ')' | ']' | '）') {
            plain.push(' ');
            bracketed.push(' ');
        }
    }
    (plain, bracketed)
}

/// The letters and digits of a name in a script that is not Latin.
fn native(text: &str) -> Option<String> {
    let is_foreign =
        |sign: char| sign.is_alphabetic() && sign > '\u{24f}' && !('\u{1e00}'..='\u{1eff}').contains(&sign);
    text.chars().any(is_foreign).then(|| {
        let letters = text.chars().filter(|sign| sign.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    })
}

fn settled_words(text: &str) -> Vec<String> {
    let mut words = joined_initials(split(text));
    words.truncate(MOST_WORDS);
    words.into_iter().map(words::settled).collect()
}

/// Where a text gives two names, the one before and the one behind.
fn split_at_trading(text: &str) -> Option<(&str, &str)> {
    // Lower case of ASCII alone keeps every position.
    let lower = text.to_ascii_lowercase();
    TRADING_AS.iter().find_map(|sign| {
        lower.match_indices(sign).find_map(|(start, _)| {
            let end = start + sign.len();
            let before = text.get(..start)?;
            let behind = text.get(end..)?;
            let alone = before.ends_with([' ', '(', ',']) && behind.starts_with([' ', ':']);
            let both = !before.trim().is_empty() && !behind.trim().is_empty();
            (alone && both).then_some((before, behind))
        })
    })
}

/// The words of a text: folded to plain lower-case letters and digits, "and" and "the" left out.
fn split(text: &str) -> Vec<String> {
    let parted: Vec<String> = text.split_whitespace().map(parted_form).collect();
    let folded = any_ascii(&parted.join(" ")).to_ascii_lowercase();
    let folded = folded.replace(['\'', '`', '"'], "").replace(['&', '+'], " and ");
    let chunks = folded.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '.');
    let words = chunks.flat_map(|chunk| {
        let pieces: Vec<&str> = chunk.split('.').filter(|piece| !piece.is_empty()).collect();
        // "S.A.R.L." is one word, "amazon.com" is two.
        if pieces.len() > 1 && pieces.iter().all(|piece| piece.len() == 1) {
            vec![pieces.concat()]
        } else {
            pieces.into_iter().map(str::to_owned).collect()
        }
    });
    let words = words.filter(|word| !matches!(word.as_str(), "and" | "und" | "et" | "och" | "og" | "the"));
    words
        .map(|mut word| {
            word.truncate(LONGEST_WORD);
            word
        })
        .collect()
}

/// "SiemensAG" as "Siemens AG": a legal form in capitals right behind a small letter.
fn parted_form(word: &str) -> String {
    let letters = word.char_indices().zip(word.chars().skip(1));
    for ((at, left), right) in letters {
        let boundary = at + left.len_utf8();
        if left.is_lowercase()
            && right.is_uppercase()
            && let (Some(head), Some(tail)) = (word.get(..boundary), word.get(boundary..))
            && legal_form::is_form(&tail.to_lowercase())
        {
            return format!("{head} {tail}");
        }
    }
    word.to_owned()
}

/// Letters that stand alone one after the other are initials: "C K Hutchison" is "ck hutchison".
fn joined_initials(words: Vec<String>) -> Vec<String> {
    let is_initial = |word: &str| word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut open = false;
    for word in words {
        let initial = is_initial(&word);
        match joined.last_mut() {
            Some(last) if open && initial => last.push_str(&word),
            _ => joined.push(word),
        }
        open = initial;
    }
    joined
}

/// "forty four", which are 40 and 4 by now, as 44.
fn added_up(words: Vec<String>) -> Vec<String> {
    let mut added: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let unit: Option<u8> = word
            .parse()
            .ok()
            .filter(|unit| (1..10).contains(unit) && word.len() == 1);
        let tens: Option<u8> = added
            .last()
            .filter(|last| last.len() == 2)
            .and_then(|last| last.parse().ok())
            .filter(|tens| *tens >= 20 && tens % 10 == 0);
        match (tens, unit) {
            (Some(tens), Some(unit)) => {
                added.pop();
                added.push((tens + unit).to_string());
            }
            _ => added.push(word),
        }
    }
    added
}
