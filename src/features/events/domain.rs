//! What an event is.

use crate::kernel::id::{EventId, PartnerId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its number within the organization, counted from 1 without gaps.
    pub sequence: i64,
    /// What happened: `<noun>.<past participle>`.
    pub name: String,
    /// The noun of the record that it happened to.
    pub subject_type: String,
    /// The id of that record.
    pub subject_id: Uuid,
    /// The partner whom it concerns.
    pub partner_id: Option<PartnerId>,
    /// The record as it was then.
    pub data: Value,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}
