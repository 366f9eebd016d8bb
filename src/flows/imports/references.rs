//! The records that the rows of a batch refer to by the caller's keys, looked up at once.

use super::batch::Refused;
use crate::features::imports::rows::Row;
use crate::features::imports::targets::{ImportResource, Kind};
use crate::kernel::ctx::Scope;
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::{accounts, deals, partners, product_families, programs};
use diesel::prelude::*;
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
}

/// The table that a field refers to.
fn table_of(field: &str) -> &str {
    if PARTNER_FIELDS.contains(&field) {
        "partner"
    } else {
        field
    }
}

macro_rules! ids_by_key {
    ($table:ident, $tx:expr, $scope:expr, $keys:expr) => {
        $table::table
            .filter($table::organization_id.eq($scope.organization_id.uuid()))
            .filter($table::external_id.eq_any($keys))
            .select(($table::external_id.assume_not_null(), $table::id))
            .load($tx.connection())
    };
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
                let found = references.look_up(tx, scope, table, &keys)?;
                references.tables.insert(table, found.into_iter().collect());
            }
        }
        Ok(references)
    }

    fn look_up(
        &mut self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        table: &str,
        keys: &[&str],
    ) -> Result<Vec<(String, Uuid)>, Problem> {
        Ok(match table {
            "account" => ids_by_key!(accounts, tx, scope, keys)?,
            "program" => ids_by_key!(programs, tx, scope, keys)?,
            "partner" => ids_by_key!(partners, tx, scope, keys)?,
            "product_family" => ids_by_key!(product_families, tx, scope, keys)?,
            _ => {
                let found: Vec<(String, Uuid, Option<Uuid>)> = deals::table
                    .filter(deals::organization_id.eq(scope.organization_id.uuid()))
                    .filter(deals::external_id.eq_any(keys))
                    .select((deals::external_id.assume_not_null(), deals::id, deals::partner_id))
                    .load(tx.connection())?;
                for (_, deal, partner) in &found {
                    self.partners_of_deals
                        .extend(partner.map(|partner| (*deal, partner)));
                }
                found.into_iter().map(|(key, deal, _)| (key, deal)).collect()
            }
        })
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

    /// The partner that made the deal.
    pub fn partner_of_deal(&self, deal: Uuid) -> Option<Uuid> {
        self.partners_of_deals.get(&deal).copied()
    }
}

fn noun(field: &str) -> String {
    table_of(field).replace('_', " ")
}
