//! The operations on imports.

use super::domain::Import;
use super::dto::{
    ImportPage, ImportPath, ImportRejectionPage, ImportRejectionView, ImportView, ImportsQuery,
    NewImportForm, RejectionsQuery,
};
use super::{service, upload};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Patient, Reply, Target};
use actix_multipart::Multipart;
use actix_web::web::Payload;
use actix_web::{HttpRequest, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_imports)
        .service(create_import)
        .service(get_import)
        .service(list_import_rejections)
        .service(cancel_import);
}

fn record(import: Import) -> Result<Answer, Problem> {
    let version = import.row_version;
    Answer::record(&ImportView::from(import), version)
}

/// List imports
///
/// The imports of the organization, a page at a time.
#[utoipa::path(tag = "Imports", operation_id = "listImports", params(ImportsQuery),
    responses((status = 200, description = "One page of imports.", body = ImportPage)),
    extensions(("x-required-permission" = json!("imports:read"))))]
#[get("/v1/imports")]
async fn list_imports(who: Granted<can::ImportsRead>, query: Filter<ImportsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ImportPage::from(page.map(ImportView::from)))
    })
    .await
}

/// Create an import
///
/// Takes in a CSV file and reads it in the background: follow it at `Location`. Rows are matched to records by
/// `external_id`: new ones are created, changed ones updated, and a row that cannot be taken is rejected with its line
/// while the others are applied, unless `atomic` is asked for. A dry run computes everything and changes nothing. What the
/// ordinary operations refuse, a row does not do either: an instant in the future is `in_future`, and credit or a program
/// for a partner that is not approved `partner_not_approved`. A partner becomes active in the program of its row once; an
/// enrollment that was ended stays so.
///
/// The right to write the resource, and whatever else the mapping fills, is needed too: `partners:review` for a status and
/// `enrollments:write` for a program of partners; `deals:close` for won deals, `attributions:write` and
/// `attributions:review` for credits; `payments:write` for an instant of payment and `credit_notes:write` for kinds of
/// invoices. `exchange_rates` are rows of days as the ECB publishes them, with a column for each currency, and take
/// `exchange_rates:write`. `413` when the file is larger than this service takes.
#[utoipa::path(tag = "Imports", operation_id = "createImport",
    request_body(content = NewImportForm, content_type = "multipart/form-data"),
    responses((status = 202, description = "The import, waiting for a worker.", body = ImportView)),
    extensions(("x-required-permission" = json!("imports:write"))))]
#[post("/v1/imports")]
async fn create_import(who: Granted<can::ImportsWrite>, request: HttpRequest, form: Payload) -> Reply {
    let who = who.confirmed().await?;
    let state = who.state();
    let form = Patient::new(form.into_inner(), state.patience);
    let parts = Multipart::new(request.headers(), form);
    let limit = state.import_max_bytes;
    let upload = upload::receive(&state.db, &who.ctx, limit, parts).await?;
    let body = (upload.request.clone(), upload.file.clone());
    let command = Command::streamed(&request, body, &upload.digest())?;
    let answer = who
        .write(command, |tx, ctx, command| {
            let (request, file) = &command.body;
            let import = service::queue(tx, ctx, request, file)?;
            Answer::accepted("imports", import.id, &ImportView::from(import))
        })
        .await?;
    if !answer.replayed {
        upload.settle();
    }
    Ok(answer)
}

/// Get an import
///
/// One import: where it stands, how far it is and what became of its rows.
#[utoipa::path(tag = "Imports", operation_id = "getImport", params(ImportPath),
    responses((status = 200, description = "The import.", body = ImportView)),
    extensions(("x-required-permission" = json!("imports:read"))))]
#[get("/v1/imports/{import_id}")]
async fn get_import(who: Granted<can::ImportsRead>, target: Target<ImportPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.import_id)?))
        .await
}

/// List rejected rows
///
/// The rows of the file that were not taken, in the order of the file, each with its line, column and reason.
#[utoipa::path(tag = "Imports", operation_id = "listImportRejections", params(ImportPath, RejectionsQuery),
    responses((status = 200, description = "One page of rejected rows.", body = ImportRejectionPage)),
    extensions(("x-required-permission" = json!("imports:read"))))]
#[get("/v1/imports/{import_id}/rejections")]
async fn list_import_rejections(
    who: Granted<can::ImportsRead>,
    target: Target<ImportPath>,
    query: Filter<RejectionsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::rejections(tx, ctx, target.import_id, &query.page(ctx, target.import_id)?)?;
        Answer::ok(&ImportRejectionPage::from(page.map(ImportRejectionView::from)))
    })
    .await
}

/// Cancel an import
///
/// Stops an import that is queued or running. What it has applied stays, as its counts say; an atomic import has
/// applied nothing, whatever it counted. `409` when it has ended.
#[utoipa::path(tag = "Imports", operation_id = "cancelImport", params(ImportPath),
    responses((status = 200, description = "The canceled import.", body = ImportView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("imports:write"))))]
#[post("/v1/imports/{import_id}/cancel")]
async fn cancel_import(
    who: Granted<can::ImportsWrite>,
    target: Target<ImportPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::cancel(tx, ctx, target.import_id, &command.precondition)?)
    })
    .await
}
