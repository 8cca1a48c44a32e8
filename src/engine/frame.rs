//! Frames: a runbook within a run, once for each time it is called.
//!
//! The nodes of a frame stand together, in the order of its steps. The frames of plain calls are there from the
//! beginning, those of a `for_each` come with its instances.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::event::{NodePath, StepState};
use super::scope::Roots;
use super::state::{Node, NodeId, State};
use crate::catalogue::Timestamp;
use crate::plan::path::{Segment, segment};
use crate::plan::{Plan, StepIndex};

/// A runbook within a run; the first is the run's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameId(pub u32);

impl FrameId {
    /// As an index into [`State::frames`].
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its part of the plan.
    pub part: usize,
    /// The node that calls it; none for the run's own.
    pub caller: Option<NodeId>,
    /// The node of its first step.
    pub base: NodeId,
    /// Whether its steps may begin.
    pub begun: bool,
    /// What it was given; secrets are not among them.
    pub inputs: Arc<Map<String, Value>>,
    /// Inputs that a dry run cannot know.
    pub unknown: Vec<String>,
    pub(super) roots: Roots,
}

impl Frame {
    /// The node of one of its steps.
    #[must_use]
    pub fn node(&self, plan: &Plan, step: StepIndex) -> NodeId {
        NodeId(self.base.0 + (step.0 - plan.parts[self.part].first.0))
    }

    /// The nodes of its steps; instances stand elsewhere.
    pub fn nodes(&self, plan: &Plan) -> impl Iterator<Item = NodeId> + use<> {
        let count = u32::try_from(plan.parts[self.part].steps().len()).unwrap_or(u32::MAX);
        (self.base.0..self.base.0 + count).map(NodeId)
    }
}

impl State {
    /// The frame of that id.
    #[must_use]
    pub fn frame(&self, id: FrameId) -> &Frame {
        &self.frames[id.at()]
    }

    /// The frame that the node calls.
    #[must_use]
    pub fn called(&self, node: NodeId) -> Option<FrameId> {
        self.calls.get(&node).copied()
    }

    /// The node of another step, as `from` sees it: of the same frame.
    #[must_use]
    pub fn peer(&self, plan: &Plan, from: NodeId, step: StepIndex) -> NodeId {
        self.frame(self.node(from).frame).node(plan, step)
    }

    /// Every node of that step: one for each frame it stands in.
    pub fn nodes_of<'s>(&'s self, plan: &'s Plan, step: StepIndex) -> impl Iterator<Item = NodeId> + 's {
        let part = plan.part_index(step);
        self.frames.iter().filter(move |frame| frame.part == part).map(move |frame| frame.node(plan, step))
    }

    /// The node people call `path`.
    #[must_use]
    pub fn find(&self, plan: &Plan, path: &str) -> Option<NodeId> {
        let mut frame = self.frames.first()?;
        let mut rest = path;
        loop {
            let Segment { id, key, rest: inner } = segment(rest)?;
            let step = frame.node(plan, plan.parts[frame.part].find(id)?);
            let node = match key {
                None => step,
                Some(_) => {
                    let instances = self.children.get(&step)?;
                    *instances.iter().find(|instance| self.node(**instance).key() == key)?
                }
            };
            let Some(inner) = inner else { return Some(node) };
            frame = self.frame(self.called(node)?);
            rest = inner;
        }
    }

    /// Every node as people look for it: below a step stand its instances, and the steps that it calls.
    #[must_use]
    pub fn in_order(&self, plan: &Plan) -> Vec<NodeId> {
        let steps = |frame: FrameId| self.frame(frame).nodes(plan).collect::<Vec<_>>().into_iter().rev();
        let mut found = Vec::with_capacity(self.nodes.len());
        let mut next: Vec<NodeId> = steps(FrameId::default()).collect();
        while let Some(node) = next.pop() {
            found.push(node);
            next.extend(self.called(node).into_iter().flat_map(steps));
            next.extend(self.children.get(&node).into_iter().flatten().rev());
        }
        found
    }

    /// Adds the frame of a part, and those of the plain calls within it.
    pub(super) fn add_frame(&mut self, plan: &Plan, part: usize, caller: Option<NodeId>) {
        let id = FrameId(u32::try_from(self.frames.len()).unwrap_or(u32::MAX));
        let base = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let path = caller.map(|caller| self.node(caller).path.clone());
        let called = &plan.parts[part];
        for (step, written) in called.indexed() {
            let name = written.id.value.as_str();
            let path = path.as_ref().map_or_else(|| name.into(), |path| format!("{path}.{name}").into());
            self.nodes.push(Node { frame: id, ..Node::new(step, NodePath(path)) });
        }
        self.count_new(called.steps().len());
        let inputs = if caller.is_none() { Arc::new(plan.inputs.clone()) } else { Arc::default() };
        let roots = Roots::new(&called.runbook, &inputs);
        let begun = caller.is_none();
        self.frames.push(Frame { part, caller, base, begun, inputs, unknown: Vec::new(), roots });
        self.calls.extend(caller.map(|caller| (caller, id)));
        for (step, part) in &called.calls {
            if plan.step(*step).for_each.is_none() {
                let caller = self.frame(id).node(plan, *step);
                self.add_frame(plan, *part, Some(caller));
            }
        }
    }

    /// The call begins with these inputs. One that begins again keeps what it has.
    pub(super) fn begin_frame(&mut self, plan: &Plan, caller: NodeId, inputs: &Map<String, Value>, unknown: &[String]) {
        let Some(id) = self.called(caller) else { return };
        let frame = &mut self.frames[id.at()];
        if frame.begun {
            return;
        }
        frame.begun = true;
        frame.inputs = Arc::new(inputs.clone());
        frame.unknown = unknown.to_vec();
        frame.roots = Roots::new(&plan.parts[frame.part].runbook, inputs);
    }

    /// The call does not take place: none of its steps apply.
    pub(super) fn leave_out(&mut self, plan: &Plan, at: Timestamp, caller: NodeId) {
        let Some(id) = self.called(caller) else { return };
        for node in self.frame(id).nodes(plan) {
            if self.node(node).state == StepState::Pending {
                self.set(plan, at, node, StepState::Pending, StepState::NotApplicable);
            }
        }
    }

    /// Whether anything that the call did was undone.
    pub(super) fn was_undone(&self, plan: &Plan, caller: NodeId) -> bool {
        let undone = |node: NodeId| {
            let instances = self.children.get(&node).into_iter().flatten().copied();
            let mut nodes = instances.chain([node]);
            nodes.any(|node| self.node(node).state == StepState::RolledBack || self.was_undone(plan, node))
        };
        self.called(caller).is_some_and(|id| self.frame(id).nodes(plan).any(undone))
    }
}
