//! As much of HTTP/1.1 as two programs of ours need: one request and one answer
//! on a connection, with a body of a known length.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long what stands before a body may be.
const HEAD_MAX: usize = 64 * 1024;

/// How long a body may be.
const BODY_MAX: usize = 64 * 1024 * 1024;

/// A request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Its first line: `POST /do HTTP/1.1`, `HTTP/1.1 200 OK`.
    pub line: String,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// Makes a request.
    pub fn request(method: &str, path: &str, body: Vec<u8>) -> Self {
        Self {
            line: format!("{method} {path} HTTP/1.1"),
            headers: vec![("host".to_owned(), "trial".to_owned())],
            body,
        }
    }

    /// Makes an answer.
    pub fn answer(status: u16, body: Vec<u8>) -> Self {
        Self {
            line: format!("HTTP/1.1 {status} -"),
            headers: Vec::new(),
            body,
        }
    }

    /// Returns a word of the first line.
    pub fn word(&self, at: usize) -> &str {
        self.line.split(' ').nth(at).unwrap_or_default()
    }

    /// Returns the status of an answer.
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads one.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if bytes.len() > HEAD_MAX || stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut body = bytes.split_off(end + 4);
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let mut message = Self {
            line,
            headers: headers.collect(),
            body: Vec::new(),
        };
        let length = message.header("content-length").unwrap_or("0");
        let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        if length > BODY_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while body.len() < length {
            if stream.read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        body.truncate(length);
        message.body = body;
        Ok(message)
    }

    /// Writes it.
    pub async fn write(&self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        let length = self.body.len();
        bytes.extend(format!("content-length: {length}\r\nconnection: close\r\n\r\n").into_bytes());
        bytes.extend(&self.body);
        stream.write_all(&bytes).await?;
        stream.flush().await
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nothing was sent.
    Unsent(io::Error),
    /// Something was sent, and nobody knows what came of it.
    Lost(io::Error),
}

/// Sends a request and waits for the answer. What is to be done between the two
/// is done: `written` after the last byte.
pub async fn ask(
    address: SocketAddr,
    request: &Message,
    written: impl FnOnce(),
) -> Result<Message, Unanswered> {
    let mut stream = TcpStream::connect(address)
        .await
        .map_err(Unanswered::Unsent)?;
    request.write(&mut stream).await.map_err(Unanswered::Lost)?;
    written();
    Message::read(&mut stream).await.map_err(Unanswered::Lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_back() {
        let request = Message::request("POST", "/do", b"a\r\n\r\nb".to_vec());
        let mut bytes = Vec::new();
        request.write(&mut bytes).await.unwrap();
        let read = Message::read(&mut &bytes[..]).await.unwrap();
        assert_eq!((read.word(0), read.word(1)), ("POST", "/do"));
        assert_eq!(read.header("content-length"), Some("6"));
        assert_eq!(read.body, request.body);
        assert!(Message::read(&mut &bytes[..bytes.len() - 1]).await.is_err());
    }
}
