//! The options of all commands.

use crate::cli::{Flag, HELP, VERSION, Value};

pub(crate) static GROUPS: &[(&str, &[&Flag])] = &[
    ("Answer", &[&RAW, &JQ, &ARG, &EXIT_STATUS, &JSON, &TABLE, &COLOR]),
    ("Platform", &[&PLATFORM, &OS, &ARCH, &VARIANT]),
    ("Images", &[&IMAGES, &JOBS, &WAIT]),
    ("Credentials", &[&USER, &PASSWORD_STDIN]),
    ("Manifests", &[&INDEX, &OCI, &MEDIA_TYPE]),
    (
        "Transport",
        &[&MIRROR, &PLAIN_HTTP, &INSECURE, &CACERT, &CERT, &KEY, &TIMEOUT, &RETRIES, &VERBOSE],
    ),
    ("Cache", &[&NO_CACHE, &OFFLINE, &MAX_AGE, &CACHE_DIR]),
    ("This program", &[&HELP, &VERSION]),
];

/// Of those in a line one replaces the others where it is given later, in the command line instead of
/// the environment: they mean the same, or cannot be used together.
pub(crate) static ALTERNATIVES: &[&[&Flag]] = &[
    &[&PLATFORM, &OS, &ARCH, &VARIANT],
    &[&TABLE, &RAW],
    &[&TABLE, &JSON],
    &[&MEDIA_TYPE, &INDEX],
    &[&MEDIA_TYPE, &OCI],
    &[&CERT, &KEY],
    &[&OFFLINE, &NO_CACHE],
    &[&OFFLINE, &INSECURE],
    &[&OFFLINE, &WAIT],
    &[&MAX_AGE, &NO_CACHE],
    &[&MAX_AGE, &INSECURE],
    &[&MAX_AGE, &WAIT],
];

/// What the first screen of the help shows.
pub(crate) static ESSENTIAL: &[&Flag] = &[&PLATFORM, &JQ, &RAW];

pub(super) static RAW: Flag = Flag::switch("raw", "Print exact bytes, computed JSON on one line")
    .short('r')
    .about("On a terminal, control characters are escaped; pipes and files get every byte.");
pub(super) static JQ: Flag = Flag::new("jq", Value::Text("FILTER"), "Run a jq filter on the answer")
    .short('q')
    .about("Strings are printed without quotes, other results as JSON; `-qr FILTER` means the same. In the filter, `$image` is the image and `$platform` its platform.");
pub(super) static ARG: Flag =
    Flag::new("arg", Value::Pair("NAME", "VALUE"), "Set $NAME in the filter to the string VALUE");
pub(super) static EXIT_STATUS: Flag =
    Flag::switch("exit-status", "Exit with 8 if the last result is null or false")
        .short('e')
        .about("Also if there is no result.");
pub(super) static JSON: Flag = Flag::switch("json", "Print text answers as JSON");
pub(super) static TABLE: Flag = Flag::switch("table", "Print an aligned table for people")
    .short('t')
    .about("An array of objects, or with `--platform all` one for each platform, has a line for each object; another object, a line for each member. After `--jq` the filter's results are the table; of several images there is one table, with a column of their names. Sizes are in MB, with a bar where there are several; times are ages, and digests have 12 digits. On a terminal wide columns are cut. What is no table, such as a digest or a list of tags, is printed as ever, a word on each line.");
pub(super) static COLOR: Flag = Flag::new(
    "color",
    Value::Choice(&["auto", "always", "never"]),
    "Say when to colour JSON (default: auto)",
)
.about("`auto` is on a terminal, unless NO_COLOR is set.");
pub(super) static PLATFORM: Flag = Flag::new("platform", Value::Suggested("PLATFORM", "all local linux/386 linux/amd64 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/mips64le linux/ppc64le linux/riscv64 linux/s390x windows/amd64 windows/arm64"), "Choose OS/ARCH[/VARIANT][:OSVERSION], local or all")
    .about("Default: `$DOCKER_DEFAULT_PLATFORM`, else Linux on this machine's architecture. `local` is this machine's own system and architecture. With `all` the answer is one JSON object with the platforms as keys; a platform that is listed but cannot be read is reported on stderr and by the exit code.");
pub(super) static OS: Flag = Flag::new(
    "os",
    Value::Suggested("OS", "darwin freebsd linux windows"),
    "Choose the operating system (default: linux)",
);
pub(super) static ARCH: Flag = Flag::new(
    "arch",
    Value::Suggested("ARCH", "386 amd64 arm arm64 loong64 mips64le ppc64le riscv64 s390x"),
    "Choose the architecture (default: this machine's)",
)
.about("x86_64, aarch64, armhf, armel and i386 are understood too.");
pub(super) static VARIANT: Flag = Flag::new(
    "variant",
    Value::Suggested("VARIANT", "v5 v6 v7 v8"),
    "Choose the variant, such as v7",
);
pub(super) static IMAGES: Flag = Flag::new("images", Value::Images, "Read the images from FILE; - is stdin")
    .about("One per line; `#` starts a comment. Each answer is one line of JSON, in the order of the images.");
pub(super) static JOBS: Flag = Flag::new("jobs", Value::Number, "Ask for N images at the same time (default: 8)")
    .short('j')
    .about("Also limits the requests that are sent at the same time. If the limit of open files is too low for N, fewer are sent.");
