//! Where everything meets: the router, the start, the background tasks, the end.

use crate::access::{
    Access, DeviceCookies, GuardContext, KeySettings, Keys, Lifetimes, Limits, Passwords, Rates, Watch,
};
use crate::accounts;
use crate::api_docs;
use crate::background;
use crate::books;
use crate::chat;
use crate::config::{self, Algorithm, Config, PasswordPolicy};
use crate::edge::{self, Edge, Meters};
use crate::error::Error;
use crate::extract::BodyMemory;
use crate::finish::Finisher;
use crate::health;
use crate::hub::{Caps, Hub};
use crate::mail::{self, Mailer, Outbox, Transport, mailbox};
use crate::model::Migrator;
use crate::profiles;
use crate::reviews;
use crate::routes::{BEARER, Routes, name_operations};
use crate::search::{self, Search};
use crate::serve;
use crate::state::{App, Feature};
use crate::storage::{Files, PublicPages, Storage};
use crate::uploads::Uploads;
use crate::webhooks::Webhooks;
use axum::Router;
use axum::middleware::from_fn_with_state;
use portcullis_security::client_ip::TrustedProxies;
use portcullis_security::clock::Clock;
use portcullis_security::cors::{Cors, Origin};
use portcullis_security::csrf::CsrfGuard;
use portcullis_security::headers::{SecurityHeaders, SecurityOptions};
use portcullis_security::password::{Argon2Params, Policy, PoolConfig};
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use portcullis_security::throttle::Rate;
use portcullis_security::token::{Parties, Purpose, RootKey};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::NormalizePathLayer;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{License, OpenApi};
use utoipa_axum::router::OpenApiRouter;

/// The features that store something about users.
const FEATURES: &[Feature] = &[profiles::FEATURE, reviews::FEATURE, chat::FEATURE, search::FEATURE];

/// Why the server does not start, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    fn data_dir(config: &Config, error: &std::io::Error) -> Self {
        let directory = config.storage.data_dir.display();
        Self(format!(
            "the data directory {directory} cannot be used: {error}; check it, or name another with \
             PORTCULLIS_STORAGE__DATA_DIR"
        ))
    }

    fn database(error: Error) -> Self {
        Self(format!("the database does not answer: {error:?}"))
    }

    fn pages(error: Error) -> Self {
        Self(format!("a built-in page is broken: {error:?}"))
    }
}

