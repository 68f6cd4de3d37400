//! Connections: the address of a host is found, looked at, and connected to.
//! Nothing comes between the look and the connection, so a name that means
//! another address the next time gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use flow_core::effect::FailureClass;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::{Host, Url};

use super::proxy::{Proxies, Proxy, ProxyFault, Tls};
use crate::hosts::{HostRule, is_open};

/// How long it may take until a connection stands, all addresses of a host
/// together.
const CONNECT: Duration = Duration::from_secs(30);

/// How long one address may take if there are others.
const ADDRESS: Duration = Duration::from_secs(10);

/// How long the answer of a proxy may be.
const ANSWER_MAX: usize = 16 * 1024;

/// Makes connections.
pub(super) struct Connector {
    allowed: Arc<[HostRule]>,
    proxies: Proxies,
    /// Made with the first connection that needs it: it takes milliseconds.
    tls: OnceCell<Arc<ClientConfig>>,
}

/// Something that is read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection that stands.
pub(super) struct Wire {
    pub(super) stream: Box<dyn Duplex>,
    /// The proxy, if it has to be told where a request goes.
    pub(super) teller: Option<Proxy>,
}

/// Why there is no connection. No byte of a request was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectFault {
    #[error(
        "`{host}` is {address}, which is not on the open network; \
         allow it in `flow.toml`: `[allow]`, `hosts = [\"{rule}\"]`"
    )]
    Closed {
        host: String,
        address: IpAddr,
        rule: String,
    },
    #[error("`{host}` can't be found: {source}")]
    Unknown { host: String, source: io::Error },
    #[error("`{host}` can't be reached: {source}")]
    Unreached { host: String, source: io::Error },
    #[error("`{host}` can't be reached: there was no answer in {} seconds", CONNECT.as_secs())]
    Late { host: String },
    #[error("`{host}` is not who it says: {source}")]
    Tls { host: String, source: io::Error },
    #[error(
        "this machine has no certificates of authorities; install `ca-certificates`, or name a file by `SSL_CERT_FILE`"
    )]
    NoRoots,
    #[error(transparent)]
    Proxy(#[from] ProxyFault),
    #[error("the proxy `{host}` refuses: {says}")]
    Refused { host: String, says: String },
    #[error(
        "the proxy `{host}` asks for credentials; write them into its address: `http://name:password@{host}`"
    )]
    Credentials { host: String },
}

impl ConnectFault {
    /// Returns what may be done about it.
    pub(super) fn class(&self) -> FailureClass {
        match self {
            Self::Closed { .. } | Self::Tls { .. } | Self::NoRoots | Self::Proxy(_) => {
                FailureClass::Invalid
            }
            Self::Credentials { .. } => FailureClass::Auth,
            Self::Unknown { .. }
            | Self::Unreached { .. }
            | Self::Late { .. }
            | Self::Refused { .. } => FailureClass::Transient,
        }
    }
}

impl Connector {
    /// Reaches the open network and what is allowed besides.
    pub(super) fn new(allowed: &[HostRule]) -> Self {
        Self {
            allowed: allowed.into(),
            proxies: Proxies::new(&|name| std::env::var(name).ok()),
            tls: OnceCell::new(),
        }
    }

    /// Connects to the host of an address.
    pub(super) async fn open(&self, url: &Url) -> Result<Wire, ConnectFault> {
        let host = host(url);
        match timeout(CONNECT, self.open_slowly(url, &host)).await {
            Ok(opened) => opened,
            Err(_) => Err(ConnectFault::Late { host }),
        }
    }

    async fn open_slowly(&self, url: &Url, host: &str) -> Result<Wire, ConnectFault> {
        let port = url.port_or_known_default().unwrap_or(80);
        let tls = if url.scheme() == "https" {
            Tls::Yes
        } else {
            Tls::No
        };
        let Some(proxy) = self.proxies.of(tls, host, port)? else {
            let addresses = self.addresses(url, host, port).await?;
            let stream: Box<dyn Duplex> = Box::new(reach(host, &addresses).await?);
            let stream = self.secured(tls, host, stream).await?;
            return Ok(Wire {
                stream,
                teller: None,
            });
        };
        // What a name means is found by the proxy; an address is what it is.
        if let Some(address) = literal(url) {
            self.look(host, port, address)?;
        }
        let addresses = found(&proxy.host, proxy.port).await?;
        let stream: Box<dyn Duplex> = Box::new(reach(&proxy.host, &addresses).await?);
        let mut stream = self.secured(proxy.tls, &proxy.host, stream).await?;
        if tls == Tls::No {
            return Ok(Wire {
                stream,
                teller: Some(proxy),
            });
        }
        tunnel(&mut stream, url, port, &proxy).await?;
        Ok(Wire {
            stream: self.secured(tls, host, stream).await?,
            teller: None,
        })
    }

