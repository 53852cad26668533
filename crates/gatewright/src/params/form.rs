//! Forms (`application/x-www-form-urlencoded`), and names with brackets, in forms and in `deepObject` parameters:
//! `filter[age]=3&filter[tags][]=a&lines[0][sku]=x` becomes the object that it means.

use std::borrow::Cow;

use super::gather::{MOST, Wrong, is_json, pairs};
use super::spec::{Encoded, Place, Shape, Style};
use super::text;

/// Brackets behind a name; more are refused.
const DEEPEST: usize = 8;

/// What the values of a form or parameter make, before their shape is asked.
#[derive(Debug)]
pub(super) enum Tree<'t> {
    /// The values that one name was given.
    Values(Vec<&'t str>),
    /// What stands in brackets behind a name, in the order of the first; `""` is what `[]` holds.
    Members(Vec<(&'t str, Tree<'t>)>),
}

/// One name was used in two ways: with brackets and without, or too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Muddled;

impl<'t> Tree<'t> {
    pub(super) fn new() -> Tree<'t> {
        Tree::Members(Vec::new())
    }

    /// Adds a value under a path of names.
    pub(super) fn add(&mut self, path: &[&'t str], value: &'t str) -> Result<(), Muddled> {
        let Some((first, rest)) = path.split_first() else {
            return match self {
                Tree::Values(values) => {
                    values.push(value);
                    Ok(())
                }
                Tree::Members(members) if members.is_empty() => {
                    *self = Tree::Values(vec![value]);
                    Ok(())
                }
                Tree::Members(_) => Err(Muddled),
            };
        };
        let Tree::Members(members) = self else { return Err(Muddled) };
        let place = match members.iter().position(|(name, _)| name == first) {
            Some(place) => place,
            None => {
                members.push((first, Tree::new()));
                members.len() - 1
            }
        };
        members.get_mut(place).ok_or(Muddled)?.1.add(rest, value)
    }

    /// Writes it as the JSON that `shape` makes of it. `Err` names the rule that it breaks.
    pub(super) fn write(&self, shape: &Shape, out: &mut String) -> Result<(), (&'static str, &'static str)> {
        const STYLE: (&str, &str) = ("style", "is not written as the operation declares");
        match self {
            Tree::Values(values) if shape.is_array() => {
                text::array(shape, values.iter().copied(), out);
                Ok(())
            }
            Tree::Values(values) => match values.as_slice() {
                [one] if shape.is_object() && is_json(one) => {
                    out.push_str(one);
                    Ok(())
                }
                [one] => {
                    text::scalar(shape, one, out);
                    Ok(())
                }
                _ => Err(("repeated", "must be given once")),
            },
            Tree::Members(members) if shape.is_array() && members.iter().all(|(name, _)| is_index(name)) => {
                let item = shape.items.unwrap_or(&Shape::TEXT);
                let mut ordered: Vec<&(&str, Tree<'_>)> = members.iter().collect();
                ordered.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
                out.push('[');
                for (i, (name, tree)) in ordered.into_iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    match tree {
                        // `[]` is each of its values in turn.
                        Tree::Values(values) if name.is_empty() => {
                            for (i, value) in values.iter().enumerate() {
                                if i > 0 {
                                    out.push(',');
                                }
                                text::scalar(item, value, out);
                            }
                        }
                        tree => tree.write(item, out)?,
                    }
                }
                out.push(']');
                Ok(())
            }
            Tree::Members(members) if shape.is_object() || shape.kinds == 0 => {
                out.push('{');
                for (i, (name, tree)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    text::quote(name, out);
                    out.push(':');
                    tree.write(shape.member(name), out)?;
                }
                out.push('}');
                Ok(())
            }
            Tree::Members(_) => Err(STYLE),
        }
    }
}

fn is_index(name: &str) -> bool {
    name.len() <= 9 && name.bytes().all(|b| b.is_ascii_digit())
}

/// `a[b][]` as `a`, `b` and the empty name. `None` where brackets do not pair up, or are too many.
pub(super) fn path(name: &str) -> Option<Vec<&str>> {
    let Some(open) = name.find('[') else { return Some(vec![name]) };
    let (first, mut rest) = name.split_at_checked(open)?;
    let mut path = vec![first];
    while !rest.is_empty() {
        let (inner, behind) = rest.strip_prefix('[')?.split_once(']')?;
        if inner.contains('[') || path.len() > DEEPEST {
            return None;
        }
        path.push(inner);
        rest = behind;
    }
    Some(path)
}

