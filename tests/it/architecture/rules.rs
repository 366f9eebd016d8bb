//! The rules, as what breaks them.

use super::LONG_FILES;
use super::imports::paths;
use copartner::features::ORDER;

/// The most lines of a file.
pub const LONGEST_FILE: usize = 500;
/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "manager", "managers", "common", "misc",
];
/// Words of work that is not done.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
/// The files of a room that only the room itself may use.
const INNER: &[&str] = &["http", "dto", "domain", "service", "store"];

/// Which room owns which tables, besides the table of its own name.
const TABLES: &[(&str, &[&str])] = &[
    ("organizations", &["event_counters"]),
    ("partners", &["partner_descendants"]),
    (
        "accounts",
        &[
            "account_match_keys",
            "account_matches",
            "account_merges",
            "account_merge_moves",
        ],
    ),
    ("users", &["user_roles"]),
    ("identity_providers", &["identities"]),
    ("program_terms", &["terms_acceptances"]),
    ("referral_links", &["clicks"]),
    (
        "referrals",
        &["referral_assignments", "referral_moves", "referral_routes"],
    ),
    ("sessions", &["refresh_tokens"]),
    (
        "deal_registrations",
        &[
            "registration_comments",
            "registration_extensions",
            "registration_prechecks",
        ],
    ),
    ("registration_conflicts", &["registration_conflict_parties"]),
    (
        "disputes",
        &["dispute_lines", "dispute_reviews", "dispute_comments"],
    ),
    ("tiers", &["tier_ladders", "tier_moves", "tier_standings"]),
    ("commission_rules", &["commission_rule_versions"]),
    ("attributions", &["attribution_corrections"]),
    (
        "commissions",
        &[
            "clawbacks",
            "commission_standings",
            "commission_standing_corrections",
        ],
    ),
    ("events", &["event_counters"]),
    ("audit", &["audit_events", "audit_links", "unsealed_audit_events"]),
    ("invoices", &["invoice_lines", "payments", "refunds"]),
    ("ledger", &["ledger_entries"]),
    (
        "payouts",
        &[
            "payout_runs",
            "payout_items",
            "payout_carry_forwards",
            "payout_transfers",
        ],
    ),
    (
        "statements",
        &["statement_keys", "statement_lines", "statement_signatures"],
    ),
    ("imports", &["import_chunks", "import_keys", "import_rejections"]),
];

/// Rooms whose SQL names tables of another room's, and why. This list may only shrink.
pub const FOREIGN_TABLES: &[(&str, &[&str], &str)] = &[
    (
        "programs",
        &["enrollments"],
        "a partner sees the programs that it is enrolled in; a list is one query",
    ),
    (
        "accounts",
        &["attributions", "deals"],
        "a partner sees the accounts of the deals that it sees; a list is one query",
    ),
    (
        "deals",
        &["attributions"],
        "a partner sees the deals that it has a credit for; a list is one query",
    ),
    (
        "attributions",
        &["deals"],
        "a distributor sees the credits of its resellers for deals that are not hidden; a list is one query",
    ),
    (
        "referrals",
        &["deals"],
        "a distributor sees the leads of its resellers that became no hidden deal; a list is one query",
    ),
    (
        "commission_rules",
        &[
            "commissions",
            "deals",
            "partners",
            "payments",
            "product_families",
            "programs",
        ],
        "the latest instant that a version's terms were computed for, and whether what it names exists",
    ),
    (
        "commissions",
        &[
            "accounts",
            "attributions",
            "commission_rule_versions",
            "credit_notes",
            "deals",
            "dispute_lines",
            "disputes",
            "enrollments",
            "invoice_lines",
            "invoices",
            "ledger_entries",
            "partners",
            "payments",
            "payout_items",
            "product_families",
            "programs",
            "refunds",
        ],
        "what payments earn and refunds take back is read in one query for any number of them; where a line stood at an \
         instant is told by the journal",
    ),
    (
        "tiers",
        &[
            "attributions",
            "compliance_documents",
            "deal_registrations",
            "deals",
            "enrollments",
            "invoices",
            "payments",
            "programs",
            "referral_moves",
            "referrals",
        ],
        "a batch of enrollments is locked, and what their partners reached is counted, in one query each",
    ),
    (
        "payouts",
        &[
            "adjustments",
            "clawbacks",
            "commissions",
            "dispute_lines",
            "disputes",
            "partners",
            "payout_methods",
            "programs",
        ],
        "a run is proposed over all payable lines in one query",
    ),
    (
        "payment_expectations",
        &[
            "adjustments",
            "clawbacks",
            "commissions",
            "disputes",
            "invoices",
            "partners",
            "payout_items",
            "payout_methods",
            "payout_runs",
            "payouts",
            "programs",
        ],
        "everything that keeps money from being paid is found in one query for any number of programs",
    ),
    (
        "disputes",
        &["adjustments", "commissions"],
        "what disputed money was given before is added up in one query",
    ),
    (
        "statements",
        &[
            "adjustments",
            "attributions",
            "clawbacks",
            "commissions",
            "deals",
            "ledger_entries",
            "organizations",
            "partners",
            "payouts",
        ],
        "the statements of all partners are made of the journal in one statement, with what their lines are about",
    ),
    (
        "imports",
        &[
            "accounts",
            "attributions",
            "audit_events",
            "credit_notes",
            "deals",
            "enrollments",
            "events",
            "invoice_lines",
            "invoices",
            "partners",
            "payments",
            "product_families",
            "programs",
        ],
        "a batch finds and writes thousands of records with one statement for each table",
    ),
    (
        "next_actions",
        &[
            "account_matches",
            "accounts",
            "adjustments",
            "attributions",
            "commissions",
            "compliance_documents",
            "deal_registrations",
            "deal_rules",
            "deals",
            "dispute_reviews",
            "disputes",
            "enrollments",
            "partner_contacts",
            "partners",
            "payout_methods",
            "payout_runs",
            "payout_transfers",
            "payouts",
            "program_terms",
            "programs",
            "referral_links",
            "referrals",
            "registration_conflict_parties",
            "registration_conflicts",
            "registration_extensions",
            "terms_acceptances",
        ],
        "what waits for a caller is found over all rooms in one statement",
    ),
];

