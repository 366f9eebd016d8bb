//! The operations on runs and payouts.

mod payouts;
mod rails;
mod runs;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    runs::routes(config);
    payouts::routes(config);
    rails::routes(config);
}
