//! How a picture looks: its colours by day and by night, and what they mean.

/// The space of an entry of the legend without its text.
const ENTRY: f64 = 44.0;
/// The height of the legend.
pub(super) const LEGEND_HEIGHT: f64 = 14.0;

/// What the legend explains: a class, and its meaning.
pub(super) const MEANINGS: [(&str, &str); 5] = [
    ("critical", "critical path"),
    ("gate", "somebody must agree"),
    ("final", "point of no return"),
    ("tells", "tells people"),
    ("out", "not with these inputs"),
];

/// The width that the legend takes for one meaning.
pub(super) fn entry_width(meaning: &str) -> f64 {
    ENTRY + super::metrics::sans(meaning, 11.0)
}

/// The style sheet.
pub(super) const SHEET: &str = "\
svg { background: #ffffff; }
text { font-family: 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; font-size: 11px; fill: #57606a; }
.heading { font-size: 19px; font-weight: 600; fill: #1f2328; }
.band text { font-size: 13px; font-weight: 600; fill: #57606a; }
.title { font-size: 13px; font-weight: 600; fill: #1f2328; }
.code { font-family: 'SF Mono', Consolas, 'DejaVu Sans Mono', monospace; }
.gate-text { font-weight: 600; fill: #7d4e00; }
.final-text { font-weight: 600; fill: #b3261e; }
.page { fill: #ffffff; }
.band rect { fill: #f3f5f7; stroke: none; }
.step rect, .key rect { fill: #ffffff; stroke: #a8b1bb; stroke-width: 1; }
.holds > rect { fill: #eaeef2; }
.tells > rect { fill: #e6f4ea; stroke: #4c9a62; }
.gate > rect { fill: #fff6d6; stroke: #c69026; }
.final > rect { fill: #ffe9e7; stroke: #cf4338; }
.out > rect { stroke-dasharray: 4 3; fill-opacity: 0.4; }
.out text { fill-opacity: 0.55; }
.critical > rect { stroke: #0b5cad; stroke-width: 2.5; }
.edge { fill: none; stroke: #8c959f; stroke-width: 1.3; }
.edge.critical { stroke: #0b5cad; stroke-width: 2.5; }
.tip { fill: #8c959f; }
.tip.critical { fill: #0b5cad; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; }
text { fill: #9aa4af; }
.heading, .title { fill: #e6edf3; }
.band text { fill: #9aa4af; }
.gate-text { fill: #e3b341; }
.final-text { fill: #ff8b82; }
.page { fill: #0d1117; }
.band rect { fill: #161b22; }
.step rect, .key rect { fill: #1c2230; stroke: #4a535e; }
.holds > rect { fill: #12161d; }
.tells > rect { fill: #12291c; stroke: #3d8b55; }
.gate > rect { fill: #2e2710; stroke: #b08623; }
.final > rect { fill: #371a1a; stroke: #d5564c; }
.critical > rect { stroke: #58a6ff; }
.edge { stroke: #6e7681; }
.edge.critical { stroke: #58a6ff; }
.tip { fill: #6e7681; }
.tip.critical { fill: #58a6ff; }
}
";