/// A server that answers.
pub struct Running {
    address: SocketAddr,
    app: Arc<App>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Binds, migrates, starts the background tasks and serves.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub async fn start(mut config: Config, clock: Clock, random: Random) -> Result<Self, StartError> {
        let tls = serve::tls(&config.server).map_err(StartError::of)?;
        let listen = config.server.listen;
        let bound = TcpListener::bind(listen).await;
        let listener = bound.map_err(|error| StartError(format!("cannot listen on {listen}: {error}")))?;
        let address = listener.local_addr().map_err(StartError::of)?;
        fix_port(&mut config, address)?;
        let app = build(config, clock, random).await?;
        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        let search = Search::new(&app, cancel.clone()).map_err(StartError)?;
        let mailer = mailer(&app.config, app.transport.clone())?;
        let webhooks = Webhooks::open(&app.config.webhooks, app.storage.clone(), app.clock.clone());
        let workers = (mailer, webhooks.map_err(StartError)?);
        background::spawn(&app, &search, workers, (&cancel, &tasks));
        let service = NormalizePathLayer::trim_trailing_slash().layer(router(&app, &search)?);
        tasks.spawn(serve::run(listener, tls, service, cancel.clone()));
        tasks.close();
        Ok(Self { address, app, cancel, tasks })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its state.
    pub const fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Finishes what is in flight, within ten seconds, and closes the database; says whether all of it ended.
    pub async fn stop(self) -> bool {
        self.cancel.cancel();
        self.app.hub.stop();
        let ended = async { tokio::join!(self.tasks.wait(), self.app.hub.tasks().wait()) };
        let waited = tokio::time::timeout(Duration::from_secs(10), ended).await;
        if waited.is_err() {
            tracing::warn!("some work did not end in time");
        }
        if let Err(error) = self.app.guard.limits.save(&self.app.storage).await {
            tracing::warn!(?error, "the throttles were not saved");
        }
        self.app.storage.close().await;
        waited.is_ok()
    }
}

/// Port 0 means "any": the URLs that name it follow.
fn fix_port(config: &mut Config, address: SocketAddr) -> Result<(), StartError> {
    let fix = |url: &config::WebUrl| {
        let text = url.as_str().to_owned();
        match text.strip_suffix(":0") {
            Some(base) => config::WebUrl::parse(&format!("{base}:{}", address.port()))
                .ok_or_else(|| StartError("the public URL is not valid".to_owned())),
            None => Ok(url.clone()),
        }
    };
    config.server.public_url = fix(&config.server.public_url)?;
    config.accounts.links_url = fix(&config.accounts.links_url)?;
    Ok(())
}

/// Opens the database as the settings say, with its schema up to date.
///
/// # Errors
/// When it cannot be opened or migrated.
pub async fn open_storage(config: &Config) -> Result<Arc<Storage>, StartError> {
    let storage = Storage::connect(&config.storage.connect_url()).await.map_err(StartError::of)?;
    storage.migrate::<Migrator>().await.map_err(StartError::of)?;
    Ok(Arc::new(storage))
}

/// Makes the state.
///
/// # Errors
/// When a part of it cannot be had.
pub async fn build(config: Config, clock: Clock, random: Random) -> Result<Arc<App>, StartError> {
    let random = Arc::new(random);
    let secret = match &config.secret_key {
        Some(secret) => secret.clone(),
        None => config::development_secret(&config.storage.data_dir, &random)
            .map_err(|error| StartError::data_dir(&config, &error))?,
    };
    let root = match &config.secret_key_fallback {
        Some(fallback) => RootKey::new(&secret).with_fallback(fallback),
        None => RootKey::new(&secret),
    };
    let storage = open_storage(&config).await?;
    let seal = Arc::new(KeyRing::of(&root.chain(Purpose::Sealing)));
    let settings = KeySettings {
        signing_key: config.tokens.signing_key.clone(),
        algorithm: match config.tokens.algorithm {
            Algorithm::Hs256 => "HS256",
            Algorithm::EdDsa => "EdDSA",
        },
        parties: Parties { audience: config.tokens.audience.clone(), issuer: config.tokens.issuer.clone() },
    };
    let keys = Keys::load(&storage, (clock.clone(), &random, &root, seal.clone()), settings)
        .await
        .map_err(StartError::of)?;
    let lifetimes = Lifetimes {
        access: config.tokens.access_lifetime,
        refresh: config.tokens.refresh_lifetime,
        absolute: config.tokens.absolute_lifetime,
        grace: config.tokens.refresh_grace,
        prf_keys: root.chain(Purpose::Prf),
    };
    let outbox = Outbox::new(seal, random.clone());
    let access = Access::start(clock.clone(), storage.clone(), keys, lifetimes, outbox.clone()).await;
    let access = Arc::new(access.map_err(StartError::database)?);
    let rates = rates(&config)?;
    let throttle_key = *root.derive(Purpose::Throttle);
    let limits = Limits::load(&storage, clock.clone(), rates, throttle_key).await;
    let limits = Arc::new(limits.map_err(StartError::database)?);
    let secure = config.server.public_url.is_https();
    let devices = Arc::new(DeviceCookies::new(root.chain(Purpose::Cookie), secure));
    let guard = Arc::new(GuardContext {
        clock: clock.clone(),
        storage: storage.clone(),
        access: access.clone(),
        limits,
        devices: devices.clone(),
        bodies: BodyMemory::default(),
        secure,
    });
    let passwords = passwords(&config, &root, random.clone())?;
    passwords.count_schemes(&storage).await.map_err(StartError::database)?;
    let own = Origin::of_url(config.server.public_url.as_str()).map_err(StartError::of)?;
    let hello = config.server.public_url.host().to_owned();
    let transport = Transport::open(config.mail.url.expose_text(), &hello).map_err(StartError::of)?;
    let files = Files::open(&config.storage).map_err(StartError::of)?;
    Ok(Arc::new(App {
        files,
        uploads: Uploads::new(&config.uploads),
        csrf: CsrfGuard::new(own, cors(&config)?),
        outbox,
        watch: Watch::default(),
        code_key: root.derive(Purpose::Code),
        pages: PublicPages::new(clock.clone()),
        hub: Hub::new(caps(&config)),
        unsubscribe_keys: root.chain(Purpose::Unsubscribe),
        features: FEATURES,
        config,
        clock,
        random,
        storage,
        access,
        passwords,
        devices,
        transport,
        guard,
    }))
}

fn caps(config: &Config) -> Caps {
    let many = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let community = &config.community;
    Caps { per_user: many(community.sockets_per_user), per_ip: many(community.sockets_per_ip) }
}

fn rates(config: &Config) -> Result<Rates, StartError> {
    let rate = |rate: &config::Rate| rate.to_string().parse::<Rate>().map_err(StartError::of);
    let throttle = &config.throttle;
    Ok(Rates {
        enabled: throttle.enabled,
        auth: rate(&throttle.auth)?,
        reset: rate(&throttle.reset)?,
        user: rate(&throttle.user)?,
        anon: rate(&throttle.anon)?,
        anon_post: rate(&throttle.anon_post)?,
        ai_search: rate(&throttle.ai_search)?,
        // Twice what one socket may send.
        messages: Rate::new(120, 10).map_err(StartError::of)?,
    })
}

fn passwords(config: &Config, root: &RootKey, random: Arc<Random>) -> Result<Passwords, StartError> {
    let settings = &config.password;
    let params = Argon2Params::new(settings.memory_kib, settings.iterations, settings.parallelism);
    let budget_kib = settings.memory_budget_mib.saturating_mul(1024);
    let pool = PoolConfig {
        params: params.map_err(StartError::of)?,
        budget_kib,
        queue_kib: u64::from(budget_kib) * 16,
        ..PoolConfig::default()
    };
    let policy = match settings.policy {
        PasswordPolicy::Guide => Policy::Guide,
        PasswordPolicy::Nist => Policy::Nist,
    };
    Passwords::start(pool, policy, root.derive(Purpose::Dummy), random).map_err(StartError::of)
}

fn cors(config: &Config) -> Result<Cors, StartError> {
    Cors::parse(&config.cors.allowed_origins.join(",")).map_err(StartError::of)
}

/// The mailer of the settings, for the worker and for `portcullis mail test`.
///
/// # Errors
/// When a template is broken or the sender is no address.
pub fn mailer(config: &Config, transport: Transport) -> Result<Mailer, StartError> {
    Mailer::new(&mail::Settings::of(config), transport).map_err(StartError::of)
}

/// The whole router: features, health, documents, and the edge around them.
///
/// # Errors
/// When a setting cannot be used.
pub fn router(app: &Arc<App>, search: &Arc<Search>) -> Result<Router, StartError> {
    let (api, document) = api(app, search);
    let docs = api_docs::router(app, &document).map_err(StartError::pages)?;
    let mut router =
        api.fallback(crate::web::fallback).with_state(app.clone()).merge(health::router(app)).merge(docs);
    if app.config.community.enabled {
        router = router.merge(profiles::media::router(app));
    }
    if let (true, Some(folder)) = (app.is_development(), app.transport.folder()) {
        router = router.merge(mailbox::router(folder).map_err(StartError::pages)?);
    }
    let hsts = u64::from(app.config.server.hsts_seconds);
    let hsts = (!app.is_development() && hsts > 0).then_some(hsts);
    let proxies: Vec<_> = app.config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    // Before the meters, which would else measure for nobody.
    health::recorder();
    let edge = Arc::new(Edge {
        app: app.clone(),
        proxies: TrustedProxies::parse(&proxies.join(",")).map_err(StartError::of)?,
        cors: cors(&app.config)?,
        headers: SecurityHeaders::new(SecurityOptions { hsts_seconds: hsts, include_subdomains: true }),
        meters: Meters::register(),
        changes: Finisher::default(),
        has_warned: false.into(),
        next_request: u64::from_le_bytes(app.random.bytes()).into(),
    });
    let panicked = |_| axum::response::IntoResponse::into_response(Error::internal("a handler panicked"));
    Ok(router
        .method_not_allowed_fallback(|| async { Error::method_not_allowed() })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(edge, edge::handle)))
}

