//! Machinery that knows no room: settings, the door to Postgres, the web, the clock.

pub mod clock;
pub mod config;
pub mod credentials;
pub mod db;
pub mod embedded_postgres;
pub mod memory;
pub mod openapi;
pub mod outbound;
pub mod paper;
pub mod stripe;
pub mod telemetry;
pub mod tokens;
pub mod web;
