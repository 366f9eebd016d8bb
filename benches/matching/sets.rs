//! The labeled sets: pairs of companies with the truth about each.

use crate::Fault;
use copartner::kernel::matching::{Company, CompanyName, registrable_domain};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

/// A record of a set: its name as it is written, and what matching knows of it.
pub struct Record {
    pub name: String,
    pub company: Company,
}

/// A set of labeled pairs.
pub struct Set {
    pub name: &'static str,
    /// What is compared, in a few words.
    pub about: String,
    pub records: Vec<Record>,
    /// Two records by their place, and whether they are one company.
    pub pairs: Vec<(usize, usize, bool)>,
}

impl Set {
    /// The record at this place.
    pub fn record(&self, at: usize) -> Result<&Record, Fault> {
        Ok(self.records.get(at).ok_or("no such record")?)
    }
}

type Row = HashMap<String, String>;

/// All sets, in the order of their names.
pub fn all(folder: &Path) -> Result<Vec<Set>, Fault> {
    Ok(vec![
        fodors_zagats(&folder.join("er-fodors-zagats"))?,
        kvk(&folder.join("er-kvk-name-pairs"))?,
        open_sanctions(&folder.join("er-opensanctions-names"), false)?,
        open_sanctions(&folder.join("er-opensanctions-names"), true)?,
        senzing(&folder.join("er-senzing-truthset"))?,
        cncf(&folder.join("partner-directory-cncf"))?,
    ])
}

/// Restaurants of two guides, every one of the one against every one of the other; the name alone.
fn fodors_zagats(folder: &Path) -> Result<Set, Fault> {
    let (left, right) = (
        rows(&folder.join("fodors.csv"))?,
        rows(&folder.join("zagats.csv"))?,
    );
    let matches = rows(&folder.join("matches_fodors_zagats.csv"))?;
    let matches: Result<HashSet<(&str, &str)>, Fault> = matches
        .iter()
        .map(|row| Ok((field(row, "fodors_id")?, field(row, "zagats_id")?)))
        .collect();
    let matches = matches?;
    let records: Result<Vec<Record>, Fault> = left
        .iter()
        .chain(&right)
        .map(|row| Ok(named(field(row, "name")?)))
        .collect();
    let mut pairs = Vec::new();
    for (at, a) in left.iter().enumerate() {
        for (partner, b) in right.iter().enumerate() {
            let truth = matches.contains(&(field(a, "id")?, field(b, "id")?));
            pairs.push((at, left.len() + partner, truth));
        }
    }
    Ok(Set {
        name: "er-fodors-zagats",
        about: "names alone, all pairs".to_owned(),
        records: records?,
        pairs,
    })
}

/// The labeled pairs of Dutch company names.
fn kvk(folder: &Path) -> Result<Set, Fault> {
    let file = std::fs::File::open(folder.join("unittest_sample_namepairs.csv.gz"))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text)?;
    let rows = parsed(&text)?;
    labeled(
        "er-kvk-name-pairs",
        "its labeled pairs",
        rows.iter(),
        ("gt_name", "name", "correct"),
    )
}

/// The labeled pairs of names: of companies and other organizations, or of everything in the file.
fn open_sanctions(folder: &Path, everything: bool) -> Result<Set, Fault> {
    let rows = rows(&folder.join("cases.csv"))?;
    let organizations = ["Company", "Organization", "LegalEntity"];
    let kept = rows.iter().filter(|row| {
        let schema = row.get("schema").map_or("", String::as_str);
        everything || organizations.contains(&schema)
    });
    let about = if everything {
        "also people and ships"
    } else {
        "companies and organizations"
    };
    labeled(
        "er-opensanctions-names",
        about,
        kept,
        ("name1", "name2", "is_match"),
    )
}

fn labeled<'a>(
    name: &'static str,
    about: &str,
    rows: impl Iterator<Item = &'a Row>,
    (left, right, truth): (&str, &str, &str),
) -> Result<Set, Fault> {
    let (mut records, mut pairs) = (Vec::new(), Vec::new());
    for row in rows {
        pairs.push((
            records.len(),
            records.len() + 1,
            field(row, truth)?.eq_ignore_ascii_case("true"),
        ));
        records.push(named(field(row, left)?));
        records.push(named(field(row, right)?));
    }
    Ok(Set {
        name,
        about: about.to_owned(),
        records,
        pairs,
    })
}

