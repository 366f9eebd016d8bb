//! What every door does with requests that nobody should send, and with those that come twice.

mod bad_input;
mod limits;
mod once;
mod outage;
mod versions;
