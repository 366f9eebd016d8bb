//! What single words of company names weigh, and which of them stand for the same.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word tells about which company it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is the company's own.
    Distinctive,
    /// Many companies have it: "systems".
    Generic,
    /// It tells companies of one group apart: "Singapore".
    Place,
    /// A number or an initial, which does the same: "II" or "2000".
    Number,
    /// It hardly ever matters: "of".
    Small,
}

struct Words {
    kinds: HashMap<&'static str, Kind>,
    same: HashMap<&'static str, &'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words {
        kinds: HashMap::new(),
        same: HashMap::new(),
    };
    for line in include_str!("words.txt").lines() {
        let mut parts = line.split(' ');
        let kind = match parts.next() {
            Some("generic") => Kind::Generic,
            Some("place") => Kind::Place,
            Some("small") => Kind::Small,
            Some("same") => {
                if let (Some(spelling), Some(word)) = (parts.next(), parts.next()) {
                    words.same.insert(spelling, word);
                }
                continue;
            }
            _ => continue,
        };
        words.kinds.extend(parts.map(|word| (word, kind)));
    }
    words
});

/// What a word tells.
pub fn kind_of(word: &str) -> Kind {
    if let Some(kind) = WORDS.kinds.get(word) {
        return *kind;
    }
    // A single letter is an initial, and tells as much as a number.
    let is_number = word.len() == 1 || word.bytes().all(|byte| byte.is_ascii_digit()) || is_roman(word);
    if is_number {
        Kind::Number
    } else {
        Kind::Distinctive
    }
}

/// What a word weighs.
pub fn weight_of(kind: Kind) -> u64 {
    match kind {
        Kind::Distinctive => 10,
        Kind::Place | Kind::Number => 7,
        Kind::Generic => 4,
        Kind::Small => 1,
    }
}

/// The word that this one stands for: itself, most of the time.
pub fn settled(word: String) -> String {
    let word = match WORDS.same.get(word.as_str()) {
        Some(same) => (*same).to_owned(),
        None => word,
    };
    match word.strip_suffix("isation") {
        Some(stem) if stem.len() > 2 => format!("{stem}ization"),
        _ => word,
    }
}

/// Roman numerals up to thirty-nine that cannot be taken for initials.
fn is_roman(word: &str) -> bool {
    word.len() > 1 && {
        let units = word.trim_start_matches('x');
        let tens = word.len() - units.len();
        tens <= 3
            && matches!(
                units,
                "" | "i" | "ii" | "iii" | "iv" | "v" | "vi" | "vii" | "viii" | "ix"
            )
    }
}
