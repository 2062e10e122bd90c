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
        about: "Answers over HTTP what the commands answer that read: pages for people below `/`, JSON for programs below `/api/v1/`, described by `/api/openapi.json`.",
        flags: &[&LISTEN, &ANY],
        examples: &[
            ("docker-registry serve ghcr.io/OWNER", "pages about the images of an owner"),
            (
                "docker-registry serve --listen 0.0.0.0:80 --any quay.io",
                "for everybody, about any image",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Serve,
};
