//! The command line.

use clap::{Parser, Subcommand};
use copartner::app::worker::Worker;
use copartner::app::{audit_check, bootstrap, demo, document, document_3_0, ledger_check, serve};
use copartner::kernel::id::OrganizationId;
use copartner::platform::clock::{Clock, SystemClock};
use copartner::platform::config::{DatabaseSettings, LogSettings, ServeSettings, listen_address};
use copartner::platform::db::{Db, migrate};
use copartner::platform::embedded_postgres::EmbeddedPostgres;
use copartner::platform::stripe::StripeSettings;
use copartner::platform::{memory, telemetry};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often the private Postgres is looked after.
const WATCH: Duration = Duration::from_secs(1);

type Outcome = Result<(), Box<dyn Error>>;
/// What a check found to be broken, if it could look.
type Checked = Result<Option<&'static str>, Box<dyn Error>>;

/// Headless Partner Relationship Management: partners, deals, attribution, commissions and payouts over HTTP.
///
/// Without a command it serves, and without DATABASE_URL it brings up its own private Postgres.
#[derive(Debug, Parser)]
#[command(name = "copartner", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
    #[command(flatten)]
    log: LogSettings,
}

#[derive(Debug, clap::Args)]
struct ServeArguments {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    serve: ServeSettings,
    #[command(flatten)]
    stripe: StripeSettings,
}

#[derive(Debug, clap::Args)]
struct WorkerArguments {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    stripe: StripeSettings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (the default). Migrates first, and on the very first start makes an organization and a key.
    Serve(Box<ServeArguments>),
    /// Do the background work only: imports, holds, transfers, event numbers, seals of the audit trail. Any number may run.
    Worker(Box<WorkerArguments>),
    /// Bring the schema up to date and end.
    Migrate(DatabaseSettings),
    /// Walk through a small, invented program by real calls and show each. Uses a throwaway Postgres, or DATABASE_URL
    /// with an organization of its own.
    Demo(DatabaseSettings),
    /// Work on organizations.
    #[command(subcommand)]
    Organization(OrganizationCommand),
    /// Work on keys: the way back when every admin key is lost.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Work on the books.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Work on the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the OpenAPI document.
    Openapi {
        /// The version of OpenAPI: 3.1 or 3.0.
        #[arg(long, default_value = "3.1", value_parser = ["3.1", "3.0"])]
        format: String,
    },
    /// Ask a running service whether it is ready; ends with 0 when it is.
    Healthcheck(HealthcheckArguments),
}

#[derive(Debug, clap::Args)]
struct HealthcheckArguments {
    /// Address and port that the service listens on; the question goes to this machine.
    #[arg(long, env = "COPARTNER_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: SocketAddr,
}

