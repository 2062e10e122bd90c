//! Several tools doing the same thing, in turns, and the table of it.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::measure::Sample;

/// One tool's way to do it.
pub struct Contender<'a> {
    pub name: String,
    pub command: Command,
    /// Done before each run, outside the time.
    pub prepare: Box<dyn Fn() + 'a>,
    /// Whether ratios are against it: ourselves and what does less are not.
    pub is_peer: bool,
}

/// What came of it.
pub struct Outcome {
    pub name: String,
    pub is_peer: bool,
    samples: Vec<Sample>,
}

impl Outcome {
    /// The median, in seconds.
    pub fn time(&self) -> f64 {
        self.times()[self.samples.len() / 2].as_secs_f64()
    }

    /// The median, in MB.
    pub fn memory(&self) -> f64 {
        let mut memory: Vec<u64> = self.samples.iter().map(|sample| sample.memory).collect();
        memory.sort_unstable();
        memory[memory.len() / 2] as f64 * 1024.0 / 1e6
    }

    fn times(&self) -> Vec<Duration> {
        let mut times: Vec<Duration> = self.samples.iter().map(|sample| sample.time).collect();
        times.sort_unstable();
        times
    }
}

/// Each contender once a round; the first round is not counted.
pub fn contest(contenders: &[Contender], rounds: usize) -> Vec<Outcome> {
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            (contender.prepare)();
            let sample = Sample::of(&contender.command);
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let outcome = |(contender, samples): (&Contender, Vec<Sample>)| Outcome {
        name: contender.name.clone(),
        is_peer: contender.is_peer,
        samples,
    };
    contenders.iter().zip(samples).map(outcome).collect()
}

/// The best peer's figure.
pub fn best(outcomes: &[Outcome], figure: impl Fn(&Outcome) -> f64) -> Option<f64> {
    let peers = outcomes.iter().filter(|outcome| outcome.is_peer);
    peers.map(figure).min_by(f64::total_cmp)
}

/// A section of the report.
pub fn table(title: &str, outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "\n### {title}\n\n| | median | from – to | against the best peer | peak memory |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    let best = best(outcomes, Outcome::time);
    for outcome in outcomes {
        let times = outcome.times();
        let ratio = best.map_or(String::new(), |best| {
            format!("{:.2}", outcome.time() / best)
        });
        let (first, last) = (times[0], times[times.len() - 1]);
        writeln!(
            text,
            "| {} | {} | {} – {} | {ratio} | {:.1} MB |",
            outcome.name,
            words(times[times.len() / 2]),
            words(first),
            words(last),
            outcome.memory()
        )
        .expect("a String takes everything");
    }
    text
}

fn words(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}