fn community(routes: Routes, search: &Arc<Search>) -> Routes {
    let routes = chat::routes(reviews::routes(books::routes(profiles::routes(routes))));
    search::routes(routes, search)
}

/// The features' routes with their OpenAPI document.
pub fn api(app: &Arc<App>, search: &Arc<Search>) -> (Router<Arc<App>>, OpenApi) {
    let accounts = accounts::routes(Routes::new(app.guard.clone())).into_router();
    let mut tables = OpenApiRouter::new().nest("/api/auth", accounts);
    if app.config.community.enabled {
        tables = tables.nest("/api", community(Routes::new(app.guard.clone()), search).into_router());
        tables = tables.nest("/ws", chat::sockets(Routes::new(app.guard.clone())).into_router());
    }
    let (router, mut document) = tables.split_for_parts();
    document.info.title = "Portcullis".to_owned();
    document.info.description = None;
    let community = [profiles::TAGS, books::TAGS, reviews::TAGS, chat::TAGS, search::TAGS].concat();
    let community = if app.config.community.enabled { community } else { Vec::new() };
    let tags = accounts::TAGS
        .iter()
        .chain(&community)
        .map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)));
    document.tags = Some(tags.map(TagBuilder::build).collect());
    document.info.contact = None;
    document.info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme(BEARER, scheme);
    // The contract writes every path with its trailing slash.
    document.paths.paths = std::mem::take(&mut document.paths.paths)
        .into_iter()
        .map(|(path, item)| (format!("{path}/"), item))
        .collect();
    name_operations(&mut document);
    (router, document)
}
