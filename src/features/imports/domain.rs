//! What an import is and how it moves.

use super::mapping::Mapping;
use super::records::Place;
use super::rows::FileError;
use super::targets::ImportResource;
use crate::kernel::ctx::ActorId;
use crate::kernel::id::ImportId;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

word_enum! {
    /// Where an import stands.
    ImportStatus, "import status" {
        /// The file is there and waits for a worker.
        Queued = "queued",
        /// Rows are being read.
        Running = "running",
        /// The file was read to its end.
        Succeeded = "succeeded",
        /// The file could not be read, or one of its rows was refused and all or nothing was asked for.
        Failed = "failed",
        /// A caller stopped it.
        Canceled = "canceled",
    }
}

impl ImportStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Queued | Self::Running => &["cancel"],
            Self::Succeeded | Self::Failed | Self::Canceled => &[],
        }
    }
}

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Rows that were read.
    pub read: i64,
    /// Rows that made a record.
    pub created: i64,
    /// Rows that changed a record.
    pub updated: i64,
    /// Rows that said what was known.
    pub unchanged: i64,
    /// Rows that were refused.
    pub rejected: i64,
}

impl Counts {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            created: self.created + other.created,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            rejected: self.rejected + other.rejected,
        }
    }
}

/// Why an import failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportError {
    /// A stable code.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl From<FileError> for ImportError {
    fn from(error: FileError) -> Self {
        Self {
            code: error.code.to_owned(),
            detail: error.detail,
        }
    }
}

/// The loading of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// What the rows become.
    pub resource: ImportResource,
    /// Where it stands.
    pub status: ImportStatus,
    /// The mapping as the caller wrote it.
    pub mapping: Value,
    /// Whether everything is computed and nothing changed.
    pub dry_run: bool,
    /// Whether one refused row refuses the file.
    pub atomic: bool,
    /// The file's name, where the caller gave one.
    pub file_name: Option<String>,
    /// The file's size.
    pub file_bytes: i64,
    /// SHA-256 of the file.
    #[serde(skip)]
    pub file_hash: Vec<u8>,
    /// What became of the rows so far.
    pub counts: Counts,
    /// Where the next row starts.
    #[serde(skip)]
    pub next: Place,
    /// Why it failed.
    pub error: Option<ImportError>,
    /// Who asked for it.
    pub created_by: Option<ActorId>,
    /// When a worker first took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new import is made of, besides its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the rows become.
    pub resource: ImportResource,
    /// The mapping as the caller wrote it.
    pub mapping: Value,
    /// Whether everything is computed and nothing changed.
    pub dry_run: bool,
    /// Whether one refused row refuses the file.
    pub atomic: bool,
}

/// A file whose pieces are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The id under which the pieces are kept.
    pub import_id: ImportId,
    /// Its name.
    pub name: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub hash: Vec<u8>,
}

impl Import {
    /// An import that waits for a worker.
    pub fn queue(request: &Request, file: &KeptFile, by: Option<ActorId>, now: DateTime<Utc>) -> Self {
        Self {
            id: file.import_id,
            resource: request.resource,
            status: ImportStatus::Queued,
            mapping: request.mapping.clone(),
            dry_run: request.dry_run,
            atomic: request.atomic,
            file_name: file.name.clone(),
            file_bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
            file_hash: file.hash.clone(),
            counts: Counts::default(),
            next: Place::default(),
            error: None,
            created_by: by,
            started_at: None,
            finished_at: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The mapping, checked.
    pub fn mapping(&self) -> Result<Mapping, Problem> {
        Mapping::read(self.resource, &self.mapping)
    }

    /// Stops it where it stands.
    pub fn cancel(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            ImportStatus::Queued | ImportStatus::Running => Ok(self.ended(ImportStatus::Canceled, now)),
            status => Err(Problem::wrong_state("cancel", status.as_str(), status.moves())),
        }
    }

    /// The import a batch further.
    #[must_use]
    pub fn advanced(self, counts: Counts, next: Place, now: DateTime<Utc>) -> Self {
        Self {
            counts: self.counts.plus(counts),
            next,
            ..self.changed(now)
        }
    }

    /// The file was read to its end.
    #[must_use]
    pub fn completed(self, now: DateTime<Utc>) -> Self {
        if self.atomic && self.counts.rejected > 0 {
            let error = ImportError {
                code: "rows_rejected".to_owned(),
                detail: format!(
                    "{} rows were rejected, so that nothing was applied.",
                    self.counts.rejected
                ),
            };
            return self.failed(error, now);
        }
        self.ended(ImportStatus::Succeeded, now)
    }

    /// It cannot go on.
    #[must_use]
    pub fn failed(self, error: ImportError, now: DateTime<Utc>) -> Self {
        Self {
            error: Some(error),
            ..self.ended(ImportStatus::Failed, now)
        }
    }

    /// The import before its first row.
    #[must_use]
    pub fn rewound(self, now: DateTime<Utc>) -> Self {
        Self {
            counts: Counts::default(),
            next: Place::default(),
            ..self.changed(now)
        }
    }

    fn ended(self, status: ImportStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            finished_at: Some(now),
            ..self.changed(now)
        }
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}
