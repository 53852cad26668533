//! The small languages inside the vocabulary: durations, sizes, dates, networks, `${NAME:-default}`, `{path.id}`.

use std::net::IpAddr;

use gatewright_ir::policy::RequestPart;

/// `10s`, `5m`, `24h`, `90d`, `2w`, `2y`, `20ms`: milliseconds, at most a hundred years. A year has 365 days.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    const HELP: &str = "a duration is a whole number and a unit: `20ms`, `10s`, `5m`, `24h`, `90d`, `2y`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().map_err(|_| HELP.to_owned())?;
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        "y" => 31_536_000_000,
        _ => return Err(HELP.to_owned()),
    };
    match count.checked_mul(unit) {
        Some(0) => Err("a duration is more than nothing".to_owned()),
        Some(ms) if ms <= 3_153_600_000_000 => Ok(ms),
        _ => Err("a duration is at most a hundred years".to_owned()),
    }
}

/// `64KiB`, `1MiB`, `2GiB`, `10kB`, `5MB`, or a number of bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    const HELP: &str = "a size is a number of bytes, or a number and a unit: `64KiB`, `1MiB`, `2GiB`, `10kB`, `5MB`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().map_err(|_| HELP.to_owned())?;
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(HELP.to_owned()),
    };
    match count.checked_mul(unit) {
        Some(bytes) if bytes <= 1 << 40 => Ok(bytes),
        _ => Err("a size is at most 1024 GiB".to_owned()),
    }
}

/// `2026-06-01`: the seconds from 1970 to its beginning in UTC.
pub(super) fn date(text: &str) -> Result<i64, String> {
    const HELP: &str = "a date is written `2026-06-01`";
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(HELP.to_owned()) };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || !parts.concat().bytes().all(|b| b.is_ascii_digit()) {
        return Err(HELP.to_owned());
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| HELP.to_owned());
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(format!("there is no month {month}")),
    };
    if !(1..=length).contains(&day) {
        return Err(format!("month {month} has no day {day}"));
    }
    // Days from the civil calendar, years beginning in March so that the leap day is the last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok((era * 146_097 + day_of_era - 719_468) * 86_400)
}

/// A range of addresses in CIDR notation (RFC 4632, RFC 4291), normalised; a lone address is the range of itself.
pub(super) fn network(text: &str) -> Result<String, String> {
    const HELP: &str = "a network is written `203.0.113.0/24` or `2001:db8::/32`";
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| HELP.to_owned())?;
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let length: u32 = match length {
        None => width,
        Some(length) => {
            let sound = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
            length.parse().ok().filter(|n| sound && *n <= width).ok_or_else(|| HELP.to_owned())?
        }
    };
    let host = width - length;
    let kept = if host >= 128 { 0 } else { (bits >> host) << host };
    if kept != bits {
        let network = match address {
            IpAddr::V4(_) => IpAddr::from(std::net::Ipv4Addr::from(kept as u32)),
            IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::from(kept)),
        };
        return Err(format!("`{text}` is an address inside a network: the network is `{network}/{length}`"));
    }
    Ok(format!("{address}/{length}"))
}

/// A `Host` value without port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let sound = !text.is_empty()
        && text.len() <= 253
        && (text.parse::<IpAddr>().is_ok()
            || text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).is_some_and(|t| t.parse::<IpAddr>().is_ok())
            || text.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            }));
    if sound {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a host is a name without scheme, port and path: `api.example.com`".to_owned())
    }
}

/// What deployment variables stand in a text. `Ok(None)` means none; `Ok(Some(text))` is the text with all defaults put
/// in, where every variable has one; `Ok(Some)` with an inner `None` where one has none.
pub(super) fn variables(text: &str) -> Result<Option<Option<String>>, String> {
    const HELP: &str = "a deployment value is written `${NAME}` or `${NAME:-default}`";
    let mut rest = text;
    let mut found = false;
    let mut all_default = true;
    let mut out = String::new();
    while let Some(at) = rest.find("${") {
        found = true;
        out.push_str(rest.get(..at).unwrap_or(""));
        let inner = rest.get(at + 2..).unwrap_or("");
        let end = inner.find('}').ok_or_else(|| HELP.to_owned())?;
        let variable = inner.get(..end).unwrap_or("");
        let (name, default) = match variable.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (variable, None),
        };
        let sound = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !sound || default.is_some_and(|d| d.contains("${")) {
            return Err(HELP.to_owned());
        }
        match default {
            Some(default) => out.push_str(default),
            None => all_default = false,
        }
        rest = inner.get(end + 1..).unwrap_or("");
    }
    if !found {
        return Ok(None);
    }
    out.push_str(rest);
    Ok(Some(all_default.then_some(out)))
}

