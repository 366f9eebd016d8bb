//! The demo against a service: its figures are the same every time.

use crate::world::World;
use copartner::app::{bootstrap, demo, ledger_check};
use copartner::platform::clock::Clock;

#[test]
fn the_demo_comes_to_the_same_figures() {
    let world = World::new();
    let founded = bootstrap::organization(
        &world.db,
        "Demo",
        bootstrap::OrganizationMode::Live,
        world.clock.now(),
    )
    .unwrap();
    let base_url = format!("http://{}", world.admin().address());
    let mut story = Vec::new();
    demo::walk(&base_url, &founded.secret.text, &mut story).unwrap();
    let story = String::from_utf8(story).unwrap();
    let table: Vec<Vec<&str>> = story
        .lines()
        .skip_while(|line| !line.starts_with("  partner "))
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    let expected = [
        [
            "partner",
            "revenue",
            "earned",
            "clawed back",
            "net",
            "paid",
            "open",
        ],
        [
            "Nordlicht Consulting",
            "13333.33",
            "800.00",
            "0.00",
            "800.00",
            "800.00",
            "0.00",
        ],
        [
            "Harbor Systems",
            "17333.33",
            "900.00",
            "100.00",
            "800.00",
            "800.00",
            "0.00",
        ],
        [
            "Lakeside Digital",
            "13333.33",
            "133.33",
            "0.00",
            "133.33",
            "133.33",
            "0.00",
        ],
    ];
    assert_eq!(table, expected, "{story}");
    let finding = ledger_check::one(&world.db, founded.organization_id, world.clock.now()).unwrap();
    assert_eq!(finding.faults, []);
    assert!(story.contains("completed: 3 payouts, 813.16 EUR"), "{story}");
    assert!(
        story.contains("15866.66 of 15866.66 EUR of the invoice has been paid, so 33.33 EUR is earned"),
        "{story}"
    );
}
