//! What is tried: whatever comes from outside, each with the code that reads it first.

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::assembly::spec::IndexSpec;
use crate::cli::{self, Cli, Request};
use crate::commands::{self, Invocation, Run};
use crate::compression;
use crate::content::{Content, Descriptor, Layer};
use crate::context;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Kind, Result};
use crate::filesystem::toc::Toc;
use crate::filesystem::tree::Room;
use crate::filesystem::{EntryKind, Tree, layer};
use crate::image::Image;
use crate::json;
use crate::names::Names;
use crate::parallel::Pool;
use crate::platform::{Platform, PlatformMatcher};
use crate::progress::ProgressStyle;
use crate::query::{Output, Query};
use crate::reference::{Reference, Repository, TagOrDigest};
use crate::serve::http::head;
use crate::source::cache::{Cache, Freshness, disk};
use crate::source::layout::{Layout, files::Files};
use crate::source::registry::challenge::Challenge;
use crate::source::registry::credentials::auth_file::{AuthFile, AuthFileFormat};
use crate::source::registry::message::{Body, Response};
use crate::source::registry::token::Token;
use crate::source::registry::url::{Origin, Scheme, Url};
use crate::source::registry::{error_response, pages, rate, retry};
use crate::source::{
    AuthCache, AuthFiles, Blob, CacheSettings, Certificates, DiskCache, MirrorSettings, Namespace,
    PlainHttp, Proxies, Role,
    Resolved, Settings, Source, Sources, Verbosity,
};

/// Something that is tried, and its name.
pub type Target = (&'static str, fn(&[u8]));

/// By name.
pub static TARGETS: &[Target] = &[
    ("answer", answer),
    ("arguments", arguments),
    ("cache", cache),
    ("challenge", challenge),
    ("chunked", chunked),
    ("compression", compression),
    ("credentials", credentials),
    ("docker-archive", docker_archive),
    ("document", document),
    ("estargz", estargz),
    ("filter", filter),
    ("layer", layer),
    ("layout", layout),
    ("link", link),
    ("oci-archive", oci_archive),
    ("parameters", parameters),
    ("platform", platform),
    ("reference", reference),
    ("request", request),
    ("url", url),
    ("yaml", yaml),
];

/// What is read of anything unpacked.
const ENOUGH: u64 = 1 << 20;

static TABLE: LazyLock<Cli> = LazyLock::new(commands::table);

fn text(data: &[u8]) -> &str {
    str::from_utf8(data).unwrap_or_default()
}

/// A reference means the same when it is printed and read again.
fn reference(data: &[u8]) {
    let Ok(reference) = text(data).parse::<Reference>() else {
        return;
    };
    let printed = reference.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(&reference), "{printed}");
}

fn platform(data: &[u8]) {
    let Ok(wanted) = text(data).parse::<PlatformMatcher>() else {
        return;
    };
    let again = wanted.to_string().parse::<PlatformMatcher>();
    assert!(
        again.is_ok_and(|it| it.to_string() == wanted.to_string()),
        "{wanted}"
    );
    let offered = Platform {
        os: wanted.os.clone().unwrap_or_default(),
        architecture: wanted.architecture.clone().unwrap_or_default(),
        variant: wanted.variant.clone(),
        os_version: wanted.os_version.clone(),
        ..Platform::unknown()
    };
    let _ = wanted.best([&offered, &Platform::unknown()]);
    assert!(wanted.accepts(&offered), "{wanted}");
}

/// What is understood of the first bytes is understood of all, and is text without control characters.
fn request(data: &[u8]) {
    let Ok(Some(head)) = head::read(data) else {
        return;
    };
    assert!(head.length <= data.len().min(head::HEAD_LIMIT));
    assert!(head::read(&data[..head.length]).is_ok_and(|it| it.is_some()));
    assert!(head::read(&data[..head.length - 1]).is_ok_and(|it| it.is_none()));
    let request = head.request;
    assert!(request.path.starts_with('/') && !request.path.contains(char::is_control));
    assert!(request.header("content-length").is_none_or(|it| it.bytes().all(|it| it == b'0')));
    assert!(request.header("transfer-encoding").is_none());
}