/// The organizations of the truth set, with their second names; every pair.
fn senzing(folder: &Path) -> Result<Set, Fault> {
    let keys = rows(&folder.join("actual_truthset_key.csv"))?;
    let clusters: Result<HashMap<(&str, &str), &str>, Fault> = keys
        .iter()
        .map(|row| {
            let record = (field(row, "DATA_SOURCE")?, field(row, "RECORD_ID")?);
            Ok((record, field(row, "CLUSTER_ID")?))
        })
        .collect();
    let clusters = clusters?;
    let (mut records, mut of_record) = (Vec::new(), Vec::new());
    for file in ["customers.csv", "reference.csv", "watchlist.csv"] {
        for row in rows(&folder.join(file))? {
            if row.get("RECORD_TYPE").map(String::as_str) != Some("ORGANIZATION") {
                continue;
            }
            let name = row.get("PRIMARY_NAME_ORG").map_or("", String::as_str);
            let cluster = clusters.get(&(field(&row, "DATA_SOURCE")?, field(&row, "RECORD_ID")?));
            of_record.push(cluster.map(|cluster| (*cluster).to_owned()));
            let mut record = named(name);
            if let Some(second) = row.get("SECONDARY_NAME_ORG").filter(|second| !second.is_empty()) {
                record.company.names.extend(CompanyName::all_of(second));
            }
            records.push(record);
        }
    }
    let pairs = pairs_of(
        records.len(),
        |_, _| true,
        |at, partner| {
            of_record.get(at).is_some_and(Option::is_some) && of_record.get(at) == of_record.get(partner)
        },
    );
    Ok(Set {
        name: "er-senzing-truthset",
        about: "organizations, names alone, all pairs".to_owned(),
        records,
        pairs,
    })
}

/// The directory: names and home pages of all entries of the lists between which the truth is known; all pairs of
/// entries in different lists.
fn cncf(folder: &Path) -> Result<Set, Fault> {
    let truth = rows(&folder.join("true_pairs.csv"))?;
    let mut lists = HashSet::new();
    for row in &truth {
        lists.insert(field(row, "list_a")?.to_owned());
        lists.insert(field(row, "list_b")?.to_owned());
    }
    let entries: Vec<Row> = rows(&folder.join("partners.csv"))?
        .into_iter()
        .filter(|row| {
            let known = row.get("crunchbase").is_some_and(|slug| !slug.is_empty());
            known && row.get("list").is_some_and(|list| lists.contains(list))
        })
        .collect();
    let mut records = Vec::new();
    for row in &entries {
        let mut record = named(field(row, "name")?);
        record.company.domain = registrable_domain(field(row, "domain")?);
        records.push(record);
    }
    let same = |at: usize, partner: usize, column: &str| {
        let of = |place: usize| entries.get(place).and_then(|row| row.get(column));
        of(at) == of(partner)
    };
    let pairs = pairs_of(
        records.len(),
        |at, partner| !same(at, partner, "list"),
        |at, partner| same(at, partner, "crunchbase"),
    );
    let found = pairs.iter().filter(|pair| pair.2).count();
    Ok(Set {
        name: "partner-directory-cncf",
        about: format!(
            "names and home pages, all pairs between lists, {found} true of {} in true_pairs.csv",
            truth.len()
        ),
        records,
        pairs,
    })
}

fn pairs_of(
    records: usize,
    counts: impl Fn(usize, usize) -> bool,
    truth: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize, bool)> {
    let mut pairs = Vec::new();
    for at in 0..records {
        for partner in at + 1..records {
            if counts(at, partner) {
                pairs.push((at, partner, truth(at, partner)));
            }
        }
    }
    pairs
}

fn named(name: &str) -> Record {
    Record {
        name: name.to_owned(),
        company: Company {
            names: CompanyName::all_of(name),
            ..Company::default()
        },
    }
}

fn rows(path: &Path) -> Result<Vec<Row>, Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parsed(&text)
}

fn parsed(text: &str) -> Result<Vec<Row>, Fault> {
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    Ok(reader.deserialize().collect::<Result<Vec<Row>, _>>()?)
}

fn field<'a>(row: &'a Row, name: &str) -> Result<&'a str, Fault> {
    let value = row.get(name).map(String::as_str);
    Ok(value.ok_or_else(|| format!("no column {name}"))?)
}
