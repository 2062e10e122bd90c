//! Where tokens may be asked for: a registry that is read by anybody must not send us to ask, with
//! credentials, a server that only we can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Kind, Result};

use super::connection::Connections;
use super::url::{Origin, Scheme, Url};

/// The realm as a URL, if it may be asked.
pub(super) fn locate(realm: &str, registry: &Origin, connections: &Connections) -> Result<Url> {
    let url = registry.url("/v2/").join(realm)?;
    check(&url.origin, registry, |origin| {
        addresses(origin, connections)
    })?;
    Ok(url)
}

/// `look_up` gives every address of an origin.
fn check(
    realm: &Origin,
    registry: &Origin,
    look_up: impl Fn(&Origin) -> Result<Vec<IpAddr>>,
) -> Result<()> {
    let refuse = |why: &str| {
        let message = format!("the registry sends us for a token to {realm}, {why}");
        Err(Error::new(Kind::Denied, message))
    };
    if realm.scheme == Scheme::Http && registry.scheme == Scheme::Https {
        return refuse("which is not HTTPS");
    }
    if realm.host == registry.host || !look_up(realm)?.into_iter().any(is_internal) {
        return Ok(());
    }
    let registry = look_up(registry)?;
    // Of a registry behind a proxy no address is known: it counts as one that anybody can reach.
    if !registry.is_empty() && registry.into_iter().all(is_internal) {
        return Ok(());
    }
    refuse("which is an internal address")
}

fn addresses(origin: &Origin, connections: &Connections) -> Result<Vec<IpAddr>> {
    if origin.address().is_none() && origin.host != "localhost" && connections.is_proxied(origin) {
        // The proxy looks the name up, in its own network.
        return Ok(Vec::new());
    }
    let found = connections.addresses(origin.bare_host(), origin.port)?;
    Ok(found.iter().map(|address| address.ip()).collect())
}

/// Whether an address leads to this machine, or to a network that not everybody can reach.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        // Shared between a provider and its customers (RFC 6598).
        || (a == 100 && b & 0xc0 == 64)
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // 64:ff9b::/96 leads through a gateway to the IPv4 address in its last bits (RFC 6052).
    let is_translated = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let low = Ipv4Addr::from_bits((u32::from(segments[6]) << 16) | u32::from(segments[7]));
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some_and(is_internal_v4)
        || (is_translated && is_internal_v4(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        url.parse::<Url>().unwrap().origin
    }

    /// What the names of the tests mean.
    fn look_up(origin: &Origin) -> Result<Vec<IpAddr>> {
        let addresses: &[&str] = match origin.bare_host() {
            "registry.example.com" => &["192.0.2.1", "2001:db8::1"],
            "auth.example.com" => &["192.0.2.2"],
            "inside.example.com" => &["10.0.0.1"],
            "partly.example.com" => &["192.0.2.3", "127.0.0.1"],
            "localhost" => &["127.0.0.1", "::1"],
            "proxied.example.com" => &[],
            address => &[address],
        };
        Ok(addresses.iter().map(|a| a.parse().unwrap()).collect())
    }

    #[test]
    fn a_realm_is_judged_by_every_address() {
        let public = "https://registry.example.com";
        for (registry, realm, expected) in [
            (public, "https://auth.example.com/token", true),
            (public, "https://registry.example.com:8443/token", true),
            (public, "http://auth.example.com/token", false),
            (public, "http://registry.example.com/token", false),
            (public, "https://inside.example.com", false),
            (public, "https://partly.example.com", false),
            (public, "https://localhost", false),
            (public, "https://127.0.0.1", false),
            (public, "https://169.254.169.254", false),
            (public, "https://0.0.0.0", false),
            (public, "https://0.1.2.3", false),
            (public, "https://100.64.0.1", false),
            (public, "https://192.168.1.1:5000", false),
            (public, "https://[::]", false),
            (public, "https://[::1]", false),
            (public, "https://[fe80::1]", false),
            (public, "https://[fd00::1]", false),
            (public, "https://[::ffff:10.0.0.1]", false),
            (public, "https://[64:ff9b::a00:1]", false),
            (public, "https://[64:ff9b::c000:201]", true),
            (public, "https://192.0.2.9", true),
            ("https://inside.example.com", "https://10.0.0.2", true),
            ("https://partly.example.com", "https://10.0.0.2", false),
            ("https://proxied.example.com", "https://10.0.0.2", false),
            (
                "https://proxied.example.com",
                "https://auth.example.com",
                true,
            ),
            ("http://localhost:5000", "http://localhost:5001/token", true),
            ("http://localhost:5000", "https://auth.example.com", true),
            ("https://localhost:5000", "http://localhost:5001", false),
        ] {
            let result = check(&origin(realm), &origin(registry), look_up);
            assert_eq!(result.is_ok(), expected, "{registry} {realm}");
        }
    }
}