/// One header a line.
fn challenge(data: &[u8]) {
    let _ = Challenge::read(text(data).lines());
}

/// The page, then a `Link` header a line.
fn link(data: &[u8]) {
    let mut lines = text(data).lines();
    let Ok(here) = lines.next().unwrap_or_default().parse::<Url>() else {
        return;
    };
    let response = response(here.clone(), 200, lines.map(|line| ("link", line)), b"");
    let Ok(Some(next)) = pages::next(&response, &here) else {
        return;
    };
    assert!(next.origin == here.origin);
    assert!(next.to_string().parse::<Url>().is_ok_and(|it| it == next));
}

/// A URL and where it redirects to.
fn url(data: &[u8]) {
    let text = text(data);
    let (base, target) = text.split_once('\n').unwrap_or((text, ""));
    let _ = Origin::new(Scheme::Https, target);
    let Ok(base) = base.parse::<Url>() else {
        return;
    };
    for url in [base.join(target).ok(), Some(base)].into_iter().flatten() {
        let again = url.to_string().parse::<Url>();
        assert!(again.is_ok_and(|it| it == url), "{url}");
        let _ = (url.without_query(), url.origin.address());
        let _ = url.with("name", target).to_string().parse::<Url>();
    }
}

/// Of headers, an empty line and a body: what any answer of a registry goes through.
fn answer(data: &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &b""[..]), |end| (&data[..end], &data[end + 2..]));
    let mut lines = text(head).lines();
    let status = lines.next().and_then(|line| line.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let url = "https://example.com/v2/".parse().expect("a URL");
    let response = response(url, status.unwrap_or(200), headers, body);
    let now = SystemTime::UNIX_EPOCH;
    let _ = error_response::error(&response, now).to_string();
    let _ = rate::Rate::read(&response, now).is_scarce();
    let _ = pages::read_items(response.bytes(), "tags", 1 << 20);
    let _ = pages::read_names(response.bytes(), "tags", &mut Names::default());
    for (_, value) in &response.headers {
        let _ = retry::after(value, now).map(retry::words);
    }
    if let Ok(token) = Token::read(body, now) {
        assert!(Token::from_cache(&token.to_cache()).is_some());
    }
}

fn response<'a>(
    url: Url,
    status: u16,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &[u8],
) -> Response {
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Response {
        url,
        status,
        headers: headers.collect(),
        body: Body::Whole(body.to_vec()),
    }
}

/// An image and a file with credentials, of both kinds.
fn credentials(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, file) = data.split_at(end);
    for form in [AuthFileFormat::Docker, AuthFileFormat::Containers] {
        if let Some(stored) = AuthFile::read("auth.json".into(), form, Ok(file.to_vec())) {
            let _ = (stored.helpers(text(name)).count(), stored.entry(text(name)));
        }
    }
}

/// A line with a media type, and a manifest, index or configuration.
fn document(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (media_type, bytes) = data.split_at(end);
    let said = Some(text(media_type)).filter(|it| !it.is_empty());
    let Ok(document) = Content::manifest(said, bytes.to_vec(), None) else {
        return;
    };
    let _ = (
        document.kind(),
        document.config(),
        document.v1_compatibility(),
    );
    for key in ["manifests", "layers"] {
        for descriptor in document.descriptors(key).into_iter().flatten() {
            let _ = (descriptor.data(), descriptor.is_attestation());
        }
    }
    let _ = Platform::read(document.json());
}

/// Whatever gzip and zstd make of it.
fn compression(data: &[u8]) {
    if let Ok((_, reader)) = compression::unpacked(Cursor::new(data.to_vec())) {
        let _ = reader.take(ENOUGH).read_to_end(&mut Vec::new());
    }
}

fn yaml(data: &[u8]) {
    let _ = IndexSpec::read(text(data));
}

/// An argument a line.
fn arguments(data: &[u8]) {
    let _ = cli::parse(&TABLE, text(data).lines().map(Into::into));
}

