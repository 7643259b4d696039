//! `[server]`: where it listens and what it is called from outside.

use super::{reader::Reader, spec::Spec, web_url::WebUrl};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

pub(super) const SPECS: &[Spec] = &[
    Spec::plain(
        "SERVER__LISTEN",
        "127.0.0.1:8000",
        "Address and port to listen on. Development refuses any that the network could reach.",
    ),
    Spec::plain(
        "SERVER__PUBLIC_URL",
        "http://{SERVER__LISTEN}",
        "The URL that browsers use, without a path; links, origins and the names of cookies follow it. Production \
         needs https.",
    ),
    Spec::list(
        "SERVER__TRUSTED_PROXIES",
        "Networks (CIDR) of the proxies whose Forwarded headers are believed. None by default: anybody can send \
         such a header.",
    ),
    Spec::plain("SERVER__TLS_CERT", "", "Certificate chain (PEM), if the server itself speaks TLS."),
    Spec::plain("SERVER__TLS_KEY", "", "Private key (PEM) of the certificate."),
    Spec::plain(
        "SERVER__HSTS_SECONDS",
        "0",
        "How long browsers must stay on https; 0 sends no such header. One year in production, none in \
         development, where it would lock localhost to https.",
    )
    .in_production("31536000"),
];

/// Where the server listens and what it is called from outside.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port; 127.0.0.1:8000, so that a first try is reachable from this machine only. Port 0
    /// takes a free one, and then [`public_url`](Self::public_url) must be mended after binding.
    pub listen: SocketAddr,
    /// The URL that browsers use, without a path; by default `http://` and [`listen`](Self::listen). Nothing
    /// of a request ever enters a link, so this must be right.
    pub public_url: WebUrl,
    /// Networks whose Forwarded headers are believed; none, since anybody can send one.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain in PEM; none, a proxy does TLS.
    pub tls_cert: Option<PathBuf>,
    /// Private key in PEM; none.
    pub tls_key: Option<PathBuf>,
    /// Seconds of Strict-Transport-Security, 0 for no header; one year in production (RFC 6797, guide §15),
    /// 0 in development, where it would lock localhost to https.
    pub hsts_seconds: u32,
}

impl Server {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            listen: reader.required("SERVER__LISTEN"),
            public_url: reader.required("SERVER__PUBLIC_URL"),
            trusted_proxies: reader.required("SERVER__TRUSTED_PROXIES"),
            tls_cert: reader.optional("SERVER__TLS_CERT"),
            tls_key: reader.optional("SERVER__TLS_KEY"),
            hsts_seconds: reader.required("SERVER__HSTS_SECONDS"),
        }
    }

    /// Whether the trusted networks, taken together, are as good as everybody: one that is wider than the widest
    /// private ones, 10.0.0.0/8, fc00::/7 and fe80::/10.
    #[must_use]
    pub fn trusts_everybody(&self) -> bool {
        IpNet::aggregate(&self.trusted_proxies).iter().any(|network| match network {
            IpNet::V4(network) => network.prefix_len() < 8,
            IpNet::V6(network) => {
                let is_private = network.addr().is_unique_local() || network.addr().is_unicast_link_local();
                network.prefix_len() < 16 && !is_private
            }
        })
    }

    /// Whether the server itself speaks TLS.
    #[must_use]
    pub const fn has_own_tls(&self) -> bool {
        self.tls_cert.is_some() && self.tls_key.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::Config;
    use std::path::Path;

    #[test]
    fn networks_are_everybody_together_and_a_provider_is_not() {
        let everybody = |networks: &str| {
            let mut server = Config::development(Path::new("data")).server;
            server.trusted_proxies = networks.split(',').map(|network| network.parse().unwrap()).collect();
            server.trusts_everybody()
        };
        for networks in [
            "0.0.0.0/0",
            "0.0.0.0/1,128.0.0.0/1",
            "1.0.0.0/8,2.0.0.0/8,3.0.0.0/8",
            "::/0",
            "2000::/3",
            "::/1,8000::/1",
        ] {
            assert!(everybody(networks), "{networks}");
        }
        for networks in [
            "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
            "fc00::/7,fe80::/10",
            "104.16.0.0/13",
            "2a06:98c0::/29",
        ] {
            assert!(!everybody(networks), "{networks}");
        }
    }
}
