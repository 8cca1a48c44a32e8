//! Where everything of a picture stands: bands, boxes sized to their texts, and lines.

use std::collections::{BTreeMap, BTreeSet};

use super::super::plan::{Outline, PhaseOutline, StepOutline};
use super::super::sanitise::sanitise;
use super::layered::{Placed, place};
use super::metrics::{mono, sans, wrap};
use super::style::{LEGEND_HEIGHT, MEANINGS, entry_width};

/// The width of the text in a box.
const TEXT: f64 = 232.0;
/// The space between the border of a box and its text.
const PAD: f64 = 12.0;
/// The widest that a row becomes before it is continued below.
const ROW: f64 = 1_450.0;
/// The space around the picture, and within a band.
const MARGIN: f64 = 24.0;
/// The height of a band's name.
const BAND_HEAD: f64 = 34.0;

/// A rectangle, by its left upper corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Downwards.
    pub height: f64,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// The name of the picture.
    Heading,
    /// The name of a band.
    Band,
    /// A step's title.
    Title,
    /// What people type.
    Code,
    /// Anything else.
    Note,
    /// Who must agree.
    Gate,
    /// That nothing can be undone from here on.
    Final,
}

impl Words {
    /// The size of its font.
    pub(super) fn size(self) -> f64 {
        match self {
            Self::Heading => 19.0,
            Self::Band | Self::Title => 13.0,
            Self::Code | Self::Note | Self::Gate | Self::Final => 11.0,
        }
    }

    /// The height of a line.
    fn line(self) -> f64 {
        self.size() + 5.0
    }

    /// How wide a text is at most.
    fn width(self, text: &str) -> f64 {
        if self == Self::Code { mono(text, self.size()) } else { sans(text, self.size()) }
    }
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its left end.
    pub x: f64,
    /// Its baseline.
    pub y: f64,
    /// What it is.
    pub words: Words,
    /// The text.
    pub text: String,
}

/// A phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Where it is.
    pub rect: Rect,
    /// Its name.
    pub label: Label,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepBox {
    /// What people call it.
    pub path: String,
    /// Where it is.
    pub rect: Rect,
    /// Its texts.
    pub labels: Vec<Label>,
    /// Whether it stands on the critical path.
    pub critical: bool,
    /// Whether somebody must agree.
    pub gate: bool,
    /// Whether nothing can be undone from here on.
    pub point_of_no_return: bool,
    /// Whether it tells people.
    pub tells: bool,
    /// Whether it does not apply with these inputs.
    pub left_out: bool,
    /// Whether it holds the boxes of a called runbook.
    pub holds: bool,
}

/// A line from a step to one that needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The step.
    pub from: String,
    /// The one that needs it.
    pub to: String,
    /// Its way.
    pub points: Vec<(f64, f64)>,
    /// Whether it is a part of the critical path.
    pub critical: bool,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What it shows.
    pub heading: Vec<Label>,
    /// The phases.
    pub bands: Vec<Band>,
    /// The steps; one that holds others comes before them.
    pub boxes: Vec<StepBox>,
    /// What waits for what.
    pub edges: Vec<Edge>,
    /// Where the legend begins.
    pub legend: (f64, f64),
    /// What the legend explains.
    pub keys: Keys,
}

/// What a legend explains: classes of boxes, and their meanings.
pub type Keys = &'static [(&'static str, &'static str)];