/// Everything wrong with a file, as "file: what".
pub fn faults(path: &str, text: &str) -> Vec<String> {
    let mut found = of_the_text(path, text);
    if let Some(inside) = path.strip_prefix("src/") {
        let place = Place::of(inside);
        let foreign = tables_named(text)
            .into_iter()
            .filter(|table| !place.may_read(table));
        found.extend(foreign.map(|table| place.reads_foreign(table)));
        for import in paths(path, text) {
            found.extend(of_an_import(&place, &import));
        }
        if place.layer == "mod" && place.room.is_some() {
            let opened = INNER.iter().filter(|inner| **inner != "http");
            let opened = opened.filter(|inner| text.contains(&format!("pub mod {inner};")));
            found.extend(opened.map(|inner| format!("a room opens its {inner}")));
        }
    }
    found.sort();
    found.dedup();
    found
        .into_iter()
        .map(|fault| format!("{path}: {fault}"))
        .collect()
}

fn of_the_text(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE && !LONG_FILES.iter().any(|(long, _)| *long == path) {
        found.push(format!(
            "{lines} lines are more than {LONGEST_FILE}; make it a folder"
        ));
    }
    let unfinished = UNFINISHED.iter().filter(|word| text.contains(**word));
    found.extend(unfinished.map(|word| format!("{word}: nothing is left for later")));
    if path.ends_with("/mod.rs") && !text.starts_with("//!") {
        found.push("a mod.rs opens with its charter (//!)".to_owned());
    }
    let steps = path.split('/').map(|step| step.trim_end_matches(".rs"));
    let empty = steps.filter(|step| EMPTY_NAMES.contains(step));
    found.extend(empty.map(|step| format!("{step} is no name")));
    found
}

/// Where a file stands in the house.
struct Place<'a> {
    floor: &'a str,
    room: Option<&'a str>,
    layer: &'a str,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let mut steps = path.trim_end_matches(".rs").split('/');
        let floor = steps.next().unwrap_or_default();
        let room = steps.next().filter(|room| floor == "features" && *room != "mod");
        let steps: Vec<&str> = steps.collect();
        // A folder of a room is of the layer that a file in it names: `settlement/store.rs`, `usage_store.rs`.
        let inner = steps.iter().find_map(|step| {
            let is_of = |inner: &&&str| *step == **inner || step.ends_with(&format!("_{inner}"));
            INNER.iter().find(is_of).copied()
        });
        Self {
            floor,
            room,
            layer: inner.or(steps.first().copied()).unwrap_or("mod"),
        }
    }

    /// The floors that this one stands on.
    fn below(&self) -> &'static [&'static str] {
        match (self.floor, self.layer) {
            ("kernel", _) => &["kernel"],
            ("platform", _) => &["kernel", "platform"],
            ("features", "http") => &["kernel", "platform", "features", "flows"],
            ("features", _) => &["kernel", "platform", "features"],
            ("flows", _) => &["kernel", "platform", "features", "flows"],
            ("main", _) => &["kernel", "platform", "app"],
            _ => &["kernel", "platform", "features", "flows", "app"],
        }
    }

    /// The crates that have no business here.
    fn foreign_crates(&self) -> &'static [&'static str] {
        match (self.floor, self.layer) {
            ("kernel", _) => &["diesel", "actix_web"],
            ("features", "http") => &["diesel"],
            ("features", "dto" | "service" | "domain") => &["diesel", "actix_web"],
            ("features", "store") => &["actix_web"],
            ("flows", _) => &["diesel", "actix_web"],
            _ => &[],
        }
    }

    /// The other files of its own room that a file may not use.
    fn foreign_layers(&self) -> &'static [&'static str] {
        match (self.floor, self.layer) {
            ("features", "http") => &["store"],
            ("features", "service") => &["dto", "http"],
            ("features", "domain") => &["dto", "http", "service", "store"],
            ("features", "store") => &["dto", "http", "service"],
            ("features", "dto") => &["http", "service"],
            _ => &[],
        }
    }

    fn may_know_the_schema(&self) -> bool {
        match self.floor {
            "kernel" | "flows" | "main" => false,
            "features" => self.layer == "store",
            _ => true,
        }
    }

    fn may_read(&self, table: &str) -> bool {
        let Some(room) = self.room else {
            return true;
        };
        let owns = TABLES
            .iter()
            .any(|(owner, tables)| *owner == room && tables.contains(&table));
        let listed = FOREIGN_TABLES
            .iter()
            .any(|(reader, read, _)| *reader == room && read.contains(&table));
        room == table || room == "reports" || owns || listed
    }

    fn reads_foreign(&self, table: &str) -> String {
        format!(
            "{} reads the table {table} of another room",
            self.room.unwrap_or_default()
        )
    }
}

