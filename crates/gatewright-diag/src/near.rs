//! "did you mean": the nearest of a set of known names.

/// Names longer than this are never compared: a suggestion for them helps nobody, and input must not buy work.
const MAX_LEN: usize = 64;

/// The known name nearest to `word`, if one is near enough to be a typing mistake: at most a third of the letters
/// away, and letter case counts as nothing.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > MAX_LEN {
        return None;
    }
    let lower: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let limit = (lower.len() / 3).max(1);
    known
        .into_iter()
        .filter(|name| name.len() <= MAX_LEN)
        .filter_map(|name| {
            let other: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
            // The lengths alone rule most out, at no cost.
            let possible = lower.len().abs_diff(other.len()) <= limit;
            let distance = if possible { edits(&lower, &other) } else { usize::MAX };
            (distance <= limit).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be changed, added, removed or swapped with a neighbour to get from one word to the other.
/// Words longer than 64 bytes are not compared: the distance is then `usize::MAX`, unless they are equal.
pub fn distance(a: &str, b: &str) -> usize {
    if a.len() > MAX_LEN || b.len() > MAX_LEN {
        return if a == b { 0 } else { usize::MAX };
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    edits(&a, &b)
}

/// Edit distance in which swapping two neighbours counts as one (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut earlier_a = None;
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut earlier_b = None;
        for (j, &cb) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if earlier_a == Some(cb) && earlier_b == Some(ca) && j > 0 {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
            earlier_b = Some(cb);
        }
        before = std::mem::replace(&mut last, row);
        earlier_a = Some(ca);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn offers_typing_mistakes_only() {
        let known = ["rate-limit", "roles", "owner", "operationId", "string"];
        assert_eq!(nearest("rate-limits", known), Some("rate-limit"));
        assert_eq!(nearest("operationID", known), Some("operationId"));
        assert_eq!(nearest("strnig", known), Some("string"));
        assert_eq!(nearest("zebra", known), None);
        assert_eq!(nearest("", known), None);
    }
}
