//! stub
use crate::diag::*;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);
pub struct Document;
pub enum Node<'d> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(&'d str),
    Sequence(&'d [NodeId]),
    Mapping(&'d [(NodeId, NodeId)]),
}
impl Document {
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }
    pub fn get(&self, _: NodeId) -> Node<'_> {
        Node::Null
    }
    pub fn span(&self, _: NodeId) -> Span {
        Span::default()
    }
    pub fn scalar_text(&self, _: NodeId) -> Option<&str> {
        None
    }
    pub fn looks_like_old_bool(&self, _: NodeId) -> bool {
        false
    }
    pub fn to_json(&self, _: NodeId) -> serde_json::Value {
        serde_json::Value::Null
    }
    pub fn inner_span(&self, _: NodeId, _: usize, _: usize) -> Span {
        Span::default()
    }
}
pub fn parse(_: &Sources, _: SourceId) -> (Option<Document>, Vec<Diagnostic>) {
    (None, vec![])
}
