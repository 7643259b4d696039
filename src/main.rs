//! The command line.

// The optimising compiler walks the nested futures of a whole server to lay them out.
#![recursion_limit = "256"]

mod verbs;

use clap::{Parser, Subcommand};
use portcullis::app::{self, Running};
use portcullis::config::{self, Config};
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use std::fmt;
use std::process::ExitCode;
use verbs::print;

// Half as much time goes into small allocations as with the C library's. Without huge pages (a feature of the
// crate), which would make an idle server twice as large.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An account server: registration, tokens, passwords, mail, in one binary.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    /// A setting, as SECTION__KEY=VALUE; stronger than the environment. May be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
    /// The settings file, instead of portcullis.toml in the working directory.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs the server.
    Serve {
        /// Where to listen, e.g. 127.0.0.1:8000.
        #[arg(long)]
        listen: Option<String>,
    },
    /// Brings the database up to date and ends.
    Migrate,
    /// Makes a superuser, active and verified.
    Createsuperuser {
        /// The username.
        #[arg(long)]
        username: String,
        /// The address.
        #[arg(long)]
        email: String,
        /// Reads the password from standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Prints a fresh SECRET_KEY.
    Secret,
    /// Checks whether an installation is safe.
    ///
    /// Exit code: 0 nothing is unsafe (there may be warnings), 1 something is, 2 it could not be judged.
    Check(verbs::check::CheckArguments),
    /// Shows the settings.
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Writes a backup, beside a running server too.
    ///
    /// The file holds every table as of one moment, and uploaded files. It can be restored into SQLite,
    /// MySQL or MariaDB, whichever it came from. Accounts and hashes are readable in it: keep it as you keep
    /// the database.
    ///
    /// Signing keys and unsent mails are sealed in it, as in the database: to restore them you need the same
    /// SECRET_KEY, which is NOT in the backup. Keep it elsewhere. Only where no SECRET_KEY is set, in
    /// development, the secret of the data directory is in the backup.
    Backup(verbs::backup::BackupArguments),
    /// Restores a backup, into whichever database the settings name.
    ///
    /// The file is checked to its end before anything is touched, and the rows are replaced in one
    /// transaction: whatever fails, the database is as it was. Sessions and accounts that are not in the backup
    /// end. Over a database (--replace) its other sessions go on, and what has ended there stays ended, but all
    /// else is as it was in the backup: passwords, addresses and rights of staff too, bans and deletions are
    /// undone. A server that runs meanwhile goes on with the restored rows within a second, but may answer 503
    /// while they are replaced.
    ///
    /// An empty database knows nothing of what has happened since: whoever has refreshed a token logs in again,
    /// and who was logged out is back. To move to another machine, stop the server before the backup.
    ///
    /// SECRET_KEY must be that of the server that was backed up. A backup of development brings its own
    /// secret along, and restore puts it into the data directory unless SECRET_KEY is set.
    Restore(verbs::backup::RestoreArguments),
    /// Lists, rotates and revokes the keys that sign tokens.
    Keys {
        #[command(subcommand)]
        verb: verbs::keys::KeysVerb,
    },
    /// Chooses the cost of password hashes.
    Hash {
        #[command(subcommand)]
        verb: verbs::hash::HashVerb,
    },
    /// Shows accounts, bans them, ends their sessions, makes them staff.
    Users {
        #[command(subcommand)]
        verb: verbs::users::UsersVerb,
    },
    /// Invites people, where ACCOUNTS__REGISTRATION is invite.
    Invite {
        #[command(subcommand)]
        verb: verbs::invite::InviteVerb,
    },
    /// Tries the mail settings.
    Mail {
        #[command(subcommand)]
        verb: MailVerb,
    },
    /// Loads users, books and reviews from a JSON file, beside a running server too; users come in verified.
    Load {
        /// `{"users": [{"username", "email", "password" or "password_hash", …}], "books": [{"title", "author",
        /// …}], "reviews": [{"user", "book", "title", "review_text", "rating", …}]}`; `user` and `book` are places
        /// in the lists.
        file: std::path::PathBuf,
    },
    /// Keeps the list of books.
    Books {
        #[command(subcommand)]
        verb: verbs::books::BooksVerb,
    },
    /// Makes a small community to look around in: people, books, reviews. Not in production.
    Demo,
    /// Prints the OpenAPI document.
    Openapi,
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Every setting, its value, where it came from and why it is there. Secrets are not shown.
    Explain,
}

