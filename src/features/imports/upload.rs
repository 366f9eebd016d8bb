//! Taking in a file: part by part, piece by piece, never as a whole.

use super::domain::{KeptFile, Request};
use super::mapping::Mapping;
use super::records::CHUNK_BYTES;
use super::store;
use super::targets::ImportResource;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ImportId;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::platform::db::Db;
use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::ResponseError;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use futures_util::TryStreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::str::FromStr;

/// The longest part besides the file, in bytes.
const PART_LIMIT: usize = 256 * 1024;
const MAPPING: &str = "mapping";
const PARTS: [&str; 4] = ["resource", MAPPING, "dry_run", "atomic"];
const FILE: &str = "file";

/// A file that was taken in, and what to do with it. Dropped before it is [`Upload::settle`]d, it is removed again.
#[derive(Debug)]
pub struct Upload {
    /// What to do with the file.
    pub request: Request,
    /// The file.
    pub file: KeptFile,
    pieces: Pieces,
}

impl Upload {
    /// A fingerprint of everything that was sent.
    pub fn digest(&self) -> Vec<u8> {
        let Request {
            resource,
            mapping,
            dry_run,
            atomic,
        } = &self.request;
        let mut hash = Sha256::new();
        hash.update(format!("{resource}\0{dry_run}\0{atomic}\0{mapping}\0"));
        hash.update(&self.file.hash);
        hash.finalize().to_vec()
    }

    /// An import owns the file now.
    pub fn settle(mut self) {
        self.pieces.are_kept = true;
    }
}

/// The pieces of a file under way.
#[derive(Debug)]
struct Pieces {
    db: Db,
    ctx: Ctx,
    import_id: ImportId,
    are_kept: bool,
}

impl Drop for Pieces {
    /// A client that goes away drops the handler at any point, so that there is nothing to await; the pieces are
    /// removed on a thread of their own. What even that misses, the worker removes a day later.
    fn drop(&mut self) {
        if self.are_kept {
            return;
        }
        let (db, ctx, id) = (self.db.clone(), self.ctx.clone(), self.import_id);
        std::thread::spawn(move || {
            let removed = db.write_now(&ctx, |tx| store::discard_orphan(tx, &ctx.scope, id));
            if let Err(problem) = removed {
                tracing::warn!(%problem, "pieces of an upload that was cut off stay for now");
            }
        });
    }
}

/// Takes in a form. Resource and mapping come before the file, so that a file that nobody may load is not read; the
/// flags may follow it, as generated clients send them.
pub async fn receive(db: &Db, ctx: &Ctx, limit_bytes: u64, mut parts: Multipart) -> Result<Upload, Problem> {
    let (mut form, mut upload) = (Form::default(), None);
    while let Some(mut part) = parts.try_next().await.map_err(|error| unreadable(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == FILE && upload.is_none() {
            let request = form.request(None)?;
            authorize(ctx, &request)?;
            upload = Some(keep(db, ctx, request, limit_bytes, &mut part).await?);
        } else {
            form.take(name, &mut part).await?;
        }
    }
    let Some(mut upload) = upload else {
        let missing = FieldProblem::new("/file", "missing", "The form needs a file.");
        return match form.request(Some(missing)) {
            Err(problem) => Err(problem),
            Ok(_) => Err(Problem::internal()),
        };
    };
    upload.request = form.request(None)?;
    Ok(upload)
}

fn unreadable(error: &MultipartError) -> Problem {
    let is_other_kind = matches!(
        error,
        MultipartError::ContentTypeMissing
            | MultipartError::ContentTypeParse
            | MultipartError::BoundaryMissing
            | MultipartError::ContentTypeIncompatible
    );
    if let MultipartError::Payload(PayloadError::Io(error)) = error
        && error.kind() == ErrorKind::TimedOut
    {
        let detail = "The form paused for too long, or came too slowly.";
        return Problem::new(Code::RequestTimeout).because(detail);
    }
    if is_other_kind || error.status_code() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        Problem::new(Code::UnsupportedMediaType).because("Send multipart/form-data.")
    } else if error.status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(Code::BodyTooLarge)
    } else {
        Problem::new(Code::MalformedRequest).because("The form could not be read to its end.")
    }
}

async fn text(name: &str, part: &mut Field) -> Result<String, Problem> {
    let bytes = part
        .bytes(PART_LIMIT)
        .await
        .map_err(|_| Problem::field(format!("/{name}"), "too_long", "The part is longer than 256 KiB."))?
        .map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Problem::field(format!("/{name}"), "invalid_encoding", "The part is not UTF-8."))
}

/// The caller needs the right to every record that the rows may write.
fn authorize(ctx: &Ctx, request: &Request) -> Result<(), Problem> {
    let mapping = Mapping::read(request.resource, &request.mapping)?;
    let needed = mapping.permissions(request.resource);
    needed.iter().try_for_each(|permission| ctx.require(*permission))
}

