//! The three operations: the requests, the bare statements, and the statements as the service sends them.

use super::Fault;
use super::deals::{DATABASE, Tenant};
use super::load::Connection;
use super::pgbench::Contest;
use super::process::Service;
use super::stage::Stage;
use copartner::kernel::id::{AccountId, DealId, PartnerId, ProgramId};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

/// How many different records are asked for; pgbench takes at most 128 scripts.
const VARIANTS: usize = 100;

/// What stands in a request for a number that no other request has; `#` stands nowhere else.
pub const NUMBER: &str = "##########";

/// Requests that the service is loaded with.
#[derive(Debug)]
pub struct Requests {
    /// Whole HTTP requests, taken by turns.
    pub bytes: Vec<Vec<u8>>,
    /// The status of every answer.
    pub status: u16,
    /// How often each may be sent.
    pub repeat: Repeat,
    /// How many were sent.
    pub sent: AtomicUsize,
}

/// How often a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// As it is, again and again.
    Always,
    /// Once: it makes something that there can be one of.
    Never,
    /// Again and again, each time with another [`NUMBER`].
    Numbered,
}

impl Requests {
    /// Requests that may be sent again and again.
    pub fn again(bytes: Vec<Vec<u8>>, status: u16) -> Self {
        Self {
            bytes,
            status,
            repeat: Repeat::Always,
            sent: AtomicUsize::new(0),
        }
    }

    /// The next one to be sent, by whichever client comes first.
    pub fn next(&self) -> Result<Cow<'_, [u8]>, Fault> {
        let turn = self.sent.fetch_add(1, Ordering::Relaxed);
        if self.repeat == Repeat::Never && turn >= self.bytes.len() {
            return Err("there were too few requests for so long a run".into());
        }
        let bytes = self
            .bytes
            .get(turn % self.bytes.len().max(1))
            .ok_or("no requests")?;
        Ok(match self.repeat {
            Repeat::Numbered => Cow::Owned(numbered(bytes, turn)),
            Repeat::Always | Repeat::Never => Cow::Borrowed(bytes),
        })
    }
}

fn numbered(bytes: &[u8], number: usize) -> Vec<u8> {
    let number = format!("{number:010}").into_bytes();
    let mut numbered = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = numbered[at..].iter().position(|byte| *byte == b'#') {
        at += found;
        numbered[at..at + number.len()].copy_from_slice(&number);
    }
    numbered
}