/// The members of a form body as a JSON object of `shape`; `Err` names the rule that it breaks.
pub(crate) fn form(shape: &'static Shape, encoded: &[Encoded], body: &str) -> Result<String, Wrong> {
    let wrong = |name: &str, rule, detail| Wrong {
        place: Place::Query,
        name: Cow::Owned(name.chars().take(64).collect()),
        rule,
        detail,
    };
    let pairs = pairs(body, '&', true);
    if pairs.len() > MOST {
        return Err(wrong("", "style", "has too many fields"));
    }
    let mut tree = Tree::new();
    for pair in &pairs {
        let Some(value) = pair.value.as_deref() else {
            return Err(wrong(&pair.name, "style", "is not well-formed"));
        };
        // A declared name may have brackets of its own.
        let declared = shape.properties.iter().any(|(name, _)| *name == pair.name);
        let path = if declared { Some(vec![&*pair.name]) } else { path(&pair.name) };
        let path = match path {
            // Brackets mean something where arrays and objects are.
            Some(path) if path.len() > 1 && path.first().is_some_and(|name| !shape.member(name).is_deep()) => None,
            path => path,
        };
        let path = path.unwrap_or_else(|| vec![&*pair.name]);
        if tree.add(&path, value).is_err() {
            return Err(wrong(&pair.name, "style", "is given with brackets and without"));
        }
    }
    let Tree::Members(members) = &tree else { return Ok("{}".to_owned()) };
    let mut out = String::from("{");
    for (i, (name, tree)) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        text::quote(name, &mut out);
        out.push(':');
        let member = shape.member(name);
        let written = match (tree, encoded.iter().find(|e| e.name == *name)) {
            (Tree::Values(values), Some(Encoded { style, explode, .. })) if *style != Style::DeepObject => {
                written(member, *style, *explode, name, values, &mut out)
            }
            (tree, _) => tree.write(member, &mut out),
        };
        written.map_err(|(rule, detail)| wrong(name, rule, detail))?;
    }
    out.push('}');
    Ok(out)
}

/// A field whose `encoding` says how it is written.
fn written(
    shape: &Shape,
    style: Style,
    explode: bool,
    name: &str,
    values: &[&str],
    out: &mut String,
) -> Result<(), (&'static str, &'static str)> {
    match (style, values) {
        (Style::Json, [one]) if is_json(one) => {
            out.push_str(one);
            Ok(())
        }
        (Style::Json, [_]) => Err(("json", "is not well-formed JSON")),
        (_, values) if explode && shape.is_array() => {
            text::array(shape, values.iter().copied(), out);
            Ok(())
        }
        (_, [one]) => text::delimited(shape, style, false, name, one, out)
            .map_err(|_| ("style", "is not written as the operation declares")),
        _ => Err(("repeated", "must be given once")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::kinds;
    use super::*;

    const TEXTS: Shape = Shape::array(&Shape::TEXT);
    const LINE: Shape = Shape {
        kinds: kinds::OBJECT,
        items: None,
        properties: &[("sku", Shape::TEXT), ("count", Shape::NUMBER)],
        additional: None,
    };
    const ORDER: Shape = Shape {
        kinds: kinds::OBJECT,
        items: None,
        properties: &[
            ("age", Shape::NUMBER),
            ("tags", TEXTS),
            ("piped", Shape::array(&Shape::NUMBER)),
            ("listed", Shape::array(&Shape::NUMBER)),
            ("lines", Shape::array(&LINE)),
            ("line", LINE),
            ("odd[]", Shape::TEXT),
            ("meta", Shape { kinds: kinds::OBJECT, items: None, properties: &[], additional: Some(&Shape::TEXT) }),
        ],
        additional: None,
    };
    const ENCODED: &[Encoded] = &[
        Encoded { name: "piped", style: Style::PipeDelimited, explode: false },
        Encoded { name: "listed", style: Style::Form, explode: false },
    ];

    #[test]
    fn forms_become_objects() {
        for (sent, expected) in [
            ("age=3&tags=a&tags=b&name=x+y", r#"{"age":3,"tags":["a","b"],"name":"x y"}"#),
            ("", "{}"),
            ("age=3&age=4", "age repeated"),
            ("age=%zz", "age style"),
            ("piped=1%7C2", r#"{"piped":[1,2]}"#),
            ("piped=1&piped=2", "piped repeated"),
            ("listed=1,2", r#"{"listed":[1,2]}"#),
            ("tags[]=a&tags[]=b", r#"{"tags":["a","b"]}"#),
            ("tags[1]=b&tags[0]=a", r#"{"tags":["a","b"]}"#),
            ("tags=a&tags[]=b", "tags[] style"),
            ("tags[x]=a", "tags style"),
            ("line[sku]=a&line[count]=2", r#"{"line":{"sku":"a","count":2}}"#),
            ("line={\"sku\":\"a\"}", r#"{"line":{"sku":"a"}}"#),
            ("line[sku]=a&line[sku]=b", "line repeated"),
            ("lines[0][sku]=a&lines[1][sku]=b&lines[0][count]=2", r#"{"lines":[{"sku":"a","count":2},{"sku":"b"}]}"#),
            ("meta[a b]=1", r#"{"meta":{"a b":"1"}}"#),
            ("odd[]=1", r#"{"odd[]":"1"}"#),
            ("age[x]=1", r#"{"age[x]":"1"}"#),
            ("a[b=1&c]=2&[=3", r#"{"a[b":"1","c]":"2","[":"3"}"#),
            ("meta[a][a][a][a][a][a][a][a][a][a]=1", r#"{"meta[a][a][a][a][a][a][a][a][a][a]":"1"}"#),
        ] {
            let got = form(&ORDER, ENCODED, sent).unwrap_or_else(|w| format!("{} {}", w.name, w.rule));
            assert_eq!(got, expected, "{sent}");
        }
        let many = "tags=a&".repeat(MOST + 1);
        assert_eq!(form(&ORDER, ENCODED, &many).unwrap_err().detail, "has too many fields");
    }
}