#[derive(Debug, Subcommand)]
enum OrganizationCommand {
    /// Found another organization and print its first admin key, this one time. Migrates first. A private Postgres
    /// must not be in use by a running service.
    Create {
        /// Its name.
        #[arg(long, value_parser = organization_name)]
        name: String,
        /// For trying things out: its clock can be advanced, so that what takes months happens at once. Set for good.
        #[arg(long)]
        sandbox: bool,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

#[derive(Debug, Subcommand)]
enum ApiKeyCommand {
    /// Make another admin key and print it, this one time; the audit trail says that the service made it. For whoever
    /// lost every key, and can reach the database. A private Postgres must not be in use by a running service.
    Create {
        /// The organization's id; may be left out where there is only one.
        #[arg(long)]
        organization: Option<OrganizationId>,
        /// With every permission; no other kind is made here.
        #[arg(long, required = true)]
        admin: bool,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check that everything stored about money agrees: ledger, commissions, payouts, explanations, events. Changes
    /// nothing; ends with 1 and names the first broken row of each check that fails, and with 2 when it could not look. A
    /// private Postgres must not be in use by a running service.
    Check(DatabaseSettings),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Compute the hashes of every audit trail again. Changes nothing; ends with 1 and names the first fault of each
    /// trail that is broken, and with 2 when it could not look. A private Postgres must not be in use by a running
    /// service.
    Verify(DatabaseSettings),
}

fn main() -> ExitCode {
    memory::share_heaps();
    dotenvy::dotenv().ok();
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(Box::new(cli.serve))) {
        Command::Serve(arguments) => run_serve(&arguments, &cli.log),
        Command::Worker(arguments) => run_worker(&arguments, &cli.log),
        Command::Migrate(settings) => run_migrate(&settings),
        Command::Demo(settings) => run_demo(&settings),
        Command::Organization(OrganizationCommand::Create {
            name,
            sandbox,
            database,
        }) => {
            let mode = if sandbox {
                bootstrap::OrganizationMode::Sandbox
            } else {
                bootstrap::OrganizationMode::Live
            };
            run_organization_create(&name, mode, &database)
        }
        Command::ApiKey(ApiKeyCommand::Create {
            organization,
            database,
            ..
        }) => run_api_key_create(organization, &database),
        Command::Ledger(LedgerCommand::Check(settings)) => return checked(run_ledger_check(&settings)),
        Command::Audit(AuditCommand::Verify(settings)) => return checked(run_audit_verify(&settings)),
        Command::Openapi { format } => run_openapi(&format),
        Command::Healthcheck(arguments) => run_healthcheck(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// A check ends with 1 where something does not agree, and with 2 where it could not look.
fn checked(found: Checked) -> ExitCode {
    match found {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(fault)) => {
            say(fault);
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn say(line: &str) {
    eprintln!("copartner: {line}");
}

fn run_serve(arguments: &ServeArguments, log: &LogSettings) -> Outcome {
    telemetry::log(log)?;
    let figures = telemetry::metrics()?;
    let database = serve::database(&arguments.database, &mut say)?;
    let applied = migrate::run(&database.owner_url)?;
    say(&format!(
        "schema up to date ({} migrations ran now)",
        applied.len()
    ));
    let db = Db::new(&database.settings);
    let listener = serve::listen(&arguments.serve)?;
    let address = listener.local_addr()?;
    if database.private.is_some() {
        Worker::take_over(&db)?;
    }
    found_if_first(&db, &arguments.serve, address)?;
    let stripe = serve::stripe(&db, &arguments.stripe, &mut say)?;
    let state = serve::state(db, Arc::new(SystemClock), &arguments.serve, stripe)?;
    let worker = if arguments.serve.without_worker {
        None
    } else {
        Some(serve::worker(&state)?)
    };
    let runtime = actix_web::rt::System::new();
    runtime.block_on(async {
        let connections = database.settings.write_connections;
        let server = serve::server(listener, state, figures, &arguments.serve, connections)?;
        until_told(server, address, database.private.as_ref()).await
    })?;
    drop(worker);
    if let Some(postgres) = database.private {
        say("stopping Postgres");
        postgres.stop()?;
    }
    say("stopped");
    Ok(())
}

/// Runs the server until SIGINT or SIGTERM, which it hears from the moment it says that it serves; what is in flight is
/// finished.
///
/// A private Postgres that ends by itself ends the service with an error, so that whoever watches over it starts both
/// again.
async fn until_told(
    server: actix_web::dev::Server,
    address: SocketAddr,
    postgres: Option<&EmbeddedPostgres>,
) -> Outcome {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    say(&format!(
        "serving on http://{address} (documentation: http://{address}/docs/)"
    ));
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let told = futures_util::future::select(Box::pin(interrupt.recv()), Box::pin(terminate.recv()));
    let lost = matches!(
        futures_util::future::select(told, Box::pin(until_gone(postgres))).await,
        futures_util::future::Either::Right(_)
    );
    say(if lost {
        "Postgres ended by itself"
    } else {
        "finishing what is in flight"
    });
    handle.stop(!lost).await;
    running.await??;
    if lost {
        Err("the private Postgres ended by itself; see postgres.log in the data folder".into())
    } else {
        Ok(())
    }
}

/// Ends when the private Postgres is gone; never without one.
async fn until_gone(postgres: Option<&EmbeddedPostgres>) {
    while postgres.is_none_or(|postgres| postgres.process_id().is_some()) {
        actix_web::rt::time::sleep(WATCH).await;
    }
}

/// On the very first start, makes an organization and shows its key, this one time. All that may fail has been done
/// before, and the key is shown before it is written, because nobody could show it again.
fn found_if_first(db: &Db, settings: &ServeSettings, address: SocketAddr) -> Outcome {
    if !bootstrap::is_first_start(db)? {
        return Ok(());
    }
    let file = settings.bootstrap_key_file.as_deref();
    let file = file.map(bootstrap::key_file).transpose()?;
    let founded = bootstrap::organization(
        db,
        "My organization",
        bootstrap::OrganizationMode::Live,
        SystemClock.now(),
    )?;
    welcome(&founded, address, file)
}

/// Shows the first key, this one time.
fn welcome(founded: &bootstrap::Founded, address: SocketAddr, file: Option<File>) -> Outcome {
    let key = &founded.secret.text;
    say("first start: here is your organization's first admin key. It is shown this one time.");
    eprintln!(
        "\n    export COPARTNER_KEY={key}\n    curl -H \"Authorization: Bearer $COPARTNER_KEY\" http://{address}/v1/organization\n"
    );
    if let Some(mut file) = file {
        writeln!(file, "{key}")?;
    }
    Ok(())
}

fn run_worker(arguments: &WorkerArguments, log: &LogSettings) -> Outcome {
    telemetry::log(log)?;
    let database = serve::database(&arguments.database, &mut say)?;
    let worker = {
        let (db, clock): (_, Arc<dyn Clock>) = (Db::new(&database.settings), Arc::new(SystemClock));
        let stripe = serve::stripe(&db, &arguments.stripe, &mut say)?;
        Worker::start(&db, &clock, stripe.as_ref())?
    };
    let runtime = actix_web::rt::System::new();
    runtime.block_on(async {
        use actix_web::rt::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        say("working in the background");
        futures_util::future::select(Box::pin(interrupt.recv()), Box::pin(terminate.recv())).await;
        Ok::<(), std::io::Error>(())
    })?;
    worker.stop();
    Ok(())
}

fn run_migrate(settings: &DatabaseSettings) -> Outcome {
    let database = serve::database(settings, &mut say)?;
    for name in migrate::run(&database.owner_url)? {
        say(&format!("ran {name}"));
    }
    say("schema up to date");
    Ok(())
}

fn run_demo(settings: &DatabaseSettings) -> Outcome {
    Ok(demo::run(settings, &mut say, &mut std::io::stdout().lock())?)
}

/// A name as the API would take it.
fn organization_name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the name must not be empty"),
        name if name.chars().count() > 255 => Err("the name may have at most 255 characters"),
        name => Ok(name.to_owned()),
    }
}

fn run_organization_create(
    name: &str,
    mode: bootstrap::OrganizationMode,
    settings: &DatabaseSettings,
) -> Outcome {
    let database = serve::database(settings, &mut say)?;
    migrate::run(&database.owner_url)?;
    let db = Db::new(&database.settings);
    let founded = bootstrap::organization(&db, name, mode, SystemClock.now())?;
    say(&format!("founded {} ({name}, {mode})", founded.organization_id));
    writeln!(std::io::stdout().lock(), "{}", founded.secret.text)?;
    Ok(())
}

fn run_api_key_create(organization_id: Option<OrganizationId>, settings: &DatabaseSettings) -> Outcome {
    let database = serve::known_database(settings, &mut say)?;
    migrate::run(&database.owner_url)?;
    let made = bootstrap::admin_key(&Db::new(&database.settings), organization_id, SystemClock.now())?;
    say(&format!(
        "an admin key of {}, shown this one time",
        made.organization_id
    ));
    writeln!(std::io::stdout().lock(), "{}", made.secret.text)?;
    Ok(())
}

fn run_ledger_check(settings: &DatabaseSettings) -> Checked {
    let database = serve::known_database(settings, &mut say)?;
    let findings = ledger_check::all(&Db::new(&database.settings), SystemClock.now())?;
    let mut broken = 0;
    for finding in &findings {
        let organization_id = finding.organization_id;
        for fault in &finding.faults {
            say(&format!("{organization_id}: BROKEN: {fault}"));
        }
        broken += finding.faults.len();
        say(&format!(
            "{organization_id}: {} explanations computed again, {} checks failed",
            finding.recomputed,
            finding.faults.len()
        ));
    }
    Ok((broken > 0).then_some("the books are broken"))
}

fn run_audit_verify(settings: &DatabaseSettings) -> Checked {
    let database = serve::known_database(settings, &mut say)?;
    let findings = audit_check::all(&Db::new(&database.settings), SystemClock.now())?;
    for finding in &findings {
        say(&finding.to_string());
    }
    let is_broken = findings.iter().any(audit_check::Finding::is_broken);
    Ok(is_broken.then_some("the audit trail is broken"))
}

fn run_openapi(format: &str) -> Outcome {
    let document = if format == "3.0" {
        document_3_0()
    } else {
        document()
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
    Ok(())
}

fn run_healthcheck(arguments: &HealthcheckArguments) -> Outcome {
    use std::io::Read;
    let port = arguments.listen.port();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))
        .map_err(|error| format!("nothing answers at 127.0.0.1:{port} (COPARTNER_LISTEN): {error}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err("the service is not ready".into())
    }
}
