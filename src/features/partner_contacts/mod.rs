//! Partner contacts: whom to talk to at a partner, and about what.
//!
//! Invariant: a partner's callers look after the contacts of their own company and see no other's; whoever is above a
//! partner sees its people no more than its users.
//! Invariant: of the contacts of a partner one is primary at most (`partner_contacts_primary_key`), and no two have one
//! e-mail address.
//! Invariant: events and the audit trail, which never change, tell which fields of a contact changed, and nothing of the
//! person: what is removed is gone for good.
//! Events: `partner_contact.created`, `partner_contact.updated`, `partner_contact.removed`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
