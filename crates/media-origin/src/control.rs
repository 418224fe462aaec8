//! `/_origin/`: the bill, the journal, the faults and the output cache, for tests and people.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{delete, get};
use serde_json::{Value, json};

use crate::Origin;
use crate::bill::Statement;
use crate::fault::{Order, Standing};
use crate::journal::Entry;

/// The routes below `/_origin`.
pub(crate) fn routes() -> Router<Arc<Origin>> {
    Router::new()
        .route("/health", get(health))
        .route("/bill", get(bill).delete(reset_bill))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/cache", delete(clear_cache))
        .route("/faults", get(faults).post(order_fault).delete(withdraw_faults))
        .route("/faults/{id}", delete(withdraw_fault))
}

/// Also says under which address the caller sees this server: the page plays sources from it directly.
async fn health(headers: HeaderMap) -> Json<Value> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    Json(json!({ "ok": true, "url": host.map(|host| format!("http://{host}")) }))
}

async fn bill(State(origin): State<Arc<Origin>>) -> Json<Statement> {
    Json(origin.bill.statement())
}

async fn reset_bill(State(origin): State<Arc<Origin>>) -> StatusCode {
    origin.bill.reset();
    StatusCode::NO_CONTENT
}

async fn requests(State(origin): State<Arc<Origin>>) -> Json<Vec<Entry>> {
    Json(origin.journal.list())
}

async fn clear_requests(State(origin): State<Arc<Origin>>) -> StatusCode {
    origin.journal.clear();
    StatusCode::NO_CONTENT
}

async fn clear_cache(
    State(origin): State<Arc<Origin>>,
) -> Result<StatusCode, (StatusCode, String)> {
    match origin.outputs.clear().await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))),
    }
}

async fn faults(State(origin): State<Arc<Origin>>) -> Json<Vec<Standing>> {
    Json(origin.faults.list())
}

async fn order_fault(
    State(origin): State<Arc<Origin>>,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), (StatusCode, String)> {
    let refused = |reason: String| (StatusCode::BAD_REQUEST, format!("{reason}\n"));
    let Json(order) = order.map_err(|rejection| refused(rejection.body_text()))?;
    let id = origin.faults.order(order).map_err(refused)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn withdraw_faults(State(origin): State<Arc<Origin>>) -> StatusCode {
    origin.faults.withdraw(None);
    StatusCode::NO_CONTENT
}

async fn withdraw_fault(State(origin): State<Arc<Origin>>, Path(id): Path<u64>) -> StatusCode {
    match origin.faults.withdraw(Some(id)) {
        0 => StatusCode::NOT_FOUND,
        _ => StatusCode::NO_CONTENT,
    }
}
