//! The records that the rows of a batch refer to by the caller's keys, looked up at once.

use super::batch::Refused;
use crate::features::imports::references::named;
use crate::features::imports::rows::Row;
use crate::features::imports::targets::{ImportResource, Kind};
use crate::kernel::ctx::Scope;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The fields that name a partner.
const PARTNER_FIELDS: [&str; 4] = ["partner", "sourced_by", "influenced_by", "delivered_by"];

/// The records that a batch refers to, by table and key.
#[derive(Debug, Default)]
pub struct References {
    tables: HashMap<&'static str, HashMap<String, Uuid>>,
    /// The partners of the deals that are referred to, who may read what happens to them.
    partners_of_deals: HashMap<Uuid, Uuid>,
    /// The partners among them that are not approved.
    unapproved: HashSet<Uuid>,
}

/// The table that a field refers to.
fn table_of(field: &str) -> &str {
    if PARTNER_FIELDS.contains(&field) {
        "partner"
    } else {
        field
    }
}

impl References {
    /// Looks up everything that the rows refer to: one query for each table.
    pub fn load(
        tx: &mut Tx<'_>,
        scope: &Scope,
        resource: ImportResource,
        rows: &[&Row],
    ) -> Result<Self, Problem> {
        let targets = resource.targets().iter();
        let fields: Vec<&'static str> = targets
            .filter(|target| target.kind == Kind::Key && target.name != "external_id")
            .map(|target| target.name)
            .collect();
        let mut references = Self::default();
        for table in ["account", "program", "partner", "product_family", "deal"] {
            let naming: Vec<&str> = fields
                .iter()
                .copied()
                .filter(|field| table_of(field) == table)
                .collect();
            let keys: HashSet<&str> = rows
                .iter()
                .flat_map(|row| naming.iter().filter_map(|field| row.text(field)))
                .collect();
            if !keys.is_empty() {
                let keys: Vec<&str> = keys.into_iter().collect();
                references.look_up(tx, scope, table, &keys)?;
            }
        }
        Ok(references)
    }

    fn look_up(
        &mut self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        table: &'static str,
        keys: &[&str],
    ) -> Result<(), Problem> {
        let found = named(tx, scope, table, keys)?;
        let partners = found
            .iter()
            .filter_map(|named| Some((named.id, named.partner_id?)));
        self.partners_of_deals.extend(partners);
        let unapproved = found.iter().filter(|named| named.is_unapproved);
        self.unapproved.extend(unapproved.map(|named| named.id));
        let ids = found.into_iter().map(|named| (named.key, named.id));
        self.tables.insert(table, ids.collect());
        Ok(())
    }

    /// The record that the row names in this field; a key that names none is noted as refused.
    pub fn find(&self, row: &Row, field: &'static str, refused: &mut Vec<Refused>) -> Option<Uuid> {
        let key = row.text(field)?;
        let found = self.tables.get(table_of(field)).and_then(|table| table.get(key));
        if found.is_none() {
            let message = format!("There is no {} with the external_id {key:?}.", noun(field));
            refused.push(Refused::new(field, "unknown_reference", message));
        }
        found.copied()
    }

    /// What the row does to an optional reference.
    pub fn change(&self, row: &Row, field: &'static str, refused: &mut Vec<Refused>) -> Patch<Uuid> {
        match row.change(field) {
            Patch::Absent => Patch::Absent,
            Patch::Clear => Patch::Clear,
            Patch::Set(_) => self.find(row, field, refused).map_or(Patch::Absent, Patch::Set),
        }
    }

    /// Whether a partner that was found may be credited.
    pub fn is_approved(&self, partner: Uuid) -> bool {
        !self.unapproved.contains(&partner)
    }

    /// The partner that made the deal.
    pub fn partner_of_deal(&self, deal: Uuid) -> Option<Uuid> {
        self.partners_of_deals.get(&deal).copied()
    }
}

fn noun(field: &str) -> String {
    table_of(field).replace('_', " ")
}
