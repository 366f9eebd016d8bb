//! How many requests there were and how long they took, for `/metrics`.
//!
//! To find a figure by its labels costs more than to raise it, therefore each thread keeps those that it has found.

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// The figures of one kind of request.
#[derive(Clone)]
struct Figures {
    requests: Counter,
    duration: Histogram,
}

type Kind = (&'static str, StatusCode);

thread_local! {
    static FOUND: RefCell<HashMap<String, HashMap<Kind, Figures>>> = RefCell::default();
}

/// Counts one request to a route, which is a pattern of the document and not a path that somebody made up.
pub(super) fn count(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = known(method);
    FOUND.with_borrow_mut(|found| {
        if !found.contains_key(route) {
            found.insert(route.to_owned(), HashMap::new());
        }
        let Some(figures) = found.get_mut(route) else {
            return;
        };
        let figures = figures
            .entry((method, status))
            .or_insert_with(|| find(method, route, status));
        figures.requests.increment(1);
        figures.duration.record(took);
    });
}

/// A method may be any word that a stranger sends; only those of the standard get figures of their own.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];
    let found = KNOWN.into_iter().find(|known| *known == method.as_str());
    found.unwrap_or("other")
}

fn find(method: &'static str, route: &str, status: StatusCode) -> Figures {
    let route = route.to_owned();
    Figures {
        requests: counter!(
            "http_requests_total",
            "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned()
        ),
        duration: histogram!("http_request_duration_seconds", "method" => method, "route" => route),
    }
}
