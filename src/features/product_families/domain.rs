//! What a product family is.

use crate::kernel::id::ProductFamilyId;
use crate::kernel::patch::Patch;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A product family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductFamily {
    /// Its id.
    pub id: ProductFamilyId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new product family is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProductFamily {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
}

/// What may be changed of a product family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductFamilyPatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// Its name.
    pub name: Option<String>,
}

impl ProductFamily {
    /// A new product family.
    pub fn create(new: NewProductFamily, now: DateTime<Utc>) -> Self {
        let NewProductFamily { external_id, name } = new;
        Self {
            id: ProductFamilyId::new(now),
            external_id,
            name,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The product family with the patch applied.
    #[must_use]
    pub fn patched(mut self, patch: ProductFamilyPatch, now: DateTime<Utc>) -> Self {
        let ProductFamilyPatch { external_id, name } = patch;
        external_id.apply_to(&mut self.external_id);
        Self {
            name: name.unwrap_or(self.name),
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn storage() -> ProductFamily {
        let new = NewProductFamily {
            external_id: Some("erp-7".to_owned()),
            name: "Storage".to_owned(),
        };
        ProductFamily::create(new, at(100))
    }

    #[test]
    fn a_new_family_is_at_version_one() {
        let family = storage();
        assert_eq!((family.row_version, family.name.as_str()), (1, "Storage"));
        assert_eq!((family.created_at, family.updated_at), (at(100), at(100)));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let renamed = storage().patched(
            ProductFamilyPatch {
                name: Some("Archive".to_owned()),
                ..ProductFamilyPatch::default()
            },
            at(200),
        );
        assert_eq!(renamed.name, "Archive");
        assert_eq!(renamed.external_id.as_deref(), Some("erp-7"));
        assert_eq!(
            (renamed.row_version, renamed.created_at, renamed.updated_at),
            (2, at(100), at(200))
        );

        let cleared = renamed.patched(
            ProductFamilyPatch {
                external_id: Patch::Clear,
                ..ProductFamilyPatch::default()
            },
            at(300),
        );
        assert_eq!((cleared.external_id, cleared.name.as_str()), (None, "Archive"));
    }
}
