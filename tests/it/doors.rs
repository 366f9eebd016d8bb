//! Who comes in from a browser, what every answer tells one, and what the doors say to keys that open nothing.

use crate::world::{Reply, Settings, World, operations};
use serde_json::{Value, json};

const PORTAL: &str = "https://portal.example";

fn open_to_the_portal() -> World {
    World::with(Settings {
        cors_origins: &[PORTAL, "http://localhost:5173"],
        ..Settings::default()
    })
}

fn preflight(world: &World, origin: &str) -> Reply {
    let nobody = world.nobody();
    let ask = nobody.ask("OPTIONS", "/v1/partners").header("Origin", origin);
    ask.header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type,idempotency-key",
        )
        .send()
}

#[test]
fn a_page_of_an_allowed_origin_may_ask() {
    let world = open_to_the_portal();
    for origin in [PORTAL, "http://localhost:5173"] {
        let told = preflight(&world, origin).expect(200);
        assert_eq!(told.header("access-control-allow-origin"), origin);
        assert_eq!(told.header("access-control-max-age"), "600");
        assert!(told.header("access-control-allow-methods").contains("PATCH"));
        let allowed = told.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "idempotency-key", "if-match"] {
            assert!(allowed.contains(name), "{name}: {allowed}");
        }
        assert!(told.header("vary").to_ascii_lowercase().contains("origin"));
    }
    let nobody = world.nobody();
    let replies = [
        world.admin().ask("GET", "/v1/partners"),
        nobody.ask("GET", "/v1/partners"),
        world.admin().ask("GET", "/v1/nonsense"),
        world.admin().ask("PUT", "/v1/partners"),
    ]
    .map(|ask| ask.header("Origin", PORTAL).send());
    for reply in replies {
        assert_eq!(reply.header("access-control-allow-origin"), PORTAL);
        assert!(reply.header("vary").to_ascii_lowercase().contains("origin"));
        assert!(!reply.has_header("access-control-allow-credentials"));
        let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
        for name in [
            "request-id",
            "ratelimit",
            "etag",
            "location",
            "link",
            "retry-after",
            "idempotency-replayed",
        ] {
            assert!(exposed.contains(name), "{name}: {exposed}");
        }
    }
}

#[test]
fn a_page_of_any_other_origin_may_not() {
    let open = open_to_the_portal();
    let closed = World::new();
    let others = [
        "https://portal.example.evil.example",
        "https://evil-portal.example",
        "https://sub.portal.example",
        "http://portal.example",
        "https://portal.example:444",
        "null",
        "*",
    ];
    for origin in others {
        assert!(preflight(&open, origin).status >= 400, "{origin}");
        let reply = open
            .admin()
            .ask("GET", "/v1/partners")
            .header("Origin", origin)
            .send();
        assert!(!reply.has_header("access-control-allow-origin"), "{origin}");
    }
    for origin in [PORTAL, "null"] {
        preflight(&closed, origin).refused(405, "method_not_allowed");
        let reply = closed
            .admin()
            .ask("GET", "/v1/partners")
            .header("Origin", origin)
            .send();
        assert!(!reply.has_header("access-control-allow-origin"), "{origin}");
    }
}

