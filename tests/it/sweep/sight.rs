//! What a caller is shown, all of it.

use crate::world::{Actor, Operation, Reply, operations};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a caller sees: the records of all lists, and every id and text that they mention.
#[derive(Debug, Default, Clone)]
pub struct Sight {
    pub records: Vec<Value>,
    pub ids: BTreeSet<String>,
    pub texts: BTreeSet<String>,
}

/// The ids in a text: a prefix, an underscore and 26 characters.
pub fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(move |c| !is_part(c)).filter(|word| {
        word.rsplit_once('_')
            .is_some_and(|(prefix, rest)| !prefix.is_empty() && rest.len() == 26)
    })
}

/// The prefix of an id.
pub fn prefix(id: &str) -> &str {
    id.rsplit_once('_').map_or("", |(prefix, _)| prefix)
}

/// Every page of a list.
pub fn pages(actor: &Actor, path: &str) -> Vec<Reply> {
    let mut pages: Vec<Reply> = Vec::new();
    loop {
        let cursor = pages.last().map_or(Some(String::new()), |page| {
            page["next_cursor"]
                .as_str()
                .map(|cursor| format!("&cursor={cursor}"))
        });
        let Some(cursor) = cursor else { return pages };
        pages.push(actor.get(&format!("{path}?limit=100{cursor}")).expect(200));
    }
}

/// The paths of all lists that need nothing but a limit.
pub fn lists() -> Vec<Operation> {
    let all = operations().into_iter();
    all.filter(|operation| operation.query_names().contains(&"cursor") && operation.path_names().is_empty())
        .collect()
}

/// Everything that a caller is shown by lists.
pub fn look(actor: &Actor) -> Sight {
    let mut sight = Sight::default();
    for list in lists() {
        if actor.get(list.path).status == 403 {
            continue;
        }
        for page in pages(actor, list.path) {
            sight.ids.extend(ids_in(page.raw()).map(str::to_owned));
            sight.records.extend(page.data().iter().cloned());
        }
    }
    for record in &sight.records {
        for field in ["external_id", "name", "domain", "email"] {
            sight.texts.extend(record[field].as_str().map(str::to_owned));
        }
    }
    sight
}

/// The callers' own keys of records, by the prefix of the record's id.
pub fn keys_of(sight: &Sight) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in &sight.records {
        if let (Some(id), Some(key)) = (record["id"].as_str(), record["external_id"].as_str()) {
            keys.entry(prefix(id).to_owned())
                .or_default()
                .insert(key.to_owned());
        }
    }
    keys
}