/// The tables that the room's text names, as its SQL or as Diesel's; for the list of what is allowed.
pub fn tables_of(path: &str, text: &str) -> Vec<(String, String)> {
    let place = Place::of(path.trim_start_matches("src/"));
    let Some(room) = place.room else {
        return Vec::new();
    };
    let imports = paths(path, text);
    let of_diesel = imports.iter().filter_map(|import| match import.as_slice() {
        [_, platform, db, schema, table, ..]
            if platform == "platform" && db == "db" && schema == "schema" =>
        {
            Some(table.clone())
        }
        _ => None,
    });
    let of_sql = tables_named(text).into_iter().map(str::to_owned);
    of_sql
        .chain(of_diesel)
        .map(|table| (room.to_owned(), table))
        .collect()
}

/// The tables that SQL in the text reads or writes.
fn tables_named(text: &str) -> Vec<&'static str> {
    let words: Vec<&str> = text
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let follows = |pair: &[&str]| matches!(pair[0], "FROM" | "JOIN" | "INTO" | "UPDATE");
    let owned = TABLES.iter().flat_map(|(_, tables)| tables.iter());
    let known: Vec<&'static str> = ORDER.iter().chain(owned).copied().collect();
    words
        .windows(2)
        .filter(|pair| follows(pair))
        .filter_map(|pair| known.iter().find(|table| **table == pair[1]).copied())
        .collect()
}

fn of_an_import(place: &Place<'_>, import: &[String]) -> Vec<String> {
    let steps: Vec<&str> = import.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    match steps.as_slice() {
        ["crate" | "copartner", floor, rest @ ..] => {
            let floors = ["kernel", "platform", "features", "flows", "app"];
            if floors.contains(floor) && !place.below().contains(floor) {
                found.push(format!("{} imports {floor}", place.floor));
            }
            match (*floor, rest) {
                ("platform", ["db", "schema", tables @ ..]) => found.extend(of_the_schema(place, tables)),
                ("platform", ["clock", ..]) if place.layer == "domain" => {
                    found.push("a domain imports the clock".to_owned());
                }
                ("features", [room, inside @ ..]) => found.extend(of_a_room(place, room, inside)),
                _ => {}
            }
        }
        [name, ..] if place.foreign_crates().contains(name) => found.push(format!(
            "{} {} imports {name}",
            place.room.unwrap_or(place.floor),
            place.layer
        )),
        _ => {}
    }
    found
}

fn of_the_schema(place: &Place<'_>, tables: &[&str]) -> Option<String> {
    if !place.may_know_the_schema() {
        return Some(format!("{} imports the schema", place.layer));
    }
    let table = tables.first().filter(|table| **table != "*")?;
    (!place.may_read(table)).then(|| place.reads_foreign(table))
}

fn of_a_room(place: &Place<'_>, room: &str, inside: &[&str]) -> Option<String> {
    let inner = inside.first().filter(|inner| INNER.contains(inner));
    if place.room == Some(room) {
        let inner = inner.filter(|inner| place.foreign_layers().contains(inner));
        return inner.map(|inner| format!("{} imports its {inner}", place.layer));
    }
    if let Some(inner) = inner.filter(|inner| !(place.floor == "app" && **inner == "http")) {
        return Some(format!(
            "{inner} is inside of {room}; use what {room} itself offers"
        ));
    }
    let rank = |room: &str| ORDER.iter().position(|known| *known == room);
    let (here, there) = (rank(place.room?)?, rank(room)?);
    (here < there).then(|| format!("{} comes before {room}", place.room.unwrap_or_default()))
}
