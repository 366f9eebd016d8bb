//! The demo against a service: its figures are the same every time.

use crate::world::World;
use copartner::app::{bootstrap, demo};
use copartner::platform::clock::Clock;

#[test]
fn the_demo_comes_to_the_same_figures() {
    let world = World::new();
    let founded = bootstrap::organization(&world.db, "Demo", world.clock.now()).unwrap();
    let base_url = format!("http://{}", world.admin().address());
    let mut story = Vec::new();
    demo::walk(&base_url, &founded.secret.text, &mut story).unwrap();
    let story = String::from_utf8(story).unwrap();
    panic!("{story}");
}
