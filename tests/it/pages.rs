//! Lists are read page by page: every record once, in every order, whatever else happens meanwhile.

use crate::world::{Actor, Operation, World, operations};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The ids on all pages of a list.
fn walk(actor: &Actor, path: &str, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = actor.get(&format!("{path}?{query}{cursor}")).expect(200);
        ids.extend(
            page.data()
                .iter()
                .map(|record| record["id"].as_str().unwrap().to_owned()),
        );
        assert_eq!(page["has_more"], json!(!page["next_cursor"].is_null()), "{path}");
        let Some(next) = page["next_cursor"].as_str() else {
            return ids;
        };
        assert!(!page.data().is_empty(), "a page with a next one holds something");
        cursor = format!("&cursor={next}");
    }
}

fn sorts(list: &Operation) -> Vec<String> {
    let words = |schema: &Value| -> Vec<String> {
        let list = schema["enum"].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    list.query_parameter("sort")
        .map(|parameter| words(crate::world::resolve(&parameter["schema"])))
        .unwrap_or_default()
}

/// Eleven partners, of whom some share a name and some an instant.
fn partners(world: &World) -> BTreeSet<String> {
    let names = ["B", "a", "B", "Ä", "b", "B", "", "c", "A", "B", "zz"];
    let made = names.iter().enumerate().map(|(index, name)| {
        if index % 3 == 0 {
            world.pass(chrono::TimeDelta::milliseconds(1));
        }
        let body = json!({ "name": format!("x{name}"), "external_id": format!("crm-{index}") });
        world.admin().post("/v1/partners", body).expect(201).id()
    });
    made.collect()
}

#[test]
fn every_order_shows_every_partner_once() {
    let world = World::new();
    let all = partners(&world);
    for sort in ["created_at", "-created_at", "name", "-name"] {
        for limit in [1, 2, 5, 10, 11, 12, 100] {
            let found = walk(
                world.admin(),
                "/v1/partners",
                &format!("limit={limit}&sort={sort}"),
            );
            assert_eq!(found.len(), all.len(), "{sort} by {limit}");
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                all,
                "{sort} by {limit}"
            );
        }
        let forward = walk(world.admin(), "/v1/partners", &format!("limit=3&sort={sort}"));
        let backward = match sort.strip_prefix('-') {
            Some(ascending) => ascending.to_owned(),
            None => format!("-{sort}"),
        };
        let mut backward = walk(world.admin(), "/v1/partners", &format!("limit=4&sort={backward}"));
        backward.reverse();
        assert_eq!(forward, backward, "{sort}");
    }
}

#[test]
fn every_list_can_be_walked_in_every_order() {
    let world = World::new();
    partners(&world);
    for operation in operations() {
        let examples =
            operation.method == "POST" && operation.path_names().is_empty() && operation.takes_json();
        if examples {
            operation.ask(world.admin(), operation.path).send();
        }
    }
    world.work();
    let mut walked = 0;
    for list in operations() {
        let is_list = list.method == "GET" && list.query_names().contains(&"cursor");
        let records_have_ids = is_list && list.path_names().is_empty();
        if !records_have_ids {
            continue;
        }
        let first = world.admin().get(&format!("{}?limit=100", list.path)).expect(200);
        if first.data().iter().any(|record| !record["id"].is_string()) {
            continue;
        }
        let whole: BTreeSet<String> = walk(world.admin(), list.path, "limit=100").into_iter().collect();
        let mut orders: Vec<String> = sorts(&list).iter().map(|sort| format!("&sort={sort}")).collect();
        orders.push(String::new());
        for order in orders {
            let found = walk(world.admin(), list.path, &format!("limit=2{order}"));
            assert_eq!(found.len(), whole.len(), "{}{order}", list.id);
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                whole,
                "{}{order}",
                list.id
            );
        }
        walked += 1;
    }
    assert!(walked >= 2);
}

#[test]
fn records_that_come_and_change_meanwhile_do_not_disturb() {
    let world = World::new();
    let before = partners(&world);
    let first = world
        .admin()
        .get("/v1/partners?limit=4&sort=created_at")
        .expect(200);
    let cursor = first.text("/next_cursor").to_owned();
    world.pass(chrono::TimeDelta::seconds(1));
    let late = world
        .admin()
        .post("/v1/partners", json!({ "name": "Late" }))
        .expect(201)
        .id();
    for record in first.data() {
        let path = format!("/v1/partners/{}", record["id"].as_str().unwrap());
        world.admin().patch(&path, json!({ "name": "zzz" })).expect(200);
    }
    let query = format!("limit=100&sort=created_at&cursor={cursor}");
    let rest = world.admin().get(&format!("/v1/partners?{query}")).expect(200);
    let mut seen: Vec<&str> = first
        .data()
        .iter()
        .chain(rest.data())
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(seen.pop(), Some(late.as_str()));
    let unique: BTreeSet<String> = seen.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!((seen.len(), unique), (before.len(), before));
}

#[test]
fn filters_narrow_every_page() {
    let world = World::new();
    let all = partners(&world);
    for id in all.iter().take(5) {
        world
            .admin()
            .act(&format!("/v1/partners/{id}/approve"))
            .expect(200);
    }
    let expected: BTreeSet<String> = all.iter().take(5).cloned().collect();
    for sort in ["name", "-created_at"] {
        let query = format!("limit=2&status=approved&sort={sort}");
        let found = walk(world.admin(), "/v1/partners", &query);
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    let both = walk(
        world.admin(),
        "/v1/partners",
        "limit=2&status=approved&status=applied",
    );
    assert_eq!(both.len(), all.len());
    assert_eq!(
        walk(world.admin(), "/v1/partners", "status=terminated"),
        Vec::<String>::new()
    );
    assert_eq!(walk(world.admin(), "/v1/partners", "external_id=crm-3").len(), 1);
}
