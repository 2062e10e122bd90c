//! What is measured: Debian's registry with images in it, near and far, and how each tool is asked.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use crate::contest::Contender;
use crate::far::{Far, REQUEST};
use crate::harness::{Client, Image, Real, Response, Tls, gzip};

pub const OURS: &str = env!("CARGO_BIN_EXE_docker-registry");

/// How our rows in the tables begin.
pub const NAME: &str = "docker-registry";

/// How those of the other binary end.
pub const BEFORE: &str = ", before";

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// How many images a batch has.
pub const IMAGES: usize = 250;

/// How many images are asked for at once, and by how many workers.
pub const CROWD: usize = 10_000;
const WORKERS: usize = 64;

const LAYER: usize = 210_000_000;

pub struct Scene {
    real: Real,
    tls: Arc<Tls>,
    registry: Far,
    tokens: Far,
    layer: String,
    token: String,
    crowd: Far,
    /// Another binary of ours, to be measured beside this one.
    against: Option<String>,
    pub home: tempfile::TempDir,
}

/// Where a program is.
pub fn find(name: &str) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = path
        .split(':')
        .map(|directory| format!("{directory}/{name}"));
    places.find(|place| Path::new(place).is_file())
}

/// What is measured here, as a list.
pub fn versions() -> String {
    let (mut text, mut missing) = (String::new(), Vec::new());
    for (name, arg) in [
        (OURS, "--version"),
        ("crane", "version"),
        ("regctl", "version"),
        ("skopeo", "--version"),
        ("oras", "version"),
        ("curl", "--version"),
        ("jq", "--version"),
        ("jaq", "--version"),
        ("gojq", "--version"),
    ] {
        let Ok(output) = Command::new(name).arg(arg).output() else {
            missing.push(name);
            continue;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let name = name.rsplit('/').next().unwrap_or(name);
        let version = said.split_whitespace().find(|word| word.contains('.'));
        text += &format!("- {name} {}\n", version.unwrap_or_default());
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    if !missing.is_empty() {
        text += &format!("- not to be had here: {}\n", missing.join(", "));
    }
    text + &format!("- {cores} cores\n")
}

impl Scene {
    /// `None` where Debian's registry is not installed.
    pub fn set(against: Option<String>) -> Option<Scene> {
        let real = Real::tokens()?;
        let tls = real.tls();
        let server = real.token_server().host();
        let tokens = Far::before(&server, &tls, (String::new(), String::new()));
        let instead = (local(&server), local(&tokens.host()));
        let registry = Far::before(real.host(), &tls, instead);
        for name in ["small", "other"] {
            Image::new("linux/amd64")
                .label("name", name)
                .push_to(&real, name, "v1");
        }
        let digest = {
            let image = Image::new("linux/amd64").raw_layer(noise(LAYER), "sha256:0", "");
            image.push_to(&real, "big", "v1");
            crate::harness::sha256(&image.layers()[0])
        };
        for n in 0..IMAGES {
            let image = Image::new("linux/amd64").label("n", &n.to_string());
            image.push_to(&real, "many", &format!("v{n}"));
        }
        let scope = "/token?service=suite&scope=repository:big:pull";
        let answer = Client::connect(&server, Some(&tls)).get(scope);
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("a token");
        let token = answer["token"].as_str().expect("a token").to_owned();
        let home = tempfile::tempdir().expect("a temporary directory");
        fs::write(
            home.path().join("images"),
            names(&local(real.host()), IMAGES),
        )
        .expect("a list of images");
        let crowd = Far::holding(crowd(), &tls);
        // As many authorities as tools usually have to look through.
        let mut trusted = fs::read(BUNDLE).unwrap_or_default();
        trusted.extend(fs::read(tls.ca()).expect("the authority"));
        fs::write(home.path().join("trusted"), trusted).expect("a list of authorities");
        Some(Scene {
            real,
            tls,
            registry,
            tokens,
            layer: digest,
            token,
            crowd,
            against,
            home,
        })
    }

    pub fn ca(&self) -> String {
        self.tls.ca().display().to_string()
    }

    pub fn at(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// A tool in its own surroundings, which trusts the registry.
    pub fn command(&self, program: &str, line: &str) -> Command {
        let mut command = Command::new(program);
        command.args(line.split_whitespace());
        command
            .env("HOME", self.home.path())
            .env("SSL_CERT_FILE", self.at("trusted"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub fn ours(&self, name: &str, line: &str) -> Contender<'_> {
        Contender {
            name: format!("{NAME}{name}"),
            command: self.command(OURS, line),
            prepare: Rc::new(|_| {}),
            is_peer: false,
        }
    }

    /// Those of the peers that are there; the line begins with the program.
    pub fn peers(&self, lines: &[&str]) -> Vec<Contender<'_>> {
        let peer = |line: &&str| {
            let (name, line) = line.split_once(' ').unwrap_or((line, ""));
            Some(Contender {
                name: name.to_owned(),
                command: self.command(&find(name)?, line),
                prepare: Rc::new(|_| {}),
                is_peer: true,
            })
        };
        lines.iter().filter_map(peer).collect()
    }

    pub fn start(&self) -> Vec<Contender<'_>> {
        let mut all = vec![self.ours("", "--version")];
        all.extend(self.peers(&[
            "true",
            "crane version",
            "regctl version",
            "skopeo --version",
            "oras version",
            "jq --version",
        ]));
        all[1].is_peer = false;
        self.beside(all)
    }

    /// The contenders, and the other binary after each of ours.
    pub fn beside<'a>(&self, contenders: Vec<Contender<'a>>) -> Vec<Contender<'a>> {
        let Some(other) = &self.against else {
            return contenders;
        };
        let mut all = Vec::new();
        for contender in contenders {
            let is_ours = contender.command.get_program() == OURS;
            let before = is_ours.then(|| Contender {
                name: format!("{}{BEFORE}", contender.name),
                command: with_program(&contender.command, other),
                prepare: contender.prepare.clone(),
                is_peer: false,
            });
            all.extend([Some(contender), before].into_iter().flatten());
        }
        all
    }

    pub fn config(&self) -> Vec<Contender<'_>> {
        let image = format!("{}/small:v1", local(self.real.host()));
        let mut all = vec![
            self.ours("", &format!("config --no-cache {image}")),
            self.ours(" labels", &format!("labels --no-cache {image}")),
        ];
        all.extend(self.peers(&config_lines(&image).each_ref().map(String::as_str)));
        self.beside(all)
    }

    /// Ourselves with nothing known, with the host, and with the tag.
    pub fn far(&self) -> Vec<Contender<'_>> {
        let host = local(&self.registry.host());
        let image = format!("{host}/small:v1");
        let other = format!("{host}/other:v1");
        let mut all = Vec::new();
        for (name, before) in [
            (", nothing known", None),
            (", the host known", Some(&other)),
            (", the tag known", Some(&image)),
        ] {
            let cache = self.at("cache");
            let config = |image: &str| format!("config --cache-dir {cache} {image}");
            let mut ours = self.ours(name, &config(&image));
            let before = before.map(|image| self.command(OURS, &config(image)));
            ours.prepare = Rc::new(move |program| {
                fs::remove_dir_all(&cache).ok();
                if let Some(before) = &before {
                    crate::measure::Sample::of(&with_program(before, program));
                }
            });
            all.push(ours);
        }
        all.extend(self.peers(&config_lines(&image).each_ref().map(String::as_str)));
        self.beside(all)
    }

    /// A table of the requests and connections that each of `far` needs.
    pub fn requests(&self) -> String {
        let mut text = "\n| | requests | connections |\n| --- | ---: | ---: |\n".to_owned();
        for contender in self.far() {
            contender.prepare();
            self.take();
            crate::measure::Sample::of(&contender.command);
            let (requests, connections) = self.take();
            text += &format!("| {} | {requests} | {connections} |\n", contender.name);
        }
        text
    }

    fn take(&self) -> (usize, usize) {
        let ((a, b), (c, d)) = (self.registry.take(), self.tokens.take());
        (a + c, b + d)
    }

    pub fn layer(&self) -> Vec<Contender<'_>> {
        let host = local(self.real.host());
        let image = format!("{host}/big@{}", self.layer);
        let (file, part) = (self.at("layer"), self.at(&format!("{}.part", self.layer)));
        let line = format!("downloadlayer --no-cache -o {file} {image}");
        let mut rest = self.ours(", three quarters there", &line);
        let mut all = vec![self.ours("", &line)];
        let shell = |line: String| {
            let mut command = self.command("/bin/sh", "-c");
            command.arg(line);
            command
        };
        let mut peers = self.peers(&["crane", "regctl", "skopeo", "oras"]);
        for peer in &mut peers {
            peer.command = match peer.name.as_str() {
                "crane" => shell(format!("exec crane blob {image} > {file}")),
                "regctl" => shell(format!(
                    "exec regctl blob get {host}/big {} > {file}",
                    self.layer
                )),
                "skopeo" => self.command(
                    "skopeo",
                    &format!("copy --insecure-policy docker://{host}/big:v1 dir:{file}.d"),
                ),
                _ => self.command("oras", &format!("blob fetch --output {file} {image}")),
            };
        }
        let ca = self.ca();
        let url = format!("https://{host}/v2/big/blobs/{}", self.layer);
        let mut curl = self.peers(&["curl"]);
        for curl in &mut curl {
            curl.name += ", not verified";
            curl.is_peer = false;
            curl.command
                .args(["-sSf", "--cacert", &ca, "-o", &file, &url, "-H"]);
            curl.command
                .arg(format!("Authorization: Bearer {}", self.token));
        }
        all.extend(peers);
        all.extend(curl);
        let clean = {
            let (file, part) = (file.clone(), part.clone());
            move || {
                fs::remove_file(&file).ok();
                fs::remove_dir_all(format!("{file}.d")).ok();
                fs::remove_file(&part).ok();
            }
        };
        for contender in &mut all {
            let clean = clean.clone();
            contender.prepare = Rc::new(move |_| clean());
        }
        let digest = self.layer.clone();
        rest.prepare = Rc::new(move |_| {
            clean();
            let whole = fs::File::open(self.real.file(&digest)).expect("the layer");
            let mut most = std::io::Read::take(whole, LAYER as u64 * 3 / 4);
            let mut part = fs::File::create(&part).expect("a part");
            std::io::copy(&mut most, &mut part).expect("most of the layer");
        });
        all.insert(1, rest);
        self.beside(all)
    }

    pub fn batch(&self) -> Vec<Contender<'_>> {
        let images = self.at("images");
        let mut all = vec![self.ours("", &format!("labels --no-cache -j 8 --images {images}"))];
        for mut peer in self.peers(&["crane", "regctl"]) {
            let words = match peer.name.as_str() {
                "crane" => "crane config",
                _ => "regctl image config",
            };
            peer.command = self.command("xargs", &format!("-a {images} -P 8 -n 1 {words}"));
            peer.name = format!("xargs -P 8 {words}");
            all.push(peer);
        }
        self.beside(all)
    }

    pub fn crowd(&self) -> Vec<Contender<'_>> {
        let images = self.at("crowd");
        fs::write(&images, names(&local(&self.crowd.host()), CROWD)).expect("a list of images");
        let line = format!("labels --no-cache -j {WORKERS} --images {images}");
        self.beside(vec![self.ours("", &line)])
    }

    /// What a crowd takes if nothing is waited for but the wire: seconds. Each image is a manifest
    /// and a configuration.
    pub fn crowd_at_best(&self) -> f64 {
        (2 * CROWD).div_ceil(WORKERS) as f64 * REQUEST.as_secs_f64()
    }
}

