//! Several tools doing the same thing, in turns.

use std::process::Command;
use std::rc::Rc;

use crate::measure::Sample;

/// One tool's way to do it.
pub struct Contender<'a> {
    pub name: String,
    pub command: Command,
    /// Done before each run, outside the time; with the same program where that takes one.
    pub prepare: Rc<dyn Fn(&str) + 'a>,
    /// Whether ratios are against it: ourselves and what does less are not.
    pub is_peer: bool,
}

impl Contender<'_> {
    pub fn prepare(&self) {
        (self.prepare)(&self.command.get_program().to_string_lossy());
    }
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
        self.times()[self.samples.len() / 2]
    }

    pub fn fastest(&self) -> f64 {
        self.times()[0]
    }

    pub fn slowest(&self) -> f64 {
        self.times()[self.samples.len() - 1]
    }

    /// The median, in MB.
    pub fn memory(&self) -> f64 {
        let mut memory: Vec<u64> = self.samples.iter().map(|sample| sample.memory).collect();
        memory.sort_unstable();
        memory[memory.len() / 2] as f64 * 1024.0 / 1e6
    }

    fn times(&self) -> Vec<f64> {
        let mut times: Vec<f64> = self
            .samples
            .iter()
            .map(|it| it.time.as_secs_f64())
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    }
}

/// Each contender once a round; the first round is not counted.
pub fn contest(contenders: &[Contender], rounds: usize) -> Vec<Outcome> {
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            contender.prepare();
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

/// A time as people write it.
pub fn words(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}
