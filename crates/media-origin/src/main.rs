//! The local media origin as a program; see the crate's README.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use media_origin::{Server, Settings};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime cannot start: {error}")),
    };
    let outcome = runtime.block_on(serve());
    // Dropping its tasks kills the ffmpegs they wait for.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => failed(&sentence),
    }
}

/// Serves until told to stop.
async fn serve() -> Result<(), String> {
    let failing = |error: std::io::Error| format!("it cannot run: {error}");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failing)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failing)?;
    let settings = Settings::read(|key| std::env::var(key).ok())?;
    let server = Server::open(settings).await?;
    let mut stdout = std::io::stdout();
    // Nobody may be reading any more; that is no reason not to serve.
    let _unread = writeln!(stdout, "media-origin ready at http://{}", server.address());
    let _unread = stdout.flush();
    tokio::select! {
        ended = server.run() => ended.map_err(failing),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

fn failed(sentence: &str) -> ExitCode {
    eprintln!("media-origin: {sentence}");
    ExitCode::FAILURE
}

const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
