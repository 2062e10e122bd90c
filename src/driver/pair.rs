//! One question about two images.

use std::collections::HashMap;

use super::keyed;
use super::printer::Answered;
use crate::answer::{Answer, Verdict};
use crate::cli::Args;
use crate::context::{Context, Platforms};
use crate::error::{During, Result};
use crate::image::Image;
use crate::platform::Platform;

/// For one platform, or for each platform that at least one of the images has.
pub(super) fn compare(
    context: &Context,
    args: &Args,
    ask: fn(Option<&Image>, Option<&Image>) -> Result<Answer>,
) -> Result<Answered> {
    let [from, to] = args.operands() else { unreachable!("the parser has counted") };
    let (from, to) = (context.image(from)?, context.image(to)?);
    let answer = match context.platforms {
        Platforms::One(_) => ask(Some(&from), Some(&to))?,
        Platforms::All => {
            let platforms = |image: &Image| image.platforms().during(image.text());
            let (from, to) = (platforms(&from)?, platforms(&to)?);
            let missing = [from.missing, to.missing].concat();
            let answers =
                context.pool.all(paired(from.images, to.images), |(platform, from, to)| {
                    let answer = ask(from.as_ref(), to.as_ref()).during(&platform);
                    let mut images = [&from, &to].into_iter().flatten();
                    let limit = images.find_map(|image| image.budget.exceeded().cloned());
                    limit.map_or(Ok((platform, answer)), Err)
                })?;
            // Two images are the same only if they are the same on all platforms.
            keyed(answers, missing, Verdict::min)
        }
    };
    let image = from.text().to_owned();
    let platform = from.platform().map(|platform| platform.to_string());
    Ok(Answered { image, platform, answer })
}

/// Pairs the images by platform.
fn paired(
    from: Vec<(Platform, Image)>,
    to: Vec<(Platform, Image)>,
) -> Vec<(String, Option<Image>, Option<Image>)> {
    let from = from.into_iter().map(|(platform, image)| {
        let image = Some(image);
        (platform.to_string(), image, None)
    });
    let mut pairs: Vec<(String, Option<Image>, Option<Image>)> = Vec::new();
    let mut places = HashMap::new();
    let to = to.into_iter().map(|(platform, image)| {
        let image = Some(image);
        (platform.to_string(), None, image)
    });
    for (platform, from, to) in from.chain(to) {
        let place = *places.entry(platform.clone()).or_insert(pairs.len());
        if place == pairs.len() {
            pairs.push((platform, None, None));
        }
        let (_, first, second) = &mut pairs[place];
        *first = first.take().or(from);
        *second = second.take().or(to);
    }
    pairs
}
