//! Which hosts and addresses are internal, however they are written: reachable from some places only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that only mean something within a network: RFC 6761, 6762, 8375, and ICANN for `internal`.
const PRIVATE_DOMAINS: [&str; 5] = ["localhost", "localdomain", "local", "internal", "home.arpa"];

/// Networks that only some can reach: RFC 6890, 6598, 4193, 4291, 3879, 8215.
const INTERNAL: &str = "\
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 \
    192.168.0.0/16 224.0.0.0/4 240.0.0.0/4 64:ff9b:1::/48 fc00::/7 fe80::/10 fec0::/10 ff00::/8";

/// Whether the spelling of a host tells that it leads inside; `None` if only a look-up tells. The
/// host is in lower case and without brackets.
pub(super) fn is_internal_name(host: &str) -> Option<bool> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Ok(address) = host.parse() {
        return Some(is_internal(address));
    }
    let (above, last) = host.rsplit_once('.').unwrap_or(("", host));
    let is_private = |domain: &&str| {
        let rest = host.strip_suffix(*domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    // `127.1`, `2130706433` and `0x7f.1` are addresses too (inet_aton), and no domain ends so. What
    // they mean depends on who reads them.
    let is_inside = above.is_empty() || is_number(last) || PRIVATE_DOMAINS.iter().any(is_private);
    is_inside.then_some(true)
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x");
    hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        || label.bytes().all(|b| b.is_ascii_digit())
}

/// Whether an address leads to this machine, or to a network that not everybody can reach.
pub(in super::super) fn is_internal(address: IpAddr) -> bool {
    is_in(address, INTERNAL) || embedded(address).is_some_and(|it| is_in(it.into(), INTERNAL))
}

/// The IPv4 address that an IPv6 address stands for.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    /// Compatible, which holds `::` and `::1` as well, mapped and translated (RFC 4291, 2765, 6052).
    const LAST: &str = "::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96";
    let IpAddr::V6(inner) = address else {
        return None;
    };
    let last = inner.to_bits() as u32;
    let bits = match () {
        () if is_in(address, LAST) => last,
        // 6to4 (RFC 3056).
        () if is_in(address, "2002::/16") => (inner.to_bits() >> 80) as u32,
        // Teredo turns every bit around (RFC 4380).
        () if is_in(address, "2001::/32") => !last,
        () => return None,
    };
    Some(Ipv4Addr::from_bits(bits))
}

fn is_in(address: IpAddr, networks: &str) -> bool {
    networks.split(' ').any(|network| is_within(address, network))
}

/// Whether a network `ADDRESS/BITS` holds the address.
pub(super) fn is_within(address: IpAddr, network: &str) -> bool {
    let (network, bits) = network.split_once('/').unwrap_or_default();
    let (Ok(network), Ok(bits)) = (network.trim_matches(['[', ']']).parse(), bits.parse()) else {
        return false;
    };
    let difference = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= Ipv4Addr::BITS => {
            u128::from(network.to_bits() ^ address.to_bits()) << (Ipv6Addr::BITS - Ipv4Addr::BITS)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= Ipv6Addr::BITS => {
            network.to_bits() ^ address.to_bits()
        }
        _ => return false,
    };
    difference.leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_address_is_known_in_every_form() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::a00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001:0:102:304::80ff:fffe",
            "fc00::",
            "fd00::1",
            "fe80::1",
            "febf::1",
            "fec0::",
            "feff::1",
            "ff02::1",
        ] {
            assert!(is_internal(address.parse().unwrap()), "{address}");
            assert_eq!(is_internal_name(address), Some(true), "{address}");
        }
        for address in [
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.0.2.1",
            "192.167.1.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "::808:808",
            "64:ff9b::808:808",
            "64:ff9b:2::",
            "2001:db8::1",
            "2002:808:808::1",
            "2606:4700::1",
            "2001:0:102:304::f7f7:f7f7",
        ] {
            assert!(!is_internal(address.parse().unwrap()), "{address}");
            assert_eq!(is_internal_name(address), Some(false), "{address}");
        }
    }

    #[test]
    fn a_name_tells_where_it_leads_by_its_spelling() {
        for name in [
            "2130706433",
            "0x7f000001",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "0x7f.0.0.1",
            "1.2.3.0x4",
            "localhost",
            "localhost.",
            "a.localhost",
            "localhost.localdomain",
            "printer.local",
            "metadata.google.internal",
            "metadata.google.internal.",
            "nas.home.arpa",
            "intranet",
            "127.0.0.1.0x",
            "10.0.0.1.2",
        ] {
            assert_eq!(is_internal_name(name), Some(true), "{name}");
        }
        for name in [
            "registry.example.com",
            "registry.example.com.",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "mylocal.example",
            "notlocal.notinternal",
            "a.0xab-c.de",
        ] {
            assert_eq!(is_internal_name(name), None, "{name}");
        }
    }
}
