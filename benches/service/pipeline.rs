//! Prechecks, submissions and clicks against the bare statements, and how long it takes to find a company.

use super::Fault;
use super::deals::{self, DATABASE, Tenant};
use super::load::{self, Measured};
use super::operations::{self, NUMBER, Operation, Repeat, Requests};
use super::pgbench::Contest;
use super::process::Service;
use super::settings::Settings;
use super::stage::Stage;
use super::table;
use copartner::kernel::id::{PartnerId, ProgramId};
use copartner::kernel::matching::{KEY_VERSION, Search};
use serde_json::{Value, json};
use std::fmt::Display;
use std::sync::atomic::AtomicUsize;
use uuid::Uuid;

/// Clicks in one report.
const CLICKS: u64 = 100;
/// Companies that are claimed, each once: more than a run gets to.
const COMPANIES: usize = 30_000;
/// How many different records are asked for; pgbench takes at most 128 scripts.
const VARIANTS: usize = 100;

/// Loads a million accounts and compares.
pub fn compare(stage: &Stage, settings: &Settings) -> Result<(), Fault> {
    let tenant = deals::load(stage, settings.deals)?;
    let sql = include_str!("pipeline.sql")
        .replace("{organization}", &tenant.organization_id.to_string())
        .replace("{key}", &tenant.api_key_id.to_string())
        .replace("{key_version}", &KEY_VERSION.to_string())
        .replace("{accounts}", &settings.accounts.to_string())
        .replace("{deals}", &settings.deals.to_string())
        .replace("{registrations}", &settings.registrations.to_string());
    stage.run(DATABASE, &sql)?;
    stage.run(DATABASE, "VACUUM ANALYZE")?;
    stage.run(DATABASE, "CHECKPOINT")?;
    table::say(&format!(
        "{} accounts, {} live registrations.",
        settings.accounts, settings.registrations
    ))?;
    let house = House::of(stage, &tenant)?;
    let service = Service::start(&stage.url(DATABASE))?;
    table::matching(&one_match(&service, settings, &house)?)?;
    let operations = [house.precheck()?, house.submission()?, house.clicks()];
    let outcomes = super::outcomes(stage, settings, &service, &operations)?;
    table::operations(&outcomes)
}

/// One client alone asks who a company is whose name has a letter too few.
fn one_match(service: &Service, settings: &Settings, house: &House<'_>) -> Result<Measured, Fault> {
    let asked = house.texts(&format!(
        "SELECT overlay(bench_core(n * 4991 % {accounts} + 1) PLACING '' FROM 3 FOR 1) AS value \
         FROM generate_series(1, 1000) n",
        accounts = settings.accounts
    ))?;
    let request = |name: &String| {
        let body = json!({ "name": format!("{name} GmbH"), "website": "https://new.example" });
        house.posted("/v1/accounts/match", &body)
    };
    let requests = Requests::again(asked.iter().map(request).collect(), 200);
    let alone = Settings {
        clients: 1,
        ..*settings
    };
    load::run(service.address(), &requests, &alone)
}

/// What the operations are asked of.
struct House<'a> {
    stage: &'a Stage,
    tenant: &'a Tenant,
    program: Uuid,
    partner: Uuid,
}

impl<'a> House<'a> {
    fn of(stage: &'a Stage, tenant: &'a Tenant) -> Result<Self, Fault> {
        let one = |kind: u8| -> Result<Uuid, Fault> {
            let found = stage.texts(DATABASE, &format!("SELECT bench_id({kind}, 1)::text AS value"))?;
            Ok(found.first().ok_or("no id")?.parse()?)
        };
        Ok(Self {
            stage,
            tenant,
            program: one(1)?,
            partner: one(3)?,
        })
    }

    fn texts(&self, sql: &str) -> Result<Vec<String>, Fault> {
        self.stage.texts(DATABASE, sql)
    }

    fn posted(&self, path: &str, body: &Value) -> Vec<u8> {
        operations::sent(self.tenant, path, body)
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        vec![
            ("organization", self.tenant.organization_id.to_string()),
            ("key", self.tenant.api_key_id.to_string()),
            ("program", self.program.to_string()),
            ("partner", self.partner.to_string()),
        ]
    }

    fn bare(&self, scripts: Vec<String>) -> Contest {
        operations::without_policies(scripts, self.values())
    }

    fn same(&self, scripts: Vec<String>) -> Contest {
        operations::as_the_service(self.tenant, scripts, self.values())
    }

