//! Templates of paths, as the file and `listed/` write them.

/// A path with placeholders. `{scope}` stands for one segment or more, every other placeholder for one.
pub struct Template(Vec<Part>);

enum Part {
    Literal(String),
    One(String),
    Many,
}

impl Template {
    /// Reads a template. `~` stands for a resource group's providers, `§` for a subscription.
    pub fn read(text: &str) -> Self {
        let text = text.replace('~', "§/resourceGroups/{resourceGroupName}/providers");
        let text = text.replace('§', "/subscriptions/{subscriptionId}");
        let part = |segment: &str| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some("scope") => Part::Many,
            Some(name) => Part::One(name.to_owned()),
            None => Part::Literal(segment.to_owned()),
        };
        Self(text.split('/').filter(|segment| !segment.is_empty()).map(part).collect())
    }

    /// The placeholders and what stands for them; `None` where the path is another. Letters of literal segments
    /// may be of either case, as Azure has it.
    pub fn fit<'a>(&'a self, segments: &'a [String]) -> Option<Vec<(&'a str, &'a str)>> {
        fit(&self.0, segments)
    }

    /// How many segments it fixes: of several templates that fit, the one that fixes most is meant.
    pub fn literals(&self) -> usize {
        self.0.iter().filter(|part| matches!(part, Part::Literal(_))).count()
    }
}

fn fit<'a>(parts: &'a [Part], segments: &'a [String]) -> Option<Vec<(&'a str, &'a str)>> {
    let Some((part, parts)) = parts.split_first() else { return segments.is_empty().then(Vec::new) };
    let (segment, rest) = segments.split_first()?;
    match part {
        Part::Literal(literal) => literal.eq_ignore_ascii_case(segment).then(|| fit(parts, rest)).flatten(),
        Part::One(name) => {
            let mut found = fit(parts, rest)?;
            found.push((name, segment));
            Some(found)
        }
        Part::Many => (1..=segments.len()).find_map(|taken| fit(parts, &segments[taken..])),
    }
}
