//! The transformation's own cache: outputs on disk, keyed by the whole transformation URL.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::file_reply::OpenFile;
use crate::scratch::{Scratch, ScratchFile};

/// Outputs by URL, at most [`ENTRIES_MAX`]; the oldest make room.
#[derive(Debug)]
pub(crate) struct OutputCache {
    dir: PathBuf,
}

/// What is kept beside the bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    url: String,
    bytes: u64,
    operations: u64,
}

/// An output ready to be sent.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its bytes.
    pub(crate) file: OpenFile,
    /// What its making costs.
    pub(crate) operations: u64,
}

impl OutputCache {
    /// Opens the cache in `dir`; what an earlier run kept is still there.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    /// The output of `url`, if it was kept whole.
    pub(crate) async fn find(&self, url: &str) -> io::Result<Option<Kept>> {
        let (label, output) = self.paths(url);
        let label = match tokio::fs::read(&label).await {
            Ok(label) => label,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A label that cannot be read, or is another's, is as good as none.
        let Ok(Label { url: labelled, bytes, operations }) = serde_json::from_slice(&label) else {
            return Ok(None);
        };
        let Some(file) = OpenFile::open(&output).await? else { return Ok(None) };
        Ok((labelled == url && bytes == file.bytes()).then_some(Kept { file, operations }))
    }

    /// Keeps a finished output: the bytes first, then the label that makes them count.
    pub(crate) async fn keep(
        &self,
        scratch: &Scratch,
        url: &str,
        output: ScratchFile,
        operations: u64,
    ) -> io::Result<()> {
        self.make_room().await?;
        let (label_path, output_path) = self.paths(url);
        let bytes = tokio::fs::metadata(output.path()).await?.len();
        let label = Label { url: url.to_owned(), bytes, operations };
        output.publish(&output_path).await?;
        let writing = scratch.file("json");
        tokio::fs::write(writing.path(), serde_json::to_vec(&label)?).await?;
        writing.publish(&label_path).await
    }

    /// Forgets every output.
    pub(crate) async fn clear(&self) -> io::Result<()> {
        for (path, _) in self.files().await? {
            remove(&path).await?;
        }
        Ok(())
    }

    async fn make_room(&self) -> io::Result<()> {
        let mut files = self.files().await?;
        files.retain(|(path, _)| path.extension().is_some_and(|extension| extension == "json"));
        files.sort_by_key(|(_, modified)| *modified);
        let surplus = (files.len() + 1).saturating_sub(ENTRIES_MAX);
        for (label, _) in files.iter().take(surplus) {
            remove(label).await?;
            remove(&label.with_extension("out")).await?;
        }
        Ok(())
    }

    async fn files(&self) -> io::Result<Vec<(PathBuf, SystemTime)>> {
        let mut listing = tokio::fs::read_dir(&self.dir).await?;
        let mut files = Vec::new();
        while let Some(entry) = listing.next_entry().await? {
            // Another request may have removed it since.
            if let Ok(modified) = entry.metadata().await.and_then(|facts| facts.modified()) {
                files.push((entry.path(), modified));
            }
        }
        Ok(files)
    }

    fn paths(&self, url: &str) -> (PathBuf, PathBuf) {
        let path = self.dir.join(format!("{:x}", Sha256::digest(url)));
        (path.with_extension("json"), path.with_extension("out"))
    }
}

async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

const ENTRIES_MAX: usize = 1_000;