    /// How accounts stand, by their domains: every fifth is claimed.
    fn precheck(&self) -> Result<Operation, Fault> {
        let domains = self.texts(&format!(
            "SELECT domain AS value FROM accounts WHERE domain IS NOT NULL ORDER BY md5(id::text) LIMIT {VARIANTS}"
        ))?;
        let request = |domain: &String| {
            let body = json!({
                "program_id": ProgramId::from_uuid(self.program),
                "partner_id": PartnerId::from_uuid(self.partner),
                "account_domain": domain,
            });
            self.posted("/v1/deal-registrations/precheck", &body)
        };
        let script = |domain: &String| {
            format!(
                "BEGIN;\n{PARTIES}SELECT a.id FROM account_match_keys k JOIN accounts a \
                     ON a.organization_id = k.organization_id AND a.id = k.account_id \
                 WHERE k.organization_id = :organization AND k.domain = '{domain}' \\gset\n{STANDING}COMMIT;\n"
            )
        };
        let scripts: Vec<String> = domains.iter().map(script).collect();
        Ok(Operation {
            name: "precheck",
            aim: 75,
            requests: Requests::again(domains.iter().map(request).collect(), 200),
            makes: None,
            bare: self.bare(scripts.clone()),
            same: self.same(scripts),
        })
    }

    /// Claims to companies that nobody knows yet.
    fn submission(&self) -> Result<Operation, Fault> {
        let names = self.texts(&format!(
            "SELECT bench_word(400000 + n) || ' ' || bench_word(700000 + n * 13) AS value \
             FROM generate_series(1, {COMPANIES}) n"
        ))?;
        let request = |(at, name): (usize, &String)| {
            let body = json!({
                "program_id": ProgramId::from_uuid(self.program),
                "partner_id": PartnerId::from_uuid(self.partner),
                "account_name": format!("{name} {at} GmbH"),
                "account_domain": format!("claimed-{at}.example"),
                "amount": { "amount": "25000.00", "currency": "EUR" },
            });
            self.posted("/v1/deal-registrations", &body)
        };
        let scripts = |search: fn(&str) -> String| -> Vec<String> {
            let names = names.iter().take(VARIANTS);
            names.map(|name| submitted(name, &search(name))).collect()
        };
        Ok(Operation {
            name: "submission",
            aim: 75,
            requests: Requests {
                bytes: names.iter().enumerate().map(request).collect(),
                status: 201,
                repeat: Repeat::Never,
                sent: AtomicUsize::new(0),
            },
            makes: Some(("deal_registrations", 1)),
            bare: self.bare(scripts(looked_for)),
            same: self.same(scripts(looked_for_by_the_service)),
        })
    }

    /// Reports of visitors who were never seen before.
    fn clicks(&self) -> Operation {
        let click = |number: u64| {
            json!({
                "code": format!("bench-{}", 1 + number % 100), "visitor": format!("v-{NUMBER}-{number}"),
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
            })
        };
        let body = json!({ "clicks": (1..=CLICKS).map(click).collect::<Vec<_>>() });
        let script = format!(
            "\\set seed random(1, 4000000000000000000)\n\
             INSERT INTO clicks (organization_id, id, referral_link_id, partner_id, program_id, visitor, window_starts_at, \
                 clicked_at, last_clicked_at) \
             SELECT :organization, {id}, bench_id(8, 1 + n % 100), bench_id(3, 1 + n % 100), :program, \
                 'v-' || :seed::bigint || '-' || n, date_bin('30 minutes', now(), TIMESTAMPTZ '2000-01-01 00:00Z'), now(), now() \
             FROM generate_series(1, {CLICKS}) n;\n",
            id = operations::new_id("seed").replace(":seed::bigint", "(:seed::bigint + n)")
        );
        Operation {
            name: "100 clicks",
            aim: 60,
            requests: Requests {
                bytes: vec![self.posted("/v1/clicks", &body)],
                status: 200,
                repeat: Repeat::Numbered,
                sent: AtomicUsize::new(0),
            },
            makes: Some(("clicks", CLICKS)),
            bare: self.bare(vec![script.clone()]),
            same: self.same(vec![script]),
        }
    }
}

/// Who claims, under what.
const PARTIES: &str = "SELECT * FROM partners WHERE organization_id = :organization AND id = :partner;\n\
    SELECT p.*, r.* FROM programs p LEFT JOIN deal_rules r ON r.organization_id = p.organization_id \
        AND r.program_id = p.id WHERE p.organization_id = :organization AND p.id = :program;\n";

/// What stands in the way of a claim to the account `:id`.
const STANDING: &str = "SELECT * FROM deal_registrations WHERE organization_id = :organization AND account_id = :id \
        AND status IN ('submitted', 'in_review', 'action_required', 'approved') AND partner_id <> :partner \
        ORDER BY status = 'approved' DESC, submitted_at, id LIMIT 1;\n\
    SELECT * FROM deals WHERE organization_id = :organization AND account_id = :id AND status = 'open' \
        AND partner_id IS NULL ORDER BY id LIMIT 1;\n\
    SELECT * FROM deals WHERE organization_id = :organization AND account_id = :id AND status = 'won' \
        AND partner_id IS DISTINCT FROM :partner LIMIT 1;\n\
    SELECT * FROM referrals WHERE organization_id = :organization AND domain_key = 'hafen.example' \
        AND status IN ('submitted', 'accepted') AND partner_id <> :partner ORDER BY id LIMIT 1;\n";

