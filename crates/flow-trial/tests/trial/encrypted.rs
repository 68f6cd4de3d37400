//! Requests that are encrypted, and requests by a proxy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::bench::Bench;
use crate::flow::{Ended, Flow};
use crate::oracle::outputs;

/// What the server is known by: a certificate of `localhost` that nobody else
/// has made, with its key. It is good for nothing but these trials.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trial/tls");
    folder.join(name)
}

/// What a server does with a connection.
#[derive(Clone)]
enum Kind {
    /// Answers requests, encrypted.
    Encrypted(Arc<ServerConfig>),
    /// Answers requests that are for others, and connects to one.
    Proxy(SocketAddr),
}

/// A server in a thread of its own. It notes the heads of what it is asked.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn encrypted() -> Self {
        let certificate = CertificateDer::from_pem_file(file("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::start(Kind::Encrypted(Arc::new(config)))
    }

    fn proxy(to: SocketAddr) -> Self {
        Self::start(Kind::Proxy(to))
    }

    fn start(kind: Kind) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let noted = heads.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accepting = async {
                    loop {
                        let (stream, _) = listener.accept().await.unwrap();
                        tokio::spawn(serve(stream, kind.clone(), noted.clone()));
                    }
                };
                tokio::select! {
                    () = accepting => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            heads,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn serve(stream: TcpStream, kind: Kind, heads: Arc<Mutex<Vec<String>>>) {
    match kind {
        Kind::Encrypted(config) => {
            // Who doesn't trust it goes away.
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                answer(stream, &heads).await;
            }
        }
        Kind::Proxy(to) => {
            let mut stream = stream;
            let head = head(&mut stream).await;
            heads.lock().unwrap().push(head.clone());
            if head.starts_with("CONNECT ") {
                let mut there = TcpStream::connect(to).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                tokio::io::copy_bidirectional(&mut stream, &mut there)
                    .await
                    .ok();
            } else {
                said(&mut stream, "by proxy").await;
            }
        }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, heads: &Mutex<Vec<String>>) {
    let head = head(&mut stream).await;
    heads.lock().unwrap().push(head);
    said(&mut stream, "encrypted").await;
    stream.shutdown().await.ok();
}

async fn said(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    let length = text.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
    stream.write_all(answer.as_bytes()).await.ok();
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn bench(hosts: &str) -> Bench {
    let bench = Bench::new();
    let allow = format!("[allow]\nhosts = [{hosts}]\n");
    std::fs::write(bench.path("flow.toml"), allow).unwrap();
    bench
}

fn asking(bench: &Bench, url: &str) -> Flow {
    let flow = bench
        .flow()
        .args(["run", "look.flow", &format!("url={url}")]);
    flow.args(["--format", "json", "--store"])
        .args([bench.store()])
}

#[track_caller]
fn fails(ended: &Ended, says: &str) {
    assert_eq!(ended.code(), Some(4), "{ended:#?}");
    assert!(ended.out.contains(says), "{}", ended.out);
}

#[test]
fn an_encrypted_server_is_believed_if_its_certificate_is() {
    let server = Server::encrypted();
    let port = server.address.port();
    let bench = bench("\"localhost\", \"127.0.0.1\"");
    let url = format!("https://localhost:{port}/fox");
    let known = asking(&bench, &url).env("SSL_CERT_FILE", file("cert.pem"));
    let ended = known.end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(outputs(&ended), "encrypted");
    assert!(server.heads()[0].starts_with("GET /fox HTTP/1.1\r\n"));

    // By a name that is not its own.
    let other = format!("https://127.0.0.1:{port}/fox");
    let other = asking(&bench, &other).env("SSL_CERT_FILE", file("cert.pem"));
    fails(&other.end(), "`127.0.0.1` is not who it says");
    // By somebody who knows none.
    let empty = bench.path("none.pem");
    std::fs::write(&empty, "").unwrap();
    let unknown = asking(&bench, &url).env("SSL_CERT_FILE", empty);
    fails(&unknown.end(), "has no certificates of authorities");
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn a_proxy_is_asked_in_place_of_a_host_that_nobody_here_can_find() {
    let server = Server::encrypted();
    let proxy = Server::proxy(server.address);
    let bench = bench("\"localhost\"");
    let at = format!("http://ada:secret@{}", proxy.address);
    let plain = asking(&bench, "http://fox.invalid/den?n=1").env("HTTP_PROXY", &at);
    assert_eq!(outputs(&plain.end()), "by proxy");
    let head = &proxy.heads()[0];
    assert!(head.starts_with("GET http://fox.invalid/den?n=1 HTTP/1.1\r\nhost: fox.invalid\r\n"));
    assert!(
        head.contains("proxy-authorization: Basic YWRhOnNlY3JldA==\r\n"),
        "{head}"
    );

    let through = asking(&bench, "https://localhost/den")
        .env("HTTPS_PROXY", &at)
        .env("SSL_CERT_FILE", file("cert.pem"));
    let ended = through.end();
    assert_eq!(outputs(&ended), "encrypted", "{ended:#?}");
    let head = &proxy.heads()[1];
    assert!(
        head.starts_with("CONNECT localhost:443 HTTP/1.1\r\n"),
        "{head}"
    );
    // What the proxy is told is not told to the server.
    assert!(!server.heads()[0].contains("proxy-authorization"));

    // An address is what it is, whoever connects to it.
    let closed = asking(&bench, "http://10.0.0.1/").env("HTTP_PROXY", &at);
    fails(
        &closed.end(),
        "`10.0.0.1` is 10.0.0.1, which is not on the open network",
    );
    let none = asking(&bench, "http://localhost:1/")
        .env("HTTP_PROXY", &at)
        .env("NO_PROXY", "localhost");
    fails(&none.end(), "`localhost` can't be reached");
    let socks = asking(&bench, "http://fox.invalid/").env("ALL_PROXY", "socks5://127.0.0.1:1");
    fails(&socks.end(), "`ALL_PROXY` names no proxy that can be used");
    assert_eq!(proxy.heads().len(), 2);
}