    /// Finds the addresses of a host that may be connected to.
    async fn addresses(
        &self,
        url: &Url,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ConnectFault> {
        if let Some(address) = literal(url) {
            self.look(host, port, address)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let all = found(host, port).await?;
        let (open, private): (Vec<SocketAddr>, Vec<SocketAddr>) = all
            .into_iter()
            .partition(|address| self.look(host, port, address.ip()).is_ok());
        match (open.is_empty(), private.first()) {
            (true, Some(private)) => Err(closed(host, port, private.ip())),
            _ => Ok(open),
        }
    }

    /// Looks at an address.
    fn look(&self, host: &str, port: u16, address: IpAddr) -> Result<(), ConnectFault> {
        let mut rules = self.allowed.iter();
        if is_open(address) || rules.any(|rule| rule.fits(host, port, address)) {
            Ok(())
        } else {
            Err(closed(host, port, address))
        }
    }

    /// Encrypts a connection, and sees to it that the other side is who it
    /// should be.
    async fn secured(
        &self,
        tls: Tls,
        host: &str,
        stream: Box<dyn Duplex>,
    ) -> Result<Box<dyn Duplex>, ConnectFault> {
        if tls == Tls::No {
            return Ok(stream);
        }
        let config = self.tls.get_or_try_init(config).await?;
        let failed = |source: io::Error| {
            let host = host.to_owned();
            // What was said is wrong, or nothing was.
            if source.kind() == io::ErrorKind::InvalidData {
                ConnectFault::Tls { host, source }
            } else {
                ConnectFault::Unreached { host, source }
            }
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        let connector = TlsConnector::from(config.clone());
        let secured = connector.connect(name, stream).await.map_err(failed)?;
        Ok(Box::new(secured))
    }
}

fn closed(host: &str, port: u16, address: IpAddr) -> ConnectFault {
    let is_long = host.contains(':');
    let (before, after) = if is_long { ("[", "]") } else { ("", "") };
    ConnectFault::Closed {
        host: host.to_owned(),
        address,
        rule: format!("{before}{host}{after}:{port}"),
    }
}

/// Reads the certificates of the machine.
async fn config() -> Result<Arc<ClientConfig>, ConnectFault> {
    let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let loaded = loaded.map_err(|_| ConnectFault::NoRoots)?;
    let mut roots = RootCertStore::empty();
    // One that can't be read is one less.
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        return Err(ConnectFault::NoRoots);
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Returns the host of an address, without brackets.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_matches(['[', ']']).to_owned()
}

/// Returns the address that a host is by itself.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => name.trim_end_matches('.').parse().ok(),
    }
}

async fn found(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectFault> {
    let unknown = |source| ConnectFault::Unknown {
        host: host.to_owned(),
        source,
    };
    let found = tokio::net::lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found.map_err(unknown)?.collect();
    if found.is_empty() {
        return Err(unknown(io::Error::other("it has no address")));
    }
    Ok(found)
}

/// Connects to the first address that answers.
async fn reach(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectFault> {
    let mut last = io::Error::other("it has no address");
    for address in addresses {
        let connected = TcpStream::connect(address);
        let connected = if addresses.len() > 1 {
            timeout(ADDRESS, connected).await
        } else {
            Ok(connected.await)
        };
        match connected {
            Ok(Ok(stream)) => {
                // What is sent is sent whole; only speed is lost otherwise.
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(ConnectFault::Unreached {
        host: host.to_owned(),
        source: last,
    })
}

/// Has a proxy connect to a host.
async fn tunnel(
    stream: &mut Box<dyn Duplex>,
    url: &Url,
    port: u16,
    proxy: &Proxy,
) -> Result<(), ConnectFault> {
    let failed = |source| ConnectFault::Unreached {
        host: proxy.host.clone(),
        source,
    };
    let refused = |says: &str| ConnectFault::Refused {
        host: proxy.host.clone(),
        says: says.to_owned(),
    };
    let target = format!("{}:{port}", url.host_str().unwrap_or_default());
    let credentials = proxy.credentials.as_ref();
    let credentials = credentials.map_or_else(String::new, |credentials| {
        format!("Proxy-Authorization: {credentials}\r\n")
    });
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > ANSWER_MAX {
            return Err(refused("its answer has no end"));
        }
        // What comes behind the answer belongs to somebody else.
        let byte = stream.read_u8().await.map_err(failed)?;
        answer.push(byte);
    }
    let answer = String::from_utf8_lossy(&answer);
    let line = answer.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        Some("407") => Err(ConnectFault::Credentials {
            host: proxy.host.clone(),
        }),
        _ => Err(refused(line)),
    }
}
