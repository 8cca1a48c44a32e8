//! `drctl plan --graph`: read back from the SVG, nothing overlaps, nothing is cut, and no line runs through a box.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use drctl::exec::files::runbook_files;
use drctl::exec::load::{Loaded, judge, load};
use drctl::exec::{inputs, run, view};
use drctl::report::graph::{Picture, dot, layout, mermaid, svg};
use drctl::report::plan::{Outline, outline};
use proptest::prelude::*;

/// A runbook of so many steps, each with needs among the steps of its phase that come a little before it.
fn runbook(steps: usize, mut seed: u64) -> String {
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    let titles = [
        "Promote the replica of the orders database in {{ inputs.to }}",
        "Probe <it> & \"see\"",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        "Ärger über 東京東京東京東京東京東京東京東京東京東京",
        "Switch traffic",
    ];
    let mut text = "drctl: 1\nname: big\nkind: failover\nowner: team\nobjectives: { rto: 1h }\n\
        inputs: { to: { type: string, default: eastus2 } }\n"
        .to_owned();
    let mut left = steps;
    for (phase, share) in [("detection", 12), ("assessment", 8), ("execution", 2), ("communication", 1)] {
        let count = if phase == "communication" { left } else { (steps / share).max(1).min(left) };
        left -= count;
        if count > 0 {
            writeln!(text, "{phase}:").unwrap();
        }
        for step in 0..count {
            writeln!(text, "  - id: {phase}_step_number_{step}").unwrap();
            let title = titles.get(next(titles.len() + 1));
            title.into_iter().for_each(|title| writeln!(text, "    title: '{title}'").unwrap());
            writeln!(text, "    action: wait\n    with: {{ for: 1m }}\n    estimate: {{ typical: {}m }}", 1 + next(9))
                .unwrap();
            let needs: Vec<String> = (0..next(4).min(step))
                .map(|_| format!("{phase}_step_number_{}", step - 1 - next(step.min(12))))
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect();
            writeln!(text, "    needs: [{}]", needs.join(", ")).unwrap();
            if next(8) == 0 {
                text.push_str("    approval: { by: [commander] }\n    point_of_no_return: true\n");
            }
        }
    }
    text
}

fn outline_of(loaded: &Loaded) -> Option<Outline> {
    let runbook = loaded.runbook.as_ref()?;
    let inputs = inputs::resolve(runbook, &[], &serde_json::Map::new()).ok()?;
    let plan = view::plan_of(loaded, &inputs, &run::registry().catalogue()).unwrap();
    Some(outline(&plan))
}

fn big(steps: usize, seed: u64) -> Outline {
    let settings = "drctl: 1\nroles: { commander: [ada] }\n";
    let files = [("runbooks/big.yaml", runbook(steps, seed)), ("drctl.yaml", settings.to_owned())];
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).to_vec();
    outline_of(&judge(files, &run::registry().catalogue())).unwrap()
}

/// A rectangle read from the SVG: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
struct Area(f64, f64, f64, f64);

impl Area {
    fn overlaps(self, other: Self) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }

    fn holds(self, other: Self) -> bool {
        self.0 <= other.0 && self.1 <= other.1 && self.2 >= other.2 && self.3 >= other.3
    }
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or("0").parse().unwrap()
}

fn area(node: roxmltree::Node<'_, '_>) -> Area {
    let (x, y) = (number(node, "x"), number(node, "y"));
    Area(x, y, x + number(node, "width"), y + number(node, "height"))
}

fn is_of(node: roxmltree::Node<'_, '_>, class: &str) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split(' ').any(|word| word == class))
}

/// Where a text ends, in DejaVu Sans: the widest font that its style sheet names.
fn text_area(text: roxmltree::Node<'_, '_>) -> Area {
    let class = text.attribute("class").unwrap();
    let (size, bold) = match class {
        "heading" => (19.0, true),
        "title" | "name" => (13.0, true),
        "gate-text" | "final-text" => (11.0, true),
        _ => (11.0, false),
    };
    let words = text.text().unwrap_or_default();
    let width: f64 = match class {
        "code" => words.chars().count() as f64 * 0.602,
        _ => words.chars().map(|character| advance(character, bold)).sum(),
    };
    let (x, y) = (number(text, "x"), number(text, "y"));
    Area(x, y - size * 0.8, x + width * size, y + size * 0.25)
}

/// Thousandths of the font's size, from the space to the tilde.
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
];

fn advance(character: char, bold: bool) -> f64 {
    let known = u32::from(character).checked_sub(32).and_then(|at| BOLD.get(at as usize));
    // The regular weight is nowhere wider than the bold one.
    let narrower = if bold { 1.0 } else { 0.97 };
    known.map_or(1.0, |thousandths| f64::from(*thousandths) / 1000.0 * narrower)
}

