//! A part of a body that was put aside: in memory while it is small, in a temporary file beyond.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_core::Stream;

use super::error::{BodyError, Kind};
use crate::json::{FromJson, Mismatch, Value};

/// What is kept in memory of one file; the rest goes to the disk.
pub(super) const IN_MEMORY: usize = 64 * 1024;
/// How much is read from the disk at a time.
const CHUNK: usize = 64 * 1024;

/// A file that was sent. Clones are one file. A large one lies in the folder for temporary files (`TMPDIR`) without a
/// name: nobody else can open it, and it is gone when its last clone is dropped, also after a crash.
#[derive(Clone, Debug)]
pub struct File(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Option<String>,
    media_type: Option<String>,
    length: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Memory(Bytes),
    /// One cursor for all readers, so each seeks before it reads.
    Disk(Arc<Mutex<std::fs::File>>),
}

impl File {
    pub(super) fn described(self, name: Option<String>, media_type: Option<String>) -> File {
        let content = match &self.0.content {
            Content::Memory(bytes) => Content::Memory(bytes.clone()),
            Content::Disk(file) => Content::Disk(Arc::clone(file)),
        };
        File(Arc::new(Inner { name, media_type, length: self.0.length, content }))
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.0.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// The name that the sender gave it. It is the sender's word: never a path to write to.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The media type that the sender gave it, checked against the document's `contentType` where there is one.
    pub fn media_type(&self) -> Option<&str> {
        self.0.media_type.as_deref()
    }

    /// Whether it lies on the disk.
    pub fn is_on_disk(&self) -> bool {
        matches!(self.0.content, Content::Disk(_))
    }

    /// All of it, if that is at most `limit` bytes.
    ///
    /// # Errors
    /// It is longer, or the disk fails.
    pub async fn bytes(&self, limit: usize) -> Result<Bytes, BodyError> {
        if self.0.length > limit as u64 {
            return Err(BodyError::TOO_LARGE);
        }
        match &self.0.content {
            Content::Memory(bytes) => Ok(bytes.clone()),
            Content::Disk(file) => {
                let length = usize::try_from(self.0.length).unwrap_or(limit);
                read_at(Arc::clone(file), 0, length).await.map_err(disk)
            }
        }
    }

    /// Its bytes piece by piece, from the start.
    pub fn read(&self) -> FileReader {
        FileReader { file: self.clone(), at: 0, under_way: None }
    }

    /// Writes it to `path`, which must not exist yet.
    ///
    /// # Errors
    /// The disk fails, or there is a file of this name.
    #[allow(clippy::disallowed_methods, reason = "the handler names the file")]
    pub async fn save_as(&self, path: impl Into<PathBuf>) -> std::io::Result<()> {
        let (file, path) = (self.clone(), path.into());
        blocking(move || {
            let mut target = std::fs::File::create_new(path)?;
            match &file.0.content {
                Content::Memory(bytes) => target.write_all(bytes)?,
                Content::Disk(source) => {
                    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
                    source.seek(SeekFrom::Start(0))?;
                    std::io::copy(&mut *source, &mut target)?;
                }
            }
            target.sync_all()
        })
        .await
    }
}

impl PartialEq for File {
    /// Whether they are one file.
    fn eq(&self, other: &File) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl FromJson for File {
    /// In the document that a multipart body becomes, a file is the number of an attachment.
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        value.attachment().cloned().ok_or_else(|| Mismatch::new(value, "type", "must be sent as a file"))
    }
}

/// The bytes of a [`File`], piece by piece.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    at: u64,
    under_way: Option<Reading>,
}

struct Reading(Pin<Box<dyn Future<Output = std::io::Result<Bytes>> + Send + Sync>>);

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reading")
    }
}

impl FileReader {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }
}

impl Stream for FileReader {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let left = self.file.0.length.saturating_sub(self.at);
        if left == 0 {
            return Poll::Ready(None);
        }
        let file = match &self.file.0.content {
            Content::Memory(bytes) => {
                let bytes = bytes.clone();
                self.at = self.file.0.length;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Content::Disk(file) => Arc::clone(file),
        };
        let (at, length) = (self.at, usize::try_from(left).unwrap_or(CHUNK).min(CHUNK));
        let reading = self.under_way.get_or_insert_with(|| Reading(Box::pin(read_at(file, at, length))));
        let read = std::task::ready!(reading.0.as_mut().poll(cx));
        self.under_way = None;
        self.at = match &read {
            Ok(bytes) => self.at + bytes.len() as u64,
            Err(_) => self.file.0.length,
        };
        Poll::Ready(Some(read))
    }
}

/// A file on its way.
#[derive(Debug)]
pub(super) struct Spool {
    memory: Vec<u8>,
    disk: Option<Arc<Mutex<std::fs::File>>>,
    length: u64,
}

impl Spool {
    pub(super) fn new() -> Spool {
        Spool { memory: Vec::new(), disk: None, length: 0 }
    }

    pub(super) async fn write(&mut self, bytes: &Bytes) -> Result<(), BodyError> {
        self.length += bytes.len() as u64;
        if self.memory.len() + bytes.len() <= IN_MEMORY {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush(bytes.clone()).await.map_err(disk)
    }

    /// To the disk with what is in memory, and with `more`: one write for many small pieces.
    async fn flush(&mut self, more: Bytes) -> std::io::Result<()> {
        let (memory, open) = (std::mem::take(&mut self.memory), self.disk.clone());
        let file = blocking(move || {
            let file = match open {
                Some(file) => file,
                None => Arc::new(Mutex::new(tempfile::tempfile()?)),
            };
            {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(&memory)?;
                file.write_all(&more)?;
            }
            Ok(file)
        })
        .await?;
        self.disk = Some(file);
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<File, BodyError> {
        if self.disk.is_some() && !self.memory.is_empty() {
            self.flush(Bytes::new()).await.map_err(disk)?;
        }
        let content = match self.disk {
            Some(file) => Content::Disk(file),
            None => Content::Memory(self.memory.into()),
        };
        Ok(File(Arc::new(Inner { name: None, media_type: None, length: self.length, content })))
    }
}

fn disk(error: std::io::Error) -> BodyError {
    BodyError(Kind::Disk(error))
}

async fn read_at(file: Arc<Mutex<std::fs::File>>, at: u64, length: usize) -> std::io::Result<Bytes> {
    blocking(move || {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    })
    .await
}

/// Files block, so they are worked on where that harms nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(std::io::Error::other("the work on a file was given up")),
    }
}
