//! Options and environment variables about registries, credentials, transport and cache.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cli::{Args, Flag, Value};
use crate::content::{DOCKER_LIST, OCI_INDEX, OCI_MANIFEST};
use crate::error::{During, Error, Result};
use crate::secret::Secret;
use crate::source::{
    AuthCache, AuthFiles, CacheSettings, Certificates, DiskCache, ExplicitCredentials, Freshness,
    Namespace, Proxies, Settings, Sources, Verbosity,
};

pub(super) static CREDENTIALS: &[&Flag] = &[&USER, &PASSWORD_STDIN];
pub(super) static MANIFESTS: &[&Flag] = &[&INDEX, &OCI, &MEDIA_TYPE];
pub(super) static TRANSPORT: &[&Flag] =
    &[&PLAIN_HTTP, &INSECURE, &CACERT, &CERT, &KEY, &TIMEOUT, &RETRIES, &VERBOSE];
pub(super) static CACHE: &[&Flag] = &[&NO_CACHE, &OFFLINE, &MAX_AGE, &CACHE_DIR];

static USER: Flag = Flag::new("user", Value::Secret("USER:PASSWORD"), "Log in to the image's registry")
    .short('u')
    .about("Without `:PASSWORD` the password is asked for on the terminal. The credentials are for one registry: images from another registry are a usage error.");
static PASSWORD_STDIN: Flag =
    Flag::switch("password-stdin", "Read the password of --user from stdin");
static INDEX: Flag = Flag::switch("index", "Ask for manifest lists and indexes only")
    .about("With `--oci`: OCI indexes only. `--index`, `--oci` and `--media-type` apply to the image that is named, not to what its index lists. An image of another kind is not found (exit 3), in layouts and archives too. Unless a platform is chosen, `manifest` and `digest` then show what the registry serves, index or not.");
static OCI: Flag = Flag::switch("oci", "Ask for OCI manifests and indexes only");
static MEDIA_TYPE: Flag =
    Flag::new("media-type", Value::Text("TYPE"), "Ask for manifests of this media type only")
        .about("May be given more than once. Default: all kinds.");
static PLAIN_HTTP: Flag = Flag::switch("plain-http", "Use HTTP instead of HTTPS")
    .about("Without this option only this machine (`localhost`, 127.0.0.0/8, `[::1]`) is asked over HTTP, and only if it does not answer over HTTPS.");
static INSECURE: Flag = Flag::switch("insecure", "Accept any TLS certificate")
    .short('k')
    .about("Applies to the registry that is named, not to servers that it redirects to, nor to proxies. The cache is neither read nor written then.");
static CACERT: Flag = Flag::new("cacert", Value::Path, "Trust the certificates in FILE too")
    .about("In PEM form. A server's own certificate may be given as well.");
static CERT: Flag = Flag::new("cert", Value::Path, "Use the client certificate in FILE").about(
    "For the registry that is named, not for servers that it redirects to, nor for proxies.",
);
static KEY: Flag =
    Flag::new("key", Value::Path, "Read the key of the client certificate from FILE")
        .about("Default: the key in the file of `--cert`.");
static TIMEOUT: Flag = Flag::new("timeout", Value::Seconds, "Wait at most SECONDS without data (default: 30)")
    .about("Applies to connecting, to the first byte and between bytes. A request that timed out is not sent again. A whole answer may take five times as long; a layer must arrive with at least 1 kB/s over any minute. A filter may work ten times as long for one result.");
static RETRIES: Flag = Flag::new("retries", Value::Number, "Retry temporary failures up to N times (default: 3)")
    .about("Temporary are connection errors and the statuses 408, 429, 500, 502, 503 and 504. If the registry says with `Retry-After` how long to wait, that is done, up to 60 seconds in all.");
static VERBOSE: Flag = Flag::new("verbose", Value::Count, "Show each request; with -vv as a curl command")
    .short('v')
    .about("On stderr. `-vv` also shows the headers of each response. Secrets are never shown: `$CREDENTIALS` stands for USER:PASSWORD, a line says how to get `$TOKEN`, and `…` replaces headers and parameters that may hold a secret.");
static NO_CACHE: Flag = Flag::switch("no-cache", "Neither read nor write the cache");
static OFFLINE: Flag = Flag::switch("offline", "Answer from the cache only")
    .about("Exit 5 if the answer is not in the cache.");
