//! "Did you mean".

/// The candidate closest to `found`, where one is close enough to be meant.
#[must_use]
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(found, candidates).first().copied()
}

/// The candidates that are close enough to `found` to be meant, the closest first.
#[must_use]
pub(super) fn near<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let far = 1 + found.len() / 4;
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        // Comparing takes the product of the lengths; a text of a megabyte is never a slip of the pen.
        .filter(|candidate| found.len().max(candidate.len()) <= 200)
        .map(|candidate| (strsim::damerau_levenshtein(found, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_of_the_pen_finds_what_was_meant_and_nothing_else_does() {
        let fields = ["needs", "action", "approval", "on_failure"];
        for (found, meant) in [
            ("need", Some("needs")),
            ("acton", Some("action")),
            ("aproval", Some("approval")),
            ("no_failure", Some("on_failure")),
            ("depends_on", None),
            ("", None),
        ] {
            assert_eq!(closest(found, fields), meant, "{found}");
        }
        assert_eq!(closest(&"n".repeat(10_000_000), fields), None);
    }
}
