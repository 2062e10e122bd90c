//! One question about two images.

use std::collections::HashMap;

use super::printer::Answered;
use super::question::keyed;
use crate::answer::{Answer, Verdict};
use crate::context::{Context, Platforms};
use crate::error::{During, Result};
use crate::image::Image;
use crate::memory;
use crate::platform::Platform;

/// For one platform, or for each platform that at least one of the
/// images has.
pub(super) fn compare(
    context: &Context,
    images: &[Image],
    ask: impl Fn(Option<&Image>, Option<&Image>) -> Result<Answer> + Sync,
) -> Result<Answered> {
    let [from, to] = images else { unreachable!("the parser has counted") };
    let answer = match context.platforms {
        Platforms::One(_) => ask(Some(from), Some(to))?,
        Platforms::All => {
            let platforms = |image: &Image| image.platforms().during(image.text());
            let (from, to) = (platforms(from)?, platforms(to)?);
            let pairs = paired(from.images, to.images);
            let answers = context.pool.all(pairs, |(platform, [from, to])| {
                let answer = ask(from.as_ref(), to.as_ref()).during(&platform);
                let mut images = [&from, &to].into_iter().flatten();
                if let (Ok(answer), Some(image)) = (&answer, images.clone().next()) {
                    // The object has a copy of it.
                    image.budget.hold(answer.weight())?;
                    memory::take(answer.weight())?;
                }
                let limit = images.find_map(|image| image.budget.exceeded().cloned());
                limit.map_or(Ok((platform, answer)), Err)
            })?;
            // Two images are the same only if they are the same on all platforms.
            keyed(answers, [from.missing, to.missing].concat(), Verdict::min)
        }
    };
    Ok(Answered::of(from, answer))
}

/// The images of either side by platform, in the order in which the platforms come first.
fn paired(
    from: Vec<(Platform, Image)>,
    to: Vec<(Platform, Image)>,
) -> Vec<(String, [Option<Image>; 2])> {
    let mut pairs: Vec<(String, [Option<Image>; 2])> = Vec::new();
    let mut places = HashMap::new();
    for (side, images) in [from, to].into_iter().enumerate() {
        for (platform, image) in images {
            let platform = platform.to_string();
            let place = *places.entry(platform.clone()).or_insert(pairs.len());
            if place == pairs.len() {
                pairs.push((platform, [None, None]));
            }
            pairs[place].1[side].get_or_insert(image);
        }
    }
    pairs
}
