//! Where an authorization server serves its keys.

use std::net::IpAddr;

use http::Uri;

/// The server that an `http` or `https` URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

impl Address {
    /// The server of this URI; `None` if it is not an `http` or `https` URI.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let uri: Uri = uri.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            host: uri.host()?.to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            is_tls,
        })
    }

    /// Whether the host is an IP address.
    pub(super) fn is_ip(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().is_ok()
    }

    /// A name for resources about this server.
    pub(super) fn name(&self) -> String {
        let host: String = self
            .host
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        if self.port == 443 {
            format!("bearer-gate-{host}")
        } else {
            format!("bearer-gate-{host}-{}", self.port)
        }
    }
}
