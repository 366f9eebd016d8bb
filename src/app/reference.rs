//! What a reader of the document looks up: problem codes, permissions and event types, as text and as pages.

use crate::kernel::permission::Permission;
use crate::kernel::problem::Code;
use crate::platform::web::problem::TYPE_BASE;
use std::fmt::Write;

/// The types of events by their noun, and what `data` holds of the record.
const EVENTS: &[(&str, &[&str], &str)] = &[
    (
        "organization",
        &["created", "updated", "clock_advanced"],
        "the record; for `clock_advanced` only `id`, `advanced_from` and `advanced_to`",
    ),
    (
        "api_key",
        &["created", "updated", "rotated", "revoked"],
        "the key without its secret",
    ),
    (
        "user",
        &[
            "created",
            "updated",
            "suspended",
            "reinstated",
            "terminated",
            "identity_linked",
        ],
        "the record; for `identity_linked` only `id`, `identity_provider_id` and `subject`",
    ),
    (
        "identity_provider",
        &["created", "updated", "suspended", "reinstated"],
        RECORD,
    ),
    (
        "session",
        &["created", "revoked"],
        "the session without its tokens",
    ),
    ("role", &["created", "updated"], RECORD),
    ("program", &["created", "updated"], RECORD),
    (
        "deal_rules",
        &["updated"],
        "the rules; their subject is the program",
    ),
    ("product_family", &["created", "updated"], RECORD),
    ("pipeline_stage", &["created", "updated"], RECORD),
    (
        "partner",
        &[
            "created",
            "updated",
            "approved",
            "declined",
            "suspended",
            "reinstated",
            "terminated",
        ],
        RECORD,
    ),
    (
        "partner_contact",
        &["created", "updated", "removed"],
        "only `id`, `partner_id`, `roles` and `changed_fields`: nothing of the person",
    ),
    (
        "compliance_document",
        &["submitted", "verified", "revoked"],
        RECORD,
    ),
    (
        "enrollment",
        &[
            "created",
            "updated",
            "activated",
            "paused",
            "resumed",
            "ended",
            "tier_changed",
            "tier_endangered",
            "tier_secured",
            "tier_pinned",
            "tier_unpinned",
        ],
        "the record; but for `tier_changed`, those of tiers have what is known of its standing: `pinned_until`, `pin_reason`, \
         `falls_at`, `reviewed_at`, `review_at`",
    ),
    (
        "tier_ladder",
        &["updated"],
        "the ladder; its subject is the program",
    ),
    (
        "program_terms",
        &["published", "accepted"],
        "the version; for `accepted` the acceptance",
    ),
    ("account", &["created", "updated", "merged", "unmerged"], RECORD),
    ("account_match", &["confirmed", "rejected"], RECORD),
    ("account_merge", &["created", "undone"], RECORD),
    (
        "deal",
        &["created", "updated", "won", "lost", "reopened"],
        "the deal without `warnings` and what the CRM says of partners",
    ),
    ("touchpoint", &["recorded", "voided"], RECORD),
    (
        "attribution",
        &[
            "created",
            "updated",
            "confirmed",
            "corrected",
            "rejected",
            "settled",
            "restored",
        ],
        "the record without `allocation_rank`",
    ),
    (
        "referral",
        &[
            "submitted",
            "updated",
            "accepted",
            "rejected",
            "marked_duplicate",
            "withdrawn",
            "expired",
            "converted",
            "assigned",
            "response_overdue",
        ],
        "the record; for `assigned` only `id` and `owner_id`, for `response_overdue` only `id`, `program_id`, `partner_id` and \
         `respond_by`",
    ),
    (
        "referral_link",
        &["created", "retired", "converted"],
        "the link; for `converted` what became of the visitor, as the conversion answers",
    ),
    (
        "referral_routes",
        &["replaced"],
        "the owners of each of the `routes`; their subject is the program",
    ),
    (
        "deal_registration",
        &[
            "created",
            "updated",
            "submitted",
            "review_started",
            "approved",
            "rejected",
            "action_requested",
            "withdrawn",
            "extended",
            "expiry_announced",
            "response_missed",
            "converted",
            "lost",
            "expired",
            "revoked",
            "reopened",
            "reinstated",
        ],
        "the record without `account_id`",
    ),
    ("registration_comment", &["added"], RECORD),
    (
        "registration_extension",
        &["requested", "approved", "refused", "lapsed"],
        RECORD,
    ),
    (
        "registration_conflict",
        &["opened", "joined", "evidence_added", "decided"],
        "the record; for a party only `id`, `deal_registration_id`, `side`, `respond_by` and `outcome`",
    ),
    (
        "invoice",
        &["created", "updated", "voided"],
        "the invoice without its lines",
    ),
    ("payment", &["recorded"], RECORD),
    ("refund", &["recorded", "reinstated"], RECORD),
    ("credit_note", &["issued"], RECORD),
    (
        "billing_arrival",
        &["parked", "applied", "refused", "withdrawn"],
        "the record, with the fact as it was told under `fact`",
    ),
    (
        "exchange_rate",
        &["recorded"],
        "the record; the rates of an import are told by the import alone",
    ),
    ("commission_rule", &["created", "updated"], RECORD),
    (
        "commission_rule_version",
        &["created", "updated", "activated", "retired"],
        "the version with its terms among its own fields rather than under `terms`",
    ),
    (
        "commission",
        &[
            "accrued",
            "released",
            "approved",
            "clawed_back",
            "reinstated",
            "exchanged",
        ],
        "`id` and `amount`; for `exchanged` also `from`, `direction`, `rates` and `on`; for `accrued` also `deal_id`, `program_id`, `partner_id`, `status` and `ineligible_reason`; for \
         `clawed_back` and `reinstated`, whose subject is the clawback, also `commission_id`, `refund_id`, `taken_from` and `zero_reason`",
    ),
    (
        "payout_method",
        &["proposed", "confirmed", "refused", "replaced", "withdrawn"],
        "the method with its details masked",
    ),
    (
        "adjustment",
        &["proposed", "approved", "refused", "withdrawn"],
        RECORD,
    ),
    (
        "dispute",
        &[
            "opened",
            "review_started",
            "information_requested",
            "answered",
            "upheld",
            "partially_upheld",
            "denied",
            "withdrawn",
            "response_overdue",
        ],
        "the record without what the organization alone knows; for `response_overdue` only `id`, `program_id`, `partner_id` and \
         `respond_by`",
    ),
    ("dispute_comment", &["added"], RECORD),
    (
        "payout_run",
        &[
            "drafted",
            "approved",
            "processing",
            "completed",
            "cancelled",
            "file_downloaded",
        ],
        "the run without its payouts' totals and counts; for `file_downloaded` `id`, `rail`, `payout_count`, `media_type` and \
         `sha256`",
    ),
    (
        "payout",
        &[
            "processing",
            "paid",
            "failed",
            "returned",
            "cancelled",
            "questioned",
        ],
        "the record; for `questioned` where its payment is known, also `transfer_id` and `amount_reversed`",
    ),
    ("statement", &["issued"], "the statement without its lines"),
    (
        "backtest",
        &["created", "succeeded", "failed"],
        "the back-test without what it found",
    ),
    ("import", &["created", "succeeded", "failed", "canceled"], RECORD),
];
const RECORD: &str = "the record";