/// A command, then a parameter a line, `NAME=VALUE`. Their order says nothing, but of those of one name.
fn parameters(data: &[u8]) {
    let mut lines = text(data).lines();
    let Some(spec) = lines.next().and_then(|name| TABLE.command(name)) else {
        return;
    };
    let mut pairs: Vec<_> = lines.filter_map(|line| line.split_once('=')).collect();
    let Ok(args) = spec.arguments(context::PARAMETERS, pairs.iter().copied()) else {
        return;
    };
    let args = context::without_filter(args).0;
    pairs.sort_by_key(|(name, _)| *name);
    let sorted = spec.arguments(context::PARAMETERS, pairs).expect("the same parameters");
    assert_eq!(args.key(), context::without_filter(sorted).0.key());
}

fn directory() -> TempDir {
    TempDir::new().expect("room for a directory")
}

/// A filter, a zero and its input. What it prints is JSON.
fn filter(data: &[u8]) {
    /// What may have no end, or need all the memory there is.
    const ENDLESS: &[&str] = &[
        "*",
        "combinations",
        "def",
        "foreach",
        "implode",
        "infinite",
        "inputs",
        "ldexp",
        "limit",
        "pow",
        "range",
        "recurse",
        "reduce",
        "repeat",
        "scalb",
        "until",
        "walk",
        "while",
    ];
    let end = data
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(data.len());
    let (filter, input) = (text(&data[..end]), data.get(end + 1..).unwrap_or_default());
    let Ok(query) = Query::compile(filter, &[], Duration::from_secs(60)) else {
        return;
    };
    if ENDLESS.iter().any(|word| filter.contains(word)) {
        return;
    }
    let Ok(input) = json::parse(input) else {
        return;
    };
    let mut results = 0;
    let _ = query.run(input.to_string().into_bytes().into(), Some("image"), None, &mut |output| {
        results += 1;
        if let Output::Json(json) = output {
            assert!(json::parse(json).is_ok(), "{}", text(json));
        }
        match results < 100 {
            true => Ok(()),
            false => Err(Error::new(Kind::Local, "enough")),
        }
    });
}

/// Entries of the cache: a file as it lies there, or values behind the right checksum.
fn cache(data: &[u8]) {
    let _ = disk::checked(data);
    let directory = directory();
    let store = Arc::new(DiskCache::new(
        directory.path().into(),
        SystemTime::now,
        false,
    ));
    let repository: Repository = "example.com/a".parse().expect("a repository");
    let remembering = CacheSettings {
        disk: Arc::clone(&store),
        freshness: Freshness::Offline,
        accept: String::new(),
        is_verbose: false,
    };
    let digest = Digest::of(Algorithm::Sha256, data);
    let name = "example.com/a";
    store.put(Namespace::Tags, name, data);
    store.put(Namespace::Tags, &format!("{name}:v1"), data);
    store.put(Namespace::Content, &format!("{name}@{digest}"), data);
    let cache = Cache::new(OneBlob(Vec::new()), &repository, &remembering);
    let _ = cache.tags();
    let _ = cache.manifest(&TagOrDigest::Tag("v1".into()));
    let _ = cache.manifest(&TagOrDigest::Digest { digest, tag: None });
}

/// A source that has one blob, whatever its digest, and nothing else.
struct OneBlob(Vec<u8>);

impl Source for OneBlob {
    fn manifest(&self, _: &TagOrDigest) -> Result<Content> {
        Err(nothing())
    }

    fn resolve(&self, _: &TagOrDigest) -> Result<Resolved> {
        Err(nothing())
    }

    fn content(&self, _: &Descriptor) -> Result<Content> {
        Err(nothing())
    }

    fn blob(&self, _: &Digest, from: u64) -> Result<Blob> {
        let mut reader = Cursor::new(self.0.clone());
        reader.set_position(from);
        Ok(Blob {
            reader: Box::new(reader),
            from,
            size: Some(self.0.len() as u64),
        })
    }

    fn tags(&self) -> Result<Names> {
        Err(nothing())
    }

