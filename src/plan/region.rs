//! Whether a text names a region, however it is written: `centralus`, `Central US`, `orders-central-us`.

/// What the actions of services begin with that have no region: they answer though one is down.
pub const GLOBAL: [&str; 6] = [
    "azure.traffic_manager.",
    "azure.front_door.",
    "azure.front_door_classic.",
    "azure.waf_policy.",
    "azure.dns.",
    "azure.health.",
];

/// Regions of Azure whose names hold the name of another one: `eastus2` is not `eastus`.
const LONGER: &[&str] = &[
    "northcentralus",
    "southcentralus",
    "westcentralus",
    "centraluseuap",
    "eastus2",
    "eastus2euap",
    "eastus3",
    "southeastus",
    "westus2",
    "westus3",
    "southeastasia",
    "australiacentral2",
    "brazilsoutheast",
    "chinaeast2",
    "chinaeast3",
    "chinanorth2",
    "chinanorth3",
];

/// A region, as somebody typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    name: String,
}

impl Region {
    /// The region of that name; none where it holds no letter.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let name = without(text, " -_");
        name.contains(char::is_alphabetic).then_some(Self { name })
    }

    /// Its name, in small letters and without gaps.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the text names it. A longer name of another region does not, but `storderseastus` does: many
    /// resources may not have a hyphen in their names.
    #[must_use]
    pub fn is_named_in(&self, text: &str) -> bool {
        [" ", " -_"].iter().any(|gaps| self.stands_in(&without(text, gaps)))
    }

    fn stands_in(&self, text: &str) -> bool {
        let others = || LONGER.iter().filter(|longer| longer.contains(self.name.as_str()) && **longer != self.name);
        let is_other = |at: usize| {
            let covers = |longer: &&&str| {
                text.match_indices(**longer).any(|(from, _)| from <= at && at + self.name.len() <= from + longer.len())
            };
            others().any(|longer| covers(&longer))
        };
        text.match_indices(&self.name).any(|(at, _)| !is_other(at))
    }
}

fn without(text: &str, gaps: &str) -> String {
    text.chars().filter(|c| !gaps.contains(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_however_it_is_written_and_never_in_the_name_of_another() {
        let region = Region::named("Central US").unwrap();
        for text in
            ["centralus", "Central US", "orders-centralus-db", "rg-central-us", "storderscentralus01", "a CENTRALUS b"]
        {
            assert!(region.is_named_in(text), "{text}");
        }
        for text in ["northcentralus", "North Central US", "south-central-us", "central", "eastus2", ""] {
            assert!(!region.is_named_in(text), "{text}");
        }
        assert!(region.is_named_in("from northcentralus to centralus"));
        let east = Region::named("eastus").unwrap();
        assert!(!east.is_named_in("sql-eastus2") && !east.is_named_in("East US 2"));
        assert!(east.is_named_in("sql-eastus-2"), "the second one in the region");
        assert!(Region::named("us-central1").unwrap().is_named_in("https://us-central1-run.example"));
        assert_eq!(Region::named(" - "), None);
    }
}
