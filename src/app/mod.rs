//! Composition: the routes, their document, and what surrounds them.

pub mod audit_check;
pub mod bootstrap;
pub mod demo;
mod document;
pub mod ledger_check;
mod reference;
pub mod serve;
mod service;
pub mod worker;

pub use document::{document, document_3_0};

use crate::features;
use crate::platform::web::request_span::RequestSpan;
use crate::platform::web::{WebState, doors, layers};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::{Data, JsonConfig, PayloadConfig, to};
use actix_web::{App, Error};
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

/// The largest JSON body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// Registers every operation.
fn routes(config: &mut ServiceConfig<'_>) {
    service::routes(config);
    features::organizations::http::routes(config);
    features::api_keys::http::routes(config);
    features::authorization::http::routes(config);
    features::roles::http::routes(config);
    features::users::http::routes(config);
    features::identity_providers::http::routes(config);
    features::sessions::http::routes(config);
    features::authentication_events::http::routes(config);
    features::programs::http::routes(config);
    features::product_families::http::routes(config);
    features::deal_rules::http::routes(config);
    features::pipeline_stages::http::routes(config);
    features::partners::http::routes(config);
    features::enrollments::http::routes(config);
    features::program_terms::http::routes(config);
    features::accounts::http::routes(config);
    features::deals::http::routes(config);
    features::attributions::http::routes(config);
    features::referrals::http::routes(config);
    features::invoices::http::routes(config);
    features::credit_notes::http::routes(config);
    features::commission_rules::http::routes(config);
    features::commissions::http::routes(config);
    features::ledger::http::routes(config);
    features::adjustments::http::routes(config);
    features::payout_methods::http::routes(config);
    features::payouts::http::routes(config);
    features::events::http::routes(config);
    features::audit::http::routes(config);
    features::imports::http::routes(config);
    features::reports::http::routes(config);
}

/// The application that a worker thread runs.
pub fn application(
    state: Data<WebState>,
    figures: Data<PrometheusHandle>,
    origins: Vec<String>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let (app, _) = App::new().into_utoipa_app().configure(routes).split_for_parts();
    app.app_data(state)
        .app_data(figures)
        .app_data(PayloadConfig::new(BODY_LIMIT))
        .app_data(JsonConfig::default().limit(BODY_LIMIT))
        .configure(service::documentation)
        .default_service(to(layers::nowhere))
        .wrap(from_fn(layers::surround))
        .wrap(Condition::new(!origins.is_empty(), doors::cors(&origins)))
        .wrap(Compress::default())
        .wrap(from_fn(doors::guard))
        .wrap(TracingLogger::<RequestSpan>::new())
}