    fn referrers(&self, _: &Digest, _: Option<&str>) -> Result<Vec<Descriptor>> {
        Err(nothing())
    }
}

fn nothing() -> Error {
    Error::new(Kind::NotFound, "nothing")
}

/// A line with the path of a file, and the tar of a layer, which is then laid over itself.
fn layer(data: &[u8]) {
    let (wanted, tar) = line(data);
    let room = Room::default();
    let Ok((tree, content)) = layer::read(&summed(tar)[..], Some(wanted), 0, &room) else {
        return;
    };
    remembered(&tree);
    kept(&tree, content);
    let mut whole = tree.clone();
    whole.apply(tree, &room);
    for path in whole.0.keys() {
        let parents = path.ancestors().filter_map(|it| whole.get(&it));
        assert!({ parents }.all(|it| it.kind.is_directory()), "{path}");
    }
    let _ = whole.find(wanted);
}

/// A line with the path of a file, what the layer begins with, a zero, and its table of contents.
fn chunked(data: &[u8]) {
    let (wanted, start, json) = table(data);
    let position = format!("{}:{}", start.len(), json.len());
    let annotations = json!({
        "io.github.containers.zstd-chunked.manifest-checksum": sha256(json).to_string(),
        "io.github.containers.zstd-chunked.manifest-position": position,
    });
    listed(wanted, [start, json].concat(), annotations);
}

/// The same: the table is a file in a tar, which a footer leads to.
fn estargz(data: &[u8]) {
    let (wanted, start, json) = table(data);
    let mut header = tar::Header::new_ustar();
    header.set_path("stargz.index.json").expect("a short name");
    header.set_size(json.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    let mut blob = [start, header.as_bytes(), json].concat();
    blob.extend(vec![0; json.len().next_multiple_of(512) - json.len()]);
    let footer = format!("SG\u{16}\0{:016x}STARGZ", start.len());
    blob.extend(b"\x1f\x8b\x08\x04\0\0\0\0\0\0\x1a\0");
    blob.extend(footer.bytes().chain([0; 13]));
    let annotation = "containerd.io/snapshot/stargz/toc.digest";
    listed(wanted, blob, json!({annotation: sha256(json).to_string()}));
}

fn line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    (text(&data[..end]), &data[end..][1.min(data.len() - end)..])
}