/// The part of the document's description that lists what is named elsewhere in it.
pub(super) fn lists() -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "\n\n## Problem codes\n\nEach is explained at `GET {TYPE_BASE}{{code}}`.\n\n| code | status | meaning |\n|---|---|---|\n"
    );
    for code in Code::ALL {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            code.name(),
            code.status(),
            code.title()
        );
    }
    text.push_str("\n## Permissions\n\nThose marked * may be held by a partner's own keys and users.\n\n");
    let names = Permission::ALL.iter().map(|permission| {
        let mark = if permission.open_to_partners() { "*" } else { "" };
        format!("`{}`{mark}", permission.name())
    });
    text.push_str(&names.collect::<Vec<_>>().join(", "));
    text.push_str(
        "\n\n## Event types\n\nA noun and what happened to it. `data` always has the `id`, and amounts as in the resource.\n\n\
         | types | data |\n|---|---|\n",
    );
    for (noun, verbs, data) in EVENTS {
        let types: Vec<String> = verbs.iter().map(|verb| format!("`{noun}.{verb}`")).collect();
        let _ = writeln!(text, "| {} | {data} |", types.join(", "));
    }
    text
}

/// Every problem code, as a page.
pub(super) fn problems_page() -> String {
    let rows: String = Code::ALL
        .iter()
        .map(|code| {
            let (name, status, title) = (code.name(), code.status(), code.title());
            format!("<tr><td><a href=\"{TYPE_BASE}{name}\">{name}</a></td><td>{status}</td><td>{title}</td></tr>\n")
        })
        .collect();
    page("Problem codes", &format!("<table>\n{rows}</table>"))
}

/// One problem code, as a page; nothing for a code that there is not.
pub(super) fn problem_page(name: &str) -> Option<String> {
    let code = Code::ALL.iter().find(|code| code.name() == name)?;
    let (title, status, advice) = (code.title(), code.status(), code.advice().replace('<', "&lt;"));
    let text = format!(
        "<p>{title}</p>\n<p>{advice}</p>\n<p>HTTP status {status}. <a href=\"{TYPE_BASE}\">All codes</a></p>"
    );
    Some(page(name, &text))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n{body}\n</html>\n"
    )
}
