//! Composition: the routes, their document, and what surrounds them.

mod areas;
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
use areas::Routes;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

/// The largest JSON body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What registers the operations of each room.
const ROOMS: &[Routes] = &[
    features::organizations::http::routes,
    features::api_keys::http::routes,
    features::authorization::http::routes,
    features::roles::http::routes,
    features::users::http::routes,
    features::identity_providers::http::routes,
    features::sessions::http::routes,
    features::authentication_events::http::routes,
    features::programs::http::routes,
    features::product_families::http::routes,
    features::deal_rules::http::routes,
    features::pipeline_stages::http::routes,
    features::partners::http::routes,
    features::partner_contacts::http::routes,
    features::compliance_documents::http::routes,
    features::enrollments::http::routes,
    features::program_terms::http::routes,
    features::accounts::http::routes,
    features::deals::http::routes,
    features::touchpoints::http::routes,
    features::attributions::http::routes,
    features::deal_registrations::http::routes,
    features::registration_conflicts::http::routes,
    features::referrals::http::routes,
    features::referral_links::http::routes,
    features::invoices::http::routes,
    features::credit_notes::http::routes,
    features::billing_arrivals::http::routes,
    features::exchange_rates::http::routes,
    features::tiers::http::routes,
    features::commission_rules::http::routes,
    features::commissions::http::routes,
    features::backtests::http::routes,
    features::ledger::http::routes,
    features::adjustments::http::routes,
    features::payout_methods::http::routes,
    features::payouts::http::routes,
    features::disputes::http::routes,
    features::payment_expectations::http::routes,
    features::statements::http::routes,
    features::events::http::routes,
    features::audit::http::routes,
    features::imports::http::routes,
    features::next_actions::http::routes,
    features::reports::http::routes,
];

/// Registers every operation, in the order of the document.
fn routes(config: &mut ServiceConfig<'_>) {
    service::routes(config);
    ROOMS.iter().for_each(|room| room(config));
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
    let app = App::new().into_utoipa_app();
    let app = app.configure(service::routes).configure(areas::routes);
    let (app, _) = app.split_for_parts();
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
