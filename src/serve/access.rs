//! Who may ask what: what was named on the command line, or any image.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::error::{During, Error, Kind, Result, some_of};
use crate::reference::{Host, Reference, Repository, TagOrDigest, Transport};

/// What may be asked for.
pub(super) struct Access {
    /// As it was named.
    operands: Vec<String>,
    named: Vec<Named>,
    is_any: bool,
}

/// What an operand names.
enum Named {
    Registry(Host),
    /// Repositories of these names, and all below them.
    Repositories(Host, Vec<String>),
    /// A layout or an archive.
    File(Transport),
}

impl Access {
    pub(super) fn new(operands: &[String], is_any: bool) -> Result<Self> {
        let named = operands.iter().map(|text| text.parse().during("serve"));
        let named = named.collect::<Result<_>>()?;
        Ok(Access { operands: operands.to_vec(), named, is_any: is_any || operands.is_empty() })
    }

    pub(super) fn operands(&self) -> &[String] {
        &self.operands
    }

    pub(super) fn is_any(&self) -> bool {
        self.is_any
    }

    /// The registries that are named, which the options of the command line are for.
    pub(super) fn registries(&self) -> impl Iterator<Item = Transport> {
        self.named
            .iter()
            .filter_map(Named::host)
            .map(|host| Transport::Registry(Repository { host: host.clone(), name: String::new() }))
    }

    /// Whether a place is at a registry that was named, or a file that was. `Kind::Denied` if it may not
    /// be asked for.
    pub(super) fn admit(&self, transport: &Transport) -> Result<bool> {
        let is_registry = matches!(transport, Transport::Registry(_));
        if self.named.iter().any(|named| named.holds(transport)) {
            return Ok(true);
        }
        if self.is_any && is_registry {
            return Ok(self.registries().any(|named| is_at_one_host(&named, transport)));
        }
        let error = match transport {
            Transport::Registry(it) if it.name.is_empty() => format!("{} is not served", it.host),
            Transport::Registry(repository) => format!("{repository} is not served"),
            _ => "files of the server are not served".to_owned(),
        };
        let error = Error::new(Kind::Denied, format!("{error} here"));
        Err(match self.operands.is_empty() {
            true => error,
            false => error.hint(format!("what is: {}", some_of(&self.operands))),
        })
    }
}

fn is_at_one_host(one: &Transport, other: &Transport) -> bool {
    match (one, other) {
        (Transport::Registry(one), Transport::Registry(other)) => one.host == other.host,
        _ => false,
    }
}

impl Named {
    fn repositories(Repository { host, name }: Repository, is_word: bool) -> Self {
        let owner = name.strip_prefix("library/").filter(|_| host.is_docker_hub() && !is_word);
        // As Docker Hub has official images, it has owners of one word.
        let names = owner.map(str::to_owned).into_iter().chain([name.clone()]).collect();
        Named::Repositories(host, names)
    }

    fn host(&self) -> Option<&Host> {
        match self {
            Named::Registry(host) | Named::Repositories(host, _) => Some(host),
            Named::File(_) => None,
        }
    }

