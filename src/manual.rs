//! What the man page says beyond commands and options.

use crate::cli::{Chapter, Example};
use crate::query::DIFFERENCES;

pub(crate) static SUMMARY: &str = "ask a container registry, without pulling";

pub(crate) static ABOUT: &str = "Tags, platforms, digests, configurations, labels, history and layers of an image, from any \
registry that speaks the OCI distribution API, from an OCI layout directory or from an archive. Every byte is verified \
against its digest before it is shown. Neither docker nor jq is needed.";

pub(crate) static CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Images",
        text: "`[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, as docker reads it: the first component is a host if it contains a dot or a \
colon, is `localhost`, or has an upper-case letter. Without a host the image is Docker Hub's, where `ubuntu` means \
`library/ubuntu`. Without a tag it is `latest`. With a tag and a digest the digest decides.

`oci:PATH[:TAG][@DIGEST]` is a directory in OCI image-layout form, `oci-archive:FILE[:TAG]` the same in a tar, and \
`docker-archive:FILE[:TAG]` what `docker save` writes. Without a tag they mean their only image, or the one tagged `latest`.",
        entries: &[],
    },
    Chapter {
        title: "Platforms",
        text: "`OS/ARCH[/VARIANT][:OSVERSION]`. The default is Linux on this machine's architecture. `arm64` is `arm64/v8`; `arm` \
without a variant is the best of v7, v6 and v5; a variant matches the highest one that is not above it; a version matches \
by its first components. `x86_64`, `aarch64`, `armhf`, `armel` and `i386` are understood. What BuildKit attaches to an \
image is never chosen.

An image without a manifest list has one platform, which is checked only if one was asked for.

A single word is an operating system if it is the name of one, else an architecture.",
        entries: &[],
    },
    Chapter {
        title: "Answers",
        text: "An answer is a document of the registry, a computed JSON value, or a line of text that has a JSON form. JSON is \
indented by two; the keys stand in the registry's order and numbers as they were written. Data goes to stdout, everything \
else to stderr.

With several images each answer is one line `{\"image\": IMAGE, \"COMMAND\": ANSWER}`, in the order of the images; with \
`--jq` the filter's results are printed bare. A failure is a line on stderr, the rest goes on, and the exit code is the \
first failure's. If nothing failed, it is 8 only if all answers are no, or, with `--exit-status`, if the last result is.

On a terminal, characters that could drive it are escaped.

JSON from outside is read up to 8 MiB a document, to 1,000 levels, and as long as its values need at most 16 times its \
bytes, and 32 MiB, of memory; one with a key that stands twice in an object is corrupt. What the digest of a signed schema 1 \
manifest names is its payload; its signatures are shown, but not checked.",
        entries: &[],
    },
    Chapter {
        title: "Filters",
        text: "`--jq` takes a filter of jq, which is built in; jq's manual says what filters can do. `$image` is the image as it was \
named and `$platform` the platform that was chosen, or null. A filter is compiled before any request is sent. Where it is \
not as jq's manual has it:",
        entries: DIFFERENCES,
    },
    Chapter {
        title: "Registries",
        text: "Credentials are looked for in this order: `--user`, `DOCKER_REGISTRY_CREDENTIALS`, Docker's configuration \
(`credHelpers`, then `credsStore`, then `auths`), the `auth.json` of podman and its kin, nobody. Given ones that are refused \
end with exit 4; stored ones that are refused, or whose helper fails, are warned of and left out. They are sent to the \
image's registry only, and only when it asks.

Manifests of all kinds are asked for in one request. Connections and tokens are shared by all images of a run.",
        entries: &[],
    },
    Chapter {
        title: "Lists",
        text: "`push` writes the bytes that manifest-tool writes, so a list has the same digest: members in the order of Docker's and \
the OCI's Go structures, indented by two spaces, annotations sorted, `<`, `>` and `&` escaped, no newline at the end. (`docker \
manifest push` indents by three and so gets another digest.)

It differs from manifest-tool where that loses or breaks something: unknown keys of the YAML are errors, with line and \
column; every part of a platform that the YAML leaves out comes from the configuration, not only both or none; system and \
architecture must exist together; a variant may be any that Go knows; OS, ARCH and VARIANT are replaced wherever they stand \
in a template; lists within lists are flattened too, and an image to which a list gives no platform gets that of its \
configuration; `--ignore-missing` leaves out what the registry does not find, and fails on everything else; a value of \
`--annotations` may hold `=`.",
        entries: &[],
    },
    Chapter {
        title: "Limits",
        text: "One question sees 10,000 entries of indexes, nested 4 deep, and 1,000 manifests and configurations of together 32 MiB, \
each fetched once whatever repeats it. A manifest or configuration has 8 MiB, a page of a list 32 MiB. Beyond a limit \
the question ends with an error that names it.",
        entries: &[],
    },
    Chapter {
        title: "Docker",
        text: "Under its name in `~/.docker/cli-plugins` the program is a plugin of docker: `docker registry labels ubuntu` is \
`docker-registry labels ubuntu`, with the same output and exit codes, and docker's completions complete it. Docker's own \
options before `registry` are about its daemon and without effect; `docker --config` is refused, for which \
`DOCKER_CONFIG` does the same.",
        entries: &[],
    },
    Chapter {
        title: "Cache",
        text: "What has a digest never changes: it is kept, and verified again whenever it is read. What a tag leads to is asked for \
each time, by a request without a body, unless `--max-age` allows an older answer or `--offline` forbids to ask. What a \
registry wants to be asked with and the tokens it gives to anybody are kept too; credentials, and tokens got with them, \
never. The cache stays below 256 MiB: the oldest files go first. It can be deleted at any time.",
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
        "Credentials of `podman login`; before it the one in `$XDG_RUNTIME_DIR/containers`.",
    ),
    (
        "/etc/docker/certs.d/HOST[:PORT]",
        "Certificates for one registry: `*.crt` to trust, `*.cert` and `*.key` to present.",
    ),
    ("~/.cache/docker-registry", "The cache."),
];

pub(crate) static EXIT_CODES: &[(u8, &str)] = &[
    (0, "Success; also when the reader of the output went away."),
    (
        1,
        "Local input or output, a filter that failed at run time, an answer outside the protocol.",
    ),
    (
        2,
        "Usage: arguments, reference, filter. No request was sent.",
    ),
    (
        3,
        "Not found: repository, tag, platform, blob, manifest list.",
    ),
    (4, "Denied: 401 after trying, 403."),
    (
        5,
        "Unavailable: DNS, connection, TLS, timeout, 5xx after all tries.",
    ),
    (6, "Corrupt: digest or size differ, or not JSON."),
    (
        7,
        "Rate limited: 429 after all tries; the message says when to come back.",
    ),
    (8, "The answer is no."),
];

pub(crate) static EXAMPLES: &[Example] = &[
    Example {
        command: "docker-registry tags ubuntu",
        shows: "all tags of library/ubuntu on Docker Hub",
    },
    Example {
        command: "docker-registry labels sphinxdoc/sphinx:4.4.0",
        shows: "the labels of an image",
    },
];