async fn keep(
    db: &Db,
    ctx: &Ctx,
    request: Request,
    limit_bytes: u64,
    part: &mut Field,
) -> Result<Upload, Problem> {
    let mut pieces = Pieces {
        db: db.clone(),
        ctx: Ctx::system(ctx.organization_id(), ctx.wall_now),
        // By the machine's clock: pieces that were cut off are known by their age.
        import_id: ImportId::new(ctx.wall_now),
        are_kept: false,
    };
    let name = part
        .content_disposition()
        .and_then(|disposition| disposition.get_filename())
        .map(shortened);
    let (mut hash, mut bytes, mut position) = (Sha256::new(), 0_u64, 0_i32);
    let mut waiting: Vec<u8> = Vec::with_capacity(CHUNK_BYTES);
    while let Some(mut piece) = part.try_next().await.map_err(|error| unreadable(&error))? {
        hash.update(&piece);
        bytes += piece.len() as u64;
        if bytes > limit_bytes {
            let detail = format!("A file may have {} MiB.", limit_bytes / (1024 * 1024));
            return Err(Problem::new(Code::BodyTooLarge).because(detail));
        }
        while waiting.len() + piece.len() >= CHUNK_BYTES {
            waiting.extend_from_slice(&piece.split_to(CHUNK_BYTES - waiting.len()));
            let full = std::mem::replace(&mut waiting, Vec::with_capacity(CHUNK_BYTES));
            pieces.keep(position, full).await?;
            position += 1;
        }
        waiting.extend_from_slice(&piece);
    }
    if !waiting.is_empty() {
        pieces.keep(position, waiting).await?;
    }
    Ok(Upload {
        request,
        file: KeptFile {
            import_id: pieces.import_id,
            name,
            bytes,
            hash: hash.finalize().to_vec(),
        },
        pieces,
    })
}

/// A name to show; no path and nothing that cannot be stored.
fn shortened(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(255)
        .collect()
}

impl Pieces {
    async fn keep(&mut self, position: i32, content: Vec<u8>) -> Result<(), Problem> {
        let (scope, id) = (self.ctx.scope, self.import_id);
        self.db
            .write(&self.ctx, move |tx| {
                store::keep_chunk(tx, &scope, id, position, &content)
            })
            .await
    }
}

/// The parts besides the file.
#[derive(Debug, Default)]
struct Form {
    parts: HashMap<String, String>,
}

impl Form {
    /// Takes in a part that is not the file.
    async fn take(&mut self, name: String, part: &mut Field) -> Result<(), Problem> {
        let pointer = format!("/{name}");
        if name != FILE && !PARTS.contains(&name.as_str()) {
            let message = "The form has the parts resource, mapping, dry_run, atomic and file.";
            return Err(Problem::field(pointer, "unknown_field", message));
        }
        if name == FILE || self.parts.contains_key(&name) {
            return Err(Problem::field(
                pointer,
                "repeated",
                "The form takes this part once.",
            ));
        }
        let text = text(&name, part).await?;
        self.parts.insert(name, text);
        Ok(())
    }

    /// What to do with the file; everything that is wrong comes back at once, with what is known to be wrong already.
    fn request(&self, known: Option<FieldProblem>) -> Result<Request, Problem> {
        let mut problems: Vec<FieldProblem> = known.into_iter().collect();
        let resource = self.resource(&mut problems);
        let mapping = self.mapping(resource, &mut problems);
        let dry_run = self.flag("dry_run", &mut problems);
        let atomic = self.flag("atomic", &mut problems);
        match (resource, mapping) {
            (Some(resource), Some(mapping)) if problems.is_empty() => Ok(Request {
                resource,
                mapping,
                dry_run,
                atomic,
            }),
            _ => Err(Problem::fields(problems)),
        }
    }

    fn required(&self, name: &str, problems: &mut Vec<FieldProblem>) -> Option<&str> {
        let text = self.parts.get(name);
        if text.is_none() {
            problems.push(FieldProblem::new(
                format!("/{name}"),
                "missing",
                "This part is required, before the file.",
            ));
        }
        text.map(String::as_str)
    }

    fn resource(&self, problems: &mut Vec<FieldProblem>) -> Option<ImportResource> {
        let resource = ImportResource::from_str(self.required("resource", problems)?).ok();
        if resource.is_none() {
            let known: Vec<&str> = ImportResource::ALL.iter().map(|one| one.as_str()).collect();
            let message = format!("Known values: {}.", known.join(", "));
            problems.push(FieldProblem::new("/resource", "unknown_value", message));
        }
        resource
    }

    fn mapping(&self, resource: Option<ImportResource>, problems: &mut Vec<FieldProblem>) -> Option<Value> {
        let mapping: Value = match serde_json::from_str(self.required(MAPPING, problems)?) {
            Ok(mapping) => mapping,
            Err(error) => {
                let message = format!("The mapping is not JSON: {error}.");
                problems.push(FieldProblem::new("/mapping", "malformed_json", message));
                return None;
            }
        };
        if let Some(Err(problem)) = resource.map(|resource| Mapping::read(resource, &mapping)) {
            problems.extend(problem.errors);
        }
        Some(mapping)
    }

    fn flag(&self, name: &str, problems: &mut Vec<FieldProblem>) -> bool {
        // Python writes `True` and `False`.
        match self
            .parts
            .get(name)
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let pointer = format!("/{name}");
                problems.push(FieldProblem::new(pointer, "wrong_type", "Write true or false."));
                false
            }
        }
    }
}
