//! The arithmetic of an invoice.
