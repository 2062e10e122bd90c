//! Settings for registries, credentials, transport and cache from options and environment.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::options::{
    CACERT, CACHE_DIR, CERT, INDEX, INSECURE, KEY, MAX_AGE, MEDIA_TYPE, NO_CACHE, OCI, OFFLINE,
    PASSWORD_STDIN, PLAIN_HTTP, PUBLIC_KEY, RETRIES, TIMEOUT, USER, VERBOSE,
};
use super::{mirrors, variable};
use crate::cli::{Args, Flag};
use crate::content::{DOCKER_LIST, OCI_INDEX, OCI_MANIFEST};
use crate::error::{During, Error, Result};
use crate::secret::Secret;
use crate::source::{
    AuthCache, AuthFiles, CacheSettings, Certificates, DiskCache, ExplicitCredentials, Freshness,
    Namespace, PlainHttp, Proxies, Role, Settings, Sources, Verbosity,
};
use crate::terminal;

/// The sources, set up from options and environment. Other answers than those of the cache may be
/// believed for a time too; then the cache believes tags for `max_age`, whatever the option says.
pub(super) fn sources(
    args: &Args,
    jobs: usize,
    timeout: Duration,
    max_age: Option<Duration>,
) -> Result<Sources> {
    let cache = cache_settings(args, max_age)?;
    let settings = Settings {
        certificates: certificates(args),
        proxies: proxies(),
        role: Role::Named,
        plain_http: match args.has(&PLAIN_HTTP) {
            true => PlainHttp::Always,
            false => PlainHttp::Loopback,
        },
        timeout,
        retries: args.number(&RETRIES).map_or(3, |it| u32::try_from(it).unwrap_or(u32::MAX)),
        jobs,
        verbosity: match args.count(&VERBOSE) {
            0 => Verbosity::Quiet,
            1 => Verbosity::Requests,
            _ => Verbosity::Curl,
        },
        user_agent: concat!("docker-registry/", env!("CARGO_PKG_VERSION")).to_owned(),
        auth_cache: cache.as_ref().map(auth_cache).unwrap_or_default(),
        clock: SystemTime::now,
    };
    let sources = Sources::new(settings, auth_files(args)?, mirrors::settings(args)?, cache);
    Ok(sources.of_kinds(kinds(args)))
}

