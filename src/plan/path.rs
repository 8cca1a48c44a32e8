//! The path of a step as people type it: `promote`, `promote[eu]`, `database.promote`, `database[eu].promote`.

/// The first part of a path: the id, the key in its brackets, and what follows the dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'p> {
    /// The step's id.
    pub id: &'p str,
    /// The key of an instance.
    pub key: Option<&'p str>,
    /// The path within the called runbook.
    pub rest: Option<&'p str>,
}

/// The first part of a path; `None` where it is no path. A key may hold dots, but no brackets.
#[must_use]
pub fn segment(path: &str) -> Option<Segment<'_>> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (id, after) = path.split_at(end);
    let (key, after) = match after.strip_prefix('[') {
        Some(inside) => {
            let (key, after) = inside.split_once(']')?;
            (Some(key), after)
        }
        None => (None, after),
    };
    let rest = match after {
        "" => None,
        after => Some(after.strip_prefix('.')?),
    };
    Some(Segment { id, key, rest })
}

/// Whether all of it is a path: every bracket is closed, and a dot or nothing follows it.
#[must_use]
pub fn is_path(path: &str) -> bool {
    segment(path).is_some_and(|part| !part.id.is_empty() && part.rest.is_none_or(is_path))
}

/// The path without the keys of instances: the step as the runbooks write it.
#[must_use]
pub fn without_keys(path: &str) -> String {
    let mut ids = Vec::new();
    let mut rest = Some(path);
    while let Some(segment) = rest.and_then(segment) {
        ids.push(segment.id);
        rest = segment.rest;
    }
    ids.join(".")
}

/// Whether this is the name of the step: in a name, an id without a key stands for all its instances.
#[must_use]
pub fn names(name: &str, path: &str) -> bool {
    let (mut name, mut path) = (segment(name), segment(path));
    while let (Some(named), Some(own)) = (name, path) {
        if named.id != own.id || (named.key.is_some() && named.key != own.key) {
            return false;
        }
        (name, path) = match (named.rest, own.rest) {
            (None, None) => return true,
            (Some(named), Some(own)) => (segment(named), segment(own)),
            _ => return false,
        };
    }
    false
}

/// What goes by the name of the step: by that with most keys, else by the first.
pub fn named<'n, T: 'n>(all: impl IntoIterator<Item = (&'n str, T)>, path: &str) -> Option<T> {
    let found = all.into_iter().filter(|(name, _)| names(name, path));
    found.min_by_key(|(name, _)| std::cmp::Reverse(name.matches('[').count())).map(|(_, of)| of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_key_is_that_of_all_instances_and_one_with_it_comes_first() {
        for (name, is_named) in [
            ("db[eu].promote[a]", true),
            ("db[eu].promote", true),
            ("db.promote", true),
            ("db[us].promote", false),
            ("db", false),
            ("db.promote.more", false),
            ("db[eu", false),
        ] {
            assert_eq!(names(name, "db[eu].promote[a]"), is_named, "{name}");
        }
        let all = [("db.promote", 1), ("db[eu].promote", 2), ("db[us].promote", 3), ("db[eu].promote", 4)];
        assert_eq!(named(all, "db[eu].promote"), Some(2));
        assert_eq!(named(all, "db[uk].promote"), Some(1));
        assert_eq!(named(all, "db"), None);
    }

    #[test]
    fn a_path_is_read_part_by_part() {
        let path = |id, key, rest| Some(Segment { id, key, rest });
        assert_eq!(segment("promote"), path("promote", None, None));
        assert_eq!(segment("each[10.0.0.1]"), path("each", Some("10.0.0.1"), None));
        assert_eq!(segment("db[eu].promote[a]"), path("db", Some("eu"), Some("promote[a]")));
        assert_eq!(segment("db."), path("db", None, Some("")));
        assert_eq!((segment("db[eu"), segment("db[eu]x")), (None, None));
        assert_eq!(without_keys("db[10.0.0.1].promote[a]"), "db.promote");
        assert!(["db", "db[10.0.0.1].promote[a]"].into_iter().all(is_path));
        assert!(!["", "db.", "[eu]", "db[eu", "db[eu]x", "db[eu].promote[a"].into_iter().any(is_path));
    }
}
