//! Connections that can be broken on purpose.
//!
//! A handler above hyper can neither reset a connection nor know when its bytes have left.
//! The listener here gives each connection a [`WireHandle`] that can do both.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A handler's hold on the connection its request came by.
#[derive(Debug, Clone)]
pub(crate) struct WireHandle(Arc<State>);

#[derive(Debug)]
struct State {
    cut: AtomicBool,
    flushes: watch::Sender<u64>,
}

impl WireHandle {
    fn new() -> Self {
        Self(Arc::new(State { cut: AtomicBool::new(false), flushes: watch::Sender::new(0) }))
    }

    /// Nothing more is written; the client sees a reset (RST) as soon as hyper next writes.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Ordering::Relaxed);
    }

    /// Whether the connection was cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::Relaxed)
    }

    /// Ready when everything given to hyper before the call has gone to the kernel.
    ///
    /// hyper drops what it has buffered when a body fails; a body that promised `n` bytes
    /// and then a failure waits here between the two.
    pub(crate) fn flushed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut flushes = self.0.flushes.subscribe();
        async move {
            // The sender lives as long as the connection; without it there is nothing to wait for.
            let _closed = flushes.changed().await;
        }
    }
}

/// The server's listener.
#[derive(Debug)]
pub(crate) struct WireListener(pub(crate) TcpListener);

impl Listener for WireListener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => return (Wire { stream, handle: WireHandle::new() }, peer),
                // Out of descriptors, or the client was quicker to leave: neither ends the server.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, WireListener>> for WireHandle {
    fn connect_info(incoming: IncomingStream<'_, WireListener>) -> Self {
        incoming.io().handle.clone()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    handle: WireHandle,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.handle.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.handle.0.flushes.send_modify(|flushes| *flushes = flushes.wrapping_add(1));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.handle.is_cut() {
            return Poll::Ready(Ok(())); // An orderly end would hide the reset.
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.handle.is_cut() {
            // Closing with no time to linger sends RST instead of FIN.
            let _best_effort = self.stream.set_zero_linger();
        }
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
