//! Downloads of the https sources that policies name. The digest that the policy names is what makes
//! the content trusted; TLS is there so that it arrives.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use steadfast_resources::Failure;
use steadfast_resources::kind::Download;

use crate::state::digest;

/// How many redirects are followed. Each must lead to https again.
const MOST_REDIRECTS: usize = 5;

/// Downloads over https, verified by the system's authorities or by one of our own.
pub struct HttpsDownload {
    ca_file: Option<PathBuf>,
}

impl HttpsDownload {
    /// Downloads that trust the authorities in `ca_file`, or the system's.
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file }
    }

    fn get(&self, url: &str, limit: u64, timeout: Duration) -> Result<Vec<u8>, Failure> {
        let failed = |what: &str, error: &dyn std::error::Error| {
            let cause = Failure::from_error(error).reason;
            Failure::new(format!("cannot download {url}: {what}: {cause}"))
                .with_hint("check the URL from this host; ca_file names an authority of your own")
        };
        let tls = crate::source::client_tls(self.ca_file.as_deref())
            .map_err(|error| failed("TLS cannot be set up", &error))?;
        let client = reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(Policy::limited(MOST_REDIRECTS))
            .timeout(timeout)
            .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed("TLS cannot be set up", &error))?;
        let response = client
            .get(url)
            .send()
            .and_then(reqwest::blocking::Response::error_for_status)
            .map_err(|error| failed("the server", &error.without_url()))?;
        let mut content = Vec::new();
        response
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| failed("the connection", &error))?;
        if content.len() as u64 > limit {
            return Err(Failure::new(format!("{url} is longer than {limit} bytes")));
        }
        Ok(content)
    }
}

impl Download for HttpsDownload {
    fn download(
        &self,
        url: &str,
        sha256: &str,
        limit: u64,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        if !url.starts_with("https://") {
            return Err(Failure::new(format!("{url} is not an https URL")));
        }
        let timeout = deadline.saturating_duration_since(Instant::now());
        let content = self.get(url, limit, timeout.max(Duration::from_millis(1)))?;
        let found = digest(&content);
        if found.eq_ignore_ascii_case(sha256) {
            return Ok(content);
        }
        Err(Failure::new(format!("{url} has the digest {found}, and the policy says {sha256}"))
            .with_hint("the file was changed on the server, or the policy names another version"))
    }
}
