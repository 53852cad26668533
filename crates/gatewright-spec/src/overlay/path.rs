//! JSONPath (RFC 9535) as far as overlays need it: names, numbers, wildcards, descendants, and filters that compare.
//! Slices and functions are refused by name.

/// A query: what is selected, step by step, from the document's root.
#[derive(Debug, PartialEq)]
pub(super) struct Path(pub(super) Vec<Segment>);

#[derive(Debug, PartialEq)]
pub(super) struct Segment {
    /// `..`: from here and from everything below.
    pub(super) deep: bool,
    pub(super) selectors: Vec<Selector>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Selector {
    Name(String),
    Item(i64),
    All,
    Filter(Test),
}

#[derive(Debug, PartialEq)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Exists(Singular),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, PartialEq)]
pub(super) enum Operand {
    Query(Singular),
    Text(String),
    /// A number, `true`, `false` or `null`, as written.
    Plain(String),
}

/// A query that gives at most one value: names and numbers only.
#[derive(Debug, PartialEq)]
pub(super) struct Singular {
    /// `$`; otherwise `@`.
    pub(super) from_root: bool,
    pub(super) steps: Vec<Selector>,
}

/// What is wrong: words for a message, and at which byte.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong(pub(super) &'static str, pub(super) usize);

type Read<T> = Result<T, Wrong>;

/// A path may have this many steps, and a filter nest this deep.
const MAX: usize = 64;

pub(super) fn parse(text: &str) -> Read<Path> {
    let mut reader = Reader { text, at: 0 };
    if !reader.eat("$") {
        return Err(reader.wrong("a JSONPath starts with `$`"));
    }
    let mut segments = Vec::new();
    while reader.at < text.len() {
        if segments.len() == MAX {
            return Err(reader.wrong("this path has too many steps"));
        }
        segments.push(reader.segment()?);
    }
    Ok(Path(segments))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn wrong(&self, why: &'static str) -> Wrong {
        Wrong(why, self.at)
    }

    fn segment(&mut self) -> Read<Segment> {
        self.space();
        let deep = self.eat("..");
        if !deep && !self.eat(".") {
            if self.peek() != Some('[') {
                return Err(self.wrong("a step starts with `.` or `[`"));
            }
            return Ok(Segment { deep, selectors: self.bracket()? });
        }
        let selectors = match self.peek() {
            Some('*') => {
                self.at += 1;
                vec![Selector::All]
            }
            Some('[') if deep => self.bracket()?,
            _ => vec![Selector::Name(self.shorthand()?)],
        };
        Ok(Segment { deep, selectors })
    }

    /// A name without quotes. `-` is let pass, as in `x-security`: nothing else could be meant.
    fn shorthand(&mut self) -> Read<String> {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii();
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or("").to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(self.wrong("a name is wanted here; one with other characters is written `['…']`"));
        }
        self.at += end;
        Ok(name)
    }

    fn bracket(&mut self) -> Read<Vec<Selector>> {
        self.at += 1;
        let mut selectors = Vec::new();
        loop {
            self.space();
            selectors.push(self.selector()?);
            self.space();
            if self.eat("]") {
                return Ok(selectors);
            }
            if !self.eat(",") {
                return Err(self.wrong(match self.peek() {
                    Some(':') => "slices are not supported: name the items, or filter them",
                    _ => "`]` or `,` is wanted here",
                }));
            }
        }
    }

