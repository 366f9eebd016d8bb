//! The paths that a file names: those of its `use` lines and those in the midst of its code.

/// Every path of the source, absolute: `crate::features::deals`, `diesel::prelude::*`.
pub fn paths(file: &str, source: &str) -> Vec<Vec<String>> {
    let tokens = tokens(&without_comments_and_texts(source));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = tree(&tokens, at + 1, &mut Vec::new(), &mut found);
        } else if is_word(&tokens[at]) {
            let start = at;
            while at + 2 < tokens.len() && tokens[at + 1] == "::" && is_word(&tokens[at + 2]) {
                at += 2;
            }
            if at > start {
                found.push(tokens[start..=at].iter().step_by(2).cloned().collect());
            }
            at += 1;
        } else {
            at += 1;
        }
    }
    let module = module_of(file);
    found.into_iter().map(|path| absolute(path, &module)).collect()
}

/// Reads one use tree from `at`, which follows `prefix`; returns where it ends.
fn tree(tokens: &[String], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    at = tree(tokens, at, prefix, found);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                prefix.truncate(depth);
                return at + 1;
            }
            "as" => at += 1,
            "," | "}" | ";" => break,
            "self" if !prefix.is_empty() => {}
            word => prefix.push(word.to_owned()),
        }
        at += 1;
    }
    found.push(prefix.clone());
    prefix.truncate(depth);
    at
}

/// The module that a file is, from the root of its crate.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main"))
    {
        module.pop();
    }
    module
}

/// The path from the root of the crate, when it is relative.
fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|step| step == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        _ => return path,
    }
    let root = std::iter::once("crate".to_owned());
    root.chain(base).chain(rest.iter().cloned()).collect()
}

fn is_word(token: &str) -> bool {
    token
        .chars()
        .next()
        .is_some_and(|letter| letter.is_alphabetic() || letter == '_')
}

/// Words, `::`, and single characters.
fn tokens(source: &str) -> Vec<String> {
    let letters: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let start = at;
        let is_of_word = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        if is_of_word(&letters[at]) {
            while letters.get(at).is_some_and(is_of_word) {
                at += 1;
            }
        } else if letters[at] == ':' && letters.get(at + 1) == Some(&':') {
            at += 2;
        } else {
            at += 1;
        }
        let token: String = letters[start..at].iter().collect();
        if !token.trim().is_empty() {
            found.push(token);
        }
    }
    found
}

/// The source with comments and the insides of texts blanked.
fn without_comments_and_texts(source: &str) -> String {
    let mut kept = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..]
                .find(&end)
                .map_or(rest.len(), |at| start + at + end.len())
        } else if next == '"' {
            text_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            kept.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        kept.push(' ');
        rest = &rest[skipped..];
    }
    kept
}

/// The number of `#` of a raw text that begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the text that begins here, its quotes included.
fn text_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    rest.len()
}

#[test]
fn use_trees_are_read() {
    let read = |source| -> Vec<String> {
        let found = paths("src/features/deals/service.rs", source);
        found.into_iter().map(|path| path.join("::")).collect()
    };
    assert_eq!(
        read("use crate::{a::{self, B as C}, d::*}; use super::e; fn f() { crate::g::h::<I>(j::k) }"),
        [
            "crate::a",
            "crate::a::B",
            "crate::d::*",
            "crate::features::deals::e",
            "crate::g::h",
            "j::k"
        ]
    );
    assert_eq!(
        read("// use a::b;\nlet s = \"use c::d\"; let r = r#\"e::f\"#; g::h"),
        ["g::h"]
    );
}
