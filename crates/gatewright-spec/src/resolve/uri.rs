//! As much of RFC 3986 as references need.

/// Resolves a reference against a base (RFC 3986, section 5.2). Both without fragment.
pub(super) fn join(base: &str, reference: &str) -> String {
    if crate::source::scheme(reference).is_some() {
        return reference.to_owned();
    }
    let (scheme, after) = match crate::source::scheme(base) {
        Some(scheme) => (format!("{scheme}:"), base.get(scheme.len() + 1..).unwrap_or("")),
        None => (String::new(), base),
    };
    if reference.starts_with("//") {
        return format!("{scheme}{reference}");
    }
    let (authority, path) = match after.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            (after.get(..end + 2).unwrap_or(""), rest.get(end..).unwrap_or(""))
        }
        None => ("", after),
    };
    let path = path.split('?').next().unwrap_or("");
    let (to, query) = match reference.split_once('?') {
        Some((to, query)) => (to, format!("?{query}")),
        None => (reference, String::new()),
    };
    let merged = match to {
        "" => path.to_owned(),
        to if to.starts_with('/') => to.to_owned(),
        to => {
            let folder = path.rfind('/').map_or("", |at| path.get(..=at).unwrap_or(""));
            let slash = if folder.is_empty() && !authority.is_empty() { "/" } else { "" };
            format!("{slash}{folder}{to}")
        }
    };
    format!("{scheme}{authority}{}{query}", without_dots(&merged))
}

/// Removes `.` and `..` parts (section 5.2.4).
fn without_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for part in path.split('/') {
        ends_in_folder = matches!(part, "" | "." | "..");
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut out = String::from(if absolute { "/" } else { "" });
    out.push_str(&parts.join("/"));
    if ends_in_folder && !out.ends_with('/') && !out.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn references_resolve_as_the_rfc_says() {
        // From RFC 3986, section 5.4, without fragments and queries.
        let rows = [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("g?y", "http://a/b/c/g?y"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("", "http://a/b/c/d;p"),
        ];
        for (reference, expected) in rows {
            assert_eq!(super::join("http://a/b/c/d;p?q", reference), expected, "{reference}");
        }
        assert_eq!(super::join("http://a", "g"), "http://a/g");
        assert_eq!(super::join("a/b.json", "c.json"), "a/c.json");
    }
}
