//! Certificates of a test's own making, good and bad, by openssl(1).

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::outer;

/// Making a key and a certificate takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);

const NAMES: &str = "DNS:localhost,IP:127.0.0.1";

/// A directory of PEM files. Every certificate `NAME.pem` has its key beside it in `NAME.key.pem`.
#[derive(Debug, Clone)]
pub struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// Makes an authority, a server certificate for `localhost`, one for another name, one signed by
    /// another authority, and two client certificates of which only the first is by our authority.
    pub(super) fn make(directory: &Path) -> Self {
        let certificates = Self { directory: directory.to_owned() };
        certificates.authority("authority");
        certificates.authority("stranger");
        certificates.signed("server", "authority", NAMES, "365");
        certificates.signed("other-name", "authority", "DNS:other.test", "365");
        certificates.signed("other-authority", "stranger", NAMES, "365");
        certificates.signed("client", "authority", "DNS:client.test", "365");
        certificates.signed("other-client", "stranger", "DNS:client.test", "365");
        certificates
    }

    /// What a client has to trust: the `ca_file` of the agent.
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// A certificate and its key that the server accepts from a client.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        self.pair("client")
    }

    /// A certificate and its key that the server does not accept.
    pub fn other_client(&self) -> (PathBuf, PathBuf) {
        self.pair("other-client")
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.directory.join(format!("{name}.pem")), self.directory.join(format!("{name}.key.pem")))
    }

    fn authority(&self, name: &str) {
        let (certificate, key) = self.pair(name);
        let mut command = outer::command("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-nodes", "-days", "365", "-subj", &format!("/CN=test {name}")]);
        command.args(["-addext", "keyUsage=critical,keyCertSign"]);
        command.arg("-keyout").arg(key).arg("-out").arg(certificate);
        outer::must(command, DEADLINE);
    }

    fn signed(&self, name: &str, authority: &str, names: &str, days: &str) {
        let (certificate, key) = self.pair(name);
        let (authority_certificate, authority_key) = self.pair(authority);
        let mut command = outer::command("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-nodes", "-days", days, "-subj", &format!("/CN=test {name}")]);
        command.args(["-addext", &format!("subjectAltName={names}")]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-addext", "extendedKeyUsage=serverAuth,clientAuth"]);
        command.arg("-CA").arg(authority_certificate).arg("-CAkey").arg(authority_key);
        command.arg("-keyout").arg(key).arg("-out").arg(certificate);
        outer::must(command, DEADLINE);
    }
}
