//! The local media origin: sample videos, and a stand-in for `/cdn-cgi/media` made with ffmpeg.
//!
//! Where to look:
//! - `source` serves samples (`samples` knows them, `file_reply` the HTTP of files).
//! - `transform` is the stand-in: `options` reads what is asked, `fetch` gets the source,
//!   `geometry` and `ffmpeg` make the output, `output_cache` keeps it, `bill` counts the cost,
//!   `refusal` has the platform's error codes.
//! - `fault` and `fault_path` are faults to order, `suffer` and `wire` carry them out.
//! - `control` is the API for tests and people, with the `journal` of requests; `page` is a page.
//!
//! Everything here is for one machine: it trusts whoever reaches it.

mod bill;
mod clock;
mod control;
mod fault;
mod fault_path;
mod fetch;
mod ffmpeg;
mod file_reply;
mod flights;
mod geometry;
mod journal;
mod options;
mod output_cache;
mod page;
mod refusal;
mod samples;
mod scratch;
mod settings;
mod source;
mod suffer;
mod transform;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Response;
use axum::middleware::{self, Next};
use axum::routing::{any, get};
use tokio::net::TcpListener;

pub use settings::{Log, Settings};
use wire::{WireHandle, WireListener};

/// All that requests share.
#[derive(Debug)]
struct Origin {
    samples: Arc<samples::Samples>,
    scratch: Arc<scratch::Scratch>,
    ffmpeg: Arc<ffmpeg::Ffmpeg>,
    fetcher: fetch::Fetcher,
    outputs: output_cache::OutputCache,
    flights: flights::Flights,
    faults: fault::Faults,
    bill: bill::Bill,
    journal: journal::Journal,
    require_https: bool,
    log: Log,
}

/// A server whose port is open; it answers once it is [run](Server::run).
#[derive(Debug)]
pub struct Server {
    listener: WireListener,
    address: SocketAddr,
    origin: Arc<Origin>,
}

impl Server {
    /// Takes the port and the state directory, and looks for ffmpeg.
    /// What fails is said in one sentence for whoever started it.
    pub async fn open(settings: Settings) -> Result<Self, String> {
        let Settings { host, port, state_dir, log, source_bytes_max, require_https } = settings;
        // The port first: it is what keeps two servers from one state directory.
        let listener = TcpListener::bind((host, port)).await.map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                format!("port {port} on {host} is in use: stop what has it, or set MEDIA_PORT")
            } else {
                format!("cannot listen on {host}:{port}: {error}")
            }
        })?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let ffmpeg = Arc::new(ffmpeg::Ffmpeg::find().await?);
        let unusable = |error| format!("cannot use {} for state: {error}", state_dir.display());
        let scratch = scratch::Scratch::open(state_dir.join("scratch")).map_err(unusable)?;
        let scratch = Arc::new(scratch);
        let samples = samples::Samples::open(&state_dir, Arc::clone(&scratch), Arc::clone(&ffmpeg))
            .map_err(unusable)?;
        let outputs =
            output_cache::OutputCache::open(state_dir.join("outputs")).map_err(unusable)?;
        let origin = Origin {
            samples: Arc::new(samples),
            scratch,
            ffmpeg,
            fetcher: fetch::Fetcher::new(source_bytes_max)?,
            outputs,
            flights: flights::Flights::default(),
            faults: fault::Faults::default(),
            bill: bill::Bill::default(),
            journal: journal::Journal::default(),
            require_https,
            log,
        };
        Ok(Self { listener: WireListener(listener), address, origin: Arc::new(origin) })
    }

    /// Where it listens; with port 0 asked, the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until the future is dropped; ffmpeg runs end with the runtime.
    pub async fn run(self) -> io::Result<()> {
        let Self { listener, address: _, origin } = self;
        let routes = Router::new()
            .route("/", get(page::index))
            .route("/page/{name}", get(page::named))
            .route("/cdn-cgi/media/{*rest}", any(transform::handle))
            .route("/videos/{*name}", any(source::handle))
            .route("/private/{*name}", any(source::handle))
            .route("/fault/{*name}", any(source::handle))
            .route("/source-fault/{*name}", any(source::handle))
            .layer(middleware::from_fn_with_state(Arc::clone(&origin), noted))
            .nest("/_origin", control::routes())
            .with_state(origin);
        axum::serve(listener, routes.into_make_service_with_connect_info::<WireHandle>()).await
    }
}

/// Writes every request down, with the status it got.
async fn noted(
    State(origin): State<Arc<Origin>>,
    ConnectInfo(wire): ConnectInfo<WireHandle>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let mut entry = journal::Entry::of(&request);
    let response = next.run(request).await;
    entry.status = (!wire.is_cut()).then(|| response.status().as_u16());
    if origin.log == Log::Text {
        let status = entry.status.map_or_else(|| "reset".to_owned(), |status| status.to_string());
        eprintln!("{} {} {status}", entry.method, entry.path);
    }
    origin.journal.note(entry);
    response
}
