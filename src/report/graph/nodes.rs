//! Boxes that need each other, in one band: a picture of what is no plan.

use super::picture::{Edge, Group, Keys, Label, Picture, StepBox, Words, arranged, assembled, text_box};

/// A box.
pub(in crate::report) struct Node {
    /// What people call it.
    pub(in crate::report) name: String,
    /// Its texts.
    pub(in crate::report) texts: Vec<(Words, String)>,
    /// The places of those that it needs: all of them stand before it.
    pub(in crate::report) needs: Vec<usize>,
    /// Drawn as a point of no return is.
    pub(in crate::report) is_final: bool,
    /// Drawn as a gate is.
    pub(in crate::report) is_gate: bool,
    /// Drawn as what does not apply is.
    pub(in crate::report) is_out: bool,
}

/// The picture of boxes.
pub(in crate::report) fn nodes(heading: &str, band: &str, nodes: &[Node], keys: Keys) -> Picture {
    let group = |node: &Node| {
        let (plain, width, height) = text_box(&node.name, node.texts.clone());
        let own = StepBox { gate: node.is_gate, point_of_no_return: node.is_final, left_out: node.is_out, ..plain };
        Group { boxes: vec![own], width, height, ..Group::default() }
    };
    let needs: Vec<Vec<usize>> = nodes.iter().map(|node| node.needs.clone()).collect();
    let all = arranged(nodes.iter().map(group).collect(), &needs, |from, to, points| Edge {
        from: nodes[from].name.clone(),
        to: nodes[to].name.clone(),
        points,
        critical: false,
    });
    let heading = Label { x: 0.0, y: 0.0, words: Words::Heading, text: heading.to_owned() };
    assembled(vec![heading], vec![(band, all)], keys)
}
