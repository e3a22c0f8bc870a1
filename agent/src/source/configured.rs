//! The source that the agent's configuration names.

use super::settings::{Limits, SourceSettings};
use crate::config;

impl From<&config::Repository> for SourceSettings {
    fn from(configured: &config::Repository) -> Self {
        let limits = &configured.limits;
        Self {
            mirrors: configured.mirrors.clone(),
            branch: configured.branch.clone(),
            path: configured.path.clone(),
            depth: configured.depth,
            token_file: configured.token_file.clone(),
            ssh_key: configured.ssh_key.clone(),
            known_hosts: configured.known_hosts.clone(),
            client_cert: configured.client.as_ref().map(|(certificate, _)| certificate.clone()),
            client_key: configured.client.as_ref().map(|(_, key)| key.clone()),
            ca_file: configured.ca_file.clone(),
            limits: Limits {
                max_pack_bytes: limits.max_pack_bytes,
                max_blob_bytes: limits.max_blob_bytes,
                max_total_bytes: limits.max_total_bytes,
                max_files: limits.max_files,
                deadline: limits.deadline,
            },
            ..Self::new(configured.url.clone())
        }
    }
}