    fn selector(&mut self) -> Read<Selector> {
        match self.peek() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::All)
            }
            Some('?') => {
                self.at += 1;
                Ok(Selector::Filter(self.any(0)?))
            }
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            Some('-' | '0'..='9') => self.number().map(Selector::Item),
            Some(':') => Err(self.wrong("slices are not supported: name the items, or filter them")),
            _ => Err(self.wrong("a name in quotes, a number, `*` or `?` is wanted here")),
        }
    }

    fn number(&mut self) -> Read<i64> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()) + (rest.len() - digits.len());
        let number = rest.get(..end).and_then(|n| n.parse().ok()).ok_or(self.wrong("this is no number of an item"))?;
        self.at += end;
        Ok(number)
    }

    fn quoted(&mut self) -> Read<String> {
        let start = self.at;
        let mut chars = self.rest().chars();
        let quote = chars.next();
        let mut out = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.push(escape(&mut chars).ok_or(Wrong("this escape is not understood", start))?),
                c if Some(c) == quote => {
                    self.at = self.text.len() - chars.as_str().len();
                    return Ok(out);
                }
                c => out.push(c),
            }
        }
        Err(Wrong("the quotes that open here are never closed", start))
    }

    fn any(&mut self, depth: usize) -> Read<Test> {
        if depth > MAX {
            return Err(self.wrong("this filter nests too deep"));
        }
        let mut tests = vec![self.all(depth)?];
        while self.eat("||") {
            tests.push(self.all(depth)?);
        }
        Ok(if tests.len() == 1 { tests.swap_remove(0) } else { Test::Any(tests) })
    }

    fn all(&mut self, depth: usize) -> Read<Test> {
        let mut tests = vec![self.basic(depth)?];
        while self.eat("&&") {
            tests.push(self.basic(depth)?);
        }
        Ok(if tests.len() == 1 { tests.swap_remove(0) } else { Test::All(tests) })
    }

    fn basic(&mut self, depth: usize) -> Read<Test> {
        self.space();
        let mut negated = 0;
        while self.rest().starts_with('!') {
            self.at += 1;
            negated += 1;
            self.space();
        }
        let test = if self.eat("(") {
            let test = self.any(depth + 1)?;
            if !self.eat(")") {
                return Err(self.wrong("`)` is wanted here"));
            }
            test
        } else {
            self.comparison(negated > 0)?
        };
        self.space();
        Ok(if negated % 2 == 1 { Test::Not(Box::new(test)) } else { test })
    }

    fn comparison(&mut self, negated: bool) -> Read<Test> {
        let left = self.operand()?;
        self.space();
        let start = self.at;
        const SIGNS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        if self.rest().starts_with("=~") {
            return Err(self.wrong("`=~` is no comparison of JSONPath: compare with `==`"));
        }
        match (SIGNS.iter().find(|(sign, _)| self.rest().starts_with(sign)), left) {
            (Some(_), _) if negated => Err(Wrong("put what `!` turns around in `(…)`", start)),
            (Some((sign, comparison)), left) => {
                self.at += sign.len();
                self.space();
                Ok(Test::Compare(left, *comparison, self.operand()?))
            }
            (None, Operand::Query(query)) => Ok(Test::Exists(query)),
            (None, _) => Err(Wrong("a comparison such as `==` is wanted here", start)),
        }
    }

    fn operand(&mut self) -> Read<Operand> {
        let start = self.at;
        match self.peek() {
            Some('\'' | '"') => self.quoted().map(Operand::Text),
            Some('@' | '$') => {
                let from_root = self.peek() == Some('$');
                self.at += 1;
                let mut steps = Vec::new();
                while matches!(self.peek(), Some('.' | '[')) {
                    let step = self.segment()?;
                    let mut selectors = step.selectors;
                    match (step.deep, selectors.pop(), selectors.is_empty() && steps.len() < MAX) {
                        (false, Some(one @ (Selector::Name(_) | Selector::Item(_))), true) => steps.push(one),
                        _ => return Err(Wrong("inside a filter a path goes by single names and numbers", start)),
                    }
                }
                Ok(Operand::Query(Singular { from_root, steps }))
            }
            _ => {
                let rest = self.rest();
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_')));
                let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or("").to_owned();
                let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && crate::syntax::Number::parse(&word).is_some();
                self.at += word.len();
                match word.as_str() {
                    "true" | "false" | "null" => Ok(Operand::Plain(word)),
                    _ if number => Ok(Operand::Plain(word)),
                    "length" | "count" | "match" | "search" | "value" if self.peek() == Some('(') => {
                        Err(Wrong("functions are not supported", start))
                    }
                    _ => Err(Wrong("`@`, a text in quotes, a number, true, false or null is wanted here", start)),
                }
            }
        }
    }
}

