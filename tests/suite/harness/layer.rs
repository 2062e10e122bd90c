//! Layers: tars and gzip files with the same bytes on every machine and with every library.

/// A tar of files, all with the same owner, mode and time.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in files {
        tar.extend(header(name, content.len()));
        tar.extend(*content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A gzip file whose blocks are stored, not compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.len().div_ceil(0xffff).max(1);
    for block in 0..blocks {
        let end = bytes.len().min((block + 1) * 0xffff);
        let content = &bytes[block * 0xffff..end];
        let length = u16::try_from(content.len()).expect("a block's length");
        gzip.push(u8::from(block + 1 == blocks));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(content);
    }
    gzip.extend(crc32(bytes).to_le_bytes());
    gzip.extend(
        u32::try_from(bytes.len())
            .expect("below 4 GiB")
            .to_le_bytes(),
    );
    gzip
}

/// A header of the POSIX form: <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html>.
fn header(name: &str, size: usize) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{:011o}", 1_767_323_045));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| match crc & 1 {
        1 => crc >> 1 ^ 0xedb8_8320,
        _ => crc >> 1,
    };
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
