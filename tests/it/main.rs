//! The service as its callers meet it: over HTTP, in this process, on a Postgres of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unforeseen shall fail at that very line"
)]

mod api_keys;
mod architecture;
mod attacks;
mod attribution;
mod audit;
mod authorization;
mod billing_arrivals;
mod catalog;
mod compliance;
mod deal_rules;
mod demo;
mod disputes;
mod distribution;
mod doors;
mod events;
mod exchange_rates;
mod imports;
mod isolation;
mod machines;
mod matching;
mod migrations;
mod money;
mod next_actions;
mod openapi;
mod organizations;
mod pages;
mod partner_contacts;
mod partners;
mod payout_methods;
mod people;
mod program_terms;
mod real_run;
mod referral_links;
mod referrals;
mod registrations;
mod replay;
mod reports;
mod sandbox;
mod serve;
mod sweep;
mod tiers;
mod tokens;
mod web;
mod worked_examples;
mod worker;
mod world;