    fn holds(&self, transport: &Transport) -> bool {
        match (self, transport) {
            (Named::Registry(host), Transport::Registry(other)) => *host == other.host,
            (Named::Repositories(host, names), Transport::Registry(other)) => {
                let is_below = |name: &String| {
                    let rest = other.name.strip_prefix(name.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                *host == other.host && names.iter().any(is_below)
            }
            (Named::File(file), other) => file == other,
            _ => false,
        }
    }
}

impl FromStr for Named {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let reference = text.parse::<Reference>();
        if let Ok(Reference { transport, at: TagOrDigest::Only }) = reference {
            return Ok(Named::File(transport));
        }
        let place = text.trim_end_matches('/');
        let is_word = !place.contains('/');
        let named = match is_word && (place.contains(['.', ':']) || place == "localhost") {
            true => place.parse().map(Named::Registry),
            false => place.parse().map(|repository| Named::repositories(repository, is_word)),
        };
        named.map_err(|error| match reference {
            Ok(image) => Error::usage(format!("'{text}': who asks chooses the tag or digest"))
                .hint(format!("write {}", image.transport)),
            Err(_) => error,
        })
    }
}

/// Whether a request to this machine's own address was meant for it. A page of somebody else can have
/// the browser ask a name that leads here, and then it would read the answer.
pub(super) fn is_meant(address: SocketAddr, host: Option<&str>) -> bool {
    let Some(host) = host.filter(|_| address.ip().to_canonical().is_loopback()) else {
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(operands: &str, is_any: bool) -> Access {
        let operands: Vec<String> = operands.split_whitespace().map(str::to_owned).collect();
        Access::new(&operands, is_any).unwrap()
    }

    fn admitted(access: &Access, image: &str) -> Option<bool> {
        let transport = match image.strip_prefix("registry ") {
            Some(host) => {
                Transport::Registry(Repository { host: host.parse().unwrap(), name: String::new() })
            }
            None => image.parse::<Reference>().unwrap().transport,
        };
        access.admit(&transport).map_err(|error| assert_eq!(error.kind(), Kind::Denied)).ok()
    }

    #[test]
    fn what_is_named_may_be_asked_for() {
        let named =
            "ghcr.io/owner localhost:5000 docker.io/sphinxdoc ubuntu oci:/srv/app quay.io/a/b/";
        let named = access(named, false);
        for (image, expected) in [
            ("ghcr.io/owner/app:v1", Some(true)),
            ("ghcr.io/owner", Some(true)),
            ("ghcr.io/owner2/app", None),
            ("ghcr.io/other/owner", None),
            ("registry ghcr.io", None),
            ("localhost:5000/any", Some(true)),
            ("registry localhost:5000", Some(true)),
            ("localhost:5001/any", None),
            ("localhost/any", None),
            ("sphinxdoc/sphinx", Some(true)),
            ("docker.io/sphinxdoc/sphinx:4", Some(true)),
            ("sphinxdoc2/sphinx", None),
            ("ubuntu:18.04", Some(true)),
            ("ubuntu/nginx", None),
            ("debian", None),
            ("registry docker.io", None),
            ("oci:/srv/app", Some(true)),
            ("oci:/srv/app:v1", Some(true)),
            ("oci:/srv/app/../other", None),
            ("oci:/srv", None),
            ("oci-archive:/srv/app", None),
            ("quay.io/a/b", Some(true)),
            ("quay.io/a/bc", None),
        ] {
            assert_eq!(admitted(&named, image), expected, "{image}");
        }
    }

    #[test]
    fn any_image_is_one_of_a_registry() {
        for (access, expected) in [(access("", false), false), (access("quay.io/a", true), true)] {
            for (image, expected) in [
                ("ubuntu", Some(false)),
                ("quay.io/b", Some(expected)),
                ("registry ghcr.io", Some(false)),
                ("oci:/srv/app", None),
                ("docker-archive:x.tar", None),
            ] {
                assert_eq!(admitted(&access, image), expected, "{image}");
            }
        }
    }

    #[test]
    fn an_operand_is_no_image() {
        for operand in
            ["ubuntu:18.04", "oci:/srv/app:v1", "ghcr.io/a/b:v1", "ghcr.io/Owner", "", "a b"]
        {
            let error = Access::new(&[operand.to_owned()], false).err().expect(operand);
            assert_eq!(error.kind(), Kind::Usage, "{operand}");
        }
    }

    #[test]
    fn another_name_for_this_machine_is_not_meant() {
        let loopback = "127.0.0.1:5080".parse().unwrap();
        for (host, expected) in [
            (None, true),
            (Some("localhost"), true),
            (Some("LOCALHOST:8080"), true),
            (Some("127.0.0.1:5080"), true),
            (Some("127.1.2.3"), true),
            (Some("[::1]:5080"), true),
            (Some("[::ffff:127.0.0.1]"), true),
            (Some("evil.example"), false),
            (Some("localhost.evil.example:5080"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some("10.0.0.1"), false),
            (Some(""), false),
        ] {
            assert_eq!(is_meant(loopback, host), expected, "{host:?}");
        }
        assert!(is_meant("192.0.2.1:5080".parse().unwrap(), Some("evil.example")));
    }
}
