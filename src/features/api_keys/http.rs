//! The operations on API keys.

use super::dto::{
    ApiKeyPage, ApiKeyPath, ApiKeySecretView, ApiKeyView, ApiKeysQuery, NewApiKeyBody, PatchApiKeyBody,
    RotateApiKeyBody,
};
use super::{ApiKey, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::credentials::NewSecret;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use chrono::TimeDelta;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_api_keys)
        .service(create_api_key)
        .service(get_api_key)
        .service(update_api_key)
        .service(rotate_api_key)
        .service(revoke_api_key);
}

fn record(key: ApiKey) -> Result<Answer, Problem> {
    let version = key.row_version;
    Answer::record(&ApiKeyView::from(key), version)
}

/// List API keys
///
/// The organization's keys, newest first, without their secrets.
#[utoipa::path(tag = "API Keys", operation_id = "listApiKeys", params(ApiKeysQuery),
    responses((status = 200, description = "One page of API keys.", body = ApiKeyPage)),
    extensions(("x-required-permission" = json!("api_keys:read"))))]
#[get("/v1/api-keys")]
async fn list_api_keys(who: Granted<can::ApiKeysRead>, query: Filter<ApiKeysQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ApiKeyPage::from(page.map(ApiKeyView::from)))
    })
    .await
}

/// Create an API key
///
/// Makes a key with permissions that you hold yourself, and shows its secret this one time. With `partner_id` the key
/// sees that partner's own records alone and may hold only permissions that are open to partners; a partner's caller makes
/// keys of its own partner, and a key of a partner's user (`owner_id`) is that partner's. With a key that ends, or is
/// confined to networks, you make keys that end no later and are confined within them; a session that was made with a
/// key makes none: `403`. Only a hash of it is kept: an answer given again for the same Idempotency-Key has `null` for the secret.
#[utoipa::path(tag = "API Keys", operation_id = "createApiKey", request_body = NewApiKeyBody,
    responses((status = 201, description = "The new key with its secret.", body = ApiKeySecretView)),
    extensions(("x-required-permission" = json!("api_keys:write"))))]
#[post("/v1/api-keys")]
async fn create_api_key(who: Granted<can::ApiKeysWrite>, command: Command<NewApiKeyBody>) -> Reply {
    let secret = NewSecret::generate()?;
    who.write(command, move |tx, ctx, command| {
        let key = service::create(tx, ctx, command.body.terms()?, &secret)?;
        let (id, version) = (key.id, key.row_version);
        let kept = ApiKeySecretView::new(key.clone(), None);
        Answer::created(
            "api-keys",
            id,
            &ApiKeySecretView::new(key, Some(secret.text.clone())),
            version,
        )?
        .keeping(&kept)
    })
    .await
}

/// Get an API key
///
/// One key, without its secret.
#[utoipa::path(tag = "API Keys", operation_id = "getApiKey", params(ApiKeyPath),
    responses((status = 200, description = "The key.", body = ApiKeyView)),
    extensions(("x-required-permission" = json!("api_keys:read"))))]
#[get("/v1/api-keys/{api_key_id}")]
async fn get_api_key(who: Granted<can::ApiKeysRead>, target: Target<ApiKeyPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.api_key_id)?))
        .await
}

/// Update an API key
///
/// Changes the fields that are sent, as a JSON merge patch; they count from the next request on. What a key may do never
/// changes. `403` for a key that may do more than you. `409` when it is revoked.
#[utoipa::path(tag = "API Keys", operation_id = "updateApiKey", params(ApiKeyPath), request_body = PatchApiKeyBody,
    responses((status = 200, description = "The key as it is now.", body = ApiKeyView)),
    extensions(("x-required-permission" = json!("api_keys:write"))))]
#[patch("/v1/api-keys/{api_key_id}")]
async fn update_api_key(
    who: Granted<can::ApiKeysWrite>,
    target: Target<ApiKeyPath>,
    command: Command<PatchApiKeyBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let patch = command.body.patch()?;
        record(service::update(
            tx,
            ctx,
            target.api_key_id,
            &command.precondition,
            patch,
        )?)
    })
    .await
}

/// Rotate an API key
///
/// Gives a key another secret and shows it this one time. The present secret stays good for the overlap, so that nobody
/// has to change everything at once; the secret before it ends now. `403` for a key that may do more than you. `409` when
/// it is revoked. An answer given again for the same Idempotency-Key has `null` for the secret.
#[utoipa::path(tag = "API Keys", operation_id = "rotateApiKey", params(ApiKeyPath), request_body = RotateApiKeyBody,
    responses((status = 200, description = "The key with its new secret.", body = ApiKeySecretView)),
    extensions(("x-required-permission" = json!("api_keys:write"))))]
#[post("/v1/api-keys/{api_key_id}/rotate")]
async fn rotate_api_key(
    who: Granted<can::ApiKeysWrite>,
    target: Target<ApiKeyPath>,
    command: Command<RotateApiKeyBody>,
) -> Reply {
    let secret = NewSecret::generate()?;
    who.write(command, move |tx, ctx, command| {
        let overlap = TimeDelta::seconds(i64::from(command.body.overlap_seconds));
        let precondition = &command.precondition;
        let key = service::rotate(tx, ctx, target.api_key_id, precondition, overlap, &secret)?;
        let version = key.row_version;
        let kept = ApiKeySecretView::new(key.clone(), None);
        Answer::record(&ApiKeySecretView::new(key, Some(secret.text.clone())), version)?.keeping(&kept)
    })
    .await
}

/// Revoke an API key
///
/// Ends a key for good: it is refused at its next request. `409` when it is revoked already.
#[utoipa::path(tag = "API Keys", operation_id = "revokeApiKey", params(ApiKeyPath),
    responses((status = 200, description = "The revoked key.", body = ApiKeyView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("api_keys:write"))))]
#[post("/v1/api-keys/{api_key_id}/revoke")]
async fn revoke_api_key(
    who: Granted<can::ApiKeysWrite>,
    target: Target<ApiKeyPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::revoke(
            tx,
            ctx,
            target.api_key_id,
            &command.precondition,
        )?)
    })
    .await
}
