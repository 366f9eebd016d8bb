//! The database goes away and comes back.

use crate::world::{Cluster, Settings, World};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn without_a_database_the_service_says_so_quickly_and_recovers() {
    let cluster = Cluster::of_its_own();
    let world = World::on(
        cluster.database(),
        Settings {
            wait: Duration::from_millis(300),
            ..Settings::default()
        },
    );
    world.nobody().get("/readyz").expect(200);
    world.admin().get("/v1/organization").expect(200);
    cluster.stop();
    let unavailable = |ask: &dyn Fn() -> crate::world::Reply| {
        let start = Instant::now();
        let reply = ask().refused(503, "service_unavailable");
        assert!(reply.header("retry-after").parse::<u32>().is_ok());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    };
    unavailable(&|| world.admin().get("/v1/organization"));
    unavailable(&|| world.admin().post("/v1/partners", json!({ "name": "Lost" })));
    unavailable(&|| {
        world
            .bearer(&format!("cpk_{}", "A".repeat(43)))
            .get("/v1/organization")
    });
    unavailable(&|| world.nobody().get("/readyz"));
    world.nobody().get("/healthz").expect(200);
    world.admin().get("/v1/nonsense").expect(404);
    world
        .admin()
        .post("/v1/partners", json!({}))
        .refused(422, "validation_failed");
    cluster.start_again();
    world.nobody().get("/readyz").expect(200);
    world.admin().get("/v1/organization").expect(200);
    world
        .admin()
        .post("/v1/partners", json!({ "name": "Kept" }))
        .expect(201);
    let partners = world.admin().get("/v1/partners").expect(200);
    assert_eq!(partners.data().len(), 1);
}

/// Sessions that end without a word are found dead one by one, and none of them is asked again.
#[test]
fn a_database_that_was_killed_is_found_again_at_the_first_request() {
    let cluster = Cluster::that_lasts();
    let world = World::on(cluster.database(), Settings::default());
    let partner = world.partner("Kept");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| world.admin().get("/v1/partners").expect(200));
        }
    });
    world.admin().get("/v1/reports/program-summary").expect(200);
    cluster.kill();
    cluster.start_again();
    let found = world.admin().get(&format!("/v1/partners/{partner}")).expect(200);
    assert_eq!(found["name"], "Kept");
    world.admin().get("/v1/partners").expect(200);
    world.admin().get("/v1/reports/program-summary").expect(200);
    world
        .admin()
        .post("/v1/partners", json!({ "name": "New" }))
        .expect(201);
}
