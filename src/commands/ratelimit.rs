//! `docker-registry ratelimit IMAGE`

use serde_json::json;

use super::{Answer, Command, During, Error, Invocation, Operand, Result, Run, Spec};
use crate::reference::{Reference, Transport};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "ratelimit",
        operand: Operand::Image,
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
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let text = &invocation.args.operands()[0];
    let reference: Reference = text.parse()?;
    let Transport::Registry(repository) = &reference.transport else {
        return Err(Error::usage(format!("{text}: {} is not in a registry", reference.transport)));
    };
    let registry = invocation.sources.repository(repository).during(text)?;
    let rate = registry.rate(&reference.at).during(text)?;
    Ok(Answer::value(json!({
        "limit": rate.limit,
        "remaining": rate.remaining,
        "window": rate.window,
        "source": rate.source,
        "reset": rate.reset,
    })))
}
