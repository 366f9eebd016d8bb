//! Requests that are too large, too slow, or no requests at all, sent byte by byte.

use crate::world::{Settings, World, count};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// The head of a request that would create an account.
fn head(world: &World, more: &str) -> String {
    format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{more}\r\n",
        world.admin().token().unwrap()
    )
}

fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.admin().address()).unwrap()
}

/// Everything that comes back when nothing more is sent.
fn answers(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect(world);
    // The service may close before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    said(&mut stream)
}

fn said(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// The statuses of the answers, in their order.
fn statuses(said: &str) -> Vec<&str> {
    let lines = said.split("HTTP/1.1 ").skip(1);
    lines.map(|rest| rest.get(..3).unwrap_or_default()).collect()
}

fn accounts(world: &World) -> i64 {
    count(
        &mut world.database().owner(),
        "SELECT count(*) AS count FROM accounts",
    )
}

const BODY: &str = "{\"name\": \"Customer\"}";

#[test]
fn a_well_formed_request_is_taken() {
    let world = World::new();
    let request = head(&world, &format!("Content-Length: {}\r\n", BODY.len())) + BODY;
    assert_eq!(statuses(&answers(&world, request.as_bytes())), ["201"]);
    let request = head(&world, "Transfer-Encoding: chunked\r\n") + "14\r\n" + BODY + "\r\n0\r\n\r\n";
    assert_eq!(statuses(&answers(&world, request.as_bytes())), ["201"]);
    assert_eq!(accounts(&world), 2);
}

#[test]
fn a_request_whose_length_is_unsure_does_nothing() {
    let world = World::new();
    let length = BODY.len();
    let broken = [
        (
            "half a chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("14\r\n{}", &BODY[..9]),
        ),
        (
            "no last chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("14\r\n{BODY}\r\n"),
        ),
        (
            "a chunk of no size",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("zz\r\n{BODY}\r\n0\r\n\r\n"),
        ),
        (
            "a huge chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("fffffffffffffffff\r\n{BODY}"),
        ),
        (
            "less than it says",
            format!("Content-Length: {}\r\n", length + 10),
            BODY.to_owned(),
        ),
        (
            "more than it says",
            format!("Content-Length: {}\r\n", length - 5),
            BODY.to_owned(),
        ),
        (
            "two lengths",
            format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length - 1),
            BODY.to_owned(),
        ),
        (
            "a list of lengths",
            format!("Content-Length: {length}, {length}\r\n"),
            BODY.to_owned(),
        ),
        (
            "a signed length",
            format!("Content-Length: +{length}\r\n"),
            BODY.to_owned(),
        ),
        (
            "a negative length",
            "Content-Length: -1\r\n".to_owned(),
            BODY.to_owned(),
        ),
        (
            "another encoding",
            "Transfer-Encoding: identity, chunked, xchunked\r\n".to_owned(),
            BODY.to_owned(),
        ),
        (
            "a length and chunks",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
            format!("14\r\n{BODY}\r\n0\r\n\r\n"),
        ),
        (
            "chunks and a length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
            format!("14\r\n{BODY}\r\n0\r\n\r\n"),
        ),
    ];
    for (what, more, body) in broken {
        let said = answers(&world, (head(&world, &more) + &body).as_bytes());
        for status in statuses(&said) {
            assert!(status.starts_with('4'), "{what}: {said}");
        }
        assert_eq!(accounts(&world), 0, "{what}: {said}");
    }
}

#[test]
fn what_follows_a_body_is_not_taken_for_part_of_it() {
    let world = World::new();
    let hidden = "GET /v1/organization HTTP/1.1\r\nHost: x\r\n\r\n";
    let more = format!("Content-Length: {}\r\n", BODY.len());
    let said = answers(&world, (head(&world, &more) + BODY + hidden).as_bytes());
    // The second request stands for itself: it has no credential.
    assert_eq!(statuses(&said), ["201", "401"]);
    // A chunked body whose end hides a request, for a proxy that counts by the length.
    let more = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let said = answers(&world, (head(&world, more) + "0\r\n\r\n" + hidden).as_bytes());
    assert_eq!(statuses(&said), ["400"], "{said}");
}

