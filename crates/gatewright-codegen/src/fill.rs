//! Long one-line texts of Rust over several lines: the brackets that hold most of a line are opened, and what stands in them
//! fills lines. For tables, which are long and flat; the formatter would give each number a line of its own.

/// Lines of at most `width` characters, where the text can be broken at all. The text is balanced, and its texts are quoted
/// with `"`.
pub(crate) fn fill(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let Some((open, close)) = longest(text, width) else { return vec![text.to_owned()] };
    let (Some(before), Some(inside), Some(behind)) = (text.get(..=open), text.get(open + 1..close), text.get(close..))
    else {
        return vec![text.to_owned()];
    };
    let mut lines = vec![before.trim_end().to_owned()];
    let mut line = String::new();
    let within = width.saturating_sub(4);
    // A block holds a value, which ends without a comma.
    let end = if before.ends_with("const {") { "" } else { "," };
    for item in items(inside) {
        let item = format!("{item}{end}");
        if !line.is_empty() && line.chars().count() + 1 + item.chars().count() > within {
            lines.push(format!("    {line}"));
            line.clear();
        }
        if line.is_empty() && item.chars().count() > within {
            lines.extend(fill(&item, within).into_iter().map(|line| format!("    {line}")));
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&item);
    }
    if !line.is_empty() {
        lines.push(format!("    {line}"));
    }
    lines.push(behind.to_owned());
    lines
}

/// A chain of calls: on one line where it fits, else its links on lines below, as many on one as fit.
pub(crate) fn chain(text: &str, width: usize) -> Vec<String> {
    let links = links(text);
    if text.chars().count() <= width || links.len() == 1 {
        return fill(text, width);
    }
    let mut lines: Vec<String> = Vec::new();
    for (at, link) in links.into_iter().enumerate() {
        let last = lines.last_mut().filter(|last| at > 1 && last.starts_with("    ."));
        match last {
            Some(last) if last.chars().count() + link.chars().count() <= width => last.push_str(link),
            _ if at == 0 => lines.extend(fill(link, width)),
            _ => lines.extend(fill(link, width.saturating_sub(4)).into_iter().map(|line| format!("    {line}"))),
        }
    }
    lines
}

/// A text in front of each `.` that calls on what a call gave.
fn links(text: &str) -> Vec<&str> {
    let (mut links, mut depth, mut begin, mut before) = (Vec::new(), 0_usize, 0, 0);
    for (at, byte) in code(text) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 && before == b')' => {
                links.extend(text.get(begin..at));
                begin = at;
            }
            _ => {}
        }
        before = byte;
    }
    links.extend(text.get(begin..));
    links
}

/// The brackets to open: of those that hold most of the text, the innermost whose beginning still fits.
fn longest(text: &str, width: usize) -> Option<(usize, usize)> {
    let all = brackets(text);
    let mut chosen: Option<(usize, usize)> = None;
    loop {
        let (from, to) = chosen.unwrap_or((0, text.len()));
        let inside = |(open, close): &&(usize, usize)| *close <= to && (*open > from || chosen.is_none());
        let inner = all.iter().filter(|pair| Some(**pair) != chosen).filter(inside).max_by_key(|(o, c)| c - o);
        match (inner, chosen) {
            (Some((open, close)), None) => chosen = Some((*open, *close)),
            (Some((open, close)), Some(_)) if (close - open) * 5 >= (to - from) * 3 && *open < width => {
                chosen = Some((*open, *close));
            }
            _ => return chosen,
        }
    }
}

/// Every pair of brackets, by the places of its two characters.
fn brackets(text: &str) -> Vec<(usize, usize)> {
    let (mut all, mut open) = (Vec::new(), Vec::new());
    for (at, byte) in code(text) {
        match byte {
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => all.extend(open.pop().map(|begin| (begin, at))),
            _ => {}
        }
    }
    all
}

/// What stands between the commas that are in no bracket.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, byte) in code(text) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.extend(text.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    items.extend(text.get(begin..));
    items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// The bytes outside of quoted texts, with their places.
fn code(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().enumerate().filter(move |(_, byte)| {
        let was = quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        !was && *byte != b'"'
    })
}

#[cfg(test)]
mod tests {
    use super::{chain, fill};

    #[test]
    fn lists_fill_lines() {
        assert_eq!(fill("f(a, b)", 10), ["f(a, b)"]);
        assert_eq!(fill("f(aaaa, bbbb, cccc)", 16), ["f(", "    aaaa, bbbb,", "    cccc,", ")"]);
        assert_eq!(fill("o { p: &[aaaaaa, bbbbbb] }", 16), ["o { p: &[", "    aaaaaa,", "    bbbbbb,", "] }"]);
        assert_eq!(fill("&const { aaaaaa(b) }", 16), ["&const {", "    aaaaaa(b)", "}"]);
        assert_eq!(fill("f(\"),(\\\"\", bbbbbbb)", 14), ["f(", "    \"),(\\\"\",", "    bbbbbbb,", ")"]);
    }

    #[test]
    fn links_stand_below_what_they_are_called_on() {
        assert_eq!(chain("a(1).b(2)", 20), ["a(1).b(2)"]);
        assert_eq!(
            chain("x: A::new(1).b(\").c()\").d(3).e(4),", 18),
            ["x: A::new(1)", "    .b(\").c()\")", "    .d(3).e(4),"]
        );
    }

    #[test]
    fn what_cannot_be_broken_stays() {
        assert_eq!(fill("aaaaaaaa", 4), ["aaaaaaaa"]);
    }
}
