//! How routes are made: each with its door and its limit, stamped into the OpenAPI document.

use crate::access::{Door, Guard, GuardContext, Limit, check};
use crate::state::App;
use axum::middleware::from_fn_with_state;
use std::sync::Arc;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, PathItem, RefOr, Response, SecurityRequirement};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The name of the bearer scheme in the document.
pub const BEARER: &str = "bearer";

/// A table of routes under one prefix. There is no way to add one without a door and a limit.
pub struct Routes {
    router: OpenApiRouter<Arc<App>>,
    guard: Arc<GuardContext>,
}

impl Routes {
    /// An empty table.
    pub fn new(guard: Arc<GuardContext>) -> Self {
        Self { router: OpenApiRouter::new(), guard }
    }

    /// Adds handlers of one path.
    #[must_use]
    pub fn add(mut self, door: Door, limit: Limit, routes: UtoipaMethodRouter<Arc<App>>) -> Self {
        let (schemas, mut paths, methods) = routes;
        for item in paths.paths.values_mut() {
            operations(item).for_each(|(_, operation)| describe(operation, door));
        }
        let guard = Guard { door, limit, context: self.guard.clone() };
        let methods = methods.route_layer(from_fn_with_state(guard, check));
        self.router = self.router.routes((schemas, paths, methods));
        self
    }

    /// Lends a value to the handlers of this table, as an `Extension`: what one feature alone uses.
    #[must_use]
    pub fn share<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.router = self.router.layer(axum::Extension(value));
        self
    }

    /// The router and its document.
    pub fn into_router(self) -> OpenApiRouter<Arc<App>> {
        self.router
    }
}

/// Names every operation after its method and path, since generators of clients refuse a document in which
/// two bear the same name, and handlers of different features may.
pub fn name_operations(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let words: Vec<_> = path.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        let name = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
        for (method, operation) in operations(item) {
            operation.operation_id = Some(format!("{method}_{name}"));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let operations = [("get", get), ("post", post), ("put", put), ("patch", patch), ("delete", delete)];
    operations.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What every route may answer, said once.
fn describe(operation: &mut Operation, door: Door) {
    let mut parameters = operation.parameters.iter().flatten();
    let has_query = parameters.any(
        |parameter| matches!(parameter, RefOr::T(own) if matches!(own.parameter_in, ParameterIn::Query)),
    );
    let mut add = |status: &str, text: &str| {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(text)));
    };
    add("429", "Too many calls; see Retry-After.");
    add("503", "The server is busy or a part of it does not answer; see Retry-After.");
    if has_query {
        add("400", "The query cannot be read.");
    }
    match door {
        Door::Closed => {
            add("401", "The access token is missing, expired or ended.");
            operation.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
        }
        Door::Open => add("401", "An access token was sent, and it is not valid."),
        Door::Ignoring | Door::Lenient => {}
    }
}
