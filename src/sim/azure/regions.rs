//! The regions of Azure, by the names Resource Manager gives them, and which of them are paired.
//!
//! Source: the list of regions and region pairs in Azure's documentation on reliability.

/// Every region and the one it is paired with; empty for those without a pair.
const REGIONS: &[(&str, &str)] = &[
    ("australiacentral", "australiacentral2"),
    ("australiacentral2", "australiacentral"),
    ("australiaeast", "australiasoutheast"),
    ("australiasoutheast", "australiaeast"),
    ("austriaeast", ""),
    ("belgiumcentral", ""),
    ("brazilsouth", "southcentralus"),
    ("brazilsoutheast", "brazilsouth"),
    ("canadacentral", "canadaeast"),
    ("canadaeast", "canadacentral"),
    ("centralindia", "southindia"),
    ("centralus", "eastus2"),
    ("chilecentral", ""),
    ("chinaeast", "chinanorth"),
    ("chinaeast2", "chinanorth2"),
    ("chinaeast3", "chinanorth3"),
    ("chinanorth", "chinaeast"),
    ("chinanorth2", "chinaeast2"),
    ("chinanorth3", "chinaeast3"),
    ("eastasia", "southeastasia"),
    ("eastus", "westus"),
    ("eastus2", "centralus"),
    ("francecentral", "francesouth"),
    ("francesouth", "francecentral"),
    ("germanynorth", "germanywestcentral"),
    ("germanywestcentral", "germanynorth"),
    ("indonesiacentral", ""),
    ("israelcentral", ""),
    ("italynorth", ""),
    ("japaneast", "japanwest"),
    ("japanwest", "japaneast"),
    ("jioindiacentral", "jioindiawest"),
    ("jioindiawest", "jioindiacentral"),
    ("koreacentral", "koreasouth"),
    ("koreasouth", "koreacentral"),
    ("malaysiawest", ""),
    ("mexicocentral", ""),
    ("newzealandnorth", ""),
    ("northcentralus", "southcentralus"),
    ("northeurope", "westeurope"),
    ("norwayeast", "norwaywest"),
    ("norwaywest", "norwayeast"),
    ("polandcentral", ""),
    ("qatarcentral", ""),
    ("southafricanorth", "southafricawest"),
    ("southafricawest", "southafricanorth"),
    ("southcentralus", "northcentralus"),
    ("southeastasia", "eastasia"),
    ("southindia", "centralindia"),
    ("spaincentral", ""),
    ("swedencentral", "swedensouth"),
    ("swedensouth", "swedencentral"),
    ("switzerlandnorth", "switzerlandwest"),
    ("switzerlandwest", "switzerlandnorth"),
    ("uaecentral", "uaenorth"),
    ("uaenorth", "uaecentral"),
    ("uksouth", "ukwest"),
    ("ukwest", "uksouth"),
    ("usdodcentral", "usdodeast"),
    ("usdodeast", "usdodcentral"),
    ("usgovarizona", "usgovtexas"),
    ("usgovtexas", "usgovarizona"),
    ("usgovvirginia", "usgovtexas"),
    ("westcentralus", "westus2"),
    ("westeurope", "northeurope"),
    ("westindia", "southindia"),
    ("westus", "eastus"),
    ("westus2", "westcentralus"),
    ("westus3", "eastus"),
];

/// The region a name tells of, of several the longest; empty where it tells of none.
pub(super) fn region_in(name: &str) -> &'static str {
    let name = super::fault::plain(name);
    let told = REGIONS.iter().map(|(region, _)| *region).filter(|region| name.contains(region));
    told.max_by_key(|region| region.len()).unwrap_or_default()
}

/// The other region of a pair; the region itself where it has none.
#[must_use]
pub fn paired(region: &str) -> &str {
    let pair = REGIONS.iter().find(|(one, other)| *one == region && !other.is_empty());
    pair.map_or(region, |(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_regions_whose_names_hold_each_other_the_longest_is_meant() {
        let told = ["shop-eastus2", "shop-eastus", "sql-North Central US-1", "vm-southeastasia", "storage01"];
        assert_eq!(told.map(region_in), ["eastus2", "eastus", "northcentralus", "southeastasia", ""]);
        assert_eq!(["japaneast", "usgovarizona", "italynorth"].map(paired), ["japanwest", "usgovtexas", "italynorth"]);
    }

    #[test]
    fn every_pair_is_of_regions_that_there_are() {
        let unknown: Vec<_> = REGIONS
            .iter()
            .filter(|(_, other)| !other.is_empty() && !REGIONS.iter().any(|(region, _)| region == other))
            .collect();
        assert_eq!(unknown, Vec::<&(&str, &str)>::new());
    }
}
