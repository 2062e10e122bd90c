//! `docker-registry serve [REGISTRY|REPOSITORY|oci:PATH]...`

use super::{Command, Flag, Operand, Run, Spec};
use crate::cli::Value;

pub(crate) static LISTEN: Flag =
    Flag::new("listen", Value::Text("ADDRESS:PORT"), "Listen there (default: 127.0.0.1:5080)");
pub(crate) static ANY: Flag = Flag::switch("any", "Let any image be asked for")
    .about("Without it, operands say what may be asked for; without both, only a server that listens on this machine's own address (127.0.0.0/8, `[::1]`) answers, of any image.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "serve",
        operand: Operand::Served,
        help: "Serve pages and an HTTP API for images",
        about: "Pages for people at `/`, and at `/api/v1/COMMAND` what every command answers that only reads: `/api/v1/labels?image=ubuntu&platform=linux/arm64`. Operands and options are parameters: `image`, for `diff` twice, `path` and `registry`; the command's options by their long names, a switch being 1; and of the options of all commands `jq`, `arg.NAME`, `raw`, `platform`, `os`, `arch`, `variant`, `index`, `oci` and `media-type`. `/api/openapi.json` describes it.

An answer is a line of JSON; with `raw=1` the exact bytes of a document or file, or the text that the command prints; with `jq` a line for each result. `ETag` is the digest of the document, or of the manifest that decides the answer, else of the answer. Exit codes are statuses: 0 is 200; 8 is 200 with the header `Docker-Registry-Verdict: no`; 2 is 400, 3 is 404, 4 is 403, 5 is 504, 7 is 429 with `Retry-After`, 1 and 6 are 502. A filter that fails, or takes more than 5 seconds or 256 MiB, is 422; where too many wait it is 503. The body of a failure is `{error, hint, code}`, with `answer` for what there is of an answer that is not whole.

REGISTRY, such as `quay.io`, REPOSITORY, such as `ghcr.io/OWNER` for all below it, and `oci:PATH` say what may be asked for. `--user`, `--cert`, `--insecure` and `--plain-http` are for the registries among them alone; credentials of docker and podman are used for whoever asks. What is not named is never asked for at an address of this machine or of a private network. On an address of this machine only requests for `localhost` or such an address are answered.

An answer is believed for `--max-age`, by default 60 seconds, one that a digest decides for longer, and asked for once however many ask at the same time. `/mquery?image=IMAGE` is what mquery's backend answers, believed for an hour; `/healthz` and `/metrics` are for machines. With `-v` each request is a line on stderr. SIGTERM and Ctrl-C let requests finish.",
        flags: &[&LISTEN, &ANY],
        examples: &[
            ("docker-registry serve ghcr.io/OWNER", "pages about the images of an owner"),
            (
                "docker-registry serve --listen 0.0.0.0:80 --any",
                "for everybody, about any image of a public registry",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Serve,
};
