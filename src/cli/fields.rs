//! `drctl schema --markdown`: the fields of a file for people, a table for each mapping, from the tables that the
//! reader itself goes by.

use std::fmt::Write as _;

use crate::runbook::fields::{LanguageField, SECRET, Shape};

/// A mapping of the language: all places where it stands, what it is where its fields do not tell, and these.
struct Table {
    places: Vec<String>,
    about: &'static str,
    fields: &'static [LanguageField],
}

/// The mappings of a file, each before those within it.
#[derive(Default)]
pub(super) struct Tables(Vec<Table>);

impl Tables {
    /// Adds the mapping at a place, and those within. One that is there already stands at one place more.
    pub(super) fn add(&mut self, place: &str, fields: &'static [LanguageField]) {
        if let Some(table) = self.0.iter_mut().find(|table| are_same(table.fields, fields)) {
            table.places.push(place.to_owned());
        } else {
            self.add_one(place, "", fields);
        }
    }

    /// Adds the mapping at a place, whatever is there already, and those within.
    pub(super) fn add_one(&mut self, place: &str, about: &'static str, fields: &'static [LanguageField]) {
        self.0.push(Table { places: vec![place.to_owned()], about, fields });
        for field in fields {
            for (place, fields) in within(&format!("{place}.{}", field.name), field.shape) {
                self.add(&place, fields);
            }
        }
    }

    /// All of them, in Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for Table { places, about, fields } in &self.0 {
            writeln!(text, "### `{}`\n", places[0]).ok();
            if !about.is_empty() {
                writeln!(text, "{about}\n").ok();
            }
            if places.len() > 1 {
                let others: Vec<String> = places[1..].iter().map(|place| format!("`{place}`")).collect();
                writeln!(text, "Also {}.\n", others.join(", ")).ok();
            }
            text.push_str("| field | type | what it is |\n|---|---|---|\n");
            for field in *fields {
                let needed = if field.required { ". Needed" } else { "" };
                let (kind, doc) = (self.kind(field.shape), field.doc.replace('|', "\\|"));
                writeln!(text, "| `{}` | {kind} | {doc}{needed} |", field.name).ok();
            }
            text.push('\n');
        }
        text
    }

    /// A field's type, in words.
    fn kind(&self, shape: Shape) -> String {
        let mapping = |fields| self.link("mapping", fields);
        match shape {
            Shape::Text => "text".to_owned(),
            Shape::SomeText => "text that is not empty".to_owned(),
            Shape::Line => "one line of text".to_owned(),
            Shape::Name => "name".to_owned(),
            Shape::Count => "whole number from 1".to_owned(),
            Shape::Whole => "whole number from 0".to_owned(),
            Shape::Bool => words(&["true", "false"]),
            Shape::Duration => "duration".to_owned(),
            Shape::SomeTime => "duration above `0s`".to_owned(),
            Shape::Words(known) => words(known),
            Shape::Texts => "list of text".to_owned(),
            Shape::Names => "list of names".to_owned(),
            Shape::NamedTexts => "text by name".to_owned(),
            Shape::NamedWords(known) => format!("by name: {}", words(known)),
            Shape::Any => "anything".to_owned(),
            Shape::Mapping => "mapping".to_owned(),
            Shape::Declared(types, fields) => format!("by name: {}, or a {}", words(types), mapping(fields)),
            Shape::Fields(fields) => mapping(fields),
            Shape::Named(fields) => format!("by name: a {}", mapping(fields)),
            Shape::Items(fields) => format!("list of {}", self.link("mappings", fields)),
            Shape::Steps => "list of [steps](#step)".to_owned(),
            Shape::NamedItems(fields) => format!("by name: a list of {}", self.link("mappings", fields)),
            Shape::NamedLists(fields) => format!("by name: a list of text, or a {}", mapping(fields)),
            Shape::Kinds(kinds) => {
                let kinds: Vec<String> = kinds.iter().map(|(word, fields)| self.link(word, fields)).collect();
                format!("by name: a mapping whose `type` is {}", kinds.join(", "))
            }
            Shape::Secret => format!("text, or a {} that says where it is read", mapping(SECRET)),
        }
    }

    /// A word that leads to the table of these fields.
    fn link(&self, word: &str, fields: &[LanguageField]) -> String {
        let table = self.0.iter().find(|table| are_same(table.fields, fields));
        table.map_or_else(|| word.to_owned(), |table| format!("[{word}](#{})", anchor(&table.places[0])))
    }
}

/// The mappings that a field holds, with their places: `NAME` is any name, `[]` any item, `(slack)` a `type`.
fn within(place: &str, shape: Shape) -> Vec<(String, &'static [LanguageField])> {
    match shape {
        Shape::Fields(fields) => vec![(place.to_owned(), fields)],
        Shape::Secret => vec![(place.to_owned(), SECRET)],
        Shape::Items(fields) => vec![(format!("{place}[]"), fields)],
        Shape::NamedItems(fields) => vec![(format!("{place}.NAME[]"), fields)],
        Shape::Named(fields) | Shape::NamedLists(fields) | Shape::Declared(_, fields) => {
            vec![(format!("{place}.NAME"), fields)]
        }
        Shape::Kinds(kinds) => kinds.iter().map(|(word, fields)| (format!("{place}.NAME({word})"), *fields)).collect(),
        _ => Vec::new(),
    }
}

/// Constants have no address of their own: the tables are the same where they say the same.
fn are_same(one: &[LanguageField], other: &[LanguageField]) -> bool {
    one.iter().map(|field| (field.name, field.doc)).eq(other.iter().map(|field| (field.name, field.doc)))
}

fn words(known: &[&str]) -> String {
    known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What leads to a heading, as sites that show Markdown make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_');
    kept.flat_map(char::to_lowercase).collect()
}
