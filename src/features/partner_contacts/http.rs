//! The operations on partner contacts.

use super::domain::PartnerContact;
use super::dto::{
    ContactPath, ContactsQuery, NewContactBody, PartnerContactPage, PartnerContactView, PatchContactBody,
};
use super::service;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_partner_contacts)
        .service(create_partner_contact)
        .service(get_partner_contact)
        .service(update_partner_contact)
        .service(remove_partner_contact);
}

fn record(contact: PartnerContact) -> Result<Answer, Problem> {
    let version = contact.row_version;
    Answer::record(&PartnerContactView::from(contact), version)
}

/// List partner contacts
///
/// Whom to talk to at the partners that you may see, newest first, a page at a time. A partner's own caller sees the
/// contacts of its own company.
#[utoipa::path(tag = "Partner Contacts", operation_id = "listPartnerContacts", params(ContactsQuery),
    responses((status = 200, description = "One page of contacts.", body = PartnerContactPage)),
    extensions(("x-required-permission" = json!("partner_contacts:read"))))]
#[get("/v1/partner-contacts")]
async fn list_partner_contacts(
    who: Granted<can::PartnerContactsRead>,
    query: Filter<ContactsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, query.partner_id, &query.page(ctx)?)?;
        Answer::ok(&PartnerContactPage::from(page.map(PartnerContactView::from)))
    })
    .await
}

/// Create a partner contact
///
/// Names somebody to talk to at a partner, and about what. `409` when the partner has a contact of this e-mail address,
/// or another one who is primary. Events tell that there is somebody, and not who.
#[utoipa::path(tag = "Partner Contacts", operation_id = "createPartnerContact", request_body = NewContactBody,
    responses((status = 201, description = "The new contact.", body = PartnerContactView)),
    extensions(("x-required-permission" = json!("partner_contacts:write"))))]
#[post("/v1/partner-contacts")]
async fn create_partner_contact(
    who: Granted<can::PartnerContactsWrite>,
    command: Command<NewContactBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let contact = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (contact.id, contact.row_version);
        Answer::created(
            "partner-contacts",
            id,
            &PartnerContactView::from(contact),
            version,
        )
    })
    .await
}

/// Get a partner contact
///
/// One contact, with its version as `ETag`.
#[utoipa::path(tag = "Partner Contacts", operation_id = "getPartnerContact", params(ContactPath),
    responses((status = 200, description = "The contact.", body = PartnerContactView)),
    extensions(("x-required-permission" = json!("partner_contacts:read"))))]
#[get("/v1/partner-contacts/{partner_contact_id}")]
async fn get_partner_contact(who: Granted<can::PartnerContactsRead>, target: Target<ContactPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.partner_contact_id)?))
        .await
}

/// Update a partner contact
///
/// Changes the fields that are sent, as a JSON merge patch. `409` when another contact of the partner has the e-mail
/// address, or is primary.
#[utoipa::path(tag = "Partner Contacts", operation_id = "updatePartnerContact", params(ContactPath),
    request_body = PatchContactBody,
    responses((status = 200, description = "The contact as it is now.", body = PartnerContactView)),
    extensions(("x-required-permission" = json!("partner_contacts:write"))))]
#[patch("/v1/partner-contacts/{partner_contact_id}")]
async fn update_partner_contact(
    who: Granted<can::PartnerContactsWrite>,
    target: Target<ContactPath>,
    command: Command<PatchContactBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.partner_contact_id, &command.precondition);
        record(service::update(tx, ctx, id, precondition, command.body.patch())?)
    })
    .await
}

/// Remove a partner contact
///
/// Forgets a contact for good, with everything that is known of the person. The answer is the last that is seen of it.
#[utoipa::path(tag = "Partner Contacts", operation_id = "removePartnerContact", params(ContactPath),
    responses((status = 200, description = "The contact as it was.", body = PartnerContactView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("partner_contacts:write"))))]
#[post("/v1/partner-contacts/{partner_contact_id}/remove")]
async fn remove_partner_contact(
    who: Granted<can::PartnerContactsWrite>,
    target: Target<ContactPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, precondition) = (target.partner_contact_id, &command.precondition);
        record(service::remove(tx, ctx, id, precondition)?)
    })
    .await
}
