//! A server to ask, and a client that sees how each answer ended on the wire.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use media_origin::{Log, Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

pub(crate) const BUNNY: &str = "/videos/big-buck-bunny-720p-5s.mp4";
pub(crate) const BUNNY_BYTES: &[u8] = include_bytes!("../../samples/big-buck-bunny-720p-5s.mp4");

/// A running server with an empty state directory of its own.
pub(crate) struct Local {
    address: SocketAddr,
    state_dir: PathBuf,
}

impl Local {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_in(empty_dir(), change).await
    }

    /// Another server on a state directory that has been used.
    pub(crate) async fn start_in(state_dir: PathBuf, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            host: [127, 0, 0, 1].into(),
            port: 0,
            state_dir: state_dir.clone(),
            log: Log::Off,
            source_bytes_max: 100_000_000,
            require_https: false,
        };
        change(&mut settings);
        let server = Server::open(settings).await.unwrap();
        let address = server.address();
        tokio::spawn(server.run());
        Self { address, state_dir }
    }

    pub(crate) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// The full URL of a path here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The path of a transformation of a source here.
    pub(crate) fn media(&self, options: &str, source: &str) -> String {
        format!("/cdn-cgi/media/{options}/{}", self.url(source))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"").await
    }

    pub(crate) async fn get_json(&self, path: &str) -> serde_json::Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        serde_json::from_slice(&reply.body).unwrap()
    }

    pub(crate) async fn post_json(&self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, &[("content-type", "application/json")], body.as_bytes()).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        Reply::read(stream, method).await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Samples are large; a server that is still at work may keep a few of them.
        let _left = std::fs::remove_dir_all(&self.state_dir);
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As announced.
    Whole,
    /// The connection closed before that.
    Short,
    /// The connection was reset before that.
    Reset,
}

pub(crate) struct Reply {
    /// 0 when not even a head arrived.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
    /// From the request to the head.
    pub(crate) head_after: Duration,
    /// From the request to the end.
    pub(crate) end_after: Duration,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "a test of latency needs a clock")]
    async fn read(mut stream: TcpStream, method: &str) -> Self {
        let asked = Instant::now();
        let mut raw = Vec::new();
        let mut head_after = None;
        let mut piece = vec![0; 64 * 1024];
        let closed = loop {
            match stream.read(&mut piece).await {
                Ok(0) => break End::Short,
                Ok(n) => raw.extend_from_slice(&piece[..n]),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                    break End::Reset;
                }
            }
            if head_after.is_none() && head_end(&raw).is_some() {
                head_after = Some(asked.elapsed());
            }
        };
        let Some(end) = head_end(&raw) else {
            assert!(raw.is_empty());
            return Self {
                status: 0,
                headers: Vec::new(),
                body: raw,
                end: closed,
                head_after: asked.elapsed(),
                end_after: asked.elapsed(),
            };
        };
        let head = String::from_utf8(raw[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap()[9..12].parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Self {
            status,
            headers,
            body: raw[end..].to_vec(),
            end: closed,
            head_after: head_after.unwrap(),
            end_after: asked.elapsed(),
        };
        let bodiless = method == "HEAD" || matches!(status, 204 | 304);
        let whole = if bodiless {
            reply.body.is_empty()
        } else if reply.header("transfer-encoding") == Some("chunked") {
            let (body, whole) = unchunked(&reply.body);
            reply.body = body;
            whole
        } else {
            reply.header("content-length").unwrap().parse() == Ok(reply.body.len())
        };
        if whole && closed == End::Short {
            reply.end = End::Whole;
        }
        reply
    }
}

fn head_end(raw: &[u8]) -> Option<usize> {
    raw.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The data of the chunks that arrived, and whether the last chunk did.
fn unchunked(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&raw[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let from = line + 2;
        let to = (from + size).min(raw.len());
        body.extend_from_slice(&raw[from..to]);
        raw = &raw[(to + 2).min(raw.len())..];
    }
    (body, false)
}

/// An origin that answers every request with these bytes; returns its address.
pub(crate) async fn scripted(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while head_end(&request).is_none() {
                if stream.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

/// What ffprobe says of an output: one line a stream (codec, width, height), and its length.
pub(crate) struct Probed {
    pub(crate) streams: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) pixel_format: String,
}

/// Decodes an output, whole, and says what it is.
pub(crate) async fn probe(bytes: &[u8]) -> Probed {
    let dir = empty_dir();
    let file = dir.join("output");
    tokio::fs::write(&file, bytes).await.unwrap();
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-xerror", "-i"])
        .arg(&file)
        .args(["-f", "null", "-"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && said.is_empty(), "{said}");
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries"])
        .arg("stream=codec_name,width,height,pix_fmt:format=duration")
        .arg(&file)
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let streams = said["streams"].as_array().unwrap();
    Probed {
        streams: streams
            .iter()
            .map(|stream| match (&stream["codec_name"], stream["width"].as_u64()) {
                (name, Some(width)) => {
                    format!("{} {width}x{}", name.as_str().unwrap(), stream["height"])
                }
                (name, None) => name.as_str().unwrap().to_owned(),
            })
            .collect(),
        seconds: said["format"]["duration"].as_str().map_or(0.0, |text| text.parse().unwrap()),
        pixel_format: streams[0]["pix_fmt"].as_str().unwrap_or_default().to_owned(),
    }
}

/// One second of a small test picture in the container of this extension.
pub(crate) async fn drawn(extension: &str) -> Vec<u8> {
    let dir = empty_dir();
    let file = dir.join("drawn").with_extension(extension);
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=10:d=1"])
        .arg(&file)
        .status()
        .await
        .unwrap();
    assert!(made.success());
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    bytes
}

/// A directory nobody has used.
pub(crate) fn empty_dir() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("media-origin-{}-{n}", std::process::id());
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    std::fs::create_dir_all(&dir).unwrap();
    dir
}
