//! What the man page says beyond commands and options.

use crate::cli::{Chapter, Example};
use crate::query::DIFFERENCES;

pub(crate) static SUMMARY: &str = "look into container registries, without pulling";

pub(crate) static ABOUT: &str = "Shows tags, platforms, digests, configurations, labels, history and layers of an image, from any \
registry with the OCI distribution API, from an OCI layout directory or from an archive. Everything that has a digest is \
verified before it is shown. Neither docker nor jq is needed.";

pub(crate) static CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Images",
        text: "`[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, as docker reads it: the first component is a host if it contains a dot or a \
colon, is `localhost`, or has an upper-case letter. Without a host the image is on Docker Hub, where `ubuntu` means \
`library/ubuntu`. The default tag is `latest`. If there is a tag and a digest, the digest decides.

`oci:PATH[:TAG][@DIGEST]` is a directory in OCI image-layout form, `oci-archive:FILE[:TAG]` the same in a tar, and \
`docker-archive:FILE[:TAG]` what `docker save` writes. Without a tag they mean their only image, or the one tagged \
`latest`.",
        entries: &[],
    },
    Chapter {
        title: "Platforms",
        text: "`OS/ARCH[/VARIANT][:OSVERSION]`. The default is Linux on this machine's architecture. `arm64` is `arm64/v8`; `arm` \
without a variant is the best of v7, v6 and v5; a variant that is not there is replaced by the highest lower one; a \
version matches by its first components. `x86_64`, `aarch64`, `armhf`, `armel` and `i386` are understood. BuildKit's \
attestations are never chosen.

An image without an index has one platform, which is checked only if a platform was asked for.

A single word is an operating system if it is the name of one, else an architecture.",
        entries: &[],
    },
    Chapter {
        title: "Answers",
        text: "An answer is a document from the registry, a computed JSON value, or text that also has a JSON form. JSON is indented \
by two spaces; keys keep the registry's order, and numbers are printed as they were written. Data goes to stdout, \
everything else to stderr.

With several images each answer is one line `{\"image\": IMAGE, \"COMMAND\": ANSWER}`, in the order of the images; \
with `--jq` only the filter's results are printed. If an image fails, a line on stderr says so, the others are still \
answered, and the exit code is that of the first failure. If nothing failed, it is 8 only if all answers are no, or, \
with `--exit-status`, if the last result is null or false.

On a terminal, control characters are escaped.

A JSON document from a registry may have up to 8 MiB and 1,000 levels, and its values may need up to 24 MiB of memory \
and 16 times the document's size. An object with the same key twice is corrupt. The digest of a signed schema 1 \
manifest is that of its payload; its signatures are shown, but not checked.",
        entries: &[],
    },
    Chapter {
        title: "Filters",
        text: "`--jq` takes a jq filter; jq is built in, and its manual explains filters. `$image` is the image as it was named and \
`$platform` is the platform that was chosen, or null. A filter is compiled before any request is sent. These are the \
differences to jq's manual:",
        entries: DIFFERENCES,
    },
    Chapter {
        title: "Registries",
        text: "Credentials are looked for in this order: `--user`, `DOCKER_REGISTRY_CREDENTIALS`, Docker's configuration \
(`credHelpers`, then `credsStore`, then `auths`), the `auth.json` of podman and similar tools. Without any, requests \
are anonymous. If the first two are refused: exit 4. If stored credentials are refused, or their helper fails, there \
is a warning and requests are anonymous. Credentials are sent to the image's registry only, and only when it asks for \
them.

Manifests of all kinds are asked for in one request. All images of a run share connections and tokens.",
        entries: &[],
    },
    Chapter {
        title: "Lists",
        text: "`push` writes the same bytes as manifest-tool, so the digest is the same too: fields in the order of Docker's and the \
OCI's Go structures, indented by two spaces, annotations sorted, `<`, `>` and `&` escaped, no newline at the end. \
(`docker manifest push` indents by three spaces and so gets another digest.)

It differs where manifest-tool loses or breaks something: unknown keys of the YAML are errors, with line and column; \
each part of a platform that is missing in the YAML is read from the configuration, not only both or none; the \
operating system and the architecture must exist together; a variant may be any that Go knows; OS, ARCH and VARIANT \
are replaced wherever they are in a template; indexes within indexes are flattened too, and an image without a \
platform in its index gets the one of its configuration; `--ignore-missing` leaves out only what the registry does not \
find, and everything else is an error; a value of `--annotations` may contain `=`.",
        entries: &[],
    },
    Chapter {
        title: "Limits",
        text: "For one question at most 10,000 entries of indexes are read, nested 4 deep, and 1,000 manifests and configurations of \
together 40 MiB of memory, each fetched only once. A manifest or configuration may have 8 MiB, a page of tags or repositories 32 \
MiB. What does not fit beside other images into little memory is asked for again when its turn has come, one after the other: but \
for filters a run stays under 100 MB, and the names that `tags` and `catalog` list. Beyond a limit the command fails with an error that names the limit.",
        entries: &[],
    },
    Chapter {
        title: "Docker",
        text: "In `~/.docker/cli-plugins` the program is a plugin of docker: `docker registry labels ubuntu` is `docker-registry \
labels ubuntu`, with the same output and exit codes, and docker's completions complete it. Docker's own options before \
`registry` are about its daemon and have no effect; `docker --config` is refused: use `DOCKER_CONFIG` instead.",
        entries: &[],
    },
    Chapter {
        title: "Cache",
        text: "What has a digest never changes: it is kept in the cache, and verified again whenever it is read. What a tag leads to \
is asked for each time, by a request without a body, unless `--max-age` allows an older answer or `--offline` forbids \
requests. The cache also keeps how each registry wants requests to be authenticated, and tokens for anonymous use; \
never credentials, nor tokens that were got with them. The cache stays below 256 MiB: the oldest files are deleted \
first. It can be deleted at any time.",
        entries: &[],
    },
];

pub(crate) static FILES: &[(&str, &str)] = &[
    (
        "~/.docker/config.json",
        "Credentials of `docker login`: `credHelpers`, then `credsStore`, then `auths`.",
    ),
    (
        "~/.config/containers/auth.json",
        "Credentials of `podman login`; the one in `$XDG_RUNTIME_DIR/containers` is read first.",
    ),
    (
        "/etc/docker/certs.d/HOST[:PORT]",
        "Certificates for one registry: `*.crt` to trust, `*.cert` and `*.key` to present.",
    ),
    ("~/.cache/docker-registry", "The cache."),
];

pub(crate) static EXIT_CODES: &[(u8, &str)] = &[
    (0, "Success; also if the reader of the output stopped reading."),
    (
        1,
        "Local input or output, a filter that failed at run time, an answer that breaks the protocol.",
    ),
    (2, "Usage: wrong arguments, reference or filter. No request was sent."),
    (3, "Not found: repository, tag, platform, blob, manifest list."),
    (4, "Denied: 401 after logging in, 403."),
    (5, "Unavailable: DNS, connection, TLS, timeout, 5xx after all retries."),
    (6, "Corrupt: the digest or the size differs, or it is not JSON."),
    (7, "Rate limited: 429 after all retries; the message says when to try again."),
    (8, "The answer is no."),
];

pub(crate) static EXAMPLES: &[Example] = &[
    ("docker-registry tags ubuntu", "all tags of library/ubuntu on Docker Hub"),
    ("docker-registry labels sphinxdoc/sphinx:4.4.0", "the labels of an image"),
];
