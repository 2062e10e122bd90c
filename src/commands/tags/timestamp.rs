//! Dates of configurations, to be compared.

/// Seconds and nanoseconds since 1970, by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) struct Timestamp(i64, u32);

impl Timestamp {
    /// As RFC 3339 has them: `2026-01-02T03:04:05.678Z`, `2026-01-02T05:04:05+02:00`. `None` for what
    /// is no such date.
    pub(in crate::commands) fn parse(text: &str) -> Option<Self> {
        let number =
            |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok().map(i64::from);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let rest = text.get(19..)?;
        let zone = rest.find(['Z', 'z', '+', '-'])?;
        let (fraction, zone) = rest.split_at(zone);
        let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
        Some(Timestamp(seconds - offset(zone)?, nanoseconds(fraction)?))
    }
}

/// Days since 1970 in the Gregorian calendar, the year taken to begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

/// Of a zone, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

/// Of a fraction with its point, or of none.
fn nanoseconds(fraction: &str) -> Option<u32> {
    match fraction.strip_prefix('.') {
        Some(digits) => format!("{digits:0<9}").get(..9)?.parse().ok(),
        None => fraction.is_empty().then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_compared_by_what_they_mean() {
        for (text, seconds, nanoseconds) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2000-02-29T12:00:00Z", 951_825_600, 0),
            ("2000-03-01T00:00:00Z", 951_868_800, 0),
            ("2026-01-02T03:04:05.678Z", 1_767_323_045, 678_000_000),
            ("2026-01-02T05:04:05+02:00", 1_767_323_045, 0),
            ("2026-01-01T21:34:05.000000001-05:30", 1_767_323_045, 1),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(seconds, nanoseconds)), "{text}");
        }
        for text in ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.xZ"]
        {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
