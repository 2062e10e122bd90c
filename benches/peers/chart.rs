//! A group of the report as a picture: an SVG that is readable on light and on dark pages.

use std::fmt::Write;

use crate::contest::words;

/// One tool: seconds.
pub struct Bar<'a> {
    pub name: &'a str,
    pub is_ours: bool,
    pub median: f64,
    pub fastest: f64,
    pub slowest: f64,
    /// What it is to stay below.
    pub limit: Option<f64>,
}

const WIDTH: f64 = 820.0;
const TOP: f64 = 44.0;
const ROW: f64 = 28.0;
const FOOT: f64 = 52.0;

/// Where the bars begin, and where the longest ends.
const LEFT: f64 = 290.0;
const RIGHT: f64 = 740.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}\
    .note{fill:#59636e}.page{fill:#fff}.grid{stroke:#d1d9e0}.peer{fill:#b7c0ca}.ours{fill:#2f6feb}\
    .spread{stroke:#1f2328;stroke-width:1.5}.limit{stroke:#cf222e;stroke-width:2;stroke-dasharray:4 3}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.page{fill:#0d1117}\
    .grid{stroke:#3d444d}.peer{fill:#656c76}.ours{fill:#4493f8}.spread{stroke:#e6edf3}.limit{stroke:#ff7b72}}";

/// Bars of the medians with the spread on each, and a line where each limit is.
pub fn chart(title: &str, bars: &[Bar]) -> String {
    let ends = |bar: &Bar| bar.slowest.max(bar.limit.unwrap_or_default());
    let longest = bars.iter().map(ends).fold(0.0, f64::max);
    let at = |seconds: f64| LEFT + seconds / longest * (RIGHT - LEFT);
    let bottom = TOP + ROW * bars.len() as f64;
    let height = bottom + FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         role=\"img\"><title>{title}</title><style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"26\">{title}</text>\n",
        title = escaped(title)
    );
    let step = step(longest);
    let line = |class: &str, x: f64, from: f64, to: f64| {
        format!("<path class=\"{class}\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>\n")
    };
    for n in 0..=(longest / step) as usize {
        let (seconds, y) = (n as f64 * step, bottom + 16.0);
        svg += &line("grid", at(seconds), TOP, bottom);
        let label = if n == 0 {
            "0".to_owned()
        } else {
            words(seconds)
        };
        svg += &text("note", "middle", at(seconds), y, &label);
    }
    for (n, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * n as f64;
        let middle = y + ROW / 2.0;
        let class = if bar.is_ours { "ours" } else { "peer" };
        svg += &text("", "end", LEFT - 8.0, middle + 4.0, bar.name);
        writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\"/>\n\
             <path class=\"spread\" d=\"M{:.1} {middle:.1}H{:.1}\"/>",
            y + 5.0,
            at(bar.median) - LEFT,
            ROW - 10.0,
            at(bar.fastest),
            at(bar.slowest)
        )
        .expect("a String takes everything");
        for end in [bar.fastest, bar.slowest] {
            svg += &line("spread", at(end), middle - 4.0, middle + 4.0);
        }
        if let Some(limit) = bar.limit {
            svg += &line("limit", at(limit), y + 1.0, y + ROW - 1.0);
        }
        svg += &text(
            "",
            "start",
            at(ends(bar)) + 6.0,
            middle + 4.0,
            &words(bar.median),
        );
    }
    let has_limit = bars.iter().any(|bar| bar.limit.is_some());
    let note = match has_limit {
        true => {
            "Bars: medians. Thin lines: from the fastest run to the slowest. Dashed: the limit."
        }
        false => "Bars: medians. Thin lines: from the fastest run to the slowest.",
    };
    svg + &text("note", "start", 16.0, height - 12.0, note) + "</svg>\n"
}

fn text(class: &str, anchor: &str, x: f64, y: f64, text: &str) -> String {
    let text = escaped(text);
    format!(
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"
    )
}

/// Between two lines of the grid: 1, 2 or 5 of a power of ten, so that there are four to ten.
fn step(longest: f64) -> f64 {
    let power = 10f64.powf((longest / 4.0).log10().floor());
    let fits = |times: &f64| times * power <= longest / 4.0;
    let times = [5.0, 2.0].into_iter().find(fits).unwrap_or(1.0);
    times * power
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
