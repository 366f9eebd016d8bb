//! The operations on identity providers.

use super::domain::{IdentityProvider, KeySource};
use super::dto::{
    IdentityProviderPage, IdentityProviderPath, IdentityProviderView, IdentityProvidersQuery, KeysReadView,
    NewIdentityProviderBody, PatchIdentityProviderBody,
};
use super::service;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::tokens::key_cache::Published;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target, WebState};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_identity_providers)
        .service(create_identity_provider)
        .service(get_identity_provider)
        .service(update_identity_provider)
        .service(read_identity_provider_keys)
        .service(suspend_identity_provider)
        .service(reinstate_identity_provider);
}

fn record(provider: IdentityProvider) -> Result<Answer, Problem> {
    let version = provider.row_version;
    Answer::record(&IdentityProviderView::from(provider), version)
}

/// Keys are read only where the service may go.
fn check_url(state: &WebState, keys: Option<&KeySource>) -> Result<(), Problem> {
    match keys {
        Some(KeySource::JwksUrl(url)) if !state.credentials.keys().outbound().allows(url) => {
            let message = "The service asks by https only, and at no URL with a name or a password in it.";
            Err(Problem::field("/jwks_url", "url_not_allowed", message))
        }
        _ => Ok(()),
    }
}

/// List identity providers
///
/// The providers that you may see, newest first. A partner's callers see their own partner's.
#[utoipa::path(tag = "Identity Providers", operation_id = "listIdentityProviders", params(IdentityProvidersQuery),
    responses((status = 200, description = "One page of identity providers.", body = IdentityProviderPage)),
    extensions(("x-required-permission" = json!("identity_providers:read"))))]
#[get("/v1/identity-providers")]
async fn list_identity_providers(
    who: Granted<can::IdentityProvidersRead>,
    query: Filter<IdentityProvidersQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&IdentityProviderPage::from(page.map(IdentityProviderView::from)))
    })
    .await
}

/// Connect an identity provider
///
/// From now on its people come in with the tokens that it issues them, as `Authorization: Bearer`. At the first arrival a
/// user is found by the e-mail address that the provider vouches for, or made where `provisioning` says so; from then on
/// the user is known by the token's subject. A partner's provider lets in that partner's people alone. Where several have the
/// same issuer and audience, and the domain of the e-mail address does not tell them apart, the organization's own decide and no
/// partner's, and else those of the partner that connected them first and is not suspended. You must hold every
/// permission that its people may hold. The keys are read when they are first needed; `read-keys` reads them now.
#[utoipa::path(tag = "Identity Providers", operation_id = "createIdentityProvider", request_body = NewIdentityProviderBody,
    responses((status = 201, description = "The new identity provider.", body = IdentityProviderView)),
    extensions(("x-required-permission" = json!("identity_providers:write"))))]
#[post("/v1/identity-providers")]
async fn create_identity_provider(
    who: Granted<can::IdentityProvidersWrite>,
    command: Command<NewIdentityProviderBody>,
) -> Reply {
    let new = command.body.terms()?;
    check_url(who.state(), Some(&new.keys))?;
    if who.state().credentials.signer().is_own(&new.issuer) {
        let message = "The service's own tokens need no identity provider.";
        return Err(Problem::field("/issuer", "own_issuer", message).into());
    }
    who.write(command, move |tx, ctx, _| {
        let provider = service::create(tx, ctx, new.clone())?;
        let (id, version) = (provider.id, provider.row_version);
        Answer::created(
            "identity-providers",
            id,
            &IdentityProviderView::from(provider),
            version,
        )
    })
    .await
}

/// Get an identity provider
///
/// One identity provider, with its version as `ETag`.
#[utoipa::path(tag = "Identity Providers", operation_id = "getIdentityProvider", params(IdentityProviderPath),
    responses((status = 200, description = "The identity provider.", body = IdentityProviderView)),
    extensions(("x-required-permission" = json!("identity_providers:read"))))]
#[get("/v1/identity-providers/{identity_provider_id}")]
async fn get_identity_provider(
    who: Granted<can::IdentityProvidersRead>,
    target: Target<IdentityProviderPath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.identity_provider_id)?))
        .await
}

