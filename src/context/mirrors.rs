//! Where the user and the machine say which mirrors registries have.

use super::options::MIRROR;
use super::registry::{config_home, path};
use crate::cli::Args;
use crate::error::{During, Error, Result, without_user};
use crate::reference::Host;
use crate::source::{MirrorSettings, Server};

pub(super) fn settings(args: &Args) -> Result<MirrorSettings> {
    let given = args.texts(&MIRROR).map(mirror).collect::<Result<_>>()?;
    let roots = config_home().into_iter().chain(["/etc".into()]).collect();
    Ok(MirrorSettings { given, registries_conf: path("CONTAINERS_REGISTRIES_CONF"), roots })
}

/// `HOST=URL`
fn mirror(text: &str) -> Result<(Host, Server)> {
    let Some((host, url)) = text.split_once('=') else {
        let shown = without_user(text);
        return Err(Error::usage(format!("--mirror wants HOST=URL, not '{shown}'")));
    };
    Ok((host.parse().during("--mirror")?, url.parse().during("--mirror")?))
}