/// Boxes and lines, to be moved to where they belong.
#[derive(Default)]
pub(super) struct Group {
    pub(super) boxes: Vec<StepBox>,
    pub(super) edges: Vec<Edge>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Group {
    /// Adds another group at that place.
    fn add(&mut self, other: Self, x: f64, y: f64) {
        for mut step in other.boxes {
            step.rect = Rect { x: step.rect.x + x, y: step.rect.y + y, ..step.rect };
            step.labels.iter_mut().for_each(|label| (label.x, label.y) = (label.x + x, label.y + y));
            self.boxes.push(step);
        }
        for mut edge in other.edges {
            edge.points.iter_mut().for_each(|point| *point = (point.0 + x, point.1 + y));
            self.edges.push(edge);
        }
        self.width = self.width.max(x + other.width);
        self.height = self.height.max(y + other.height);
    }
}

/// The picture of a plan.
#[must_use]
pub fn layout(plan: &Outline) -> Picture {
    let groups = plan.phases.iter().map(|phase| (phase.phase, phase_group(phase))).collect();
    assembled(heading(plan), groups, &MEANINGS)
}

/// Bands below each other, with a heading and a legend.
pub(super) fn assembled(mut heading: Vec<Label>, groups: Vec<(&str, Group)>, keys: Keys) -> Picture {
    let widest = groups.iter().map(|(_, group)| group.width + 2.0 * MARGIN);
    let texts = heading.iter().map(|label| label.words.width(&label.text));
    let legend = keys.iter().map(|(_, meaning)| entry_width(meaning)).sum();
    let inner = widest.chain(texts).fold(legend, f64::max);
    let mut y = MARGIN;
    for label in &mut heading {
        y += label.words.line();
        (label.x, label.y) = (MARGIN, y);
    }
    y += MARGIN;
    let (mut bands, mut all) = (Vec::new(), Group::default());
    for (name, group) in groups {
        let rect = Rect { x: MARGIN, y, width: inner, height: BAND_HEAD + group.height + MARGIN };
        let label = Label { x: MARGIN + PAD, y: y + 22.0, words: Words::Band, text: name.to_owned() };
        bands.push(Band { rect, label });
        let left = MARGIN + (inner - group.width) / 2.0;
        all.add(group, left, y + BAND_HEAD);
        y += rect.height + PAD;
    }
    let legend = (MARGIN, y + PAD);
    let (width, height) = (inner + 2.0 * MARGIN, legend.1 + LEGEND_HEIGHT + MARGIN);
    Picture { width, height, heading, bands, boxes: all.boxes, edges: all.edges, legend, keys }
}

fn heading(plan: &Outline) -> Vec<Label> {
    let times = &plan.critical_path;
    let rto = times.rto.map_or_else(|| "no RTO is set".to_owned(), |rto| format!("RTO {rto}"));
    let name = format!("{} {}", plan.kind, plan.runbook);
    let title = plan.title.clone().unwrap_or_else(|| name.clone());
    let path = format!("{name}: critical path {} usually, {} at worst; {rto}", times.typical, times.worst);
    let label = |words, text: &str| Label { x: 0.0, y: 0.0, words, text: sanitise(text).replace('\n', " ") };
    vec![label(Words::Heading, &title), label(Words::Note, &path)]
}

/// The steps of a phase, row below row.
fn phase_group(phase: &PhaseOutline) -> Group {
    let steps: Vec<&StepOutline> = phase.waves.iter().flatten().collect();
    let number: BTreeMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.path.as_str(), at)).collect();
    let inside: Vec<Vec<usize>> = steps
        .iter()
        .map(|step| step.needs.iter().filter_map(|need| number.get(need.as_str()).copied()).collect())
        .collect();
    let beside: Vec<&str> = steps.iter().map(|step| step.path.as_str()).collect();
    let groups: Vec<Group> = steps.iter().map(|step| step_group(step, phase.phase, &beside)).collect();
    arranged(groups, &inside, |from, to, points| {
        let (from, to) = (steps[from], steps[to]);
        let critical = from.critical && to.critical;
        Edge { from: from.path.clone(), to: to.path.clone(), points, critical }
    })
}

/// Groups in rows, each below what it needs, and the lines between them.
pub(super) fn arranged(
    groups: Vec<Group>,
    inside: &[Vec<usize>],
    edge: impl Fn(usize, usize, Vec<(f64, f64)>) -> Edge,
) -> Group {
    let lines = without_shortcuts(inside);
    let sizes: Vec<(f64, f64)> = groups.iter().map(|group| (group.width, group.height)).collect();
    let Placed { corners, lines: ways, width, height } = place(&sizes, &rows(inside, &sizes), &lines);
    let mut all = Group { width, height, ..Group::default() };
    for (group, (x, y)) in groups.into_iter().zip(corners) {
        all.add(group, x, y);
    }
    all.edges.extend(lines.into_iter().zip(ways).map(|((from, to), points)| edge(from, to, points)));
    all
}

/// The rows: each step as early as what it needs allows; where a row would be too wide, what most depends on comes first.
fn rows(needs: &[Vec<usize>], sizes: &[(f64, f64)]) -> Vec<Vec<usize>> {
    // Steps come in waves: what a step needs stands before it.
    let mut behind = vec![0_usize; needs.len()];
    for step in (0..needs.len()).rev() {
        needs[step].iter().for_each(|need| behind[*need] = behind[*need].max(behind[step] + 1));
    }
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<usize> = (0..needs.len()).collect();
    let mut placed = vec![false; needs.len()];
    while !open.is_empty() {
        let is_ready = |step: &usize| needs[*step].iter().all(|need| placed[*need]);
        let mut ready: Vec<usize> = open.iter().copied().filter(is_ready).collect();
        ready.sort_by_key(|step| std::cmp::Reverse(behind[*step]));
        let mut used = 0.0;
        let fits = |step: &usize| {
            used += sizes[*step].0;
            used <= ROW || used <= sizes[*step].0
        };
        let mut row: Vec<usize> = ready.into_iter().take_while(fits).collect();
        row.sort_unstable();
        row.iter().for_each(|step| placed[*step] = true);
        open.retain(|step| !placed[*step]);
        rows.push(row);
    }
    rows
}