/// `None` with `--no-cache` and `--insecure`, and without a home directory.
fn cache_settings(args: &Args, max_age: Option<Duration>) -> Result<Option<CacheSettings>> {
    let given = |flags: &[&'static Flag]| flags.iter().find(|flag| args.has(flag)).copied();
    // Answers of an unverified server must not be used by later runs.
    if let Some(without) = given(&[&NO_CACHE, &INSECURE]) {
        let needed: &[_] = if max_age.is_some() { &[&OFFLINE] } else { &[&OFFLINE, &MAX_AGE] };
        let Some(flag) = given(needed) else { return Ok(None) };
        let (flag, without) = (flag.name, without.name);
        return Err(Error::usage(format!("--{flag} cannot be used with --{without}")));
    }
    let is_verbose = args.has(&VERBOSE);
    let Some(directory) = cache_directory(args) else { return Ok(None) };
    Ok(Some(CacheSettings {
        disk: Arc::new(DiskCache::new(directory, SystemTime::now, is_verbose)),
        freshness: match args.duration(&MAX_AGE) {
            _ if args.has(&OFFLINE) => Freshness::Offline,
            limit => Freshness::Within(max_age.or(limit).unwrap_or_default()),
        },
        accept: String::new(),
        is_verbose,
    }))
}

fn cache_directory(args: &Args) -> Option<PathBuf> {
    if let Some(directory) = args.path(&CACHE_DIR) {
        return Some(directory.to_owned());
    }
    let home = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = home.or_else(|| path("LOCALAPPDATA").filter(|_| cfg!(windows)));
    Some(home.or_else(|| Some(env::home_dir()?.join(".cache")))?.join("docker-registry"))
}

/// The cache for completions, which must not print warnings.
pub(crate) fn cache(args: &Args) -> Option<DiskCache> {
    Some(DiskCache::new(cache_directory(args)?, SystemTime::now, false))
}

fn auth_cache(cache: &CacheSettings) -> AuthCache {
    let (reader, writer) = (cache.disk.clone(), cache.disk.clone());
    AuthCache {
        get: Arc::new(move |key| reader.get(Namespace::Registries, key).map(|entry| entry.value)),
        put: Arc::new(move |key, value| writer.put(Namespace::Registries, key, value)),
    }
}

/// The media types that the user chose; none for all kinds.
pub(super) fn kinds(args: &Args) -> Vec<String> {
    let types: &[&str] = match (args.has(&INDEX), args.has(&OCI)) {
        _ if args.has(&MEDIA_TYPE) => {
            return args.texts(&MEDIA_TYPE).map(str::to_owned).collect();
        }
        (true, true) => &[OCI_INDEX],
        (true, false) => &[OCI_INDEX, DOCKER_LIST],
        (false, true) => &[OCI_INDEX, OCI_MANIFEST],
        (false, false) => &[],
    };
    types.iter().map(|name| (*name).to_owned()).collect()
}

/// How long a silence may be: a day outlasts everybody, and a deadline can still be counted with it.
pub(super) fn timeout(args: &Args) -> Result<Duration> {
    match args.duration(&TIMEOUT) {
        Some(Duration::ZERO) => Err(Error::usage("--timeout wants more than 0 seconds")),
        Some(timeout) => Ok(timeout.min(Duration::from_secs(86_400))),
        None => Ok(Duration::from_secs(30)),
    }
}

fn auth_files(args: &Args) -> Result<AuthFiles> {
    let home = env::home_dir();
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let docker = path("DOCKER_CONFIG").or_else(|| below_home(".docker"));
    let auth_files = match path("REGISTRY_AUTH_FILE") {
        Some(file) => vec![file],
        None => {
            let directories = path("XDG_RUNTIME_DIR").into_iter().chain(config_home());
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

/// The user's directory of configurations.
pub(super) fn config_home() -> Option<PathBuf> {
    path("XDG_CONFIG_HOME").or_else(|| Some(env::home_dir()?.join(".config")))
}

fn given(args: &Args) -> Result<Option<ExplicitCredentials>> {
    let explicit = |by, user: &str, password: &str| {
        Some(ExplicitCredentials { by, user: user.to_owned(), password: Secret::new(password) })
    };
    let is_stdin = args.has(&PASSWORD_STDIN);
    let Some(user) = args.secret(&USER) else {
        if is_stdin {
            return Err(Error::usage("--password-stdin needs --user"));
        }
        let name = "DOCKER_REGISTRY_CREDENTIALS";
        let Some(text) = secret(name)? else { return Ok(None) };
        let Some((user, password)) = text.reveal().split_once(':') else {
            return Err(Error::usage(format!("{name} wants USER:PASSWORD")));
        };
        return Ok(explicit(name, user, password));
    };
    let user = user.reveal();
    match user.split_once(':') {
        Some(_) if is_stdin => {
            Err(Error::usage("--password-stdin needs --user without a password"))
        }
        Some((user, password)) => Ok(explicit("--user", user, password)),
        None if is_stdin => {
            let mut password = String::new();
            terminal::stdin()?.read_line(&mut password).during("--password-stdin")?;
            let password = password.strip_suffix('\n').unwrap_or(&password);
            Ok(explicit("--user", user, password.strip_suffix('\r').unwrap_or(password)))
        }
        None => match rpassword::prompt_password(format!("Password for {user}: ")) {
            Ok(password) => Ok(explicit("--user", user, &password)),
            Err(_) => Err(Error::usage("--user needs USER:PASSWORD where there is no terminal")
                .hint("--password-stdin reads the password from stdin")),
        },
    }
}

/// The key that signatures are checked with.
pub(crate) fn public_key(args: &Args) -> Option<&Path> {
    args.path(&PUBLIC_KEY).or_else(|| lone_key(args))
}

/// The file of `--key` where it belongs to no client certificate.
pub(crate) fn lone_key(args: &Args) -> Option<&Path> {
    args.path(&KEY).filter(|_| !args.has(&CERT))
}

fn certificates(args: &Args) -> Certificates {
    let file = |flag: &Flag| args.path(flag).map(PathBuf::from);
    Certificates {
        insecure: args.has(&INSECURE),
        cacert: file(&CACERT).into_iter().collect(),
        cert: file(&CERT),
        key: file(&KEY).filter(|_| args.has(&CERT)),
        certs_dir: "/etc/docker/certs.d".into(),
        ssl_cert_file: path("SSL_CERT_FILE"),
        ssl_cert_dir: variable("SSL_CERT_DIR"),
    }
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

pub(super) fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

fn secret(name: &str) -> Result<Option<Secret>> {
    let not_utf8 = |_| Error::usage(format!("{name} is not UTF-8"));
    variable(name).map(|value| value.into_string().map(Secret::new).map_err(not_utf8)).transpose()
}