static MAX_AGE: Flag =
    Flag::new("max-age", Value::Duration, "Use cached tags up to this age (default: 0)").about(
        "Such as `10m` or `1h`. By default the registry is asked each time what a tag leads to.",
    );
static CACHE_DIR: Flag = Flag::new("cache-dir", Value::Directory, "Keep the cache in DIR")
    .about("Default: `docker-registry` in `$XDG_CACHE_HOME` or `~/.cache`.");

/// Whether requests are shown on stderr.
pub(super) fn is_verbose(args: &Args) -> bool {
    args.has(&VERBOSE)
}

/// The sources, set up from options and environment.
pub(super) fn sources(args: &Args, jobs: usize) -> Result<Sources> {
    let verbosity = match args.count(&VERBOSE) {
        0 => Verbosity::Quiet,
        1 => Verbosity::Requests,
        _ => Verbosity::Curl,
    };
    let cache = cache_settings(args, verbosity)?;
    let settings = Settings {
        auth_files: auth_files(args)?,
        certificates: certificates(args)?,
        proxies: proxies(),
        plain_http: args.has(&PLAIN_HTTP),
        timeout: timeout(args)?,
        retries: args
            .number(&RETRIES)
            .map_or(3, |retries| u32::try_from(retries).unwrap_or(u32::MAX)),
        jobs,
        verbosity,
        accept: kinds(args),
        user_agent: concat!("docker-registry/", env!("CARGO_PKG_VERSION")).to_owned(),
        auth_cache: cache.as_ref().map(auth_cache).unwrap_or_default(),
        clock: SystemTime::now,
    };
    Ok(Sources::new(settings, cache))
}

/// `None` with `--no-cache` and `--insecure`, and without a home directory.
fn cache_settings(args: &Args, verbosity: Verbosity) -> Result<Option<CacheSettings>> {
    let freshness = match (args.has(&OFFLINE), args.duration(&MAX_AGE)) {
        (true, _) => Freshness::Offline,
        (false, Some(limit)) => Freshness::Within(limit),
        (false, None) => Freshness::Asked,
    };
    // Answers of an unverified server must not be used by later runs.
    let without = [&NO_CACHE, &INSECURE].into_iter().find(|flag| args.has(flag));
    if let Some(without) = without {
        let needs = [&OFFLINE, &MAX_AGE].into_iter().find(|flag| args.has(flag));
        return match needs {
            Some(flag) => {
                Err(Error::usage(format!("--{} cannot be used with --{}", flag.name, without.name)))
            }
            None => Ok(None),
        };
    }
    let Some(directory) = cache_directory(args) else {
        return Ok(None);
    };
    let is_verbose = verbosity != Verbosity::Quiet;
    let disk = Arc::new(DiskCache::new(directory, SystemTime::now, is_verbose));
    // With other media types the same tag may lead to another manifest.
    let accept = kinds(args).map_or_else(String::new, |types| types.join(","));
    Ok(Some(CacheSettings { disk, freshness, accept, is_verbose }))
}

fn cache_directory(args: &Args) -> Option<PathBuf> {
    if let Some(directory) = args.path(&CACHE_DIR) {
        return Some(directory.to_owned());
    }
    let home = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let windows = || cfg!(windows).then(|| variable("LOCALAPPDATA").map(PathBuf::from)).flatten();
    let home = home.or_else(windows).or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(home.join("docker-registry"))
}

/// The cache for completions, which must not print warnings.
pub(crate) fn cache(args: &Args) -> Option<DiskCache> {
    Some(DiskCache::new(cache_directory(args)?, SystemTime::now, false))
}

fn auth_cache(cache: &CacheSettings) -> AuthCache {
    let (reader, writer) = (cache.disk.clone(), cache.disk.clone());
    AuthCache {
        get: Box::new(move |key| reader.get(Namespace::Registries, key).map(|entry| entry.value)),
        put: Box::new(move |key, value| writer.put(Namespace::Registries, key, value)),
    }
}

/// The media types that the user chose; `None`: all kinds.
pub(super) fn kinds(args: &Args) -> Option<Vec<String>> {
    let types: &[&str] = match (args.has(&INDEX), args.has(&OCI)) {
        _ if args.has(&MEDIA_TYPE) => {
            return Some(args.texts(&MEDIA_TYPE).map(str::to_owned).collect());
        }
        (true, true) => &[OCI_INDEX],
        (true, false) => &[OCI_INDEX, DOCKER_LIST],
        (false, true) => &[OCI_INDEX, OCI_MANIFEST],
        (false, false) => return None,
    };
    Some(types.iter().map(|name| (*name).to_owned()).collect())
}

