//! Who may come in from a browser, and what every answer tells a browser.

use super::state::WebState;
use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};

/// Seconds for which a browser remembers what it was allowed.
const PREFLIGHT_SECONDS: usize = 600;
/// The longest query, in bytes. Sixty filters with the longest keys stay below it.
pub(super) const QUERY_LIMIT: usize = 32 * 1024;
/// The largest head besides the path, in bytes.
pub(super) const HEADERS_LIMIT: usize = 32 * 1024;

/// Headers of an answer that a script may read.
const EXPOSED: [&str; 9] = [
    "etag",
    "idempotency-replayed",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "request-id",
    "retry-after",
    "www-authenticate",
];
/// Headers that a script may send.
const ALLOWED: [&str; 7] = [
    "accept",
    "authorization",
    "content-type",
    "copartner-organization",
    "idempotency-key",
    "if-match",
    "if-none-match",
];

/// An answer of data runs nothing, shows nothing and stands in no frame.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// The page about the operations runs its own scripts and asks its own service.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A year of nothing but TLS.
const ONLY_TLS: &str = "max-age=31536000; includeSubDomains";

/// Cross-origin requests from exactly these origins. A script sends its key itself, so that there are no credentials
/// that a browser would add by itself.
pub fn cors(origins: &[String]) -> Cors {
    let open = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH])
        .allowed_headers(ALLOWED)
        .expose_headers(EXPOSED)
        .max_age(PREFLIGHT_SECONDS);
    origins
        .iter()
        .fold(open, |cors, origin| cors.allowed_origin(origin))
}

/// The layer around all others. `HEAD` is `GET` without its body (RFC 9110): the handler need not know, and the
/// server leaves the body out.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let mut response = next.call(request).await?;
    let policies = policies(response.request());
    tell(response.headers_mut(), &policies);
    Ok(response)
}

type Policy = (&'static str, &'static str);

fn policies(request: &HttpRequest) -> Vec<Policy> {
    let is_page = request.path().starts_with("/docs");
    let state = request.app_data::<Data<WebState>>();
    let mut policies = vec![
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "content-security-policy",
            if is_page { PAGE_POLICY } else { DATA_POLICY },
        ),
    ];
    if state.is_some_and(|state| state.behind_tls) {
        policies.push(("strict-transport-security", ONLY_TLS));
    }
    policies
}

fn tell(headers: &mut HeaderMap, policies: &[Policy]) {
    for (name, value) in policies {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