/// What stands behind a `\`.
fn escape(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        c @ ('/' | '\\' | '\'' | '"') => c,
        'u' => {
            let first = hex(chars)?;
            if !(0xd800..0xdc00).contains(&first) {
                return char::from_u32(first);
            }
            *chars = chars.as_str().strip_prefix("\\u")?.chars();
            let low = hex(chars)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return char::from_u32(0x10000 + ((first - 0xd800) << 10) + low);
        }
        _ => return None,
    })
}

fn hex(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits: String = chars.by_ref().take(4).collect();
    let plain = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if plain { u32::from_str_radix(&digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Selector {
        Selector::Name(text.to_owned())
    }

    fn step(selector: Selector) -> Segment {
        Segment { deep: false, selectors: vec![selector] }
    }

    #[test]
    fn paths_are_read() {
        assert_eq!(parse("$").unwrap(), Path(vec![]));
        assert_eq!(
            parse("$.paths['/x'].get").unwrap(),
            Path(vec![step(name("paths")), step(name("/x")), step(name("get"))])
        );
        assert_eq!(parse("$.a.*[*][-1]").unwrap().0.len(), 4);
        assert_eq!(
            parse("$..x-security").unwrap(),
            Path(vec![Segment { deep: true, selectors: vec![name("x-security")] }])
        );
        assert_eq!(
            parse(r#"$["a\"b", 'c\u00e9\ud83d\ude00']"#).unwrap().0[0].selectors,
            vec![name("a\"b"), name("cé😀")]
        );
        let old = parse("$.a[?(@.x=='y')]").unwrap();
        assert_eq!(old, parse("$.a[?@.x == 'y']").unwrap());
        assert_eq!(old, parse("$.a[?@['x']==\"y\"]").unwrap());
        assert!(matches!(
            &parse("$[?@.a && !@.b || @.c > 1.5]").unwrap().0[0].selectors[0],
            Selector::Filter(Test::Any(tests)) if tests.len() == 2
        ));
    }

    #[test]
    fn what_is_no_path_says_why() {
        let rows = [
            ("paths", "starts with `$`"),
            ("$x", "starts with `.`"),
            ("$.", "a name is wanted"),
            ("$./a", "a name is wanted"),
            ("$.a[1:2]", "slices"),
            ("$.a[:2]", "slices"),
            ("$.a[b]", "in quotes"),
            ("$.a['b", "never closed"),
            ("$.a['b'", "`]`"),
            ("$.a['\\q']", "escape"),
            ("$.a['\\ud800']", "escape"),
            ("$.a['\\u+123']", "escape"),
            ("$.a[99999999999999999999]", "no number"),
            ("$.a[?length(@.x) > 1]", "functions"),
            ("$.a[?@.x =~ 'y']", "comparison"),
            ("$.a[?@..x]", "single names"),
            ("$.a[?@.*]", "single names"),
            ("$.a[?'x']", "comparison"),
            ("$.a[?!@.x == 1]", "turns around"),
            ("$.a[?(@.x]", "`)`"),
            ("$.a[?@.x ==]", "is wanted here"),
        ];
        for (path, why) in rows {
            let wrong = parse(path).expect_err(path);
            assert!(wrong.0.contains(why), "{path}: {}", wrong.0);
        }
        let deep = format!("$[?{}@.a{}]", "(".repeat(100), ")".repeat(100));
        assert!(parse(&deep).is_err());
        assert!(parse(&"$".chars().chain(".a".chars().cycle().take(1000)).collect::<String>()).is_err());
    }
}
