//! Goal: the program starts, fails and stops as whoever runs it expects.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::empty_dir;

fn program(port: &str, state_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_media-origin"));
    command
        .env("MEDIA_PORT", port)
        .env("MEDIA_STATE_DIR", state_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Waits for the line that says it is ready and returns the URL in it.
async fn ready(child: &mut Child) -> String {
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).await.unwrap();
    child.stdout = Some(stdout.into_inner());
    line.trim_end().strip_prefix("media-origin ready at ").unwrap().to_owned()
}

async fn ended(mut command: Command) -> Output {
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
    output.unwrap().unwrap()
}

/// One sentence on stderr with this in it, nothing on stdout, and not success.
#[track_caller]
fn failed(output: &Output, with: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains(with) && said.lines().count() == 1, "{said}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_in_one_sentence() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    failed(&ended(program(&port, &empty_dir())).await, "in use");

    let mut without_ffmpeg = program("0", &empty_dir());
    without_ffmpeg.env("PATH", empty_dir());
    failed(&ended(without_ffmpeg).await, "install the package ffmpeg");

    failed(&ended(program("port", &empty_dir())).await, "MEDIA_PORT");

    let file = empty_dir().join("file");
    std::fs::write(&file, "").unwrap();
    failed(&ended(program("0", &file)).await, "for state");
}

#[tokio::test]
async fn a_signal_stops_it_and_its_ffmpeg_at_once() {
    for signal in ["-INT", "-TERM"] {
        let state_dir = empty_dir();
        let mut child = program("0", &state_dir).spawn().unwrap();
        let url = ready(&mut child).await;
        let address = url.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let ask = b"GET /videos/generated/600s-1920x1080.mp4 HTTP/1.1\r\nHost: a\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, ask).await.unwrap();
        wait_until(|| ffmpegs(&state_dir) == 1).await;

        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
        let status = tokio::time::timeout(Duration::from_secs(3), child.wait()).await;
        assert!(status.unwrap().unwrap().success(), "{signal}");
        wait_until(|| ffmpegs(&state_dir) == 0).await;
        let mut rest = String::new();
        child.stdout.take().unwrap().read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "", "one line on stdout is all");
    }
}

/// Running ffmpegs that write below `state_dir`.
fn ffmpegs(state_dir: &Path) -> usize {
    let state_dir = state_dir.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .filter(|line| line.starts_with("ffmpeg\0") && line.contains(state_dir))
        .count()
}

async fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come about within 5 s");
}
