//! The operations on statements.

use super::dto::{
    IssueStatementsBody, IssuedStatementsView, StatementFileQuery, StatementFormat, StatementPage,
    StatementPath, StatementView, StatementWithLinesView, StatementsQuery,
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
/// stands on the statement of the month in which it was recorded, though it may have happened earlier. `422` `not_over`
/// for a month that has not ended in the organization's time zone.
#[utoipa::path(tag = "Statements", operation_id = "issueStatements", request_body = IssueStatementsBody,
    responses((status = 200, description = "How many were issued.", body = IssuedStatementsView)),
    extensions(("x-required-permission" = json!("statements:issue"))))]
#[post("/v1/statements")]
async fn issue_statements(
    who: Granted<can::StatementsIssue>,
    command: Command<IssueStatementsBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let month = command.body.month()?;
        let issued_count = service::issue(tx, ctx, month)?;
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
        let (statement, lines) = service::get(tx, ctx, target.statement_id)?;
        Answer::ok(&StatementWithLinesView::new(statement, lines))
    })
    .await
}

/// Get a statement's file
///
/// The statement as a file, the same byte for byte whenever it is asked for: its lines as CSV, or the text over which its
/// hash is. SHA-256 over `previous_hash`, if there is one, followed by this text gives `hash`.
#[utoipa::path(tag = "Statements", operation_id = "getStatementFile", params(StatementPath, StatementFileQuery),
    responses((status = 200, description = "The file.", content((String = "text/csv"), (String = "text/plain")))),
    extensions(("x-required-permission" = json!("statements:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/statements/{statement_id}/file")]
async fn get_statement_file(
    who: Granted<can::StatementsRead>,
    target: Target<StatementPath>,
    query: Filter<StatementFileQuery>,
) -> Reply {
    who.read(move |tx, ctx| match query.format {
        StatementFormat::Csv => {
            let (statement, lines) = service::get(tx, ctx, target.statement_id)?;
            let view = StatementWithLinesView::new(statement, lines);
            Ok(Answer::text("text/csv; charset=utf-8", view.csv()?))
        }
        StatementFormat::Text => {
            let text = service::text(tx, ctx, target.statement_id)?;
            Ok(Answer::text("text/plain; charset=utf-8", text.into_bytes()))
        }
    })
    .await
}
