use super::*;

fn matcher(source: &str) -> regex::Regex {
    regex::Regex::new(&translate(source).unwrap().translated.unwrap()).unwrap()
}

#[test]
fn means_what_ecma_262_says() {
    for (source, yes, no) in [
        (r"^\d+$", "123", "١٢٣"),
        (r"^\w+$", "a_1", "é"),
        (r"^\s$", "\u{feff}", "a"),
        (r"^\s$", "\u{3000}", "\u{200b}"),
        (r"^\S$", "a", "\u{2028}"),
        ("^.$", "a", "\u{2028}"),
        ("^.$", "😀", "\r"),
        ("^a$", "a", "a\n"),
        (r"^\cI$", "\t", "I"),
        (r"^[a\-z]$", "-", "b"),
        (r"^[\w-.]$", "-", "é"),
        ("^[[&&~~]+$", "[&~", "a"),
        (r"^\ud83d\ude00$", "😀", "a"),
        (r"^\u{1F600}$", "😀", "a"),
        ("^[^]$", "\n", ""),
        ("^[^a]$", "\n", "a"),
        (r"^a{,2}$", "a{,2}", "aa"),
        (r"^(?<year>\d{4})-(?:x|y)$", "2026-x", "2026-z"),
        (r"\bword\b", "a word", "éword1"),
        (r"^\/\_\@$", "/_@", "/"),
        (r"^[\b]$", "\u{8}", "b"),
        (r"^\p{Lu}$", "É", "é"),
        (r"^[\uD800-\uE001]$", "\u{e000}", "a"),
        ("/^a/", "x/a", "/a"),
        ("^(?i:ab)c$", "ABc", "ABC"),
    ] {
        let translated = translate(source);
        if source == "/^a/" {
            // Delimiters of another language are ordinary characters, so this one matches nothing.
            assert!(!matcher(source).is_match("/a/"));
            continue;
        }
        assert!(translated.is_ok(), "{source}: {translated:?}");
        assert!(matcher(source).is_match(yes), "{source} {yes:?}");
        assert!(!matcher(source).is_match(no), "{source} {no:?}");
    }
    assert!(!matcher("[]").is_match("a"));
    assert!(matcher(r"a\Bb").is_match("ab"));
}

#[test]
fn names_of_other_languages_mean_what_they_mean_there() {
    for (source, yes, no) in [
        (r"\A\p{XDigit}{2}\z", "fA", "fG"),
        (r"^[\p{Alnum}_]+\Z", "aZ9_", "é"),
        (r"^\P{Punct}$", "a", "$"),
        (r"^[\p{Graph}\x20]*$", "a b", "a\tb"),
        (r"^\p{all}$", "\n", ""),
    ] {
        assert!(translate(source).unwrap().foreign.is_some(), "{source}");
        assert!(matcher(source).is_match(yes), "{source} {yes:?}");
        assert!(!matcher(source).is_match(no), "{source} {no:?}");
    }
    // The names that ECMA 262 has too are its own.
    assert_eq!(translate(r"^\p{Alpha}\p{Lower}$").unwrap().foreign, None);
}

#[test]
fn look_around_and_back_references_are_left_to_bounded_work() {
    for source in ["^(?!a)b", "(?=a)*b", "(?<=a)b", r"(a)\1", r"(?<n>a)\k<n>", "^(?=.*[A-Z]).{12,}$"] {
        assert_eq!(translate(source).unwrap().translated, None, "{source}");
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for source in [
        "[a-z",
        "(a",
        "a)",
        "*a",
        "a**",
        "^*",
        r"\",
        "[z-a]",
        "a{2,1}",
        r"\1",
        r"\k<x>",
        r"\u12",
        r"\xg",
        r"[\A]",
        r"\A*b",
        r"(?!a)\p{Alnum}",
        r"[\p{Print}&&[^a]]",
        "(?i)a",
        "(?P<n>a)",
        "(?#c)",
        r"\p{Nonsense}",
        r"\pL",
        "(?<n>a)(?<n>b)",
        "{2}",
        "(?<=a)*",
    ] {
        assert!(matches!(translate(source), Err(PatternError::Invalid { .. })), "{source}");
    }
}

#[test]
fn size_is_bounded() {
    assert_eq!(translate("^((a{1000}){1000}){1000}$"), Err(PatternError::TooBig));
    assert_eq!(translate(&"(".repeat(5000)), Err(PatternError::TooBig));
    assert_eq!(translate(&"a".repeat(70_000)), Err(PatternError::TooBig));
    assert_eq!(translate("(?:ab){99999999999}"), Err(PatternError::TooBig));
}

#[test]
fn one_class_repeated_often_is_a_length() {
    let huge = translate("^.{1,400000}$").unwrap();
    assert_eq!(huge.length, Some((1, Some(400_000))));
    assert_eq!(huge.translated.as_deref(), Some(r"^[^\n\r\x{2028}\x{2029}]*$"));
    assert_eq!(translate(r"^[\s\S]{0,1048576}").unwrap().length, None);
    assert_eq!(translate("^.{0,99999999999999999999}$").unwrap().length, None);
    assert_eq!(translate("^[a-z]{1,64}$").unwrap().length, None);
}
