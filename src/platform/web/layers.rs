//! What is wrapped around every request: an id, a span, the rate limit, figures, and problem documents for whatever
//! failed outside a handler.

use super::doors;
use super::figures;
use super::granted::{introduce, presented};
use super::problem::{PROBLEM_JSON, response as problem_response};
use super::rate_limit::{Caller, Standing};
use super::state::WebState;
use crate::kernel::id::RequestId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::credentials::Credential;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Instant;

thread_local! {
    static REQUEST_ID: Cell<Option<RequestId>> = const { Cell::new(None) };
}

/// The id of the request that is being worked on.
pub fn current_request_id() -> Option<RequestId> {
    REQUEST_ID.get()
}

/// Polls the future with this request's id in place. Requests interleave on a thread, therefore it is set anew at
/// every poll.
async fn within<F: Future>(id: RequestId, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        let outer = REQUEST_ID.replace(Some(id));
        let polled = future.as_mut().poll(context);
        REQUEST_ID.set(outer);
        polled
    })
    .await
}

/// The outermost layer.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<BoxBody>>, Error> {
    let Some(state) = request.app_data::<Data<WebState>>().cloned() else {
        return Ok(next
            .call(request)
            .await?
            .map_into_boxed_body()
            .map_into_left_body());
    };
    let (id, started) = (RequestId::new(state.clock.now()), Instant::now());
    let known = presented(request.request(), &state);
    let standing = state
        .rate_limit
        .count(&caller(request.request(), known.as_deref()));
    let refusal = if standing.refused {
        Some(Problem {
            retry_after_seconds: Some(standing.wait_seconds),
            ..Problem::new(Code::TooManyRequests)
        })
    } else {
        too_large(&request)
    };
    let response = if let Some(problem) = refusal {
        within(id, async { request.into_response(problem_response(&problem)) }).await
    } else if state.contract.knows_only_others(request.method(), request.path()) {
        // Else the path's last word would be taken for an id that does not exist.
        within(id, async {
            let response = not_served(&state, request.path());
            request.into_response(response)
        })
        .await
    } else {
        within(id, async {
            if is_private(request.path()) {
                introduce(&request, &state, id, known).await;
            }
            settle(request, next).await
        })
        .await?
    };
    let mut response = response;
    log(&response, id, started);
    decorate(&mut response, id, standing, state.rate_limit.per_minute());
    count(&response, &state, started);
    Ok(response.map_into_left_body())
}

/// A head that is larger than any that makes sense, before anything of it is looked at.
fn too_large(request: &ServiceRequest) -> Option<Problem> {
    if request.query_string().len() > doors::QUERY_LIMIT {
        let detail = format!("The query is longer than {} bytes.", doors::QUERY_LIMIT);
        return Some(Problem::new(Code::MalformedRequest).because(detail));
    }
    let headers = request.headers().iter();
    let size: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    (size > doors::HEADERS_LIMIT).then(|| Problem::new(Code::HeadersTooLarge))
}

/// Runs the rest and turns what failed outside a handler into a problem document.
async fn settle(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response);
    }
    let problem = Problem::new(code_of(status));
    let (http, _) = response.into_parts();
    Ok(ServiceResponse::new(http, problem_response(&problem)))
}

fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        404 => Code::RouteNotFound,
        405 => Code::MethodNotAllowed,
        408 => Code::RequestTimeout,
        413 => Code::BodyTooLarge,
        415 => Code::UnsupportedMediaType,
        431 => Code::HeadersTooLarge,
        503 => Code::ServiceUnavailable,
        status if status < 500 => Code::MalformedRequest,
        _ => Code::InternalError,
    }
}

/// A known key is counted by itself; everything else by its address, so that guessing keys is limited too.
fn caller(request: &HttpRequest, known: Option<&Credential>) -> Caller {
    let address = || request.peer_addr().map(|address| address.ip().to_string());
    known.map_or_else(
        || Caller::Address(address().unwrap_or_default()),
        |credential| Caller::Credential(credential.counted_as()),
    )
}

/// Whether the path is about somebody's data.
fn is_private(path: &str) -> bool {
    path.starts_with("/v1/")
}

fn decorate(response: &mut ServiceResponse<BoxBody>, id: RequestId, standing: Standing, per_minute: u32) {
    let is_private = is_private(response.request().path());
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: Result<HeaderValue, _>| {
        if let Ok(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let left = format!("\"default\";r={};t={}", standing.remaining, standing.wait_seconds);
    set("request-id", HeaderValue::try_from(id.to_string()));
    set("ratelimit", HeaderValue::try_from(left));
    set(
        "ratelimit-policy",
        HeaderValue::try_from(format!("\"default\";q={per_minute};w=60")),
    );
    if is_private {
        set("cache-control", Ok(HeaderValue::from_static("no-store")));
    }
}

fn count(response: &ServiceResponse<BoxBody>, state: &WebState, started: Instant) {
    let request = response.request();
    let route = state.contract.route_of(request).unwrap_or("unknown");
    figures::count(request.method(), route, response.status(), started.elapsed());
}

/// One line a request.
fn log(response: &ServiceResponse<BoxBody>, id: RequestId, started: Instant) {
    let request = response.request();
    let (method, path, status) = (
        request.method().as_str(),
        request.path(),
        response.status().as_u16(),
    );
    let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        tracing::error!(%method, %path, status, elapsed_us, request_id = %id, "request");
    } else {
        tracing::info!(%method, %path, status, elapsed_us, request_id = %id, "request");
    }
}

/// Paths and methods that nobody serves.
pub async fn nowhere(request: HttpRequest) -> HttpResponse {
    match request.app_data::<Data<WebState>>() {
        Some(state) => not_served(state, request.path()),
        None => problem_response(&Problem::new(Code::RouteNotFound)),
    }
}

/// The answer where the path is not served, or not by this method.
fn not_served(state: &WebState, path: &str) -> HttpResponse {
    let mut methods = state.contract.methods_at(path);
    if methods.is_empty() {
        return problem_response(&Problem::new(Code::RouteNotFound));
    }
    // Whatever can be read answers HEAD too, by the guard.
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    let mut response = problem_response(&Problem::new(Code::MethodNotAllowed));
    if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
