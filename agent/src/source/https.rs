//! The https side: which authorities are trusted, which certificate and token are shown, and to
//! whom.
//!
//! What must stay true: a token goes to the configured scheme, host and port only, never along a
//! redirection (Puppet CVE-2021-27023), and never over plain http to another machine.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use gix::protocol::transport::client::blocking_io::http;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::contract::{Credentials, TokenScheme};
use super::failure::FetchFailure;

/// The longest silence that is waited through.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// How long a silence of the server is waited through.
pub(super) fn patience(deadline: Duration) -> Duration {
    deadline.min(LONGEST_SILENCE)
}

/// What the library's http transport is told.
pub(super) fn transport_options(
    url: &str,
    credentials: &Credentials,
    scheme: TokenScheme,
    deadline: Duration,
) -> Result<http::Options, FetchFailure> {
    let tls = client_config(credentials)?;
    let configure_client = move |builder: reqwest::blocking::ClientBuilder| {
        Ok(builder
            .tls_backend_preconfigured(tls.clone())
            .timeout(patience(deadline))
            .connect_timeout(deadline.min(Duration::from_secs(20))))
    };
    let mut backend = http::reqwest::Options {
        configure_client: Some(Box::new(configure_client)),
        configure_request: None,
    };
    let authorization = match &credentials.token {
        Some(token) => Some(authorization(&token.0, scheme)?),
        None => None,
    };
    let mut follow_redirects = http::options::FollowRedirects::Initial;
    if authorization.is_some() || credentials.client_cert.is_some() {
        let home = origin(url).ok_or_else(|| FetchFailure::Protocol {
            reason: "the URL cannot be understood".to_owned(),
        })?;
        backend.configure_request = Some(Box::new(move |request| {
            if let Some(header) = &authorization
                && origin(request.url().as_str()).as_ref() == Some(&home)
            {
                request.headers_mut().insert(AUTHORIZATION, header.clone());
            }
            Ok(())
        }));
        // Together with a request that is configured, this makes every redirection an error.
        follow_redirects = http::options::FollowRedirects::All;
    }
    Ok(http::Options {
        follow_redirects,
        backend: Some(Arc::new(Mutex::new(backend))),
        ..http::Options::default()
    })
}

/// Scheme, host and port of `url`.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// How a token may be sent: in the order in which the ways are tried.
pub(super) fn schemes(credentials: &Credentials) -> Vec<TokenScheme> {
    let Some(token) = &credentials.token else { return vec![TokenScheme::Basic] };
    if token.0.starts_with("Bearer ") {
        return vec![TokenScheme::Bearer];
    }
    if token.0.contains(':') {
        return vec![TokenScheme::Basic];
    }
    match credentials.scheme {
        Some(TokenScheme::Bearer) => vec![TokenScheme::Bearer, TokenScheme::Basic],
        _ => vec![TokenScheme::Basic, TokenScheme::Bearer],
    }
}

/// The Authorization header for a token file's content: `TOKEN`, `user:TOKEN` or `Bearer TOKEN`.
fn authorization(token: &str, scheme: TokenScheme) -> Result<HeaderValue, FetchFailure> {
    let text = match scheme {
        TokenScheme::Bearer => {
            format!("Bearer {}", token.strip_prefix("Bearer ").unwrap_or(token).trim())
        }
        TokenScheme::Basic if token.contains(':') => format!("Basic {}", base64(token.as_bytes())),
        // The well-known servers take any login beside a token; this one is GitHub's own example.
        TokenScheme::Basic => {
            format!("Basic {}", base64(format!("x-access-token:{token}").as_bytes()))
        }
    };
    let mut header =
        HeaderValue::from_str(&text).map_err(|_| FetchFailure::UnusableCredential {
            setting: "token_file".to_owned(),
            reason: "it holds characters that a token cannot have".to_owned(),
        })?;
    header.set_sensitive(true);
    Ok(header)
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// TLS for downloads: the authorities in `ca_file`, or the system's, and no client certificate.
pub(crate) fn client_tls(ca_file: Option<&Path>) -> Result<ClientConfig, FetchFailure> {
    let ca = ca_file.map(std::fs::read_to_string).transpose().map_err(|error| {
        FetchFailure::UnusableCredential {
            setting: "ca_file".to_owned(),
            reason: error.to_string(),
        }
    })?;
    client_config(&Credentials { ca, ..Credentials::default() })
}

fn client_config(credentials: &Credentials) -> Result<ClientConfig, FetchFailure> {
    let unusable = |setting: &str, reason: String| FetchFailure::UnusableCredential {
        setting: setting.to_owned(),
        reason,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", error.to_string()))?
        .with_root_certificates(roots(credentials)?);
    let (Some(certificate), Some(key)) = (&credentials.client_cert, &credentials.client_key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate).map_err(|reason| unusable("client_cert", reason))?;
    let key = PrivateKeyDer::from_pem_slice(key.0.as_bytes())
        .map_err(|error| unusable("client_key", error.to_string()))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| unusable("client_key", error.to_string()))
}

fn roots(credentials: &Credentials) -> Result<RootCertStore, FetchFailure> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = &credentials.ca {
        let unusable = |reason: String| FetchFailure::UnusableCredential {
            setting: "ca_file".to_owned(),
            reason,
        };
        for certificate in certificates(pem).map_err(unusable)? {
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        return Ok(roots);
    }
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        return Err(FetchFailure::UnusableCredential {
            setting: "the system's list of certificate authorities".to_owned(),
            reason: "it is empty: install the package ca-certificates, or set ca_file".to_owned(),
        });
    }
    Ok(roots)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::settings::Secret;

    #[test]
    fn tokens_become_headers() {
        for (token, scheme, expected) in [
            ("abc", TokenScheme::Bearer, "Bearer abc"),
            ("Bearer abc", TokenScheme::Bearer, "Bearer abc"),
            ("me:abc", TokenScheme::Basic, "Basic bWU6YWJj"),
            ("abc", TokenScheme::Basic, "Basic eC1hY2Nlc3MtdG9rZW46YWJj"),
        ] {
            let header = authorization(token, scheme).unwrap();
            assert!(header.is_sensitive());
            assert_eq!(header.to_str().unwrap(), expected);
        }
        assert!(authorization("a\nb", TokenScheme::Bearer).is_err());
    }

    #[test]
    fn the_way_that_worked_is_tried_first() {
        use TokenScheme::{Basic, Bearer};
        for (token, scheme, expected) in [
            (None, None, vec![Basic]),
            (Some("abc"), None, vec![Basic, Bearer]),
            (Some("abc"), Some(Bearer), vec![Bearer, Basic]),
            (Some("me:abc"), Some(Bearer), vec![Basic]),
            (Some("Bearer abc"), None, vec![Bearer]),
        ] {
            let token = token.map(|token| Secret(token.to_owned()));
            let credentials = Credentials { token, scheme, ..Credentials::default() };
            assert_eq!(schemes(&credentials), expected);
        }
    }
}
