//! The operation on next actions.

use super::dto::NextActionsView;
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Granted, Reply};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_next_actions);
}

/// List next actions
///
/// What you do best now, the most useful first, at most 20: each with why, the operation that does it, and by when. What
/// is late or due within two days comes first, by its deadline. Only what you may do at this moment is shown: of partners'
/// callers what is their partner's own to do; of the organization's what their permissions and the rule of the second
/// person allow. What is done is gone the next time you ask.
#[utoipa::path(tag = "Next Actions", operation_id = "listNextActions",
    responses((status = 200, description = "What is to be done.", body = NextActionsView)),
    extensions(("x-required-permission" = json!("next_actions:read"))))]
#[get("/v1/next-actions")]
async fn list_next_actions(who: Granted<can::NextActionsRead>) -> Reply {
    who.snapshot(move |tx, ctx| Answer::ok(&NextActionsView::of(service::list(tx, ctx)?)))
        .await
}