/// One operation and its contestants.
#[derive(Debug)]
pub struct Operation {
    /// Its name in the table.
    pub name: &'static str,
    /// The part of the bare statements' rate that it aims at, in percent.
    pub aim: u64,
    /// What is asked of the service.
    pub requests: Requests,
    /// The table in which each request makes rows, and how many.
    pub makes: Option<(&'static str, u64)>,
    /// The bare statements, without row-level security.
    pub bare: Contest,
    /// The statements as the service sends them.
    pub same: Contest,
}

/// An answer that needs no database.
pub fn health() -> Requests {
    Requests::again(
        vec![b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec()],
        200,
    )
}

const COLUMNS: &str = "organization_id, id, external_id, name, account_id, program_id, partner_id, product_family_id, \
    stage_id, deal_type, status, amount, currency, opened_on, expected_close_on, won_at, lost_at, lost_reason, \
    row_version, created_at, updated_at";

/// All of them.
pub fn all(stage: &Stage, service: &Service, tenant: &Tenant) -> Result<Vec<Operation>, Fault> {
    let mut connection = Connection::open(service.address())?;
    Ok(vec![
        get(stage, tenant)?,
        list(tenant, &mut connection)?,
        create(stage, tenant, &mut connection)?,
    ])
}

fn get(stage: &Stage, tenant: &Tenant) -> Result<Operation, Fault> {
    let sql = format!("SELECT id::text AS value FROM deals ORDER BY md5(id::text) LIMIT {VARIANTS}");
    let ids: Vec<Uuid> = stage
        .texts(DATABASE, &sql)?
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let request = |id: &Uuid| asked(tenant, &format!("/v1/deals/{}", DealId::from_uuid(*id)));
    let bare = |id: &Uuid| {
        format!(
            "SELECT {COLUMNS} FROM deals WHERE organization_id = '{}' AND id = '{id}';",
            tenant.organization_id
        )
    };
    let same = |id: &Uuid| bare(id).replace(';', " LIMIT 1;");
    Ok(Operation {
        name: "GET a deal by id",
        aim: 35,
        requests: Requests::again(ids.iter().map(request).collect(), 200),
        makes: None,
        bare: without_policies(ids.iter().map(bare).collect(), Vec::new()),
        same: as_the_service(tenant, ids.iter().map(same).collect(), Vec::new()),
    })
}

fn list(tenant: &Tenant, connection: &mut Connection) -> Result<Operation, Fault> {
    let (mut requests, mut bare, mut same) = (Vec::new(), Vec::new(), Vec::new());
    let mut path = "/v1/deals?status=open&limit=50".to_owned();
    for _ in 0..VARIANTS {
        let page = answer(connection, &asked(tenant, &path), 200)?;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        let last = page["data"].as_array().and_then(|deals| deals.last());
        let last: DealId = last
            .and_then(|deal| deal["id"].as_str())
            .ok_or("no deal")?
            .parse()?;
        path = format!("/v1/deals?status=open&limit=50&cursor={cursor}");
        requests.push(asked(tenant, &path));
        let script = |rows: u8| {
            format!(
                "SELECT {COLUMNS} FROM deals WHERE organization_id = '{}' AND status = 'open' AND id < '{}' \
                 ORDER BY id DESC LIMIT {rows};",
                tenant.organization_id,
                last.uuid()
            )
        };
        bare.push(script(50));
        same.push(script(51));
    }
    Ok(Operation {
        name: "list 50 deals",
        aim: 42,
        requests: Requests::again(requests, 200),
        makes: None,
        bare: without_policies(bare, Vec::new()),
        same: as_the_service(tenant, same, Vec::new()),
    })
}

/// A time-ordered id, as the service makes them, from a random number of pgbench.
pub fn new_id(variable: &str) -> String {
    format!(
        "(lpad(to_hex((extract(epoch FROM now()) * 1000000)::bigint), 16, '0') \
          || lpad(to_hex(:{variable}::bigint), 16, '0'))::uuid"
    )
}

fn create(stage: &Stage, tenant: &Tenant, connection: &mut Connection) -> Result<Operation, Fault> {
    let one = |table: &str| -> Result<Uuid, Fault> {
        let found = stage.texts(
            DATABASE,
            &format!("SELECT id::text AS value FROM {table} LIMIT 1"),
        )?;
        Ok(found.first().ok_or("an empty table")?.parse()?)
    };
    let (account, program, partner) = (one("accounts")?, one("programs")?, one("partners")?);
    let body = json!({
        "name": "Fleet telematics for Hansa Logistik",
        "account_id": AccountId::from_uuid(account),
        "program_id": ProgramId::from_uuid(program),
        "partner_id": PartnerId::from_uuid(partner),
        "amount": { "amount": "48000.00", "currency": "EUR" },
        "opened_on": "2026-03-02",
        "expected_close_on": "2026-06-30",
    });
    let request = sent(tenant, "/v1/deals", &body);
    answer(connection, &request, 201)?;
    let written = |column: &str, table: &str| -> Result<String, Fault> {
        let sql = format!("SELECT {column}::text AS value FROM {table} ORDER BY written_order DESC LIMIT 1");
        Ok(stage.texts(DATABASE, &sql)?.pop().ok_or("nothing was written")?)
    };
    let values = vec![
        ("organization", tenant.organization_id.to_string()),
        ("key", tenant.api_key_id.to_string()),
        ("account", account.to_string()),
        ("program", program.to_string()),
        ("partner", partner.to_string()),
        ("data", written("data", "events")?),
        ("changes", written("changes", "audit_events")?),
    ];
    Ok(Operation {
        name: "create a deal",
        aim: 75,
        requests: Requests::again(vec![request], 201),
        makes: Some(("deals", 1)),
        bare: without_policies(vec![bare_create()], values.clone()),
        same: as_the_service(tenant, vec![same_create()], values),
    })
}

fn insert_deal() -> String {
    format!(
        "INSERT INTO deals ({COLUMNS}) VALUES (:organization, {}, NULL, 'Fleet telematics for Hansa Logistik', :account, \
         :program, :partner, NULL, NULL, 'new', 'open', 48000.00, 'EUR', '2026-03-02', '2026-06-30', NULL, NULL, NULL, \
         1, now(), now());",
        new_id("deal")
    )
}

const RANDOM: &str = "\\set deal random(1, 4000000000000000000)\n\\set event random(1, 4000000000000000000)\n\
    \\set audit random(1, 4000000000000000000)\n";

fn bare_create() -> String {
    format!(
        "{RANDOM}BEGIN;\n{}\n\
         INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at) \
         VALUES (:organization, {event}, 'deal.created', 'deal', {deal}, :partner, :data, now());\n\
         INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, changes, \
         request_id, address, occurred_at) VALUES (:organization, {audit}, 'deal.created', 'deal', {deal}, 'api_key', \
         :key, :changes, {deal}, '127.0.0.1', now());\nCOMMIT;\n",
        insert_deal(),
        deal = new_id("deal"),
        event = new_id("event"),
        audit = new_id("audit"),
    )
}

fn same_create() -> String {
    format!(
        "{RANDOM}BEGIN;\n{}\n\
         WITH happened AS (SELECT * FROM unnest(ARRAY[{event}], ARRAY[{audit}], ARRAY['deal.created'], ARRAY['deal'], \
             ARRAY[{deal}], ARRAY[:partner::uuid], ARRAY[:data::jsonb], ARRAY[:changes::jsonb], ARRAY[NULL::text]) \
             AS h (event_id, audit_id, type, subject_type, subject_id, partner_id, data, changes, reason)), \
         written AS (INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, \
             occurred_at) SELECT :organization::uuid, event_id, type, subject_type, subject_id, partner_id, data, now() \
             FROM happened) \
         INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, changes, \
             reason, request_id, address, occurred_at) \
         SELECT :organization::uuid, audit_id, type, subject_type, subject_id, 'api_key', :key::uuid, changes, reason, \
             {deal}, '127.0.0.1', now() FROM happened WHERE audit_id IS NOT NULL;\nCOMMIT;\n",
        insert_deal(),
        deal = new_id("deal"),
        event = new_id("event"),
        audit = new_id("audit"),
    )
}

/// A contest of the superuser, whom no policy binds.
pub fn without_policies(scripts: Vec<String>, values: Vec<(&'static str, String)>) -> Contest {
    Contest {
        role: "postgres",
        session: String::new(),
        scripts,
        values,
    }
}

/// A contest of the service's role, in the scope of the tenant.
pub fn as_the_service(tenant: &Tenant, scripts: Vec<String>, values: Vec<(&'static str, String)>) -> Contest {
    Contest {
        role: "copartner_service",
        session: format!(
            "-c copartner.organization_id={} -c copartner.api_key_id={} -c copartner.admission_id={}",
            tenant.organization_id, tenant.api_key_id, tenant.admission_id
        ),
        scripts,
        values,
    }
}

fn asked(tenant: &Tenant, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n",
        tenant.key
    )
    .into_bytes()
}

/// A POST.
pub fn sent(tenant: &Tenant, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        tenant.key,
        body.len()
    )
    .into_bytes()
}

/// The answer to a request, which must have this status.
pub fn answer(connection: &mut Connection, request: &[u8], expected: u16) -> Result<Value, Fault> {
    let status = connection.ask(request)?;
    let body = connection.body();
    if status != expected {
        return Err(format!("{status}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}
