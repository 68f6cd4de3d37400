//! Sending requests over connections. Whoever only asks may go on with a
//! connection that an earlier request has left; whoever changes something gets a
//! new one, so that it is known when the first byte gets out.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::AbortHandle;
use url::{Position, Url};

use super::connect::{ConnectFault, Connector};
use super::order::{Body, Order};
use super::proxy::Proxy;
use crate::hosts::HostRule;

/// What we are called.
const AGENT: &str = concat!("flow/", env!("CARGO_PKG_VERSION"));

/// How long a connection waits for the next request.
const IDLE: Duration = Duration::from_secs(20);

/// How many connections wait.
const IDLE_MAX: usize = 64;

/// How much of a file is read at once.
const READ_MAX: usize = 64 * 1024;

/// Sends requests. One for each process, made with the first request.
pub(super) struct Client {
    connector: Connector,
    /// Connections that wait, by where they lead. Requests of several attempts
    /// take and leave them.
    idle: Mutex<BTreeMap<String, Vec<Line>>>,
}

/// A connection that can carry a request.
pub(super) struct Line {
    sender: SendRequest<Upload>,
    /// For as long as it is there, bytes are moved.
    _driver: Driver,
    teller: Option<Proxy>,
    left: Instant,
}

/// What moves the bytes of a connection. Dropped, it is closed.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum SendFault {
    /// Nothing was sent.
    Unsent(ConnectFault),
    /// The file of the body can't be read.
    File(io::Error),
    /// Something was sent, and the connection broke.
    Broken(hyper::Error),
    /// It can't be said in this protocol.
    Unsayable,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    line: Line,
    origin: String,
}

impl Client {
    /// Reaches the open network and what is allowed besides.
    pub(super) fn new(allowed: &[HostRule]) -> Self {
        Self {
            connector: Connector::new(allowed),
            idle: Mutex::default(),
        }
    }

    /// Sends a request. `begins` is called before the first byte is.
    pub(super) async fn send(
        &self,
        order: &Order,
        begins: &(dyn Fn() + Sync),
    ) -> Result<Answer, SendFault> {
        let origin = order.url.origin().ascii_serialization();
        if !order.acts {
            while let Some(line) = self.take(&origin) {
                // It may have been closed in this moment. Then asking again
                // changes nothing.
                match line.send(order, &origin).await {
                    Ok(answer) => return Ok(answer),
                    Err(SendFault::Broken(_)) => {}
                    Err(fault) => return Err(fault),
                }
            }
        }
        let line = self.open(&order.url).await.map_err(SendFault::Unsent)?;
        begins();
        line.send(order, &origin).await
    }

    /// Takes back the connection of an answer that was read to its end.
    pub(super) fn leave(&self, answer: Answer) {
        let Answer { line, origin, .. } = answer;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for lines in idle.values_mut() {
            lines.retain(|line| line.left.elapsed() < IDLE && !line.sender.is_closed());
        }
        idle.retain(|_, lines| !lines.is_empty());
        if idle.values().map(Vec::len).sum::<usize>() < IDLE_MAX {
            idle.entry(origin).or_default().push(Line {
                left: Instant::now(),
                ..line
            });
        }
    }

    fn take(&self, origin: &str) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = idle.get_mut(origin)?;
        while let Some(line) = lines.pop() {
            if line.left.elapsed() < IDLE && line.sender.is_ready() {
                return Some(line);
            }
        }
        None
    }

    async fn open(&self, url: &Url) -> Result<Line, ConnectFault> {
        let wire = self.connector.open(url).await?;
        let unreached = |error: hyper::Error| ConnectFault::Unreached {
            host: super::connect::host(url),
            source: io::Error::other(error),
        };
        let stream = TokioIo::new(wire.stream);
        let (sender, connection) = http1::handshake(stream).await.map_err(unreached)?;
        // How it ends is told to who waits for an answer.
        let driver = tokio::spawn(async move { connection.await.ok() });
        Ok(Line {
            sender,
            _driver: Driver(driver.abort_handle()),
            teller: wire.teller,
            left: Instant::now(),
        })
    }
}

impl Line {
    async fn send(mut self, order: &Order, origin: &str) -> Result<Answer, SendFault> {
        let request = self.request(order).await?;
        let response = self.sender.send_request(request).await;
        let response = response.map_err(SendFault::Broken)?;
        Ok(Answer {
            response,
            line: self,
            origin: origin.to_owned(),
        })
    }

    async fn request(&self, order: &Order) -> Result<Request<Upload>, SendFault> {
        let url = &order.url;
        // A proxy is told the whole address, everybody else what is behind the
        // host.
        let target = match &self.teller {
            Some(_) => &url[..Position::AfterQuery],
            None => &url[Position::BeforePath..Position::AfterQuery],
        };
        let target: Uri = target.parse().map_err(|_| SendFault::Unsayable)?;
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| SendFault::Unsayable);
        let body = Upload::new(&order.body).await.map_err(SendFault::File)?;
        let mut request = Request::new(body);
        *request.method_mut() = order.method.clone();
        *request.uri_mut() = target;
        let headers = request.headers_mut();
        headers.insert(HOST, value(host)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(credentials) = self.teller.as_ref().and_then(|it| it.credentials.as_ref()) {
            headers.insert(PROXY_AUTHORIZATION, value(credentials)?);
        }
        for (name, value) in order.headers.iter().chain(&order.secrets) {
            headers.insert(name, value.clone());
        }
        let length = order.body.length();
        if length > 0 || !matches!(order.method, Method::GET | Method::HEAD) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(request)
    }
}

impl Body {
    fn length(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Whole(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::File { bytes, .. } => *bytes,
        }
    }
}

/// A body on its way.
pub(super) enum Upload {
    Whole(Option<Bytes>),
    File {
        file: tokio::fs::File,
        left: u64,
        buffer: Box<[u8]>,
    },
}

impl Upload {
    async fn new(body: &Body) -> io::Result<Self> {
        Ok(match body {
            Body::Nothing => Self::Whole(None),
            Body::Whole(bytes) => Self::Whole(Some(bytes.clone())),
            Body::File { path, bytes } => Self::File {
                file: tokio::fs::File::open(path).await?,
                left: *bytes,
                buffer: vec![0; READ_MAX].into(),
            },
        })
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::File { left: 0, .. } => Poll::Ready(None),
            Self::File { file, left, buffer } => {
                let mut read = ReadBuf::new(buffer);
                if let Err(error) = ready!(Pin::new(file).poll_read(context, &mut read)) {
                    return Poll::Ready(Some(Err(error)));
                }
                let bytes = read.filled();
                let length = u64::try_from(bytes.len()).unwrap_or(0);
                if length == 0 || length > *left {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                *left -= length;
                Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(bytes)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::File { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes
                .as_ref()
                .map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Self::File { left, .. } => *left,
        })
    }
}