#[derive(Subcommand)]
enum MailVerb {
    /// Sends a test mail.
    Test {
        /// Where to.
        address: String,
    },
}

fn main() -> ExitCode {
    // Libraries that use TLS look for the process's provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => match cli.verb {
            Verb::Check(_) => {
                let code = runtime.block_on(check(cli));
                // A name server or a pipe that is silent keeps a thread that nothing can end.
                runtime.shutdown_background();
                return code;
            }
            _ => runtime.block_on(run(cli)),
        },
        Err(error) => Err(Failure(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("portcullis: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What went wrong and what to do, for a person.
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Apart from the other verbs, since a finding is no failure to run.
async fn check(cli: Cli) -> ExitCode {
    match (flags(&cli), cli.verb) {
        (Ok(flags), Verb::Check(arguments)) => verbs::check::run(flags, arguments).await,
        (Err(Failure(message)), _) => {
            eprintln!("portcullis: {message}");
            ExitCode::from(2)
        }
        _ => ExitCode::from(2),
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let flags = flags(&cli)?;
    match cli.verb {
        Verb::Serve { .. } => serve(Config::load(flags)?).await,
        Verb::Migrate => migrate(&Config::load(flags)?).await,
        Verb::Createsuperuser { username, email, password_stdin } => {
            let password = read_password(password_stdin)?;
            let config = Config::load(flags)?;
            let app = app::build(config, Clock::system(), Random::system()).await?;
            let made = portcullis::admin::create_superuser(&app, &username, &email, password).await?;
            print(&format!("{made}\n"));
            app.storage.close().await;
            Ok(())
        }
        Verb::Secret => {
            print(&format!("{}\n", portcullis::admin::fresh_secret(&Random::system())));
            Ok(())
        }
        Verb::Check(_) => Err(Failure("check has an exit code of its own".to_owned())),
        Verb::Config { verb: ConfigVerb::Explain } => {
            let settings = config::Settings::merge(config::Sources::from_process(flags));
            print(&config::explain::render(&config::explain::explain(&settings)));
            Ok(())
        }
        Verb::Backup(arguments) => Ok(verbs::backup::backup(&Config::load(flags)?, arguments).await?),
        Verb::Restore(arguments) => Ok(verbs::backup::restore(&Config::load(flags)?, arguments).await?),
        Verb::Keys { verb } => Ok(verbs::keys::run(Config::load(flags)?, verb).await?),
        Verb::Hash { verb } => Ok(verbs::hash::run(&Config::load(flags)?, verb).await?),
        Verb::Users { verb } => Ok(verbs::users::run(Config::load(flags)?, verb).await?),
        Verb::Invite { verb } => Ok(verbs::invite::run(Config::load(flags)?, verb).await?),
        Verb::Mail { verb: MailVerb::Test { address } } => send_test(&Config::load(flags)?, &address).await,
        Verb::Load { file } => load(Config::load(flags)?, &file).await,
        Verb::Books { verb } => Ok(verbs::books::run(Config::load(flags)?, verb).await?),
        Verb::Demo => Ok(verbs::demo::run(Config::load(flags)?).await?),
        Verb::Openapi => print_openapi().await,
    }
}

fn flags(cli: &Cli) -> Result<Vec<(String, String)>, Failure> {
    let mut flags = Vec::new();
    for setting in &cli.set {
        let (key, value) =
            setting.split_once('=').ok_or_else(|| Failure(format!("--set {setting}: write KEY=VALUE")))?;
        flags.push((key.to_owned(), value.to_owned()));
    }
    flags.extend(cli.config.iter().map(|path| ("config".to_owned(), path.clone())));
    if let Verb::Serve { listen: Some(listen) } = &cli.verb {
        flags.push(("SERVER__LISTEN".to_owned(), listen.clone()));
    }
    Ok(flags)
}

async fn serve(config: Config) -> Result<(), Failure> {
    let _log = portcullis::log::start(&config.log)?;
    let is_folder = config.mail.directory().is_some();
    let running = Running::start(config, Clock::system(), Random::system()).await?;
    let app = running.app();
    let url = app.config.server.public_url.as_str().to_owned();
    tracing::info!(address = %running.address(), %url, "listening");
    if app.is_development() && is_folder {
        tracing::info!("mails are at {url}/dev/mail/");
    }
    if !portcullis::admin::has_superuser(app).await? {
        tracing::info!(
            "there is no superuser yet: portcullis createsuperuser --username NAME --email ADDRESS"
        );
    }
    wait_for_signal().await?;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn migrate(config: &Config) -> Result<(), Failure> {
    app::open_storage(config).await?.close().await;
    print("The database is up to date.\n");
    Ok(())
}

fn read_password(from_stdin: bool) -> Result<portcullis_security::secret::Secret, Failure> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).into());
    }
    let unseen = |error| {
        Failure(format!("no terminal to ask for the password ({error}): give it with --password-stdin"))
    };
    let password = rpassword::prompt_password("Password: ").map_err(unseen)?;
    if password == rpassword::prompt_password("Password (again): ")? {
        Ok(password.into())
    } else {
        Err(Failure("the two passwords differ".to_owned()))
    }
}

async fn send_test(config: &Config, address: &str) -> Result<(), Failure> {
    let hello = config.server.public_url.host().to_owned();
    let transport = portcullis::mail::Transport::open(config.mail.url.expose_text(), &hello)?;
    app::mailer(config, transport)?.send_test(address, Clock::system().now()).await?;
    print(&format!("A test mail was handed over for {address}.\n"));
    Ok(())
}

async fn load(config: Config, path: &std::path::Path) -> Result<(), Failure> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let file = portcullis::load::LoadFile::parse(&text)
        .map_err(|error| format!("{} is not valid: {error}", path.display()))?;
    let bar = indicatif::ProgressBar::new(file.rows() as u64);
    let app = app::build(config, Clock::system(), Random::system()).await?;
    let outcome = portcullis::load::load(&app, file, |done| bar.set_position(done as u64)).await;
    app.storage.close().await;
    bar.finish_and_clear();
    let report = outcome.map_err(|error| format!("the database refused: {error:?}"))?;
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    let portcullis::load::Report { users, books, reviews, rooms, problems } = &report;
    print(&format!(
        "{users} users, {books} books, {reviews} reviews and {rooms} rooms were loaded, {} rows were not.\n",
        problems.len()
    ));
    if report.problems.is_empty() { Ok(()) } else { Err(Failure("some rows were not loaded".to_owned())) }
}

/// The document describes the program, not an installation: it is made without settings, and the database
/// that the routes want is thrown away.
async fn print_openapi() -> Result<(), Failure> {
    let random = Random::system();
    let name = format!("portcullis-openapi-{:016x}", u64::from_le_bytes(random.bytes()));
    let folder = std::env::temp_dir().join(name);
    let app = app::build(Config::development(&folder), Clock::system(), random).await?;
    let search = portcullis::search::Search::new(&app, tokio_util::sync::CancellationToken::new())?;
    let (_, document) = app::api(&app, &search);
    app.storage.close().await;
    std::fs::remove_dir_all(&folder)?;
    print(&format!("{}\n", document.to_pretty_json()?));
    Ok(())
}