/// Update an identity provider
///
/// Changes the fields that are sent, as a JSON merge patch; tokens that are in use are looked at anew at their next
/// request. The issuer and the names of the claims never change: they are who its people are. You must hold every
/// permission that its people may hold.
#[utoipa::path(tag = "Identity Providers", operation_id = "updateIdentityProvider", params(IdentityProviderPath),
    request_body = PatchIdentityProviderBody,
    responses((status = 200, description = "The identity provider as it is now.", body = IdentityProviderView)),
    extensions(("x-required-permission" = json!("identity_providers:write"))))]
#[patch("/v1/identity-providers/{identity_provider_id}")]
async fn update_identity_provider(
    who: Granted<can::IdentityProvidersWrite>,
    target: Target<IdentityProviderPath>,
    command: Command<PatchIdentityProviderBody>,
) -> Reply {
    let patch = command.body.patch()?;
    check_url(who.state(), patch.keys.as_ref())?;
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.identity_provider_id,
            &command.precondition,
            patch.clone(),
        )?)
    })
    .await
}

/// Read an identity provider's keys
///
/// Reads the public keys at their address now, and tells how many of them are usable; keys that were handed over are only
/// counted. Nothing is lost when they cannot be read: the last ones stay good for a day. Useful after connecting, to see
/// that the address is right and can be reached.
#[utoipa::path(tag = "Identity Providers", operation_id = "readIdentityProviderKeys", params(IdentityProviderPath),
    responses((status = 200, description = "What was read.", body = KeysReadView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("identity_providers:write"))))]
#[post("/v1/identity-providers/{identity_provider_id}/read-keys")]
async fn read_identity_provider_keys(
    who: Granted<can::IdentityProvidersWrite>,
    target: Target<IdentityProviderPath>,
    _command: Command<Nothing>,
) -> Reply {
    let who = who.confirmed().await?;
    let (state, now, id) = (who.state(), who.ctx.wall_now, target.identity_provider_id);
    let (ctx, organization_id) = (who.ctx.clone(), who.ctx.organization_id());
    let provider = state
        .db
        .read(&who.ctx, move |tx| service::get(tx, &ctx, id))
        .await?;
    let keys = match &provider.keys {
        KeySource::JwksUrl(url) => {
            let published = Published {
                organization_id,
                id,
                partner_id: provider.partner_id,
                url: url.clone(),
                last: None,
            };
            state.credentials.keys().read_now(&state.db, published, now).await
        }
        KeySource::Jwks(document) => super::dto::key_set(document),
    };
    Ok(Answer::ok(&KeysReadView::new(keys.as_deref(), now))?)
}

/// Suspend an identity provider
///
/// Refuses its people from the next request on, whatever their tokens say, until it is reinstated. `409` when it is
/// suspended already.
#[utoipa::path(tag = "Identity Providers", operation_id = "suspendIdentityProvider", params(IdentityProviderPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The suspended identity provider.", body = IdentityProviderView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("identity_providers:write"))))]
#[post("/v1/identity-providers/{identity_provider_id}/suspend")]
async fn suspend_identity_provider(
    who: Granted<can::IdentityProvidersWrite>,
    target: Target<IdentityProviderPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::suspend(
            tx,
            ctx,
            target.identity_provider_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Reinstate an identity provider
///
/// Lets its people in again. `409` when it is not suspended.
#[utoipa::path(tag = "Identity Providers", operation_id = "reinstateIdentityProvider", params(IdentityProviderPath),
    responses((status = 200, description = "The reinstated identity provider.", body = IdentityProviderView)),
    extensions(("x-required-permission" = json!("identity_providers:write"))))]
#[post("/v1/identity-providers/{identity_provider_id}/reinstate")]
async fn reinstate_identity_provider(
    who: Granted<can::IdentityProvidersWrite>,
    target: Target<IdentityProviderPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::reinstate(
            tx,
            ctx,
            target.identity_provider_id,
            &command.precondition,
        )?)
    })
    .await
}
