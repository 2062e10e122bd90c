//! `docker-registry ratelimit IMAGE`

use serde_json::json;

use super::{Answer, Command, Error, Image, Invocation, Operand, Result, Run, Spec};
use crate::reference::{Reference, Transport};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "ratelimit",
        operand: Operand::Images,
        help: "Print how much a registry still allows",
        about: "An object `{limit, remaining, window, source, reset}`, from a request that does not count as a pull: `limit` pulls are allowed in `window` seconds, `remaining` are left; `source` is the address or account that the registry counts, and `reset` is the number of seconds until counting starts again. What the registry does not say is null. With `-v`, every command warns if less than a tenth is left.",
        examples: &[
            ("docker-registry ratelimit ubuntu", "what Docker Hub allows to this address"),
            (
                "docker-registry ratelimit -u USER:PASSWORD -q .remaining ubuntu",
                "what is left for an account",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let Reference { transport, at } = &image.reference;
    let Transport::Registry(repository) = transport else {
        return Err(Error::usage(format!("{transport} is not in a registry")));
    };
    let rate = invocation.sources.repository(repository)?.rate(at)?;
    Ok(Answer::value(json!({
        "limit": rate.limit,
        "remaining": rate.remaining,
        "window": rate.window,
        "source": rate.source,
        "reset": rate.reset,
    })))
}
