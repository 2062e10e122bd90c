//! What comes of the contests: tables on stdout, a picture of each group, every goal with its figure.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::chart::{Bar, chart};
use crate::contest::{Contender, Outcome, contest, words};
use crate::scene::{BEFORE, NAME};

/// Where the pictures go.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches");

/// What a figure of ours is compared with.
pub enum Against {
    /// The best peer's.
    Best,
    /// That of the tool whose name begins so.
    Tool(&'static str),
    /// Seconds or MB.
    Figure(f64),
}

type Figure = fn(&Outcome) -> f64;

/// A ratio that one of ours is not to exceed.
pub struct Goal {
    pub what: &'static str,
    /// What follows our name.
    pub ours: &'static str,
    pub figure: Figure,
    pub against: Against,
    pub wanted: f64,
}

impl Goal {
    pub fn time(what: &'static str, ours: &'static str, against: Against, wanted: f64) -> Goal {
        Goal {
            what,
            ours,
            figure: Outcome::time,
            against,
            wanted,
        }
    }

    pub fn memory(what: &'static str, against: Against, wanted: f64) -> Goal {
        Goal {
            what,
            ours: "",
            figure: Outcome::memory,
            against,
            wanted,
        }
    }

    fn is_of(&self, outcome: &Outcome) -> bool {
        outcome.name.strip_prefix(NAME) == Some(self.ours)
    }

    /// What the ratio is to, if that is here.
    fn base(&self, outcomes: &[Outcome]) -> Option<f64> {
        match self.against {
            Against::Best => best(outcomes, self.figure),
            Against::Tool(name) => outcomes
                .iter()
                .find(|it| it.name.starts_with(name))
                .map(self.figure),
            Against::Figure(figure) => Some(figure),
        }
    }

    /// In seconds.
    fn limit(&self, outcomes: &[Outcome]) -> Option<f64> {
        let is_time = self.figure as usize == Outcome::time as Figure as usize;
        self.base(outcomes)
            .filter(|_| is_time)
            .map(|base| base * self.wanted)
    }
}

/// Prints as it goes, so that what has been measured is seen.
#[derive(Default)]
pub struct Report {
    goals: String,
    before: String,
}

impl Report {
    /// Measures a group and reports it under its title; `file` is the picture's name.
    pub fn group(
        &mut self,
        file: &str,
        title: &str,
        contenders: &[Contender],
        rounds: usize,
        goals: &[Goal],
    ) -> Vec<Outcome> {
        let outcomes = contest(contenders, rounds);
        print!(
            "\n### {title}\n\n![{title}]({file}.svg)\n\n{}",
            table(&outcomes)
        );
        let bar = |outcome: &Outcome| {
            let mut own = goals.iter().filter(|goal| goal.is_of(outcome));
            own.find_map(|goal| goal.limit(&outcomes))
        };
        let bars: Vec<Bar> = outcomes
            .iter()
            .map(|outcome| Bar {
                name: &outcome.name,
                is_ours: outcome.name.starts_with(NAME),
                median: outcome.time(),
                fastest: outcome.fastest(),
                slowest: outcome.slowest(),
                limit: bar(outcome),
            })
            .collect();
        let path = Path::new(DIRECTORY).join(format!("{file}.svg"));
        fs::write(path, chart(title, &bars)).expect("a picture");
        for goal in goals {
            let ours = outcomes.iter().find(|outcome| goal.is_of(outcome));
            if let (Some(ours), Some(base)) = (ours, goal.base(&outcomes)) {
                self.goal(goal.what, goal.wanted, (goal.figure)(ours) / base);
            }
        }
        self.compare(title, &outcomes);
        outcomes
    }

    pub fn goal(&mut self, what: &str, wanted: f64, is: f64) {
        let mark = if is <= wanted { "" } else { " **missed**" };
        writeln!(self.goals, "| {what} | ≤ {wanted} | {is:.2}{mark} |").expect("room");
    }

    /// Each of ours with the same of the other binary.
    fn compare(&mut self, title: &str, outcomes: &[Outcome]) {
        for before in outcomes {
            let Some(name) = before.name.strip_suffix(BEFORE) else {
                continue;
            };
            let Some(now) = outcomes.iter().find(|outcome| outcome.name == name) else {
                continue;
            };
            let what = name.trim_start_matches(NAME).trim_start_matches([',', ' ']);
            let (time, memory) = (now.time() / before.time(), now.memory() / before.memory());
            writeln!(
                self.before,
                "| {title} | {what} | {time:.2} | {memory:.2} |"
            )
            .expect("room");
        }
    }

    pub fn end(self) {
        print!(
            "\n### Goals\n\n| what | wanted | is |\n| --- | ---: | ---: |\n{}",
            self.goals
        );
        if !self.before.is_empty() {
            print!(
                "\n### Against the other binary\n\n| | | time | memory |\n| --- | --- | ---: | ---: |\n{}",
                self.before
            );
        }
    }
}

/// The best peer's figure.
fn best(outcomes: &[Outcome], figure: Figure) -> Option<f64> {
    let peers = outcomes.iter().filter(|outcome| outcome.is_peer);
    peers.map(figure).min_by(f64::total_cmp)
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = "| | median | from – to | against the best peer | peak memory |\n\
                    | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let best = best(outcomes, Outcome::time);
    for outcome in outcomes {
        let ratio = best.map_or(String::new(), |best| {
            format!("{:.2}", outcome.time() / best)
        });
        writeln!(
            text,
            "| {} | {} | {} – {} | {ratio} | {:.1} MB |",
            outcome.name,
            words(outcome.time()),
            words(outcome.fastest()),
            words(outcome.slowest()),
            outcome.memory()
        )
        .expect("a String takes everything");
    }
    text
}
