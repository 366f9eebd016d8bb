//! The operations on product families.

use super::dto::{
    NewProductFamilyBody, PatchProductFamilyBody, ProductFamiliesQuery, ProductFamilyPage, ProductFamilyPath,
    ProductFamilyView,
};
use super::{ProductFamily, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_product_families)
        .service(create_product_family)
        .service(get_product_family)
        .service(update_product_family);
}

fn record(family: ProductFamily) -> Result<Answer, Problem> {
    let version = family.row_version;
    Answer::record(&ProductFamilyView::from(family), version)
}

/// List product families
///
/// The product families of the organization, a page at a time.
#[utoipa::path(tag = "Product Families", operation_id = "listProductFamilies", params(ProductFamiliesQuery),
    responses((status = 200, description = "One page of product families.", body = ProductFamilyPage)),
    extensions(("x-required-permission" = json!("product_families:read"))))]
#[get("/v1/product-families")]
async fn list_product_families(
    who: Granted<can::ProductFamiliesRead>,
    query: Filter<ProductFamiliesQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ProductFamilyPage::from(page.map(ProductFamilyView::from)))
    })
    .await
}

/// Create a product family
///
/// Names a group of products that deals and commission rules may refer to. `409` when the external id is taken.
#[utoipa::path(tag = "Product Families", operation_id = "createProductFamily", request_body = NewProductFamilyBody,
    responses((status = 201, description = "The new product family.", body = ProductFamilyView)),
    extensions(("x-required-permission" = json!("product_families:write"))))]
#[post("/v1/product-families")]
async fn create_product_family(
    who: Granted<can::ProductFamiliesWrite>,
    command: Command<NewProductFamilyBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let family = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (family.id, family.row_version);
        Answer::created("product-families", id, &ProductFamilyView::from(family), version)
    })
    .await
}

/// Get a product family
///
/// One product family, with its version as `ETag`.
#[utoipa::path(tag = "Product Families", operation_id = "getProductFamily", params(ProductFamilyPath),
    responses((status = 200, description = "The product family.", body = ProductFamilyView)),
    extensions(("x-required-permission" = json!("product_families:read"))))]
#[get("/v1/product-families/{product_family_id}")]
async fn get_product_family(
    who: Granted<can::ProductFamiliesRead>,
    target: Target<ProductFamilyPath>,
) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.product_family_id)?))
        .await
}

/// Update a product family
///
/// Changes the fields that are sent, as a JSON merge patch. What was computed with the family stays as it was.
#[utoipa::path(tag = "Product Families", operation_id = "updateProductFamily", params(ProductFamilyPath), request_body = PatchProductFamilyBody,
    responses((status = 200, description = "The product family as it is now.", body = ProductFamilyView)),
    extensions(("x-required-permission" = json!("product_families:write"))))]
#[patch("/v1/product-families/{product_family_id}")]
async fn update_product_family(
    who: Granted<can::ProductFamiliesWrite>,
    target: Target<ProductFamilyPath>,
    command: Command<PatchProductFamilyBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.product_family_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}
