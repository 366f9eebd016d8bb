//! The operations on users.

use super::dto::{NewUserBody, PatchUserBody, UserPage, UserPath, UserView, UsersQuery};
use super::{User, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_users)
        .service(create_user)
        .service(get_user)
        .service(update_user)
        .service(suspend_user)
        .service(reinstate_user)
        .service(terminate_user);
}

fn record(user: User) -> Result<Answer, Problem> {
    let version = user.row_version;
    Answer::record(&UserView::from(user), version)
}

/// List users
///
/// The people that you may see, newest first. A partner's callers see their own partner's people.
#[utoipa::path(tag = "Users", operation_id = "listUsers", params(UsersQuery),
    responses((status = 200, description = "One page of users.", body = UserPage)),
    extensions(("x-required-permission" = json!("users:read"))))]
#[get("/v1/users")]
async fn list_users(who: Granted<can::UsersRead>, query: Filter<UsersQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&UserPage::from(page.map(UserView::from)))
    })
    .await
}

/// Create a user
///
/// Records a person, who may come in at once and do what the roles hold. Nobody gives a role that holds more than they do
/// themselves, and partners' people hold roles for partners. What a partner's caller makes belongs to that partner. `409`
/// when somebody there has the e-mail address.
#[utoipa::path(tag = "Users", operation_id = "createUser", request_body = NewUserBody,
    responses((status = 201, description = "The new user.", body = UserView)),
    extensions(("x-required-permission" = json!("users:write"))))]
#[post("/v1/users")]
async fn create_user(who: Granted<can::UsersWrite>, command: Command<NewUserBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let user = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (user.id, user.row_version);
        Answer::created("users", id, &UserView::from(user), version)
    })
    .await
}

/// Get a user
///
/// One user, with its version as `ETag`.
#[utoipa::path(tag = "Users", operation_id = "getUser", params(UserPath),
    responses((status = 200, description = "The user.", body = UserView)),
    extensions(("x-required-permission" = json!("users:read"))))]
#[get("/v1/users/{user_id}")]
async fn get_user(who: Granted<can::UsersRead>, target: Target<UserPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.user_id)?))
        .await
}

/// Update a user
///
/// Changes the fields that are sent, as a JSON merge patch. Changed roles count at the user's next request. `409` when the
/// organization would be left without an admin. The state changes by its own verbs only.
#[utoipa::path(tag = "Users", operation_id = "updateUser", params(UserPath), request_body = PatchUserBody,
    responses((status = 200, description = "The user as it is now.", body = UserView)),
    extensions(("x-required-permission" = json!("users:write"))))]
#[patch("/v1/users/{user_id}")]
async fn update_user(
    who: Granted<can::UsersWrite>,
    target: Target<UserPath>,
    command: Command<PatchUserBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.user_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}

/// Suspend a user
///
/// Refuses the user, and every key that belongs to it, from the next request on, until it is reinstated. `409` when it is
/// the last active admin.
#[utoipa::path(tag = "Users", operation_id = "suspendUser", params(UserPath), request_body = ReasonBody,
    responses((status = 200, description = "The suspended user.", body = UserView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("users:write"))))]
#[post("/v1/users/{user_id}/suspend")]
async fn suspend_user(
    who: Granted<can::UsersWrite>,
    target: Target<UserPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::suspend(
            tx,
            ctx,
            target.user_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Reinstate a user
///
/// Lets a suspended user in again. `409` when it is not `suspended`.
#[utoipa::path(tag = "Users", operation_id = "reinstateUser", params(UserPath),
    responses((status = 200, description = "The reinstated user.", body = UserView)),
    extensions(("x-required-permission" = json!("users:write"))))]
#[post("/v1/users/{user_id}/reinstate")]
async fn reinstate_user(
    who: Granted<can::UsersWrite>,
    target: Target<UserPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::reinstate(
            tx,
            ctx,
            target.user_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Terminate a user
///
/// Sees the user off for good: it is refused from the next request on, and its keys are revoked in the same transaction.
/// `409` when it is the last active admin.
#[utoipa::path(tag = "Users", operation_id = "terminateUser", params(UserPath), request_body = ReasonBody,
    responses((status = 200, description = "The terminated user.", body = UserView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("users:write"))))]
#[post("/v1/users/{user_id}/terminate")]
async fn terminate_user(
    who: Granted<can::UsersWrite>,
    target: Target<UserPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let reason = &command.body.reason;
        record(crate::flows::user_terminated::run(
            tx,
            ctx,
            target.user_id,
            &command.precondition,
            reason,
        )?)
    })
    .await
}
