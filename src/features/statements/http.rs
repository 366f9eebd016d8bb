//! The operations on statements.

use super::dto::{
    IssueStatementsBody, IssuedStatementsView, StatementFileQuery, StatementFormat, StatementPage,
    StatementPath, StatementView, StatementWithLinesView, StatementsQuery, letter,
};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_statements)
        .service(issue_statements)
        .service(get_statement)
        .service(get_statement_file);
}

/// List statements
///
/// The statements that you may see, newest first, a page at a time. A partner's own caller sees its own.
#[utoipa::path(tag = "Statements", operation_id = "listStatements", params(StatementsQuery),
    responses((status = 200, description = "One page of statements.", body = StatementPage)),
    extensions(("x-required-permission" = json!("statements:read"))))]
#[get("/v1/statements")]
async fn list_statements(who: Granted<can::StatementsRead>, query: Filter<StatementsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&StatementPage::from(page.map(StatementView::from)))
    })
    .await
}

/// Issue statements
///
/// Issues the statements of a month that is over, and of the months before it that have none yet: one for each partner and
/// currency in which something was posted. What is issued never changes, and issuing it again issues nothing. A posting
/// stands on the statement of the month in which it was recorded, though it may have happened earlier. Each statement is
/// signed. `422` `not_over` for a month that has not ended in the organization's time zone.
#[utoipa::path(tag = "Statements", operation_id = "issueStatements", request_body = IssueStatementsBody,
    responses((status = 200, description = "How many were issued.", body = IssuedStatementsView)),
    extensions(("x-required-permission" = json!("statements:issue"))))]
#[post("/v1/statements")]
async fn issue_statements(
    who: Granted<can::StatementsIssue>,
    command: Command<IssueStatementsBody>,
) -> Reply {
    let signer = who.state().credentials.signer();
    let seal = signer.seal(who.ctx.organization_id(), who.ctx.wall_now)?;
    who.write(command, move |tx, ctx, command| {
        let month = command.body.month()?;
        let issued_count = service::issue(tx, ctx, month, &seal)?;
        Answer::ok(&IssuedStatementsView::new(&command.body, issued_count))
    })
    .await
}

/// Get a statement
///
/// One statement with its lines: a line for each posting that changed what is owed, in the order in which they were
/// recorded.
#[utoipa::path(tag = "Statements", operation_id = "getStatement", params(StatementPath),
    responses((status = 200, description = "The statement.", body = StatementWithLinesView)),
    extensions(("x-required-permission" = json!("statements:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/statements/{statement_id}")]
async fn get_statement(who: Granted<can::StatementsRead>, target: Target<StatementPath>) -> Reply {
    who.read(move |tx, ctx| {
        let written = service::get(tx, ctx, target.statement_id)?;
        Answer::ok(&StatementWithLinesView::from(written))
    })
    .await
}

/// Get a statement's file
///
/// The statement as a file, the same byte for byte whenever it is asked for: its lines as CSV, the text in JSON that counts,
/// or a letter as PDF. SHA-256 over `previous_hash`, if there is one, followed by the text gives `hash`. `signature` is a
/// detached JSON Web Signature (RFC 7515, appendix F) with `EdDSA` over the same text, which is base64url-encoded for it as
/// usual (`b64` of RFC 7797 is not used): put the text's base64url form between the two dots, and any JWS library verifies
/// it with the key `kid` of `/v1/issuers/{organization_id}/jwks.json`. That key stays there as long as the statement.
#[utoipa::path(tag = "Statements", operation_id = "getStatementFile", params(StatementPath, StatementFileQuery),
    responses((status = 200, description = "The file.",
        content((String = "text/csv"), (String = "text/plain"), (String = "application/pdf")))),
    extensions(("x-required-permission" = json!("statements:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/statements/{statement_id}/file")]
async fn get_statement_file(
    who: Granted<can::StatementsRead>,
    target: Target<StatementPath>,
    query: Filter<StatementFileQuery>,
) -> Reply {
    let id = target.statement_id;
    match query.format {
        StatementFormat::Csv => {
            who.read(move |tx, ctx| {
                let view = StatementWithLinesView::from(service::get(tx, ctx, id)?);
                Ok(Answer::text("text/csv; charset=utf-8", view.csv()?))
            })
            .await
        }
        StatementFormat::Text => {
            who.read(move |tx, ctx| {
                let text = service::text(tx, ctx, id)?;
                Ok(Answer::text("text/plain; charset=utf-8", text.into_bytes()))
            })
            .await
        }
        // A letter takes longer to set than to read, and must not be set on a thread that answers.
        StatementFormat::Pdf => {
            who.snapshot(move |tx, ctx| {
                let pdf = letter(&service::get(tx, ctx, id)?, ctx.organization_id())?;
                Ok(Answer::text("application/pdf", pdf))
            })
            .await
        }
    }
}
