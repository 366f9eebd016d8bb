//! Events on the wire.

use super::domain::Event;
use super::store::EventFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EventId, PartnerId};
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The name of an event: a noun and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 100, pattern = r"^[a-z_]+\.[a-z_]+$", example = "partner.approved")]
pub struct EventType(pub String);

/// The singular noun of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 64, pattern = "^[a-z_]+$", example = "partner")]
pub struct SubjectType(pub String);

/// The record that something happened to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Subject, examples(json!({"type": "partner", "id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"})))]
pub struct SubjectView {
    /// The singular noun of its resource.
    #[serde(rename = "type")]
    pub noun: SubjectType,
    /// Its id.
    #[schema(max_length = 64, pattern = "^[0-9a-z_-]+$")]
    pub id: String,
}

impl SubjectView {
    /// The record of this noun with this id.
    pub fn new(noun: String, id: Uuid) -> Self {
        Self {
            id: subject::id_text(&noun, id),
            noun: SubjectType(noun),
        }
    }
}

/// Something that happened to a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Event, examples(json!({"id": "evt_01j9zq4y8k7m5n3p2r1s0t6v4w", "sequence": 4711, "type": "partner.approved", "subject": {"type": "partner", "id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"}, "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "data": {"id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "name": "Nordlicht Consulting", "status": "approved"}, "occurred_at": "2026-03-02T09:30:00Z"})))]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// Its number: every change of the organization has one, in the order of the changes and without gaps.
    #[schema(minimum = 1, maximum = 9007199254740991i64)]
    pub sequence: i64,
    /// What happened.
    #[serde(rename = "type")]
    pub name: EventType,
    /// What it happened to.
    pub subject: SubjectView,
    /// The partner whom it concerns.
    #[schema(required)]
    pub partner_id: Option<PartnerId>,
    /// What there is to tell: the id of the subject and, for most types, the fields of the record as they were then,
    /// named as in its resource. The list of types at the top of this document says where it is less or more. Fields are
    /// added over time.
    #[schema(value_type = Object)]
    pub data: Value,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            sequence: event.sequence,
            name: EventType(event.name),
            subject: SubjectView::new(event.subject_type, event.subject_id),
            partner_id: event.partner_id,
            data: event.data,
            occurred_at: event.occurred_at,
        }
    }
}

page_of!(EventPage, EventView, "events");

/// What a list of events is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events behind this number; start here with the last number that you have seen.
    #[param(minimum = 0, maximum = 9007199254740991i64)]
    pub after_sequence: Option<i64>,
    /// Only events of these types; repeat for several.
    #[serde(default, rename = "type")]
    #[param(max_items = 50)]
    pub names: Vec<EventType>,
    /// Only what happened to records of this noun.
    pub subject_type: Option<SubjectType>,
    /// Only what happened at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Only what happened before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl EventsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> EventFilter {
        EventFilter {
            after_sequence: self.after_sequence,
            names: self.names.iter().map(|name| name.0.clone()).collect(),
            subject_type: self.subject_type.as_ref().map(|noun| noun.0.clone()),
            occurred_at_gte: self.occurred_at_gte,
            occurred_at_lt: self.occurred_at_lt,
        }
    }
}

/// What a timeline is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    /// Only events of these types; repeat for several.
    #[serde(default, rename = "type")]
    #[param(max_items = 50)]
    pub names: Vec<EventType>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl TimelineQuery {
    /// The page that is asked for; its cursor is bound to the partner and the types.
    pub fn page(&self, ctx: &Ctx, partner_id: PartnerId) -> Result<PageRequest, Problem> {
        let bound_to = TimelineOf {
            partner_id,
            names: &self.names,
        };
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), &bound_to)
    }

    /// The types that are asked for; none is all.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.0.clone()).collect()
    }
}

/// Which timeline a cursor belongs to.
#[derive(Serialize)]
struct TimelineOf<'a> {
    partner_id: PartnerId,
    names: &'a [EventType],
}

/// The partner that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PartnerPath {
    /// The partner.
    pub partner_id: PartnerId,
}
