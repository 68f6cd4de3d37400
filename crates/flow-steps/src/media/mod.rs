//! What can be said of a picture, a sound or a film without decoding it: its
//! size, its length. Only the parts of a file that say so are read.

mod audio;
mod image;
mod matroska;
mod mp4;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flow_core::ty::Media;
use flow_core::value::Value;

/// What is known of a file, by the names of fields.
pub type Facts = BTreeMap<Arc<str>, Value>;

/// Why nothing is known of a file.
#[derive(Debug, thiserror::Error)]
pub enum MediaFault {
    /// It is something else.
    #[error("this is no {wanted} of a kind that is known: {known}")]
    Unknown {
        /// What it should be.
        wanted: Media,
        /// Which kinds of that are known.
        known: &'static str,
    },
    /// It begins like one and doesn't go on so.
    #[error("this {kind} is damaged, or not all of it is there")]
    Damaged {
        /// What it begins like.
        kind: &'static str,
    },
    /// The disk can't be read.
    #[error("it can't be read: {0}")]
    Read(io::Error),
}

/// Returns what is known of a file that is one of these.
pub fn facts(file: &File, media: Media) -> Result<Facts, MediaFault> {
    let bytes = Bytes::new(file).map_err(MediaFault::Read)?;
    let (found, known) = match media {
        Media::File => return Ok(Facts::new()),
        Media::Image => (
            image::facts(&bytes),
            "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF and HEIC are",
        ),
        Media::Audio => (
            audio::facts(&bytes),
            "WAV, AIFF, FLAC, MP3, Ogg and M4A with a track of sound are",
        ),
        Media::Video => (
            film(&bytes),
            "MP4, MOV, WebM and Matroska with a track of pictures are",
        ),
    };
    match found {
        Ok(Some(facts)) => Ok(facts),
        Ok(None) => Err(MediaFault::Unknown {
            wanted: media,
            known,
        }),
        Err(Short::Ends(kind)) => Err(MediaFault::Damaged { kind }),
        Err(Short::Read(error)) => Err(MediaFault::Read(error)),
    }
}

fn film(bytes: &Bytes<'_>) -> Found {
    let film = match mp4::read(bytes)? {
        Some(film) => film,
        None => match matroska::read(bytes)? {
            Some(film) => film,
            None => return Ok(None),
        },
    };
    let Some(picture) = film.picture else {
        return Ok(None);
    };
    let mut facts = size(picture.width, picture.height);
    add_seconds(&mut facts, film.seconds);
    if let Some(fps) = picture.fps.filter(|fps| fps.is_finite() && *fps > 0.0) {
        facts.insert("fps".into(), Value::Float((fps * 1000.0).round() / 1000.0));
    }
    Ok(Some(facts))
}

/// What a container says.
#[derive(Debug, Default)]
struct Film {
    seconds: Option<f64>,
    picture: Option<Picture>,
    sound: Option<Sound>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Picture {
    width: u64,
    height: u64,
    fps: Option<f64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sound {
    rate: u64,
    channels: u64,
}

/// What was found: nothing if the file is of another kind.
type Found = Result<Option<Facts>, Short>;

/// Why reading ended.
#[derive(Debug)]
enum Short {
    /// The file of this kind ends too early, or says what can't be.
    Ends(&'static str),
    Read(io::Error),
}

fn size(width: u64, height: u64) -> Facts {
    let fields = [("width", width), ("height", height)];
    let fields = fields.map(|(name, number)| (Arc::from(name), whole(number)));
    fields.into()
}

fn sound(found: Sound, seconds: Option<f64>) -> Facts {
    let fields = [("rate", found.rate), ("channels", found.channels)];
    let mut facts: Facts = fields
        .map(|(name, number)| (Arc::from(name), whole(number)))
        .into();
    add_seconds(&mut facts, seconds);
    facts
}

fn whole(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn add_seconds(facts: &mut Facts, seconds: Option<f64>) {
    if let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        facts.insert("seconds".into(), Value::Float(seconds));
    }
}

/// The bytes of a file, by their places.
struct Bytes<'a> {
    file: &'a File,
    length: u64,
}

impl<'a> Bytes<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Returns so many bytes from a place on.
    fn get<const N: usize>(&self, at: u64, kind: &'static str) -> Result<[u8; N], Short> {
        let mut bytes = [0; N];
        match self.file.read_exact_at(&mut bytes, at) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Short::Ends(kind)),
            Err(error) => Err(Short::Read(error)),
        }
    }

    /// Returns so many bytes from a place on, or as many as there are.
    fn some(&self, at: u64, most: usize) -> Result<Vec<u8>, Short> {
        let mut bytes = vec![0; most];
        let mut filled = 0;
        while filled < most {
            let from = at + u64::try_from(filled).unwrap_or(0);
            match self.file.read_at(&mut bytes[filled..], from) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Short::Read(error)),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Returns whether these bytes stand at a place.
    fn has(&self, at: u64, wanted: &[u8]) -> Result<bool, Short> {
        Ok(self.some(at, wanted.len())? == wanted)
    }
}

/// A count of units as a length of time.
fn seconds(units: u64, per_second: u64) -> Option<f64> {
    (per_second > 0).then(|| float(units) / float(per_second))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "lengths of media are known less exactly than that"
)]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
