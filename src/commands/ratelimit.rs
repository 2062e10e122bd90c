//! `docker-registry ratelimit IMAGE`

use serde_json::json;

use super::{Command, Run};
use crate::answer::Answer;
use crate::cli::{Args, Example, Operand, Spec};
use crate::context::Context;
use crate::error::{During, Result};
use crate::reference::Reference;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "ratelimit",
        operand: Operand::Image,
        help: "Print how much a registry still allows",
        about: "An object `{limit, remaining, window, source, reset}`, from a request that does not count as a pull: `limit` pulls are allowed in `window` seconds, `remaining` are left; `source` is the address or account that the registry counts, and `reset` is the number of seconds until counting starts again. What the registry does not say is null. With `-v`, every command warns if less than a tenth is left.",
        examples: &[
            Example {
                command: "docker-registry ratelimit ubuntu",
                shows: "what Docker Hub allows to this address",
            },
            Example {
                command: "docker-registry ratelimit -u USER:PASSWORD -q .remaining ubuntu",
                shows: "what is left for an account",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(context: &Context, args: &Args) -> Result<Answer> {
    let text = &args.operands()[0];
    let reference: Reference = text.parse()?;
    let registry = context.registry(&reference).during(text)?;
    let rate = registry.rate(&reference.at).during(text)?;
    Ok(Answer::value(json!({
        "limit": rate.limit,
        "remaining": rate.remaining,
        "window": rate.window,
        "source": rate.source,
        "reset": rate.reset,
    })))
}
