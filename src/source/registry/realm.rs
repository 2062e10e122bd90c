//! Where a registry may send a client, for a token, a blob or an upload: a public registry never to
//! an internal address, and never from HTTPS to a token server without it.

use crate::error::{During, Error, Kind, Result};

use super::transport::Connections;
use super::url::{Origin, Scheme, Url};

/// The realm as a URL, if it may be asked.
pub(super) fn locate(realm: &str, registry: &Origin, connections: &Connections) -> Result<Url> {
    let url = registry.url("/v2/").join(realm)?;
    let realm = &url.origin;
    let refuse = |why: &str| {
        let message = format!("the registry sends us for a token to {realm}, {why}");
        Err(Error::new(Kind::Denied, message))
    };
    if realm.scheme == Scheme::Http && registry.scheme == Scheme::Https {
        return refuse("which is not HTTPS");
    }
    match leads_inside(registry, realm, connections)? {
        true => refuse("which is an internal address"),
        false => Ok(url),
    }
}

/// Refuses a redirect or an upload that goes on where the origin that says so cannot go itself.
pub(super) fn admit(from: &Origin, to: &Origin, connections: &Connections) -> Result<()> {
    if !leads_inside(from, to, connections)? {
        return Ok(());
    }
    let message = format!("{from} leads to {to}, which is an internal address");
    Err(Error::new(Kind::Protocol, message))
}

/// Whether anybody can reach `from`, but not `to`.
fn leads_inside(from: &Origin, to: &Origin, connections: &Connections) -> Result<bool> {
    is_inward(from, to, |origin| connections.internal(origin).during(origin.authority()))
}

/// Whether anybody can reach an origin that has such addresses. Behind a proxy none is known: that
/// counts so.
pub(super) fn is_public(internal: &[bool]) -> bool {
    internal.is_empty() || internal.contains(&false)
}

/// `look_up` tells of every address of an origin whether it is internal.
fn is_inward(
    from: &Origin,
    to: &Origin,
    look_up: impl Fn(&Origin) -> Result<Vec<bool>>,
) -> Result<bool> {
    if from == to {
        return Ok(false);
    }
    Ok(is_public(&look_up(from)?) && look_up(to)?.contains(&true))
}

#[cfg(test)]
mod tests {
    use super::super::transport::is_internal;
    use super::*;

    fn origin(url: &str) -> Origin {
        url.parse::<Url>().unwrap().origin
    }

    /// What the names of the tests mean.
    fn look_up(origin: &Origin) -> Result<Vec<bool>> {
        let addresses: &[&str] = match origin.bare_host() {
            "registry.example.com" => &["192.0.2.1", "2001:db8::1"],
            "auth.example.com" => &["192.0.2.2"],
            "inside.example.com" => &["10.0.0.1"],
            "partly.example.com" => &["192.0.2.3", "127.0.0.1"],
            "localhost" => &["127.0.0.1", "::1"],
            "proxied.example.com" => &[],
            address => &[address],
        };
        let internal = |address: &&str| is_internal(address.parse().unwrap());
        Ok(addresses.iter().map(internal).collect())
    }

    #[test]
    fn a_hop_is_judged_by_every_address() {
        let public = "https://registry.example.com";
        for (from, to, is_inside) in [
            (public, "https://auth.example.com/token", false),
            (public, "https://registry.example.com:8443/token", false),
            (public, "https://inside.example.com", true),
            (public, "https://partly.example.com", true),
            (public, "https://localhost", true),
            (public, "https://127.0.0.1", true),
            (public, "https://192.168.1.1:5000", true),
            (public, "https://[::1]", true),
            (public, "https://[64:ff9b::c000:201]", false),
            (public, "https://192.0.2.9", false),
            ("https://inside.example.com", "https://10.0.0.2", false),
            ("https://partly.example.com", "https://10.0.0.2", true),
            ("https://partly.example.com", "https://partly.example.com/a", false),
            // Another port of the same name may be answered by its internal address.
            ("https://partly.example.com", "https://partly.example.com:6379", true),
            ("https://inside.example.com", "https://inside.example.com:6379", false),
            ("https://proxied.example.com", "https://10.0.0.2", true),
            ("https://proxied.example.com", "https://auth.example.com", false),
            ("http://localhost:5000", "http://localhost:5001/token", false),
            ("http://localhost:5000", "https://auth.example.com", false),
        ] {
            let result = is_inward(&origin(from), &origin(to), look_up);
            assert_eq!(result, Ok(is_inside), "{from} {to}");
        }
    }
}
