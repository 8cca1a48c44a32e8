//! How much a file may hold, and the size of what its aliases stand for.

/// The most bytes a file may have: 16 MiB.
pub const LARGEST_FILE: usize = 16 << 20;
/// The deepest nesting, counted through aliases.
pub const MAX_DEPTH: usize = 64;
/// The most nodes a file may have: as many as are read in half a second.
pub(super) const MAX_NODES: usize = 2_000_000;
/// The most anchors a file may have.
pub(super) const MAX_ANCHORS: usize = 100_000;
/// The most nodes that aliases may add to the file's own.
const MAX_ADDED_NODES: u64 = 2_000_000;
/// The most text, in bytes, once aliases are replaced by what they stand for.
const MAX_TEXT: u64 = 32 << 20;

/// What a node amounts to once every alias in it is replaced by what it stands for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    nodes: u64,
    text: u64,
    /// How many levels it nests; a scalar has none.
    pub(super) height: usize,
}

impl Size {
    /// A scalar of so many bytes.
    pub(super) fn scalar(bytes: usize) -> Self {
        Self { nodes: 1, text: bytes as u64, height: 0 }
    }

    /// An empty collection.
    pub(super) fn collection() -> Self {
        Self { nodes: 1, text: 0, height: 1 }
    }

    /// Takes in a child.
    pub(super) fn add(&mut self, child: Self) {
        self.nodes = self.nodes.saturating_add(child.nodes);
        self.text = self.text.saturating_add(child.text);
        self.height = self.height.max(child.height + 1);
    }

    /// What is too much, if anything, in a file with so many nodes of its own.
    pub(super) fn excess(&self, own_nodes: usize) -> Option<String> {
        if self.nodes > own_nodes as u64 + MAX_ADDED_NODES {
            let (nodes, most) = (grouped(self.nodes), grouped(MAX_ADDED_NODES));
            return Some(format!("aliases expand to {nodes} nodes, at most {most} more than written are allowed"));
        }
        (self.text > MAX_TEXT).then(|| {
            let (text, most) = (self.text.div_ceil(1 << 20), MAX_TEXT >> 20);
            format!("aliases expand to {text} MiB of text, at most {most} MiB are allowed")
        })
    }
}

/// `2000000` as `2,000,000`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
