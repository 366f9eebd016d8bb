//! The operations about the service itself, all public: is it alive, is it ready, its figures, its document.

use super::reference;
use crate::kernel::problem::Problem;
use crate::platform::openapi;
use crate::platform::web::problem::Refusal;
use crate::platform::web::{Answer, Reply, WebState};
use actix_web::web::{Data, Path, ServiceConfig as PlainConfig};
use actix_web::{HttpRequest, HttpResponse, Responder, get};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_root)
        .service(get_health)
        .service(get_readiness);
}

/// Registers what describes the service rather than being described.
pub fn documentation(config: &mut PlainConfig) {
    config.service(figures).service(document).service(document_3_0);
    config.service(problems).service(problem);
    config.service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
    config.service(docs);
}

/// What this is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServiceInfo, examples(json!({"name": "copartner", "version": "0.1.0", "documentation_url": "/docs/", "openapi_url": "/openapi.json"})))]
struct ServiceInfoView {
    /// The service's name.
    #[schema(max_length = 64)]
    name: String,
    /// Its version.
    #[schema(max_length = 64)]
    version: String,
    /// Where a person reads about the operations.
    #[schema(max_length = 255)]
    documentation_url: String,
    /// Where the document is.
    #[schema(max_length = 255)]
    openapi_url: String,
}

/// Whether something works.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Health, examples(json!({"status": "ok"})))]
struct HealthView {
    /// `ok`.
    #[schema(max_length = 16, pattern = "^[a-z]+$")]
    status: String,
}

/// Get service information
///
/// The service's name and version, and where its document is. Needs no credential.
#[utoipa::path(tag = "Service", operation_id = "getServiceInfo", security(()),
    responses((status = 200, description = "What this is.", body = ServiceInfoView)))]
#[get("/")]
async fn get_root() -> Reply {
    Ok(Answer::ok(&ServiceInfoView {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        documentation_url: "/docs/".to_owned(),
        openapi_url: "/openapi.json".to_owned(),
    })?)
}

fn healthy() -> Reply {
    Ok(Answer::ok(&HealthView {
        status: "ok".to_owned(),
    })?)
}

/// Check liveness
///
/// Answers as long as the process serves requests, whatever the database does. Needs no credential.
#[utoipa::path(tag = "Service", operation_id = "getHealth", security(()),
    responses((status = 200, description = "The process is alive.", body = HealthView)))]
#[get("/healthz")]
async fn get_health() -> Reply {
    healthy()
}

/// Check readiness
///
/// Answers `200` when the database can be reached and `503` when it cannot. Needs no credential.
#[utoipa::path(tag = "Service", operation_id = "getReadiness", security(()),
    responses((status = 200, description = "The service can do its work.", body = HealthView)))]
#[get("/readyz")]
async fn get_readiness(state: Data<WebState>) -> Reply {
    if state.db.is_reachable().await {
        healthy()
    } else {
        Err(Refusal(Problem::unavailable()))
    }
}

/// Figures for Prometheus. They name no tenant, but tell how much is going on.
#[get("/metrics")]
async fn figures(
    request: HttpRequest,
    handle: Data<PrometheusHandle>,
    state: Data<WebState>,
) -> Result<HttpResponse, Refusal> {
    if let Some(token) = &state.metrics_token {
        token.check(&request)?;
    }
    let (open, idle) = state.db.write_connections();
    metrics::gauge!("database_connections_open").set(open);
    metrics::gauge!("database_connections_idle").set(idle);
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(handle.render()))
}

#[get("/openapi.json")]
async fn document(state: Data<WebState>) -> impl Responder {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(state.contract.document().clone())
}

#[get("/openapi-3.0.json")]
async fn document_3_0(state: Data<WebState>) -> Result<HttpResponse, Refusal> {
    let whole: Value = serde_json::from_slice(state.contract.document()).map_err(Problem::damaged)?;
    Ok(HttpResponse::Ok().json(openapi::derive_3_0(&whole)))
}

/// Every problem code, for people.
#[get("/problems/")]
async fn problems() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(reference::problems_page())
}

/// One problem code, for people.
#[get("/problems/{code}")]
async fn problem(code: Path<String>) -> Result<HttpResponse, Refusal> {
    let page = reference::problem_page(&code).ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page))
}

#[get("/docs")]
async fn docs() -> impl Responder {
    HttpResponse::PermanentRedirect()
        .insert_header(("Location", "/docs/"))
        .finish()
}