#[test]
fn a_body_beyond_the_limit_is_refused_before_it_is_sent() {
    let world = World::new();
    let said = answers(&world, head(&world, "Content-Length: 99999999999\r\n").as_bytes());
    assert_eq!(statuses(&said), ["413"], "{said}");
    assert!(said.contains("body_too_large"), "{said}");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(5);
    let said = answers(
        &world,
        (head(&world, "Transfer-Encoding: chunked\r\n") + &chunk).as_bytes(),
    );
    assert_eq!(statuses(&said), ["413"], "{said}");
    assert_eq!(accounts(&world), 0);
}

#[test]
fn a_client_that_takes_its_time_is_told_so() {
    let world = World::with(Settings {
        client_wait_ms: 1_000,
        ..Settings::default()
    });
    let half = head(&world, &format!("Content-Length: {}\r\n", BODY.len())) + &BODY[..7];
    let begin = |bytes: &str| {
        let mut stream = connect(&world);
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
    };
    // All at the same time, so that the test waits once.
    let begun = ["", "G", "GET / HTTP/1.1\r\nHost: x\r\n", &half].map(begin);
    let told = begun.map(|mut stream| said(&mut stream));
    for said in &told {
        assert_eq!(statuses(said), ["408"], "{said}");
    }
    assert!(told[3].contains("request_timeout"), "{}", told[3]);
    assert_eq!(accounts(&world), 0);
}

/// The start of a form that brings a file.
fn upload(world: &World) -> String {
    let mapping = r#"{"fields":{"external_id":{"column":"name"},"name":{"column":"name"}}}"#;
    let part =
        |name: &str, text: &str| format!("--edge\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}");
    let body = part("name=\"resource\"", "accounts\r\n")
        + &part("name=\"mapping\"", &format!("{mapping}\r\n"))
        + &part("name=\"file\"; filename=\"rows.csv\"", "name\n");
    format!(
        "POST /v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000000\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\n\r\n{body}",
        world.admin().token().unwrap()
    )
}

#[test]
fn an_upload_that_stalls_or_crawls_is_told_so() {
    let world = World::with(Settings {
        client_wait_ms: 1_000,
        // What the test sends in its second buys no time.
        upload_least_bytes_per_second: NonZeroU32::new(1_000_000).unwrap(),
        ..Settings::default()
    });
    let begun = upload(&world);
    let middle_of_mapping = begun.find("fields").unwrap();
    let stalled = [&begun[..], &begun[..middle_of_mapping]].map(|bytes| {
        let mut stream = connect(&world);
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
    });
    // Meanwhile one that never pauses for long: a letter every time that nothing was heard for a while.
    let mut crawling = connect(&world);
    crawling.write_all(begun.as_bytes()).unwrap();
    crawling
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let (started, mut heard, mut letters) = (Instant::now(), Vec::new(), 0);
    while heard.is_empty() && crawling.write_all(b"x").is_ok() {
        letters += 1;
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "it may crawl for ever"
        );
        let mut piece = [0; 4096];
        if let Ok(length @ 1..) = crawling.read(&mut piece) {
            heard.extend_from_slice(&piece[..length]);
        }
    }
    let early = String::from_utf8_lossy(&heard);
    assert!(letters > 5, "after {letters} letters: {early}");
    let _ = crawling.read_to_end(&mut heard);
    let mut told = vec![String::from_utf8_lossy(&heard).into_owned()];
    told.extend(stalled.map(|mut stream| said(&mut stream)));
    for said in told {
        assert_eq!(statuses(&said), ["408"], "{said}");
        assert!(said.contains("application/problem+json"), "{said}");
        assert!(said.contains("request_timeout"), "{said}");
    }
    let imports = "SELECT count(*) AS count FROM imports";
    assert_eq!(count(&mut world.database().owner(), imports), 0);
}

#[test]
fn heads_that_are_no_heads_are_refused() {
    let world = World::new();
    let many: String = (0..2_000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let broken = [
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nNo colon\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\u{0}c\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(300_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(300_000)),
    ];
    for request in broken {
        let said = answers(&world, request.as_bytes());
        let start: String = request.chars().take(60).collect();
        for status in statuses(&said) {
            assert!(status.starts_with('4'), "{start:?}: {said}");
        }
    }
    world.nobody().get("/healthz").expect(200);
}