/// `{path.id}`, `{query.q}`, `{header.X-Tenant}`, `{body./a/b}`. `None` where the text is in no braces.
pub(super) fn reference(text: &str) -> Option<Result<(RequestPart, String), String>> {
    const HELP: &str =
        "a value of the request is written `{path.NAME}`, `{query.NAME}`, `{header.NAME}` or `{body./json/pointer}`";
    let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
        // Text with a reference somewhere inside is no value at all.
        let half = ["{path.", "{query.", "{header.", "{body."].iter().any(|part| text.contains(part));
        return half.then(|| Err(HELP.to_owned()));
    };
    let Some((part, name)) = inner.split_once('.') else { return Some(Err(HELP.to_owned())) };
    let part = match part {
        "path" => RequestPart::Path,
        "query" => RequestPart::Query,
        "header" => RequestPart::Header,
        "body" => RequestPart::Body,
        _ => return Some(Err(HELP.to_owned())),
    };
    if name.is_empty() || (part == RequestPart::Body && !name.starts_with('/')) {
        return Some(Err(HELP.to_owned()));
    }
    Some(Ok((part, name.to_owned())))
}

/// `realm_access.roles` has two parts; a claim named by a URL has one.
pub(super) fn claim_path(text: &str) -> Result<Vec<String>, String> {
    if text.contains("://") {
        return Ok(vec![text.to_owned()]);
    }
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    if parts.iter().any(String::is_empty) {
        return Err("a claim is named by its path: `tenant` or `realm_access.roles`".to_owned());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("20ms"), Ok(20));
        assert_eq!(duration("5m"), Ok(300_000));
        assert_eq!(duration("2y"), Ok(63_072_000_000));
        for bad in ["10", "s", "1.5h", "-1s", "0s", "10 fortnights", "99999999999999999999s", "101y", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1MiB"), Ok(1_048_576));
        assert_eq!(size("1000"), Ok(1_000));
        for bad in ["", "MiB", "1KB", "1.5MiB", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(date("1970-01-01"), Ok(0));
        assert_eq!(date("2026-06-01"), Ok(1_780_272_000));
        assert_eq!(date("2000-02-29"), Ok(951_782_400));
        for bad in ["2026-6-1", "2026-02-29", "2026-13-01", "yesterday", "2026-06-01T00:00:00Z"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(network("203.0.113.0/24").unwrap(), "203.0.113.0/24");
        assert_eq!(network("2001:db8::/32").unwrap(), "2001:db8::/32");
        assert_eq!(network("::/0").unwrap(), "::/0");
        assert_eq!(network("127.0.0.1").unwrap(), "127.0.0.1/32");
        assert!(network("203.0.113.7/24").unwrap_err().contains("203.0.113.0/24"));
        for bad in ["203.0.113.0/33", "office", "1.2.3/8", "::/129", "1.2.3.4/", "1.2.3.4/+8"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_are_found_and_defaults_put_in() {
        assert_eq!(variables("plain $ {x}"), Ok(None));
        assert_eq!(variables("${A}"), Ok(Some(None)));
        assert_eq!(variables("https://${HOST:-localhost}/${P:-}"), Ok(Some(Some("https://localhost/".to_owned()))));
        for bad in ["${", "${}", "${1A}", "${A B}", "${A:-${B}}"] {
            assert!(variables(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn references_name_a_part_and_a_place() {
        assert_eq!(reference("{path.id}"), Some(Ok((RequestPart::Path, "id".to_owned()))));
        assert_eq!(reference("{body./a/b}"), Some(Ok((RequestPart::Body, "/a/b".to_owned()))));
        assert_eq!(reference("plain"), None);
        for bad in ["{id}", "{cookie.x}", "{body.a}", "{path.}", "x-{path.id}"] {
            assert!(matches!(reference(bad), Some(Err(_))), "{bad}");
        }
    }
}
