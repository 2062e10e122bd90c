//! What a certificate is for: its extended key usage (RFC 5280, 4.2.1.12), where webpki does not look.

/// The tag `[3]` around the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.37
const EXTENDED_KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x25];

/// 1.3.6.1.5.5.7.3.1
const SERVER: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

/// Whether a certificate may be a server's: its usage is not limited, or names servers.
pub(super) fn is_for_servers(certificate: &[u8]) -> bool {
    let Some(usage) = usage(certificate) else {
        return true;
    };
    let purposes = Items(usage).next();
    purposes.is_some_and(|(_, purposes)| Items(purposes).any(|(_, purpose)| purpose == SERVER))
}

/// The value of the extension that says so.
fn usage(certificate: &[u8]) -> Option<&[u8]> {
    let (_, signed) = Items(certificate).next()?;
    let (_, fields) = Items(signed).next()?;
    let (_, extensions) = Items(fields).find(|(tag, _)| *tag == EXTENSIONS)?;
    let (_, extensions) = Items(extensions).next()?;
    Items(extensions).find_map(|(_, extension)| {
        let mut parts = Items(extension);
        let (_, name) = parts.next()?;
        // Whether it is critical may stand between them.
        let (_, value) = parts.last()?;
        (name == EXTENDED_KEY_USAGE).then_some(value)
    })
}

/// Tags and contents that stand one after the other, in DER; ends where it is not sound.
struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag, first, rest @ ..] = self.0 else {
            return None;
        };
        let more = match first {
            0..0x80 => 0,
            _ => usize::from(first & 0x7f),
        };
        let (bytes, rest) = rest.split_at_checked(more)?;
        let add = |length: usize, byte: &u8| length.checked_mul(256)?.checked_add((*byte).into());
        let length = match more {
            0 => usize::from(*first),
            _ => bytes.iter().try_fold(0, add)?,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }
}
