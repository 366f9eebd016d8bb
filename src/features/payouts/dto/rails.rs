//! What rails tell, on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// An event as Stripe sends it. There is more in it than is named here; of transfers `data.object` is read.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = StripeEvent, examples(json!({"id": "evt_1MiN3gLkdIwHu7ixEgUcZxG6", "type": "transfer.reversed"})))]
#[expect(
    dead_code,
    reason = "the event is read by the client of Stripe; this type documents it"
)]
pub struct StripeEventBody {
    /// Stripe's id of it.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub id: String,
    /// What happened.
    #[schema(rename = "type", min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub kind: String,
}

/// That an event was taken.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = StripeEventReceipt, examples(json!({"received": true})))]
pub struct NoticeTakenView {
    /// Always true.
    pub received: bool,
}
