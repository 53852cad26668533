//! Rates: `100/min`, `5/15min`, with a burst; quotas of a calendar day or month: `1000/day`.

use core::fmt;

/// At most `limit` requests in `window` seconds on average, and at most `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many requests, at least 1.
    pub limit: u32,
    /// In how many seconds, at least 1.
    pub window: u32,
    /// How many may come at once, at least 1; `limit` unless said otherwise.
    pub burst: u32,
}

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateError {
    /// Not of the form `N/unit` or `N/Kunit`.
    Form,
    /// The unit is none of `s`, `min`, `h`, `d`.
    Unit,
    /// A number is zero, or larger than 4,294,967,295; or the window is longer than 366 days.
    Range,
    /// Not of the form `N/day` or `N/month`.
    Calendar,
    /// No whole number from 1.
    Count,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RateError::Form => "a rate is written `100/min` or `5/15min`",
            RateError::Unit => "the unit of a rate is one of `s`, `min`, `h`, `d`",
            RateError::Range => "a rate's numbers are at least 1, and its window at most 366 days",
            RateError::Calendar => "a quota is written `1000/day` or `20000/month`",
            RateError::Count => "how many may run at once is a whole number from 1",
        })
    }
}

const LONGEST_WINDOW: u64 = 366 * 86_400;

impl Rate {
    /// Reads `N/s`, `N/min`, `N/h`, `N/d`, or with a number before the unit, `N/15min`.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Rate, RateError> {
        let (count, per) = text.trim().split_once('/').ok_or(RateError::Form)?;
        let limit = number(count.trim())?;
        let per = per.trim();
        let digits = per.bytes().take_while(u8::is_ascii_digit).count();
        let (times, unit) = per.split_at(digits);
        let times = if times.is_empty() { 1 } else { number(times)? };
        let seconds: u64 = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(RateError::Unit),
        };
        let window = seconds * u64::from(times);
        if window > LONGEST_WINDOW {
            return Err(RateError::Range);
        }
        Ok(Rate { limit, window: window as u32, burst: limit })
    }

    /// Reads a quota, `N/day` or `N/month`: so many in a calendar day or month of UTC.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn quota(text: &str) -> Result<Rate, RateError> {
        let (count, period) = text.trim().split_once('/').ok_or(RateError::Calendar)?;
        let limit = number(count.trim()).map_err(|_| RateError::Calendar)?;
        let period = match period.trim() {
            "day" => Period::Day,
            "month" => Period::Month,
            _ => return Err(RateError::Calendar),
        };
        Ok(Rate { limit, window: period.longest(), burst: limit })
    }

    /// Reads how many may run at once: a whole number.
    ///
    /// # Errors
    /// It is none, or zero.
    pub fn concurrent(text: &str) -> Result<Rate, RateError> {
        let limit = number(text.trim()).map_err(|_| RateError::Count)?;
        Ok(Rate { limit, window: 1, burst: limit })
    }

    /// Of a quota, what it is counted in.
    #[must_use]
    pub const fn period(&self) -> Period {
        if self.window == Period::Day.longest() { Period::Day } else { Period::Month }
    }

    /// The same rate with another burst; 0 becomes 1.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Rate {
        Rate { burst: if burst == 0 { 1 } else { burst }, ..self }
    }
}

/// What a quota is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day of UTC.
    Day,
    /// A month of the Gregorian calendar, in UTC.
    Month,
}

impl Period {
    /// Its length in seconds; of a month, the longest. It stands as the window of a quota.
    #[must_use]
    pub const fn longest(self) -> u32 {
        match self {
            Period::Day => 86_400,
            Period::Month => 31 * 86_400,
        }
    }

    /// As quotas write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Month => "month",
        }
    }
}

fn number(text: &str) -> Result<u32, RateError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RateError::Form);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(RateError::Range),
        Ok(n) => Ok(n),
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (times, unit) = match self.window {
            w if w % 86_400 == 0 => (w / 86_400, "d"),
            w if w % 3_600 == 0 => (w / 3_600, "h"),
            w if w % 60 == 0 => (w / 60, "min"),
            w => (w, "s"),
        };
        write!(f, "{}/", self.limit)?;
        if times != 1 {
            write!(f, "{times}")?;
        }
        f.write_str(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn reads_what_the_vocabulary_says() {
        assert_eq!(Rate::parse("100/min"), Ok(Rate { limit: 100, window: 60, burst: 100 }));
        assert_eq!(Rate::parse("5/15min"), Ok(Rate { limit: 5, window: 900, burst: 5 }));
        assert_eq!(Rate::parse("10/fortnight"), Err(RateError::Unit));
        assert_eq!(Rate::parse("0/min"), Err(RateError::Range));
        assert_eq!(Rate::parse("1/400d"), Err(RateError::Range));
        assert_eq!(Rate::parse("-1/min"), Err(RateError::Form));
        assert_eq!(Rate::parse("4294967296/s"), Err(RateError::Range));
        assert_eq!(Rate::parse("many"), Err(RateError::Form));
    }

    #[test]
    fn quotas_are_of_a_day_or_a_month() {
        let day = Rate::quota("1000/day").unwrap();
        assert_eq!((day.limit, day.burst, day.period()), (1000, 1000, Period::Day));
        assert_eq!(Rate::quota(" 5 / month").unwrap().period(), Period::Month);
        for wrong in ["1000/d", "1000", "0/day", "1000/days", "1/2day", "4294967296/day"] {
            assert_eq!(Rate::quota(wrong), Err(RateError::Calendar), "{wrong}");
        }
        assert_eq!(Rate::concurrent("4").unwrap().limit, 4);
        for wrong in ["0", "-1", "4/s", "", "many"] {
            assert_eq!(Rate::concurrent(wrong), Err(RateError::Count), "{wrong}");
        }
    }

    #[test]
    fn shows_what_it_read() {
        for text in ["100/min", "5/15min", "1/s", "1000/d", "7/90s", "2/h"] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
    }
}
