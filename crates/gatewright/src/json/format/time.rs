//! RFC 3339 dates and times, and durations.

/// Reads exactly `count` digits off the front.
fn digits(text: &mut &[u8], count: usize) -> Option<u32> {
    let (front, rest) = text.split_at_checked(count)?;
    let value =
        front.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))?;
    *text = rest;
    Some(value)
}

fn literal(text: &mut &[u8], byte: u8) -> Option<()> {
    *text = text.strip_prefix(&[byte])?;
    Some(())
}

fn date(text: &mut &[u8]) -> Option<()> {
    let year = digits(text, 4)?;
    literal(text, b'-')?;
    let month = digits(text, 2)?;
    literal(text, b'-')?;
    let day = digits(text, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then_some(())
}

fn time(text: &mut &[u8]) -> Option<()> {
    let hour = digits(text, 2)?;
    literal(text, b':')?;
    let minute = digits(text, 2)?;
    literal(text, b':')?;
    let second = digits(text, 2)?;
    if literal(text, b'.').is_some() {
        digits(text, 1)?;
        while digits(text, 1).is_some() {}
    }
    let mut offset = 0;
    match text.first()? {
        b'Z' | b'z' => *text = text.get(1..)?,
        sign @ (b'+' | b'-') => {
            *text = text.get(1..)?;
            let hours = digits(text, 2)?;
            literal(text, b':')?;
            let minutes = digits(text, 2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            offset = (hours * 60 + minutes) as i32 * if *sign == b'-' { -1 } else { 1 };
        }
        _ => return None,
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // A leap second ends a day in UTC.
    let utc = ((hour * 60 + minute) as i32 - offset).rem_euclid(24 * 60);
    (second < 60 || utc == 23 * 60 + 59).then_some(())
}

fn whole(text: &str, read: impl FnOnce(&mut &[u8]) -> Option<()>) -> bool {
    let mut rest = text.as_bytes();
    read(&mut rest).is_some() && rest.is_empty()
}

pub(super) fn is_date(text: &str) -> bool {
    whole(text, date)
}

pub(super) fn is_time(text: &str) -> bool {
    whole(text, time)
}

pub(super) fn is_date_time(text: &str) -> bool {
    whole(text, |rest| {
        date(rest)?;
        literal(rest, b'T').or_else(|| literal(rest, b't'))?;
        time(rest)
    })
}

pub(super) fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    let (days, hours) = match rest.split_once('T') {
        Some((days, hours)) if !hours.is_empty() => (days, hours),
        Some(_) => return false,
        None => (rest, ""),
    };
    // Units come in order and without gaps: P1Y2D has no months between, so the grammar does not have it.
    let units = |mut text: &str, units: &str| {
        let mut next = None;
        while !text.is_empty() {
            let end = text.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = text.split_at(end);
            let place = rest.chars().next().and_then(|unit| units.find(unit));
            match place {
                Some(place) if !number.is_empty() && next.is_none_or(|next| next == place) => next = Some(place + 1),
                _ => return false,
            }
            text = rest.get(1..).unwrap_or("");
        }
        true
    };
    (!days.is_empty() || !hours.is_empty()) && units(days, "YMD") && units(hours, "HMS")
}
