//! What is checked once a mapping is complete: its keys.

use std::ops::Range;

use super::build::Builder;
use super::syntax::bare_template;
use super::tree::{Kind, NodeId, Style};
use crate::diag::{Diagnostic, Span};

/// Stands for a key that was reported: its pair is left out.
const REPORTED: NodeId = NodeId(u32::MAX);

impl Builder {
    /// Takes the keys and values from `first` on as pairs. Pairs whose key is no scalar, a merge key or
    /// a repetition are reported and left out.
    pub(super) fn take_pairs(&mut self, mapping: NodeId, first: usize) -> Range<usize> {
        let mut children = self.waiting.split_off(first);
        self.refuse_unusable_keys(mapping, &mut children);
        self.refuse_repeated_keys(&mut children);
        let (pairs, _) = children.as_chunks::<2>();
        let kept = pairs.iter().filter(|[key, _]| *key != REPORTED).map(|[key, value]| (*key, *value));
        let start = self.document.pairs.len();
        self.document.pairs.extend(kept);
        start..self.document.pairs.len()
    }

    fn refuse_unusable_keys(&mut self, mapping: NodeId, children: &mut [NodeId]) {
        for key in children.iter_mut().step_by(2) {
            let entry = *self.document.entry(*key);
            let span = self.document.span(*key);
            let is_plain = entry.style == Style::Plain;
            if matches!(entry.kind, Kind::Sequence | Kind::Mapping) {
                let outer = self.document.span(mapping);
                let is_template = self.document.text[outer.start as usize..].starts_with("{{");
                self.problems
                    .add(|| if is_template { bare_template(outer.source, outer.start) } else { complex_key(span) });
            } else if is_plain && entry.length == 0 {
                self.problems.add(|| Diagnostic::error("empty-key", span, "wanted a key before `:`, found nothing"));
            } else if is_plain && self.document.stored_text(&entry) == "<<" {
                self.problems.add(|| {
                    Diagnostic::error("merge-key", span, "merge keys are not supported; use `defaults`")
                        .note("to use the key `<<` itself, write it in quotes")
                });
            } else {
                continue;
            }
            *key = REPORTED;
        }
    }

    fn refuse_repeated_keys(&mut self, children: &mut [NodeId]) {
        let document = &self.document;
        let text = |at: usize| document.stored_text(document.entry(children[at]));
        let mut order: Vec<usize> = (0..children.len()).step_by(2).filter(|at| children[*at] != REPORTED).collect();
        order.sort_unstable_by(|a, b| text(*a).cmp(text(*b)).then(a.cmp(b)));
        let mut repeated = Vec::new();
        for same in order.chunk_by(|a, b| text(*a) == text(*b)) {
            for again in &same[1..] {
                let (first, again_span) = (document.span(children[same[0]]), document.span(children[*again]));
                self.problems.add(|| {
                    let key: String = text(*again).chars().take(80).collect();
                    Diagnostic::error("duplicate-key", again_span, format!("the key `{key}` is there twice"))
                        .label("again here")
                        .other(first, "first here")
                });
            }
            repeated.extend_from_slice(&same[1..]);
        }
        for at in repeated {
            children[at] = REPORTED;
        }
    }
}

fn complex_key(span: Span) -> Diagnostic {
    Diagnostic::error("complex-key", span, "wanted text as a key, found a list or a mapping")
}
