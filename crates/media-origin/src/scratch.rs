//! Half-made files: they appear under their real name whole or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory for files in the making, on the same file system as their destinations.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: PathBuf,
    next: AtomicU64,
}

impl Scratch {
    /// Opens `dir`, emptied of what an earlier run left half-made.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir, next: AtomicU64::new(0) })
    }

    /// A name nobody else has; ffmpeg tells formats by `extension`.
    pub(crate) fn file(&self, extension: &str) -> ScratchFile {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        ScratchFile { path: self.dir.join(format!("{n}.{extension}")) }
    }
}

/// A file that disappears with its value, unless it was published.
#[derive(Debug)]
pub(crate) struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the finished file to its real name in one step, replacing what was there.
    pub(crate) async fn publish(self, destination: &Path) -> io::Result<()> {
        if let Some(parent) = destination.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        tokio::fs::rename(&self.path, destination).await
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // Gone already when it was published or never written.
        let _absent = std::fs::remove_file(&self.path);
    }
}
