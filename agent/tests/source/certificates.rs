//! Certificates, good and bad ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::origin::write;

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    Expired,
    Early,
    OtherName,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut distinguished = DistinguishedName::new();
        distinguished.push(DnType::CommonName, name);
        params.distinguished_name = distinguished;
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// The authority's certificate as a file.
    pub(crate) fn file(&self, directory: &Path) -> PathBuf {
        let path = directory.join("ca.pem");
        write(&path, self.certificate.pem().as_bytes());
        path
    }

    fn leaf(&self, flaw: Flaw) -> (rcgen::Certificate, KeyPair) {
        let name = if flaw == Flaw::OtherName { "git.example.com" } else { "127.0.0.1" };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        match flaw {
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Flaw::Early => params.not_before = date_time_ymd(2999, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server's configuration; with `clients`, only those with its certificates get in.
    pub(crate) fn server(&self, flaw: Flaw, clients: Option<&Authority>) -> Arc<ServerConfig> {
        let (certificate, key) = self.leaf(flaw);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    /// A client's certificate and key as files.
    pub(crate) fn client(&self, directory: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.leaf(Flaw::None);
        let paths = (directory.join("client.pem"), directory.join("client.key"));
        write(&paths.0, certificate.pem().as_bytes());
        write(&paths.1, key.serialize_pem().as_bytes());
        paths
    }
}
