//! Encrypted connections: to the server that is meant, or to none.
//!
//! The key in `tls/` opens nothing but this test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adcp_core::TaskRegistry;
use adcp_registry_postgres::{OpenError, PostgresRegistry};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::fixture::{Schema, issue, url};

const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");
const OTHER: &[u8] = include_bytes!("tls/other.pem");

/// The test's server behind a door that speaks TLS, as `localhost`.
struct Door {
    port: u16,
    opened: Arc<AtomicUsize>,
}

impl Door {
    async fn start() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(KEY).unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
                tokio::spawn(async move { pass(client, acceptor, &count).await });
            }
        });
        Self { port, opened }
    }

    fn url(&self, host: &str) -> String {
        let address = url();
        let (user, rest) = address.rsplit_once('@').unwrap();
        let database = rest.split_once('/').unwrap().1.split('?').next().unwrap();
        format!("{user}@{host}:{}/{database}?sslmode=require", self.port)
    }
}

async fn pass(mut client: TcpStream, acceptor: TlsAcceptor, count: &AtomicUsize) -> std::io::Result<()> {
    // The client asks whether the server encrypts.
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await?;
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    count.fetch_add(1, Ordering::SeqCst);
    let address = url();
    let upstream = address.rsplit_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_server_with_a_trusted_certificate_is_served_encrypted() {
    let (schema, door) = (Schema::migrated().await, Door::start().await);
    let config = schema.config_at(door.url("localhost")).with_root_certificates(CERTIFICATE);
    let registry = PostgresRegistry::connect(config).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    assert!(door.opened.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn another_server_is_not_believed() {
    let (schema, door) = (Schema::migrated().await, Door::start().await);
    let strange = schema.config_at(door.url("localhost")).with_root_certificates(OTHER);
    let misnamed = schema.config_at(door.url("127.0.0.1")).with_root_certificates(CERTIFICATE);
    let public = schema.config_at(door.url("localhost"));
    for config in [strange, misnamed, public] {
        let refused = PostgresRegistry::connect(config).await;
        assert!(matches!(refused, Err(OpenError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(door.opened.load(Ordering::SeqCst), 0, "nothing was said before the certificate was believed");
}
