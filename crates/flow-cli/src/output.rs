//! The one place that writes to the terminal: data to standard output,
//! messages to standard error.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use crate::args::Color;
use crate::exit::Failure;

/// The two streams of the command.
#[derive(Debug)]
pub(crate) struct Output {
    data: BufWriter<io::Stdout>,
    color: Color,
}

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Looks {
    /// How many characters fit into a line.
    pub(crate) width: usize,
    /// Whether colours are shown.
    pub(crate) color: bool,
    /// Whether letters beyond ASCII are shown.
    pub(crate) unicode: bool,
}

/// Returns whether people read the data.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes a message for people while something else has the streams: whole lines,
/// each of them at once.
pub(crate) fn say(text: &str) {
    let mut stream = io::stderr().lock();
    // A message that nobody can read changes nothing.
    stream.write_all(text.as_bytes()).ok();
}

/// The width of lines where nobody says how wide they are.
const WIDTH: usize = 100;

impl Output {
    /// Takes the streams of the process.
    pub(crate) fn new(color: Color) -> Self {
        Self {
            data: BufWriter::with_capacity(1 << 16, io::stdout()),
            color,
        }
    }

    /// Writes data.
    pub(crate) fn data(&mut self, text: &str) -> Result<(), Failure> {
        self.data.write_all(text.as_bytes()).map_err(|e| fault(&e))
    }

    /// Writes data that may be no text.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.data.write_all(bytes).map_err(|e| fault(&e))
    }

    /// Writes what is still held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.data.flush().map_err(|e| fault(&e))
    }

    /// Writes a message for people, after the data that came before it.
    pub(crate) fn message(&mut self, text: &str) -> Result<(), Failure> {
        self.flush()?;
        let end = if text.ends_with('\n') { "" } else { "\n" };
        say(&format!("{text}{end}"));
        Ok(())
    }

    /// Returns what standard output can show.
    pub(crate) fn data_looks(&self) -> Looks {
        looks(self.color, io::stdout().is_terminal())
    }

    /// Returns what standard error can show.
    pub(crate) fn message_looks(&self) -> Looks {
        message_looks(self.color)
    }

    /// Returns when colours are used.
    pub(crate) fn color(&self) -> Color {
        self.color
    }
}

/// Returns what standard error can show.
pub(crate) fn message_looks(color: Color) -> Looks {
    looks(color, io::stderr().is_terminal())
}

fn fault(error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        Failure::Closed
    } else {
        Failure::io(format!("cannot write to standard output: {error}"))
    }
}

fn looks(color: Color, is_terminal: bool) -> Looks {
    let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let dumb = said("TERM").is_some_and(|term| term == "dumb");
    let width = if is_terminal {
        terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
    } else {
        None
    };
    // Without a locale nothing is known, and most terminals read UTF-8.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said);
    let unicode = locale.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Looks {
        width: width.unwrap_or(WIDTH).clamp(40, 200),
        color: match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !dumb && said("NO_COLOR").is_none(),
        },
        unicode,
    }
}