pub(super) static WAIT: Flag =
    Flag::new("wait", Value::Duration, "Ask again for what is not found, for up to DURATION")
        .about("Such as `5m`; for all images together. An image that is not there is asked for by HEAD after 1, 2, 4, 8 and then every 15 seconds, and answered when it is there. If it is there and something else is not found, such as a platform, a file or an SBOM, the question itself is asked again, for a tag may be pushed anew. If the registry says with `Retry-After` how long to wait, that is done; everything else that fails ends the waiting, also that access is denied, as Docker Hub says of a repository that does not exist.");
pub(super) static USER: Flag = Flag::new("user", Value::Secret("USER:PASSWORD"), "Log in to the image's registry")
    .short('u')
    .about("Without `:PASSWORD` the password is asked for on the terminal. The credentials are for one registry: images from another registry are a usage error.");
pub(super) static PASSWORD_STDIN: Flag =
    Flag::switch("password-stdin", "Read the password of --user from stdin");
pub(super) static INDEX: Flag = Flag::switch("index", "Ask for manifest lists and indexes only")
    .about("With `--oci`: OCI indexes only. `--index`, `--oci` and `--media-type` apply to the image that is named, not to what its index lists. An image of another kind is not found (exit 3), in layouts and archives too. Unless a platform is chosen, `manifest` and `digest` then show what the registry serves, index or not.");
pub(super) static OCI: Flag = Flag::switch("oci", "Ask for OCI manifests and indexes only");
pub(super) static MEDIA_TYPE: Flag =
    Flag::new("media-type", Value::Text("TYPE"), "Ask for manifests of this media type only")
        .repeated()
        .about("May be given more than once. Default: all kinds.");
pub(super) static MIRROR: Flag = Flag::new("mirror", Value::Text("HOST=URL"), "Ask URL before the registry HOST")
    .about("May be given more than once; such mirrors are asked in their order, before those of podman's, containerd's and docker's configuration. A path in URL stands before the repository's name. `--user`, `--insecure`, `--cert` and `--plain-http` do not apply to mirrors.");
pub(super) static PLAIN_HTTP: Flag = Flag::switch("plain-http", "Use HTTP instead of HTTPS")
    .about("Without this option only this machine (`localhost`, 127.0.0.0/8, `[::1]`) is asked over HTTP, and only if it does not answer over HTTPS; and registries and mirrors of which `--mirror` or a configuration file says so.");
pub(super) static INSECURE: Flag = Flag::switch("insecure", "Accept any TLS certificate")
    .short('k')
    .about("Applies to the registry that is named, not to servers that it redirects to, nor to mirrors or proxies. The cache is neither read nor written then.");
pub(super) static CACERT: Flag =
    Flag::new("cacert", Value::Path, "Trust the certificates in FILE too")
        .about("In PEM form. A server's own certificate may be given as well.");
pub(super) static CERT: Flag = Flag::new("cert", Value::Path, "Use the client certificate in FILE")
    .about(
        "For the registry that is named, not for servers that it redirects to, nor for mirrors or proxies.",
    );
pub(super) static KEY: Flag =
    Flag::new("key", Value::Path, "Read the key of the client certificate from FILE")
        .about("Default: the key in the file of `--cert`.");
pub(crate) static PUBLIC_KEY: Flag =
    Flag::new("public-key", Value::Path, "Also check cosign's signatures with the key in FILE")
        .about("PEM, as `cosign generate-key-pair` writes it to `cosign.pub`: ECDSA on P-256 or P-384, Ed25519, or RSA. Of several keys in FILE one has to fit. Without `--cert`, `--key FILE` means the same.");
pub(super) static TIMEOUT: Flag = Flag::new("timeout", Value::Seconds, "Wait at most SECONDS without data (default: 30)")
    .about("Applies to connecting, to the first byte and between bytes. A request that timed out is not sent again. A whole answer may take five times as long; a layer must arrive with at least 1 kB/s over any minute. A filter may work ten times as long for one result.");
pub(super) static RETRIES: Flag = Flag::new("retries", Value::Number, "Retry temporary failures up to N times (default: 3)")
    .about("Temporary are connection errors and the statuses 408, 429, 500, 502, 503 and 504. If the registry says with `Retry-After` how long to wait, that is done, up to 60 seconds in all.");
pub(super) static VERBOSE: Flag = Flag::new("verbose", Value::Count, "Show each request; with -vv as a curl command")
    .short('v')
    .about("On stderr. `-vv` also shows the headers of each response. Secrets are never shown: `$CREDENTIALS` stands for USER:PASSWORD, a line says how to get `$TOKEN`, and `…` replaces headers and parameters that may hold a secret.");
pub(super) static NO_CACHE: Flag = Flag::switch("no-cache", "Neither read nor write the cache");
pub(super) static OFFLINE: Flag = Flag::switch("offline", "Answer from the cache only")
    .about("Exit 5 if the answer is not in the cache.");
pub(super) static MAX_AGE: Flag =
    Flag::new("max-age", Value::Duration, "Use cached tags up to this age (default: 0)").about(
        "Such as `10m` or `1h`. By default the registry is asked each time what a tag leads to.",
    );
pub(super) static CACHE_DIR: Flag =
    Flag::new("cache-dir", Value::Directory, "Keep the cache in DIR")
        .about("Default: `docker-registry` in `$XDG_CACHE_HOME` or `~/.cache`.");
