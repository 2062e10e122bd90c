//! Measures this program beside its peers; `benches/README.md` says how.

mod chart;
mod contest;
mod far;
#[path = "../../tests/suite/harness/mod.rs"]
mod harness;
mod lists;
mod measure;
mod report;
mod scene;

use std::fs;

use lists::Lists;
use report::{Against, Goal, Report};
use scene::{CROWD, IMAGES, Scene, versions};

const CRANE: Against = Against::Tool("crane");

fn main() {
    let mut words = std::env::args_os().skip(1);
    let first = words.next();
    if first
        .as_deref()
        .is_some_and(|word| word == measure::MEASURE)
    {
        return measure::measure(words);
    }
    let words: Vec<String> = std::env::args().collect();
    let is_quick = words.iter().any(|word| word == "--quick");
    let against = words.iter().position(|word| word == "--against");
    let against = against.map(|at| words.get(at + 1).expect("--against wants a PATH").clone());
    let rounds = |usual: usize| if is_quick { 1 } else { usual };
    let Some(scene) = Scene::set(against) else {
        return;
    };
    print!("# Measured\n\n{}", versions());

    let mut report = Report::default();
    let goals = [
        Goal::time("start-up, against crane", "", CRANE, 0.25),
        Goal::time("start-up, against `true`", "", Against::Tool("true"), 1.5),
    ];
    report.group(
        "start",
        "Start-up: the version",
        &scene.start(),
        rounds(21),
        &goals,
    );
    size(&mut report);

    let goals = [
        Goal::time("`config` on loopback, against crane", "", CRANE, 0.4),
        Goal::memory("memory of `config`, against crane", CRANE, 0.5),
    ];
    let title = "A configuration, on loopback, nothing remembered";
    let config = report.group("config", title, &scene.config(), rounds(11), &goals);

    let goals = [
        Goal::time(
            "far away, nothing known",
            ", nothing known",
            Against::Best,
            1.0,
        ),
        Goal::time(
            "far away, the host known",
            ", the host known",
            Against::Best,
            0.7,
        ),
        Goal::time(
            "far away, the tag known",
            ", the tag known",
            Against::Best,
            0.4,
        ),
    ];
    report.group(
        "far",
        "A configuration, from far away",
        &scene.far(),
        rounds(5),
        &goals,
    );
    print!("{}", scene.requests());

    let goals = [
        Goal::time(
            "a verified layer, against curl",
            "",
            Against::Tool("curl"),
            1.05,
        ),
        Goal::time("a verified layer, against crane", "", CRANE, 1.0),
    ];
    let title = "A layer of 210 MB, over TLS";
    let layer = report.group("layer", title, &scene.layer(), rounds(7), &goals);
    let growth = layer[0].memory() / config[0].memory();
    report.goal("memory of 210 MB, against `config`", 1.5, growth);

    let goals = [Goal::time("many images", "", Against::Best, 0.2)];
    let title = format!("Labels of {IMAGES} images, 8 at a time");
    report.group("batch", &title, &scene.batch(), rounds(3), &goals);

    let at_best = scene.crowd_at_best();
    let goals = [
        Goal::time(
            "a crowd, against what the wire takes",
            "",
            Against::Figure(at_best),
            1.15,
        ),
        Goal::memory("memory of a crowd, in 32 MB", Against::Figure(32.0), 1.0),
    ];
    let title = format!("Labels of {CROWD} images, 64 at a time, 50 ms per request");
    report.group("crowd", &title, &scene.crowd(), rounds(2), &goals);

    let lists = Lists::set(&scene);
    let goals = [
        Goal::time("100,000 tags", "", Against::Best, 1.0),
        Goal::memory("memory of 100,000 tags", Against::Best, 0.5),
    ];
    let title = "100,000 tags in pages of 1,000";
    report.group("tags", title, &lists.pages(), rounds(5), &goals);

    let goals = [Goal::time("a filter over 50 MB", "", Against::Best, 1.0)];
    report.group(
        "filter",
        "A filter over 50 MB of tags",
        &lists.filter(),
        rounds(3),
        &goals,
    );
    report.end();
}

fn size(report: &mut Report) {
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
            report.goal("size, against crane", 0.4, ours / theirs);
        }
    }
}
