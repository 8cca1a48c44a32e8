//! What is checked once a mapping is complete: its keys.

use std::ops::Range;

use super::build::{Builder, offset};
use super::syntax::bare_template;
use super::tree::{Document, Kind, NodeId, Style};
use crate::diag::{Diagnostic, Fix, Span};

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
                let (text, start) = (&self.document.text, outer.start as usize);
                let is_template = text[start..].starts_with("{{");
                self.problems
                    .add(|| if is_template { bare_template(text, outer.source, start) } else { complex_key(span) });
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
                let says_the_same = text(same[0] + 1) == text(*again + 1);
                self.problems.add(|| {
                    let line = line_of(document, children[*again], children[*again + 1]).filter(|_| says_the_same);
                    let key: String = text(*again).chars().take(80).collect();
                    let diagnostic =
                        Diagnostic::error("duplicate-key", again_span, format!("the key `{key}` is there twice"))
                            .label("again here")
                            .other(first, "first here");
                    line.map(without).into_iter().fold(diagnostic, Diagnostic::fix)
                });
            }
            repeated.extend_from_slice(&same[1..]);
        }
        for at in repeated {
            children[at] = REPORTED;
        }
    }
}

/// The line that a key and a scalar have for themselves.
fn line_of(document: &Document, key: NodeId, value: NodeId) -> Option<Span> {
    let (start, end) = (document.span(key).start as usize, document.span(value).end as usize);
    let text = &document.text;
    document.scalar_text(value).filter(|value| !value.is_empty())?;
    let from = text[..start].rfind('\n')? + 1;
    let to = end + text.get(end..)?.find('\n')? + 1;
    let is_alone = text[from..start].trim().is_empty() && text[end..to].trim().is_empty();
    let is_one_line = !text[start..end].contains('\n');
    (is_alone && is_one_line).then(|| Span::new(document.source, offset(from), offset(to)))
}

/// The line goes: it says what another one says.
fn without(line: Span) -> Fix {
    let say = "delete this line: it says the same".to_owned();
    Fix { span: line, replacement: String::new(), say, safe: true }
}

fn complex_key(span: Span) -> Diagnostic {
    Diagnostic::error("complex-key", span, "wanted text as a key, found a list or a mapping")
}
