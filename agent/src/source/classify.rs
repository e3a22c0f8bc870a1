//! From the library's chains of errors to what happened.
//!
//! The library's own classes mislead (a bad certificate counts as worth retrying), so the chain is
//! searched for the concrete errors of the layers below: TLS, HTTP, the system.

use std::error::Error;

use rustls::{AlertDescription, CertificateError};

use super::failure::FetchFailure;

/// What is known about the conversation that failed.
pub(super) struct Context<'a> {
    /// The host, or the local path.
    pub(super) host: &'a str,
    pub(super) token_sent: bool,
    /// Whether the pack was already being received.
    pub(super) receiving: bool,
    /// How long a silence was waited through, in seconds.
    pub(super) patience: u64,
    /// The memory limit for one object, in bytes.
    pub(super) object_limit: u64,
}

/// The failure that `error` stands for.
pub(super) fn classify(error: &gix::Error, context: &Context<'_>) -> FetchFailure {
    let causes = causes(error);
    let host = context.host.to_owned();
    for cause in &causes {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return from_tls(tls, host);
        }
    }
    for cause in &causes {
        if cause.is::<gix::protocol::transport::client::AuthenticationRequired>() {
            return FetchFailure::Unauthorized { token_sent: context.token_sent };
        }
        if let Some(http) = cause.downcast_ref::<reqwest::Error>()
            && let Some(failure) = from_http(http, context)
        {
            return failure;
        }
    }
    // What is left of a 401 when there is no credential helper.
    if error.is_unauthenticated() {
        return FetchFailure::Unauthorized { token_sent: context.token_sent };
    }
    let text = chain_text(&causes);
    if text.contains("tls handshake eof") {
        let reason = "the server ended the handshake; perhaps it does not speak TLS".to_owned();
        return FetchFailure::Tls { host, reason };
    }
    if text.contains("dns error") || text.contains("failed to lookup address") {
        return FetchFailure::UnknownHost { host, reason: last_text(&causes) };
    }
    if error.is_resource_exhausted() {
        return FetchFailure::ObjectTooLarge { limit: context.object_limit };
    }
    for cause in &causes {
        if let Some(system) = cause.downcast_ref::<std::io::Error>()
            && let Some(failure) = from_system(system, context, &causes)
        {
            return failure;
        }
    }
    if text.contains("indicate 'smart' protocol") {
        let reason = "the server does not speak Git's protocol there".to_owned();
        return FetchFailure::NoRepository { reason };
    }
    if text.contains("unexpected end") || text.contains("UnexpectedEof") {
        return FetchFailure::Truncated { reason: last_text(&causes) };
    }
    if context.receiving && text.contains("pack") {
        return FetchFailure::CorruptPack { reason: text };
    }
    FetchFailure::Protocol { reason: text }
}

/// Every error in the chain, outermost first, also those that `std::io::Error` wraps and hides.
fn causes(error: &gix::Error) -> Vec<&(dyn Error + 'static)> {
    let mut all = Vec::new();
    for cause in error.iter_errors() {
        follow(cause, &mut all);
    }
    all
}

fn follow<'a>(error: &'a (dyn Error + 'static), all: &mut Vec<&'a (dyn Error + 'static)>) {
    const ENOUGH: usize = 64;
    if all.len() >= ENOUGH {
        return;
    }
    all.push(error);
    if let Some(nested) = error.downcast_ref::<gix::Error>() {
        for cause in nested.iter_errors() {
            if all.len() < ENOUGH && !cause.is::<gix::Error>() {
                all.push(cause);
                unwrap_system(cause, all);
            }
        }
        return;
    }
    unwrap_system(error, all);
    if let Some(source) = error.source() {
        follow(source, all);
    }
}

fn unwrap_system<'a>(error: &'a (dyn Error + 'static), all: &mut Vec<&'a (dyn Error + 'static)>) {
    if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        follow(inner, all);
    }
}

/// The chain in one line, without repetitions.
fn chain_text(causes: &[&(dyn Error + 'static)]) -> String {
    let mut text = String::new();
    for cause in causes {
        let next = one_line(&cause.to_string());
        if !next.is_empty() && !text.contains(&next) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&next);
        }
    }
    text
}

fn last_text(causes: &[&(dyn Error + 'static)]) -> String {
    let mut texts = causes.iter().map(|cause| one_line(&cause.to_string()));
    texts.rfind(|text| !text.is_empty()).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn from_tls(error: &rustls::Error, host: String) -> FetchFailure {
    match error {
        rustls::Error::InvalidCertificate(problem) => {
            let reason = problem.to_string();
            match problem {
                CertificateError::UnknownIssuer => FetchFailure::UntrustedCertificate { host },
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    FetchFailure::ExpiredCertificate { host, reason }
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    FetchFailure::EarlyCertificate { host, reason }
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    FetchFailure::WrongHostName { host, reason }
                }
                // A self-signed certificate is its own, untrusted, authority.
                CertificateError::Other(_) if reason.contains("CaUsedAsEndEntity") => {
                    FetchFailure::UntrustedCertificate { host }
                }
                _ => FetchFailure::InvalidCertificate { host, reason },
            }
        }
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied),
        ) => FetchFailure::ClientCertificateRefused { host, reason: format!("{alert:?}") },
        other => FetchFailure::Tls { host, reason: other.to_string() },
    }
}

fn from_http(error: &reqwest::Error, context: &Context<'_>) -> Option<FetchFailure> {
    if let Some(status) = error.status() {
        return Some(match status.as_u16() {
            401 => FetchFailure::Unauthorized { token_sent: context.token_sent },
            403 => FetchFailure::Forbidden,
            404 | 410 => FetchFailure::NoRepository { reason: format!("HTTP status {status}") },
            status => FetchFailure::Status { status },
        });
    }
    if error.is_redirect() {
        return Some(FetchFailure::Redirected { to: error.url().map(reqwest::Url::to_string) });
    }
    if error.is_timeout() {
        return Some(FetchFailure::Stalled { seconds: context.patience });
    }
    None
}

fn from_system(
    error: &std::io::Error,
    context: &Context<'_>,
    causes: &[&(dyn Error + 'static)],
) -> Option<FetchFailure> {
    use std::io::ErrorKind;
    let host = context.host.to_owned();
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable => {
            Some(FetchFailure::Unreachable { host, reason: error.to_string() })
        }
        ErrorKind::TimedOut => Some(FetchFailure::Stalled { seconds: context.patience }),
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Some(FetchFailure::Truncated { reason: last_text(causes) }),
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::PermissionDenied
        | ErrorKind::FileTooLarge => Some(FetchFailure::Write { reason: error.to_string() }),
        _ => None,
    }
}
