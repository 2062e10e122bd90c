//! Measures this program beside its peers; `benches/README.md` says how.

mod contest;
mod far;
#[path = "../../tests/suite/harness/mod.rs"]
mod harness;
mod lists;
mod measure;
mod scene;

use std::fs;

use contest::{Outcome, best, contest, table};
use lists::Lists;
use scene::{IMAGES, Scene, versions};

fn main() {
    let mut words = std::env::args_os().skip(1);
    let first = words.next();
    if first
        .as_deref()
        .is_some_and(|word| word == measure::MEASURE)
    {
        return measure::measure(words);
    }
    let is_quick = std::env::args().any(|word| word == "--quick");
    let rounds = |usual: usize| if is_quick { 1 } else { usual };
    let Some(scene) = Scene::set() else { return };
    print!("# Measured\n\n{}", versions());

    let mut goals = Goals::default();
    let start = contest(&scene.start(), rounds(21));
    print!("{}", table("Start-up: the version", &start));
    let [ours, nothing] = [&start[0], &start[1]];
    if let Some(crane) = start.iter().find(|outcome| outcome.name == "crane") {
        goals.add("start-up, against crane", 0.25, ours.time() / crane.time());
    }
    goals.add(
        "start-up, against `true`",
        1.5,
        ours.time() / nothing.time(),
    );
    goals.size();

    let config = contest(&scene.config(), rounds(11));
    print!(
        "{}",
        table("A configuration, on loopback, nothing remembered", &config)
    );
    goals.against_best(
        "`config` on loopback",
        0.5,
        &config[0],
        &config,
        Outcome::time,
    );
    if let Some(crane) = config.iter().find(|outcome| outcome.name == "crane") {
        let ratio = config[0].memory() / crane.memory();
        goals.add("memory of `config`, against crane", 0.5, ratio);
    }

    let far = contest(&scene.far(), rounds(5));
    print!("{}", table("A configuration, from far away", &far));
    print!("{}", scene.requests());
    for (i, (what, goal)) in [("nothing", 1.0), ("the host", 0.7), ("the tag", 0.4)]
        .iter()
        .enumerate()
    {
        let what = format!("far away, {what} known");
        goals.against_best(&what, *goal, &far[i], &far, Outcome::time);
    }

    let layer = contest(&scene.layer(), rounds(7));
    print!("{}", table("A layer of 210 MB, over TLS", &layer));
    goals.against_best("a verified layer", 1.0, &layer[0], &layer, Outcome::time);
    if let Some(curl) = layer
        .iter()
        .find(|outcome| outcome.name.starts_with("curl"))
    {
        goals.add(
            "a verified layer, against curl",
            1.1,
            layer[0].time() / curl.time(),
        );
    }
    let growth = layer[0].memory() / config[0].memory();
    goals.add("memory of 210 MB, against `config`", 1.5, growth);

    let batch = contest(&scene.batch(), rounds(3));
    print!(
        "{}",
        table(&format!("Labels of {IMAGES} images, 8 at a time"), &batch)
    );
    goals.against_best("1,000 images", 0.2, &batch[0], &batch, Outcome::time);

    let lists = Lists::set(&scene);
    let pages = contest(&lists.pages(), rounds(5));
    print!("{}", table("100,000 tags in pages of 1,000", &pages));
    goals.against_best("100,000 tags", 1.0, &pages[0], &pages, Outcome::time);
    goals.against_best(
        "memory of 100,000 tags",
        0.5,
        &pages[0],
        &pages,
        Outcome::memory,
    );

    let filter = contest(&lists.filter(), rounds(5));
    print!("{}", table("A filter over 50 MB of tags", &filter));
    goals.against_best(
        "a filter over 50 MB",
        1.0,
        &filter[0],
        &filter,
        Outcome::time,
    );
    print!("{}", goals.text);
}

/// Every goal with its figure.
struct Goals {
    text: String,
}

impl Default for Goals {
    fn default() -> Self {
        let text = "\n### Goals\n\n| what | wanted | is |\n| --- | ---: | ---: |\n";
        Goals {
            text: text.to_owned(),
        }
    }
}

impl Goals {
    fn add(&mut self, what: &str, wanted: f64, is: f64) {
        let mark = if is <= wanted { "" } else { " **missed**" };
        self.text += &format!("| {what} | ≤ {wanted} | {is:.2}{mark} |\n");
    }

    fn against_best(
        &mut self,
        what: &str,
        wanted: f64,
        ours: &Outcome,
        all: &[Outcome],
        figure: impl Fn(&Outcome) -> f64,
    ) {
        if let Some(best) = best(all, &figure) {
            self.add(what, wanted, figure(ours) / best);
        }
    }

    fn size(&mut self) {
        let size = |path: &str| fs::metadata(path).map_or(0, |metadata| metadata.len()) as f64;
        let ours = size(scene::OURS);
        println!("\n### Size of the program\n\n| | MB |\n| --- | ---: |");
        println!("| docker-registry | {:.1} |", ours / 1e6);
        for peer in ["crane", "regctl", "skopeo", "oras"] {
            let Some(path) = scene::find(peer) else {
                continue;
            };
            let theirs = size(&path);
            println!("| {peer} | {:.1} |", theirs / 1e6);
            if peer == "crane" {
                self.add("size, against crane", 0.4, ours / theirs);
            }
        }
    }
}