pub(super) fn timeout(args: &Args) -> Result<Duration> {
    match args.duration(&TIMEOUT) {
        Some(Duration::ZERO) => Err(Error::usage("--timeout wants more than 0 seconds")),
        Some(timeout) => Ok(timeout),
        None => Ok(Duration::from_secs(30)),
    }
}

fn auth_files(args: &Args) -> Result<AuthFiles> {
    let home = env::home_dir();
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let docker = variable("DOCKER_CONFIG").map(PathBuf::from).or_else(|| below_home(".docker"));
    let auth_files = match variable("REGISTRY_AUTH_FILE") {
        Some(file) => vec![file.into()],
        None => {
            let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
            let config =
                variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| below_home(".config"));
            let directories = runtime.into_iter().chain(config);
            directories.map(|directory| directory.join("containers/auth.json")).collect()
        }
    };
    Ok(AuthFiles {
        given: given(args)?,
        docker_auth_config: secret("DOCKER_AUTH_CONFIG")?,
        docker_config: docker.map(|directory| directory.join("config.json")),
        auth_files,
    })
}

fn given(args: &Args) -> Result<Option<ExplicitCredentials>> {
    if let Some(user) = args.secret(&USER) {
        return match user.reveal().split_once(':') {
            Some(_) if args.has(&PASSWORD_STDIN) => {
                Err(Error::usage("--password-stdin needs --user without a password"))
            }
            Some((user, password)) => Ok(Some(pair("--user", user, password))),
            None if args.has(&PASSWORD_STDIN) => password_from_stdin(user.reveal()).map(Some),
            None => password_from_terminal(user.reveal()).map(Some),
        };
    }
    if args.has(&PASSWORD_STDIN) {
        return Err(Error::usage("--password-stdin needs --user"));
    }
    let name = "DOCKER_REGISTRY_CREDENTIALS";
    let Some(text) = secret(name)? else {
        return Ok(None);
    };
    match text.reveal().split_once(':') {
        Some((user, password)) => Ok(Some(pair(name, user, password))),
        None => Err(Error::usage(format!("{name} wants USER:PASSWORD"))),
    }
}

fn pair(by: &'static str, user: &str, password: &str) -> ExplicitCredentials {
    ExplicitCredentials { by, user: user.to_owned(), password: Secret::new(password) }
}

fn password_from_stdin(user: &str) -> Result<ExplicitCredentials> {
    let mut password = String::new();
    io::stdin().read_line(&mut password).during("--password-stdin")?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    Ok(pair("--user", user, password.strip_suffix('\r').unwrap_or(password)))
}

fn password_from_terminal(user: &str) -> Result<ExplicitCredentials> {
    let prompt = format!("Password for {user}: ");
    match rpassword::prompt_password(prompt) {
        Ok(password) => Ok(pair("--user", user, &password)),
        Err(_) => Err(Error::usage("--user needs USER:PASSWORD where there is no terminal")
            .hint("--password-stdin reads the password from stdin")),
    }
}

fn certificates(args: &Args) -> Result<Certificates> {
    let path = |flag: &Flag| args.path(flag).map(PathBuf::from);
    if args.has(&KEY) && !args.has(&CERT) {
        return Err(Error::usage("--key needs --cert"));
    }
    Ok(Certificates {
        insecure: args.has(&INSECURE),
        cacert: path(&CACERT),
        cert: path(&CERT),
        key: path(&KEY),
        certs_dir: "/etc/docker/certs.d".into(),
        ssl_cert_file: variable("SSL_CERT_FILE").map(PathBuf::from),
        ssl_cert_dir: variable("SSL_CERT_DIR"),
    })
}

fn proxies() -> Proxies {
    let either = |name: &str| {
        let value = variable(name).or_else(|| variable(&name.to_lowercase()))?;
        value.into_string().ok()
    };
    Proxies {
        https: either("HTTPS_PROXY").map(Secret::new),
        http: either("HTTP_PROXY").map(Secret::new),
        all: either("ALL_PROXY").map(Secret::new),
        except: either("NO_PROXY"),
    }
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn secret(name: &str) -> Result<Option<Secret>> {
    let not_utf8 = |_| Error::usage(format!("{name} is not UTF-8"));
    variable(name).map(|value| value.into_string().map(Secret::new).map_err(not_utf8)).transpose()
}