/// Everything that has to hold for the text of an SVG file.
fn holds(text: &str, steps: usize) {
    let document = roxmltree::Document::parse(text).unwrap();
    let root = document.root_element();
    let page = Area(0.0, 0.0, number(root, "width"), number(root, "height"));
    let groups: Vec<_> = root.children().filter(|node| is_of(*node, "step")).collect();
    assert_eq!(groups.len(), steps, "every step has a box");
    let boxes: Vec<(String, Area)> = groups
        .iter()
        .map(|group| (group.attribute("data-step").unwrap().to_owned(), area(group.first_element_child().unwrap())))
        .collect();
    for (at, (path, own)) in boxes.iter().enumerate() {
        for (other, theirs) in &boxes[at + 1..] {
            let (outer, inner) = if other.starts_with(&format!("{path}.")) { (own, theirs) } else { (theirs, own) };
            let nested = path.starts_with(&format!("{other}.")) || other.starts_with(&format!("{path}."));
            assert!(if nested { outer.holds(*inner) } else { !own.overlaps(*theirs) }, "`{path}` and `{other}`");
        }
    }
    let bands: Vec<Area> = root
        .children()
        .filter(|node| is_of(*node, "band"))
        .map(|band| area(band.first_element_child().unwrap()))
        .collect();
    for (path, own) in &boxes {
        assert_eq!(bands.iter().filter(|band| band.holds(*own)).count(), 1, "`{path}` stands in one band");
    }
    for (group, (path, own)) in groups.iter().zip(&boxes) {
        let mut above: Option<Area> = None;
        for label in group.children().filter(|node| node.has_tag_name("text")) {
            let place = text_area(label);
            assert!(own.holds(place), "`{path}`: {:?} is cut: {place:?} in {own:?}", label.text());
            assert!(above.is_none_or(|above| !above.overlaps(place)), "`{path}`: {:?} covers another", label.text());
            let inner = boxes.iter().filter(|(other, _)| other.starts_with(&format!("{path}.")));
            assert!(inner.clone().all(|(_, inner)| !inner.overlaps(place)), "`{path}`: {:?} is covered", label.text());
            above = Some(place);
        }
        assert!(above.is_some(), "`{path}` says what it is");
    }
    for label in document.descendants().filter(|node| node.has_tag_name("text")) {
        assert!(page.holds(text_area(label)), "{:?} is cut", label.text());
    }
}

/// Lines run between boxes, and every need is on the way of some line.
fn lines_hold(picture: &Picture) {
    for edge in &picture.edges {
        let inside = |path: &str| edge.from.starts_with(&format!("{path}."));
        for (from, to) in edge.points.iter().zip(edge.points.iter().skip(1)).filter(|(from, to)| from.0 == to.0) {
            let through = picture.boxes.iter().filter(|step| !inside(&step.path)).find(|step| {
                let rect = step.rect;
                let (left, right) = (rect.x, rect.x + rect.width);
                from.0 > left && from.0 < right && from.1 < rect.y + rect.height - 0.1 && to.1 > rect.y + 0.1
            });
            assert_eq!(through.map(|step| &step.path), None, "{} -> {} runs through it", edge.from, edge.to);
        }
        assert!(edge.points.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{} -> {} runs upwards", edge.from, edge.to);
    }
}

fn reaches(picture: &Picture, from: &str, to: &str) -> bool {
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    picture.edges.iter().for_each(|edge| below.entry(&edge.from).or_default().push(&edge.to));
    let (mut open, mut seen) = (vec![from], std::collections::BTreeSet::new());
    while let Some(step) = open.pop() {
        open.extend(below.get(step).into_iter().flatten().copied().filter(|next| seen.insert(*next)));
    }
    seen.contains(to)
}

fn whole(plan: &Outline) {
    let picture = layout(plan);
    let steps = picture.boxes.len();
    holds(&svg(&picture), steps);
    lines_hold(&picture);
    let marked: Vec<&String> = picture.boxes.iter().filter(|step| step.critical).map(|step| &step.path).collect();
    assert!(plan.critical_path.steps.iter().all(|step| marked.contains(&step)), "the critical path is marked");
    for phase in &plan.phases {
        let steps: Vec<_> = phase.waves.iter().flatten().collect();
        let beside = |path: &String| steps.iter().any(|step| step.path == *path);
        for step in &steps {
            for need in step.needs.iter().filter(|need| beside(need)) {
                assert!(reaches(&picture, need, &step.path), "`{need}` leads to `{}`", step.path);
            }
        }
    }
}

#[test]
fn five_fifty_and_three_hundred_steps_are_drawn_without_a_flaw() {
    for steps in [5, 50, 300] {
        let plan = big(steps, 7);
        whole(&plan);
        let picture = layout(&plan);
        assert!(picture.width < 6_000.0, "{steps} steps are {} wide", picture.width);
    }
}

#[test]
fn every_shipped_runbook_is_drawn_without_a_flaw() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut drawn = 0;
    for file in runbook_files(&root.join("runbooks")).unwrap() {
        let loaded = load(root, &file, &run::registry().catalogue()).unwrap();
        if let Some(plan) = outline_of(&loaded) {
            whole(&plan);
            drawn += 1;
        }
    }
    assert!(drawn > 15, "only {drawn} need no input");
}

#[test]
fn a_picture_looks_the_same_each_time() {
    assert_eq!(svg(&layout(&big(50, 3))), svg(&layout(&big(50, 3))));
}

#[test]
fn titles_cannot_leave_their_quotes() {
    let plan = big(50, 7);
    for (text, bare) in [(mermaid(&plan), "<it>"), (svg(&layout(&plan)), "<it>")] {
        assert!(text.contains("Probe") && !text.contains(bare), "{text}");
    }
    assert!(mermaid(&plan).contains("Probe #60;it#62; #38; #34;see#34;"));
    assert!(dot(&plan).contains(r#"label="Probe <it> & \"see\"\n"#));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn whatever_the_needs_are_nothing_overlaps(steps in 1_usize..90, seed: u64) {
        whole(&big(steps, seed));
    }
}
