//! TLS by rustls: the other side is believed when its certificate leads to a trusted one and names the host.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::ConfigError;
use crate::url::Host;

/// Whom to believe.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    /// The certificates of the machine.
    pub(crate) system: bool,
    /// More of them, in PEM.
    pub(crate) own: Vec<Vec<u8>>,
}

/// `needed` says whether it is a fault when nobody is believed.
pub(crate) fn config(trust: &Trust, needed: bool) -> Result<Arc<ClientConfig>, ConfigError> {
    let mut roots = RootCertStore::empty();
    if trust.system {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for pem in &trust.own {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| ConfigError::BadCertificates(Box::new(error)))?;
            roots.add(certificate).map_err(|error| ConfigError::BadCertificates(Box::new(error)))?;
        }
        if roots.len() == before {
            return Err(ConfigError::BadCertificates("there is none".into()));
        }
    }
    if roots.is_empty() && needed {
        return Err(ConfigError::NoCertificates);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::NoTls(Box::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Whom the certificate must name. Of an address nothing is said in clear text.
pub(crate) fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
    }
}