/// As a name: tools differ in what they do about addresses.
fn local(host: &str) -> String {
    host.replace("127.0.0.1", "localhost")
}

fn config_lines(image: &str) -> [String; 4] {
    [
        format!("crane config {image}"),
        format!("regctl image config {image}"),
        format!("skopeo inspect --config --raw docker://{image}"),
        format!("oras manifest fetch-config {image}"),
    ]
}

fn names(host: &str, images: usize) -> String {
    let name = |n| format!("{host}/many:v{n}\n");
    (0..images).map(name).collect()
}

/// The answers to all requests for the images of a crowd.
fn crowd() -> HashMap<String, Response> {
    let mut answers = HashMap::new();
    for n in 0..CROWD {
        let image = Image::new("linux/amd64").label("n", &n.to_string());
        let manifest = Response::new(200).header("Content-Type", image.media_type());
        let manifest = manifest.header("Docker-Content-Digest", image.digest());
        let config = format!("/v2/many/blobs/{}", image.config_digest());
        answers.insert(
            format!("/v2/many/manifests/v{n}"),
            manifest.body(image.manifest()),
        );
        answers.insert(config, Response::new(200).body(image.config()));
    }
    answers
}

/// The same command of another program.
fn with_program(command: &Command, program: &str) -> Command {
    let mut other = Command::new(program);
    other.args(command.get_args());
    other.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    other
}

/// A gzip file that nobody can pack any smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    gzip(&bytes)
}
