//! How a request finds its room: by the word of its path after `/v1/`. One list of all operations would be gone through
//! from its start, by a regular expression each, for every request; and one list of all rooms still by a guard each,
//! therefore rooms stand in a few quarters.

use actix_web::App;
use actix_web::guard::{Guard, fn_guard};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

/// What registers the operations of a room.
pub type Routes = fn(&mut ServiceConfig<'_>);

/// Rooms that share words, and all the words that they serve.
#[derive(Debug, Clone, Default)]
struct Area {
    words: BTreeSet<String>,
    rooms: Vec<Routes>,
}

impl Area {
    /// A room by itself, with the words that its operations begin with.
    fn of(room: Routes) -> Self {
        let (_, document) = App::new().into_utoipa_app().configure(room).split_for_parts();
        let words = document.paths.paths.keys().filter_map(|path| word_of(path));
        Self {
            words: words.map(str::to_owned).collect(),
            rooms: vec![room],
        }
    }

    /// One more area; those with which it shares a word become one with it.
    fn join(areas: Vec<Self>, next: Self) -> Vec<Self> {
        let (shared, mut apart): (Vec<_>, Vec<_>) = areas
            .into_iter()
            .partition(|area| !area.words.is_disjoint(&next.words));
        let joined = shared.into_iter().chain([next]).reduce(|mut whole, part| {
            whole.words.extend(part.words);
            whole.rooms.extend(part.rooms);
            whole
        });
        apart.extend(joined);
        apart
    }
}

/// The word after `/v1/`.
fn word_of(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/")?.split('/').next()
}

static AREAS: LazyLock<Vec<Area>> = LazyLock::new(|| {
    let rooms = super::ROOMS.iter().map(|room| Area::of(*room));
    rooms.fold(Vec::new(), Area::join)
});

/// How many areas stand in a quarter: about as many as there are quarters.
const QUARTER: usize = 8;

/// Which area serves a word, by its place in the list.
static PLACES: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
    let areas = AREAS.iter().enumerate();
    areas
        .flat_map(|(place, area)| area.words.iter().map(move |word| (word.as_str(), place)))
        .collect()
});

/// Lets through what an area among these serves.
fn among(served: Range<usize>) -> impl Guard {
    fn_guard(move |context| {
        let word = word_of(context.head().uri.path());
        word.and_then(|word| PLACES.get(word))
            .is_some_and(|place| served.contains(place))
    })
}

/// Registers the operations of all rooms.
pub fn routes(config: &mut ServiceConfig<'_>) {
    for (quarter, areas) in AREAS.chunks(QUARTER).enumerate() {
        let first = quarter * QUARTER;
        let inside = |config: &mut ServiceConfig<'_>| {
            for (area, place) in areas.iter().zip(first..) {
                let rooms = |config: &mut ServiceConfig<'_>| area.rooms.iter().for_each(|room| room(config));
                config.service(scope("").guard(among(place..place + 1)).configure(rooms));
            }
        };
        config.service(
            scope("")
                .guard(among(first..first + areas.len()))
                .configure(inside),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(words: &[&str]) -> Area {
        Area {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            rooms: vec![|_| {}],
        }
    }

    #[test]
    fn rooms_that_share_a_word_are_one_area() {
        let rooms = [
            area(&["me", "sessions"]),
            area(&["deals"]),
            area(&["roles"]),
            area(&["me", "roles"]),
        ];
        let areas = rooms.into_iter().fold(Vec::new(), Area::join);
        let sizes: Vec<(usize, usize)> = areas
            .iter()
            .map(|area| (area.words.len(), area.rooms.len()))
            .collect();
        assert_eq!(sizes, [(1, 1), (3, 3)]);
    }
}
