//! How often somebody may ask.

use crate::world::{Settings, World};
use std::num::NonZeroU32;

fn world(per_minute: u32) -> World {
    World::with(Settings {
        rate_limit_per_minute: NonZeroU32::new(per_minute).unwrap(),
        ..Settings::default()
    })
}

#[test]
fn beyond_the_quota_a_caller_is_told_when_to_come_back() {
    let world = world(20);
    let mut answered = 0;
    let refused = loop {
        let reply = world.admin().get("/v1/organization");
        if reply.status == 429 {
            break reply;
        }
        assert_eq!(reply.header("ratelimit-policy"), "\"default\";q=20;w=60");
        answered += 1;
        // While the test runs, a little of the quota comes back.
        assert!(answered < 60, "the quota has no end");
        reply.expect(200);
    };
    assert!(answered >= 20, "{answered}");
    let refused = refused.refused(429, "too_many_requests");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="));
}

#[test]
fn callers_do_not_use_up_the_quota_of_others() {
    let world = world(30);
    let other = world.key(&["organization:read"]);
    other.get("/v1/organization").expect(200);
    let mut last = 200;
    for _ in 0..80 {
        last = world.admin().get("/v1/organization").status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    other.get("/v1/organization").expect(200);
}

#[test]
fn guessing_keys_is_limited_by_address() {
    let world = world(15);
    let guess = |number: u32| {
        world
            .bearer(&format!("cpk_{number:0>43}"))
            .get("/v1/organization")
    };
    let statuses: Vec<u16> = (0..60).map(|number| guess(number).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [401, 429].contains(status)),
        "{statuses:?}"
    );
    world.admin().get("/v1/organization").expect(429);
}
