//! Everything that is stored about an account, for its owner.

use super::responses::time;
use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::export::Export;
use crate::model::users::Model as User;
use crate::model::{audit_events, notification_preferences, one_time_tokens, profiles, sessions};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use std::sync::Arc;

/// Events of an export, at most.
const EVENTS: u64 = 10_000;

/// Everything stored about the caller, as JSON, the newest 10,000 security events with it. Hashes of secrets are left out: they tell nothing.
///
/// It is read from the database as the caller takes it; one that breaks off in the middle has to be asked for again.
#[utoipa::path(get, path = "/me/export", tag = "accounts", responses(
    (status = 200, description = "An object with one member for each table.")))]
pub async fn export(State(app): State<Arc<App>>, caller: CurrentUser) -> Result<Response> {
    let user_id = caller.user.id;
    let user = app.access.users().load(user_id).await?.ok_or_else(Error::token_not_valid)?;
    Ok(Export::answer(async move |mut export| {
        write_account(&app, &user, &mut export).await?;
        for feature in app.features {
            (feature.export)(&app, user_id, &mut export).await?;
        }
        Ok(export)
    }))
}

async fn write_account(app: &App, user: &User, export: &mut Export) -> Result<()> {
    let (db, user_id) = (app.storage.reader(), user.id);
    let profile = profiles::Entity::find_by_id(user_id).one(db).await?;
    let preferences = notification_preferences::Entity::find_by_id(user_id).one(db).await?;
    let sessions = sessions::Entity::find().filter(sessions::Column::UserId.eq(user_id)).all(db).await?;
    let tokens =
        one_time_tokens::Entity::find().filter(one_time_tokens::Column::UserId.eq(user_id)).all(db).await?;
    // Strangers make them too, by wrong passwords: those of before are left out.
    let events = audit_events::Entity::find()
        .filter(audit_events::Column::UserId.eq(user_id))
        .order_by_desc(audit_events::Column::At)
        .limit(EVENTS)
        .all(db)
        .await?;
    let members = [
        (
            "user",
            json!({
                "id": user.id,
                "username": user.username,
                "email": user.email,
                "email_verified_at": user.email_verified_at.map(time),
                "first_name": user.first_name,
                "last_name": user.last_name,
                "is_staff": user.is_staff,
                "is_superuser": user.is_superuser,
                "date_joined": time(user.date_joined),
                "last_login": user.last_login.map(time),
                "password_changed_at": time(user.password_changed_at),
                "password_scheme": user.password_scheme,
            }),
        ),
        (
            "profile",
            json!(profile.map(|row| json!({
                "bio": row.bio,
                "profile_visibility": row.visibility,
                "avatar_url": app.media_url(row.avatar.as_deref()),
            }))),
        ),
        (
            "notification_preferences",
            json!(preferences.map(|row| json!({
                "new_follower": row.new_follower,
                "follow_request": row.follow_request,
                "follow_approved": row.follow_approved,
                "book_reviewed": row.book_reviewed,
            }))),
        ),
        ("sessions", sessions.iter().map(session).collect()),
        ("mailed_links", tokens.iter().map(link).collect()),
        ("security_events", events.iter().map(event).collect()),
    ];
    for (name, value) in &members {
        export.member(name, value).await?;
    }
    Ok(())
}

fn session(row: &sessions::Model) -> Value {
    json!({
        "id": row.id,
        "user_agent": row.user_agent,
        "ip": row.ip_prefix,
        "created": time(row.created_at),
        "last_seen": time(row.rotated_at),
        "ended": row.revoked_at.map(time),
    })
}

fn link(row: &one_time_tokens::Model) -> Value {
    json!({
        "purpose": format!("{:?}", row.purpose),
        "email": row.email,
        "created": time(row.created_at),
        "expires": time(row.expires_at),
        "used": row.used_at.map(time),
    })
}

fn event(row: &audit_events::Model) -> Value {
    json!({ "at": time(row.at), "event": row.kind, "ip": row.ip_prefix, "detail": row.detail })
}
