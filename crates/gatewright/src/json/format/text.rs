//! Identifiers, pointers, templates, expressions.

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(super) fn is_json_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(|behind| behind.starts_with(['0', '1']))
}

pub(super) fn is_relative_json_pointer(text: &str) -> bool {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (up, rest) = text.split_at(end);
    !up.is_empty() && (up == "0" || !up.starts_with('0')) && (rest == "#" || is_json_pointer(rest))
}

/// RFC 6570.
pub(super) fn is_uri_template(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, expression) = rest.split_at(at);
        let Some((inner, behind)) = expression.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return false;
        };
        if !is_template_literal(literal) || !is_template_expression(inner) {
            return false;
        }
        rest = behind;
    }
    is_template_literal(rest)
}

fn is_template_literal(text: &str) -> bool {
    percent_is_sound(text)
        && !text.chars().any(|c| c.is_control() || matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '|'))
}

fn percent_is_sound(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|behind| behind.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
}

fn is_template_expression(inner: &str) -> bool {
    let variables = inner.strip_prefix(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|']).unwrap_or(inner);
    variables.split(',').all(|variable| {
        let name = match (variable.strip_suffix('*'), variable.split_once(':')) {
            (Some(name), None) => name,
            (None, Some((name, length))) => {
                let fits = !length.starts_with('0') && length.parse::<u16>().is_ok_and(|length| length < 10_000);
                if !fits || length.starts_with('+') {
                    return false;
                }
                name
            }
            (None, None) => variable,
            (Some(_), Some(_)) => return false,
        };
        percent_is_sound(name)
            && name.split('.').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '%'))
            })
    })
}

/// Escapes that Perl has and ECMA 262 has not.
const NOT_ECMA: &[char] = &['A', 'Z', 'z', 'a', 'e', 'G', 'K', 'h', 'R', 'X', 'Q', 'E'];

pub(super) fn is_regex(text: &str) -> bool {
    if text.len() > 4096 {
        return false;
    }
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next().is_none_or(|escape| NOT_ECMA.contains(&escape)) {
            return false;
        }
    }
    fancy_regex::RegexBuilder::new(text).delegate_size_limit(1 << 20).build().is_ok()
}
