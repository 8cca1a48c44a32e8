//! "Did you mean".

/// The candidate closest to `found`, where one is close enough to be meant.
#[must_use]
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(found, candidates).first().copied()
}

/// The candidates that are close enough to `found` to be meant, the closest first.
#[must_use]
pub(super) fn near<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Comparing takes the product of the lengths; a text of a megabyte is never a slip of the pen.
    if found.len() > 200 {
        return Vec::new();
    }
    let far = 1 + found.len() / 4;
    let length = found.chars().count();
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        // No text is closer than its length is.
        .filter(|candidate| candidate.len() <= 800 && candidate.chars().count().abs_diff(length) <= far)
        .map(|candidate| (strsim::damerau_levenshtein(found, candidate), candidate))
        // Of what has nothing in common, nothing is meant.
        .filter(|(distance, _)| *distance <= far && *distance < length)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// So many names stand in a list that people read.
const MOST_LISTED: usize = 20;

/// The names for a sentence such as `there are a, b`; of many, the first and how many more there are.
#[must_use]
pub fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let list = names.take(MOST_LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::{closest, listed};

    #[test]
    fn a_slip_of_the_pen_finds_what_was_meant_and_nothing_else_does() {
        let fields = ["needs", "action", "approval", "on_failure", "a"];
        for (found, meant) in [
            ("need", Some("needs")),
            ("acton", Some("action")),
            ("aproval", Some("approval")),
            ("no_failure", Some("on_failure")),
            ("depends_on", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(found, fields), meant, "{found}");
        }
        assert_eq!(closest(&"n".repeat(10_000_000), fields), None);
    }

    #[test]
    fn a_letter_of_many_bytes_is_one_letter() {
        assert_eq!(closest("prüfen", ["pruefen", "prufen"]), Some("prufen"));
    }

    #[test]
    fn of_many_names_the_first_are_listed() {
        assert_eq!(listed(["a", "b"].into_iter()), "a, b");
        assert_eq!(listed([].into_iter()), "");
        let names: Vec<String> = (1..=1_000).map(|number| number.to_string()).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with(", 19, 20 and 980 more"));
    }
}
