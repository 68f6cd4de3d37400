//! A server on loopback that does what it is told, good or bad.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A request that arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the server does about a request.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Sends this as it is, and waits for the next request.
    Says(Vec<u8>),
    /// Sends this, and closes the connection.
    SaysLast(Vec<u8>),
    /// Sends nothing and closes nothing.
    Hangs,
}

/// Makes an answer with its length.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Does {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    Does::Says([head.as_bytes(), body].concat())
}

/// What a server has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) asked: Vec<Asked>,
    /// How many connections were made, and how many have ended.
    pub(crate) began: usize,
    pub(crate) ended: usize,
}

/// A server that runs until it is dropped.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    seen: Arc<watch::Sender<Seen>>,
    task: JoinHandle<()>,
}

type Acts = Arc<dyn Fn(&Asked, usize) -> Does + Send + Sync>;

impl Web {
    /// Does about each request what it is told; the requests are counted.
    pub(crate) async fn new(acts: impl Fn(&Asked, usize) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(watch::Sender::new(Seen::default()));
        let (acts, all): (Acts, _) = (Arc::new(acts), seen.clone());
        let task = tokio::spawn(async move {
            let connections = Mutex::new(Vec::new());
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                all.send_modify(|seen| seen.began += 1);
                let (acts, seen) = (acts.clone(), all.clone());
                let connection = tokio::spawn(async move {
                    serve(stream, &acts, &seen).await;
                    seen.send_modify(|seen| seen.ended += 1);
                });
                connections.lock().unwrap().push(Ends(connection));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until it has seen something.
    pub(crate) async fn until(&self, is_true: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        seen.wait_for(is_true).await.unwrap();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A task that ends with its owner.
struct Ends(JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(mut stream: TcpStream, acts: &Acts, seen: &watch::Sender<Seen>) {
    let mut bytes = Vec::new();
    loop {
        let Some(asked) = read(&mut stream, &mut bytes).await else {
            return;
        };
        let number = seen.borrow().asked.len();
        let does = acts(&asked, number);
        seen.send_modify(|seen| seen.asked.push(asked));
        match does {
            Does::Says(answer) => {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Does::SaysLast(answer) => {
                stream.write_all(&answer).await.ok();
                return;
            }
            Does::Hangs => {
                let mut nothing = [0; 64];
                while let Ok(1..) = stream.read(&mut nothing).await {}
                return;
            }
        }
    }
}

/// Reads a request; nothing at the end of the connection.
async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    bytes.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let mut asked = Asked {
        line,
        headers: headers.collect(),
        body: Vec::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |n| n.parse().unwrap());
    while bytes.len() < length {
        if stream.read_buf(bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    asked.body = bytes.drain(..length).collect();
    Some(asked)
}
