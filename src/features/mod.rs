//! The rooms, one per resource, in the order in which they may know one another: a room uses the facades of those
//! before it, never of those after it.

pub mod organizations;
pub mod api_keys;
pub mod partners;
