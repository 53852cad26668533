//! Host names and mailboxes.

use std::borrow::Cow;

use super::bidi;

/// RFC 1123: labels of letters, digits and inner hyphens, 63 each, 253 in all. A label with `--` third and fourth is
/// punycode, which must decode to a name that `idn-hostname` admits.
pub(super) fn is_hostname(text: &str) -> bool {
    text.is_ascii() && is_name(text, false)
}

pub(super) fn is_idn_hostname(text: &str) -> bool {
    is_name(&text.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], "."), true)
}

fn is_name(text: &str, international: bool) -> bool {
    let plain = text.is_ascii() && !text.contains("--");
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| is_label(label, international))
        && (plain || bidi::holds(text.split('.').map(decoded)))
}

/// A label as it is read: punycode decoded.
fn decoded(label: &str) -> Cow<'_, str> {
    let coded = label.get(..4).filter(|start| start.eq_ignore_ascii_case("xn--")).and_then(|_| label.get(4..));
    coded.and_then(decode_punycode).map_or(Cow::Borrowed(label), Cow::Owned)
}

fn is_label(label: &str, international: bool) -> bool {
    if let Some(coded) = label.get(..4).filter(|start| start.eq_ignore_ascii_case("xn--")).and_then(|_| label.get(4..))
    {
        return label.len() <= 63
            && decode_punycode(coded).is_some_and(|decoded| {
                // One name has one spelling: what decodes must be what would be encoded.
                !decoded.is_ascii()
                    && is_international(&decoded)
                    && encode_punycode(&decoded).is_some_and(|again| again.eq_ignore_ascii_case(coded))
            });
    }
    if !label.is_ascii() {
        return international
            && is_international(label)
            && encode_punycode(label).is_some_and(|coded| "xn--".len() + coded.len() <= 63);
    }
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.get(2..4) != Some("--")
}

/// A label with characters beyond ASCII: what RFC 5891 says of hyphens and marks, and the characters that RFC 5892 lists
/// one by one.
fn is_international(label: &str) -> bool {
    let chars: Vec<char> = label.chars().collect();
    let hyphens = label.starts_with('-') || label.ends_with('-') || chars.get(2..4) == Some(&['-', '-']);
    if hyphens || chars.is_empty() || label.len() > 200 || chars.first().is_some_and(|c| is_mark(*c)) {
        return false;
    }
    let kana = |c: &char| {
        matches!(*c, '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fd}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{3005}' | '\u{3007}')
    };
    let (arabic, extended) = (
        chars.iter().any(|c| ('\u{660}'..='\u{669}').contains(c)),
        chars.iter().any(|c| ('\u{6f0}'..='\u{6f9}').contains(c)),
    );
    if arabic && extended {
        return false;
    }
    chars.iter().enumerate().all(|(place, &c)| {
        let before = place.checked_sub(1).and_then(|place| chars.get(place)).copied();
        let after = chars.get(place + 1).copied();
        match c {
            '-' => true,
            '\u{b7}' => before == Some('l') && after == Some('l'),
            '\u{375}' => after.is_some_and(|c| ('\u{370}'..='\u{3ff}').contains(&c)),
            '\u{5f3}' | '\u{5f4}' => before.is_some_and(|c| ('\u{590}'..='\u{5ff}').contains(&c)),
            '\u{30fb}' => chars.iter().any(kana),
            '\u{200c}' => before.is_some_and(is_virama) || bidi::joins(&chars, place),
            '\u{200d}' => before.is_some_and(is_virama),
            // Disallowed one by one, with those that RFC 5892 excepts from their category.
            '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
            '\u{df}' | '\u{3c2}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => true,
            c if c.is_ascii() => c.is_ascii_lowercase() || c.is_ascii_digit() || c.is_ascii_uppercase(),
            c => c.is_alphanumeric() || is_mark(c),
        }
    })
}

/// The commonest combining marks: general, Hebrew, Arabic, Indic, kana.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{93c}' | '\u{93e}'..='\u{94f}'
        | '\u{981}'..='\u{983}' | '\u{9bc}'..='\u{9cd}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}'
        | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}'
    )
}

/// RFC 3492, section 6.3; the basic characters as they are.
fn encode_punycode(label: &str) -> Option<String> {
    let chars: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    while (handled as usize) < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for c in &chars {
            delta += u32::from(*c < n);
            if *c != n {
                continue;
            }
            let (mut rest, mut k) = (delta, 36_u32);
            loop {
                let threshold = k.saturating_sub(bias).clamp(1, 26);
                let digit = if rest < threshold { rest } else { threshold + (rest - threshold) % (36 - threshold) };
                out.push(char::from(if digit < 26 { b'a' + digit as u8 } else { b'0' + (digit - 26) as u8 }));
                if rest < threshold {
                    break;
                }
                rest = (rest - threshold) / (36 - threshold);
                k += 36;
            }
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta += 1;
        n += 1;
    }
    Some(out)
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = delta / if first { 700 } else { 2 };
    delta += delta / count;
    let mut steps = 0;
    while delta > 455 {
        delta /= 35;
        steps += 36;
    }
    steps + 36 * delta / (delta + 38)
}

/// RFC 3492, section 6.2.
fn decode_punycode(coded: &str) -> Option<String> {
    let (basic, rest) = coded.rsplit_once('-').unwrap_or(("", coded));
    let mut output: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut input = rest.bytes().peekable();
    while input.peek().is_some() {
        let start = i;
        let (mut weight, mut k) = (1_u32, 36_u32);
        loop {
            let digit = match input.next()? {
                byte @ b'a'..=b'z' => byte - b'a',
                byte @ b'A'..=b'Z' => byte - b'A',
                byte @ b'0'..=b'9' => byte - b'0' + 26,
                _ => return None,
            };
            i = i.checked_add(u32::from(digit).checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(1, 26);
            if u32::from(digit) < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
            k += 36;
        }
        let count = output.len() as u32 + 1;
        bias = adapt(i - start, count, start == 0);
        n = n.checked_add(i / count)?;
        i %= count;
        output.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(output.into_iter().collect())
}

/// RFC 5321: `local@domain`, the local part as dots and atoms or quoted, the domain as a name or an address in brackets.
pub(super) fn is_email(text: &str, international: bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    if local.is_empty() || local.len() > 64 || domain.len() > 255 {
        return false;
    }
    let beyond = |c: char| international && !c.is_ascii();
    let local_fits = match local.strip_prefix('"') {
        Some(rest) => {
            let Some(inner) = rest.strip_suffix('"') else { return false };
            let mut escaped = false;
            let fits = inner.chars().all(|c| {
                let fits = beyond(c) || matches!(c, ' '..='~') && (escaped || c != '"');
                escaped = c == '\\' && !escaped;
                fits
            });
            fits && !escaped
        }
        None => local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || beyond(c))
        }),
    };
    let domain_fits = match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => literal.parse::<std::net::Ipv4Addr>().is_ok(),
        },
        None => {
            if international {
                is_idn_hostname(domain)
            } else {
                is_hostname(domain)
            }
        }
    };
    local_fits && domain_fits
}