fn table(data: &[u8]) -> (&str, &[u8], &[u8]) {
    let (wanted, data) = line(data);
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(0);
    (wanted, &data[..end], data.get(end + 1..).unwrap_or_default())
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// Reads what the table of contents of a layer lists.
fn listed(wanted: &str, blob: Vec<u8>, annotations: Value) {
    let layer = Layer {
        digest: sha256(&blob),
        media_type: String::new(),
        size: Some(blob.len() as u64),
        annotations,
    };
    let source = OneBlob(blob);
    let toc = Toc::of(&source, &layer).expect("the annotations are right");
    if let Ok(Some((tree, content))) = toc.read(Some(wanted), 0, &Room::default()) {
        remembered(&tree);
        kept(&tree, content);
    }
}

/// A tree is the same when it is remembered.
fn remembered(tree: &Tree) {
    let lines: String = tree.lines().collect();
    let again = Tree::of_lines(lines.as_bytes(), 0, &Room::default());
    assert_eq!(again.as_ref(), Ok(tree));
}

/// The content of a file has the size that its entry says.
fn kept(tree: &Tree, content: Option<layer::Content>) {
    let Some(mut content) = content else { return };
    if let Some(entry) = tree.get(&content.path)
        && entry.kind == EntryKind::File
        && entry.link.is_empty()
    {
        let size = content.bytes.stream_position().expect("it is written");
        assert_eq!(size, entry.size, "{}", content.path);
    }
}

/// Blobs behind one another, with a zero between them, the first of which is `index.json`. In each
/// `@2` stands for the digest of the third, and `#2` for its size.
fn layout(data: &[u8]) {
    let mut files = HashMap::new();
    let mut names: Vec<(usize, String, String)> = Vec::new();
    let blobs: Vec<&[u8]> = data.split(|byte| *byte == 0).take(8).collect();
    for (number, blob) in blobs.iter().enumerate().rev() {
        let mut blob = String::from_utf8_lossy(blob).into_owned();
        for (number, digest, size) in &names {
            blob = blob.replace(&format!("@{number}"), digest);
            blob = blob.replace(&format!("#{number}"), size);
        }
        let digest = Digest::of(Algorithm::Sha256, blob.as_bytes());
        let name = match number {
            0 => "index.json".to_owned(),
            _ => format!("blobs/sha256/{}", digest.hex()),
        };
        names.push((number, digest.to_string(), blob.len().to_string()));
        files.insert(name, blob.into_bytes());
    }
    let version = b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec();
    files.insert("oci-layout".to_owned(), version);
    if let Ok(layout) = Layout::of(Box::new(Memory(files))) {
        ask(layout);
    }
}

struct Memory(HashMap<String, Vec<u8>>);

impl Files for Memory {
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>> {
        let Some(bytes) = self.0.get(name) else {
            return Ok(None);
        };
        let mut reader = Cursor::new(bytes.clone());
        reader.set_position(from);
        Ok(Some(Blob {
            reader: Box::new(reader),
            from,
            size: Some(bytes.len() as u64),
        }))
    }
}

fn oci_archive(data: &[u8]) {
    archived(data, Layout::oci_archive);
}

fn docker_archive(data: &[u8]) {
    archived(data, Layout::docker_archive);
}

fn archived(data: &[u8], open: fn(&Path) -> Result<Layout>) {
    let directory = directory();
    let path = directory.path().join("archive");
    fs::write(&path, summed(data)).expect("room for a file");
    if let Ok(layout) = open(&path) {
        ask(layout);
    }
}

/// With the right checksum in whatever looks like a header of a tar: chance does not find it.
fn summed(data: &[u8]) -> Vec<u8> {
    let mut tar = data.to_vec();
    for block in tar.chunks_exact_mut(512) {
        if block[257..262] != *b"ustar" {
            continue;
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    tar
}

/// No question about a layout reaches a registry.
fn no_registry() -> Settings {
    Settings {
        role: Role::Named,
        certificates: Certificates::default(),
        proxies: Proxies::default(),
        plain_http: PlainHttp::Loopback,
        timeout: Duration::from_secs(1),
        retries: 0,
        jobs: 1,
        verbosity: Verbosity::Quiet,
        user_agent: String::new(),
        auth_cache: AuthCache::default(),
        clock: SystemTime::now,
    }
}

/// Asks everything that can be asked about an image without writing anything.
fn ask(layout: Layout) {
    const QUESTIONS: [&[&str]; 14] = [
        &["tags"],
        &["manifestlist"],
        &["digestlist"],
        &["manifest"],
        &["digest"],
        &["config"],
        &["id"],
        &["labels"],
        &["history"],
        &["layers"],
        &["platforms"],
        &["inspect"],
        &["referrers"],
        &["verifytool", "--layers"],
    ];
    let source: Arc<dyn Source> = Arc::new(layout);
    let sources = Sources::new(no_registry(), AuthFiles::default(), MirrorSettings::default(), None);
    let reference: Reference = "oci:x".parse().expect("a reference");
    for question in QUESTIONS {
        let arguments = question.iter().chain(&["oci:x"]).map(Into::into);
        let Ok(Request::Run(spec, args)) = cli::parse(&TABLE, arguments) else {
            panic!("{question:?} is no question");
        };
        let image = Image::new(
            "oci:x",
            reference.clone(),
            source.clone(),
            PlatformMatcher::default(),
            Arc::new(Pool::new(1)),
        );
        let invocation = Invocation {
            args: &args,
            sources: &sources,
            pool: &Pool::new(1),
            timeout: Duration::from_secs(1),
            now: || 0,
            is_raw: false,
            progress: ProgressStyle::Silent,
            is_alone: true,
            is_json: false,
        };
        if let Run::Image(run) | Run::Repository(run) = commands::of(spec).run {
            let _ = run(&image, &invocation).map(|answer| answer.json().to_string());
        }
    }
}