#[test]
fn every_answer_tells_browsers_what_it_is() {
    let world = World::new();
    let replies = [
        world.nobody().get("/"),
        world.nobody().get("/healthz"),
        world.nobody().get("/metrics"),
        world.nobody().get("/openapi.json"),
        world.nobody().get("/nonsense"),
        world.nobody().get("/v1/partners"),
        world.admin().get("/v1/partners"),
        world.admin().ask("PUT", "/v1/partners").send(),
        world.admin().post("/v1/partners", json!({})),
    ];
    for reply in &replies {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(
            reply.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert!(!reply.has_header("strict-transport-security"));
    }
    let page = world.nobody().get("/docs/").expect(200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    // The policy lets no inline script run, so that the page must have none.
    for script in page.raw().split("<script").skip(1) {
        assert!(script.split('>').next().unwrap().contains("src="), "{script}");
    }
}

#[test]
fn a_service_behind_tls_says_so() {
    let world = World::with(Settings {
        behind_tls: true,
        ..Settings::default()
    });
    let reply = world.nobody().get("/healthz").expect(200);
    assert_eq!(
        reply.header("strict-transport-security"),
        "max-age=31536000; includeSubDomains"
    );
}

#[test]
fn head_is_get_without_its_body() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let own = format!("/v1/partners/{partner}");
    let mut paths: Vec<String> = operations()
        .iter()
        .filter(|operation| operation.method == "GET")
        .map(|operation| operation.path_to_nothing())
        .collect();
    paths.push(own);
    for path in paths {
        let get = world.admin().get(&path);
        let head = world.admin().ask("HEAD", &path).send();
        assert_eq!((head.status, head.raw()), (get.status, ""), "{path}");
        for (name, value) in &get.headers {
            if !["date", "request-id", "ratelimit", "content-length"].contains(&name.as_str()) {
                assert_eq!(head.headers.get(name), Some(value), "{path} {name}");
            }
        }
    }
    world
        .admin()
        .ask("HEAD", "/v1/commission-approvals")
        .send()
        .expect(405);
    world.nobody().ask("HEAD", "/v1/partners").send().expect(401);
}

#[test]
fn heads_beyond_all_measure_are_refused() {
    let world = World::new();
    let long = "a".repeat(33 * 1024);
    world
        .admin()
        .get(&format!("/v1/partners?external_id={long}"))
        .refused(400, "malformed_request");
    let ask = world.admin().ask("GET", "/v1/partners").header("X-Long", &long);
    ask.send().refused(431, "headers_too_large");
    let fits = "a".repeat(255);
    world
        .admin()
        .get(&format!("/v1/partners?external_id={fits}"))
        .expect(200);
}

/// The answer without what differs from request to request.
fn essence(reply: &Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut body = reply.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    let changing = ["request-id", "ratelimit", "date"];
    let headers = reply.headers.iter();
    let headers = headers.filter(|(name, _)| !changing.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (reply.status, body, headers.collect())
}

#[test]
fn all_keys_that_open_nothing_are_answered_alike() {
    let world = World::new();
    let issue = |expires_at: Value| {
        let mut body = json!({ "name": "Key", "permissions": ["organization:read"] });
        if !expires_at.is_null() {
            body["expires_at"] = expires_at;
        }
        let key = world.admin().post("/v1/api-keys", body).expect(201);
        (key.id(), world.bearer(key.text("/secret")))
    };
    let (id, revoked) = issue(Value::Null);
    let (_, expired) = issue(json!("2026-03-02T10:00:00Z"));
    for key in [&revoked, &expired] {
        key.get("/v1/organization").expect(200);
    }
    world
        .admin()
        .act(&format!("/v1/api-keys/{id}/revoke"))
        .expect(200);
    world.pass(chrono::TimeDelta::hours(2));
    let unknown = world.bearer(&format!("cpk_{}", "0".repeat(43)));
    let malformed = ["cpk_", "cpk_short", "nonsense", &"x".repeat(4_000)].map(|token| world.bearer(token));
    for path in [
        "/v1/organization",
        "/v1/partners?limit=0",
        "/v1/partners/nonsense",
    ] {
        let expected = essence(&unknown.get(path).refused(401, "unauthorized"));
        for other in [&revoked, &expired, &world.nobody()]
            .into_iter()
            .chain(&malformed)
        {
            assert_eq!(essence(&other.get(path)), expected, "{:?}", other.token());
        }
    }
}

#[test]
fn figures_are_told_to_whoever_has_the_token() {
    let token = "a-token-for-figures";
    let world = World::with(Settings {
        metrics_token: Some(token),
        ..Settings::default()
    });
    for stranger in [
        world.nobody(),
        world.bearer("another-token-for"),
        world.admin().clone(),
    ] {
        stranger.get("/metrics").refused(401, "unauthorized");
    }
    world.bearer(token).get("/metrics").expect(200);
    World::new().nobody().get("/metrics").expect(200);
}