/// The bare statements that find the names which are like this one.
fn looked_for(name: &str) -> String {
    let search = Search::of(name.to_owned());
    let mut statements = format!(
        "SELECT k.account_id FROM unnest({slips}) s (core) JOIN account_match_keys k \
             ON k.organization_id = :organization AND k.core = s.core ORDER BY k.account_id LIMIT 50;\n",
        slips = array(&search.slips)
    );
    for word in &search.words {
        statements.push_str(&format!(
            "SELECT k.account_id FROM account_match_keys k WHERE k.organization_id = :organization \
                 AND string_to_array(k.core, ' ') && {words} AND similarity(k.core, '{name}') * 1000 >= {threshold} \
             ORDER BY similarity(k.core, '{name}') DESC LIMIT 50;\n",
            words = array(word),
            threshold = search.threshold
        ));
    }
    statements
}

/// The same as the service asks for it.
fn looked_for_by_the_service(name: &str) -> String {
    let search = Search::of(name.to_owned());
    format!(
        "SELECT * FROM account_match_candidates(NULL, 'new.example', ARRAY[replace('{name}', ' ', '')], \
             ARRAY['{name}'], {slips}, {words}, \
             array_fill('{name}'::text, ARRAY[{count}]), array_fill({threshold}, ARRAY[{count}]), false, 50);\n",
        slips = array(&search.slips),
        words = array(search.words.iter().map(|word| word.join(" "))),
        count = search.words.len(),
        threshold = search.threshold
    )
}

fn array(texts: impl IntoIterator<Item = impl Display>) -> String {
    let quoted: Vec<String> = texts.into_iter().map(|text| format!("'{text}'")).collect();
    format!("ARRAY[{}]::text[]", quoted.join(","))
}

/// A claim to a new company: who is like it, its account and keys, the claim, and what is told of them.
fn submitted(name: &str, search: &str) -> String {
    let (account, claim) = (operations::new_id("account"), operations::new_id("claim"));
    let told = |kind: &str, subject: &str, event: &str| {
        format!(
            "INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at) \
                 VALUES (:organization, {id}, '{event}', '{kind}', {subject}, :partner, '{DATA}', now());\n\
             INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, \
                 changes, request_id, address, occurred_at) VALUES (:organization, {id}, '{event}', '{kind}', {subject}, \
                 'api_key', :key, '{DATA}', {subject}, '127.0.0.1', now());\n",
            id = operations::new_id(if kind == "account" { "first" } else { "second" })
        )
    };
    format!(
        "\\set account random(1, 4000000000000000000)\n\\set claim random(1, 4000000000000000000)\n\
         \\set first random(1, 4000000000000000000)\n\\set second random(1, 4000000000000000000)\n\
         BEGIN;\n{PARTIES}{search}\
         SELECT EXISTS (SELECT FROM enrollments WHERE organization_id = :organization AND partner_id = :partner \
             AND program_id = :program AND status = 'active');\n\
         INSERT INTO accounts (organization_id, id, name, domain, row_version, created_at, updated_at) \
             VALUES (:organization, {account}, '{name} GmbH', :account || '.example', 1, now(), now());\n\
         INSERT INTO account_match_keys (organization_id, account_id, position, name_key, core, domain, key_version, compared) \
             VALUES (:organization, {account}, 1, replace('{name}', ' ', ''), '{name}', :account || '.example', \
             {KEY_VERSION}, true);\n\
         INSERT INTO deal_registrations (organization_id, id, partner_id, program_id, account_id, amount, currency, \
             claim, hidden_from_parent, status, submitted_at, respond_by, protection_days, protection_starts, \
             paused_seconds, created_by, created_by_type, row_version, created_at, updated_at) \
             VALUES (:organization, {claim}, :partner, :program, {account}, 25000, 'EUR', '{DATA}', false, 'submitted', \
             now(), now() + interval '3 days', 90, 'approval', 0, :key, 'api_key', 1, now(), now());\n\
         {}{}COMMIT;\n",
        told("account", &account, "account.created"),
        told("deal_registration", &claim, "deal_registration.submitted"),
    )
}

/// About what an event of a claim tells.
const DATA: &str = "{\"id\": \"reg_01m7zptsz4efqthded18jx3yvq\", \"name\": \"Hafen Logistik GmbH\", \
    \"amount\": {\"amount\": \"25000.00\", \"currency\": \"EUR\"}, \"status\": \"submitted\", \"attachments\": [], \
    \"public_tender\": false, \"country\": null, \"deal_id\": null, \"partner_id\": \"ptn_01m7zpt3m0efqthdectbjdbfbe\", \
    \"program_id\": \"prg_01m7zpt3y4efqthdecvp36xec1\", \"account_name\": \"Hafen Logistik GmbH\", \
    \"account_domain\": \"hafen.example\", \"qualification\": {}, \"protection_days\": 90}";
