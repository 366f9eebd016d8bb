//! Paths as the document writes them.

use actix_web::HttpRequest;

/// The path with `{}` for each segment that is a parameter.
pub(super) fn shape_of(path: &str, is_parameter: impl Fn(&str) -> bool) -> String {
    let segments = path
        .split('/')
        .map(|segment| if is_parameter(segment) { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// The request's path with the names of its parameters in place of their values. The router could tell its pattern, but
/// looks through all of its patterns for it.
pub(super) fn written(request: &HttpRequest) -> String {
    let (parameters, path) = (request.match_info(), request.match_info().as_str());
    let mut written = String::with_capacity(path.len());
    let mut rest = path;
    for (name, value) in parameters.iter() {
        // A value is a part of the path itself, so that the place of the one in the other is known.
        let before = value.as_ptr().addr().wrapping_sub(rest.as_ptr().addr());
        let after = before.saturating_add(value.len());
        let Some((start, end)) = rest.get(..before).zip(rest.get(after..)) else {
            break;
        };
        written.push_str(start);
        written.push('{');
        written.push_str(name);
        written.push('}');
        rest = end;
    }
    written.push_str(rest);
    written
}