/// The lines from what is needed, less those that others imply.
fn without_shortcuts(needs: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let mut reach: Vec<BTreeSet<usize>> = Vec::new();
    let mut lines = Vec::new();
    // Steps come in waves: what a step needs stands before it.
    for (step, needs) in needs.iter().enumerate() {
        let implied = |need: &usize| needs.iter().any(|other| other != need && reach[*other].contains(need));
        lines.extend(needs.iter().filter(|need| !implied(need)).map(|need| (*need, step)));
        let all = needs.iter().flat_map(|need| reach[*need].iter().copied().chain([*need])).collect();
        reach.push(all);
    }
    lines
}

/// A step: its texts, and below them the steps that it calls.
fn step_group(step: &StepOutline, phase: &str, beside: &[&str]) -> Group {
    let inner: Vec<Group> = step.calls.iter().flat_map(|call| call.phases.iter().map(phase_group)).collect();
    let room = inner.iter().map(|group| group.width).fold(TEXT, f64::max);
    let (labels, mut y) = labels(texts(step, phase, beside), room);
    let mut group = Group::default();
    let holds = !inner.is_empty();
    for phase in inner {
        let (left, top) = (PAD + (room - phase.width) / 2.0, y + PAD);
        y = top + phase.height;
        group.add(phase, left, top);
    }
    let rect = Rect { x: 0.0, y: 0.0, width: room + 2.0 * PAD, height: y + PAD };
    let own = StepBox {
        path: step.path.clone(),
        rect,
        labels,
        critical: step.critical,
        gate: step.approval.is_some(),
        point_of_no_return: step.point_of_no_return,
        tells: step.does.action == "notify",
        left_out: step.applies == Some(false),
        holds,
    };
    group.boxes.insert(0, own);
    Group { width: rect.width, height: rect.height, ..group }
}

/// Texts below each other, and where they end.
fn labels(texts: Vec<(Words, String)>, room: f64) -> (Vec<Label>, f64) {
    let mut y = PAD - 3.0;
    let mut labels = Vec::new();
    for (words, text) in texts {
        for text in wrap(&text, room, |text| words.width(text)) {
            y += words.line();
            labels.push(Label { x: PAD, y: y - 3.0, words, text });
        }
    }
    (labels, y)
}

/// A box that holds nothing but texts.
pub(super) fn text_box(name: &str, texts: Vec<(Words, String)>) -> (StepBox, f64, f64) {
    let (labels, y) = labels(texts, TEXT);
    let rect = Rect { x: 0.0, y: 0.0, width: TEXT + 2.0 * PAD, height: y + PAD };
    let plain = StepBox { path: name.to_owned(), rect, labels, ..StepBox::default() };
    (plain, rect.width, rect.height)
}

fn texts(step: &StepOutline, phase: &str, beside: &[&str]) -> Vec<(Words, String)> {
    let id = step.path.rsplit('.').next().unwrap_or(&step.path);
    let mut texts = Vec::new();
    texts.extend(step.title.as_deref().map(|title| (Words::Title, sanitise(title))));
    texts.push((if step.title.is_some() { Words::Code } else { Words::Title }, id.to_owned()));
    let does = step.calls.as_ref().map(|call| format!("{} {}", call.kind, call.runbook));
    texts.push((Words::Code, does.unwrap_or_else(|| step.does.action.clone())));
    let mut note = |text: String| texts.push((Words::Note, text));
    step.estimate.into_iter().for_each(|(typical, worst)| note(format!("{typical}, at worst {worst}")));
    // Within a band lines say it.
    let earlier: Vec<&str> = step.needs.iter().map(String::as_str).filter(|need| !beside.contains(need)).collect();
    match step.run_if {
        "failure" => note("only after a failure".to_owned()),
        "always" => note("at the end".to_owned()),
        _ if phase != "communication" => {}
        _ if step.needs.is_empty() => note("after execution".to_owned()),
        _ if earlier.is_empty() => {}
        _ => note(format!("after {}", earlier.join(", "))),
    }
    step.every.iter().for_each(|repeat| note(format!("every {}", repeat.every)));
    step.for_each.iter().for_each(|_| note("for each item".to_owned()));
    if step.applies == Some(false) {
        note("not with these inputs".to_owned());
    } else if step.when.is_some() && step.applies.is_none() {
        note("on a condition".to_owned());
    }
    step.rollback.iter().for_each(|_| note("can be undone".to_owned()));
    if let Some(gate) = &step.approval {
        let who = if gate.by.is_empty() { "anybody".to_owned() } else { gate.by.join(" or ") };
        let quorum = if gate.quorum > 1 { format!("{} of ", gate.quorum) } else { String::new() };
        texts.push((Words::Gate, format!("gate: {quorum}{who}")));
    }
    if step.point_of_no_return {
        texts.push((Words::Final, "point of no return".to_owned()));
    }
    texts
}
