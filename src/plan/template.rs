//! A template of a notice: front matter that says what it is, and a body in Markdown. In short, a subject line, an
//! empty line, and the body.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diag::{Diagnostic, SourceId, Sources, Span, Spanned};
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::expr::{LARGEST_NOTICE, Notice, Path, Refused, Text, includes};
use crate::runbook::fields::TEMPLATE;
use crate::runbook::source::{self, NodeId};
use crate::runbook::workspace::{Audience, Channel, Workspace};

/// The parts that bodies include, by name: `parts/footer.md`.
pub type Parts = BTreeMap<String, SourceId>;

/// How much a notice matters, for channels that ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody has to be woken.
    Critical,
    /// Something is not as it should be.
    Warning,
    /// For those who want to know.
    Info,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What a template claims to have come true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    /// The service is back.
    Recovery,
}

/// What a text reads, with its place in a file.
type Read = (Path, Span);

/// A template, compiled.
#[derive(Debug)]
pub struct Template {
    /// The file.
    pub source: SourceId,
    /// Who is told where the step does not say.
    pub audience: Option<Spanned<String>>,
    /// Types and names of channels: of the audience's, only these are used. All, if there are none.
    pub channels: Vec<Spanned<String>>,
    /// The subject line.
    pub subject: Notice,
    /// What a text message says; the subject, if absent.
    pub short: Option<Notice>,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// What it claims.
    pub claims: Option<Claim>,
    /// The body, in Markdown.
    pub body: Notice,
    reads: Vec<Read>,
    /// Where `short` stands, else the subject.
    short_at: Span,
}

const SUBJECT: &str = "Subject:";
const FENCE: &str = "---";
/// Parts within parts within parts.
const DEEPEST: usize = 16;

impl Template {
    /// Reads a template with the parts it includes.
    ///
    /// # Errors
    /// The subject is missing, a field is wrong, a part is not there, or Tera refuses a text.
    pub fn parse(sources: &Sources, source: SourceId, parts: &Parts) -> Result<Self, Vec<Diagnostic>> {
        let text = sources.text(source);
        if text.len() > LARGEST_NOTICE {
            let message = format!("the template is larger than {} MiB, as no notice may be", LARGEST_NOTICE >> 20);
            return Err(vec![Diagnostic::error("template", Span::new(source, 0, 0), message)]);
        }
        let (head, body_at) = match front_matter(text) {
            None => short_form(sources, source)?,
            Some(Some((end, body_at))) => (Head::read(sources, source, end)?, body_at),
            Some(None) => {
                let message = "the front matter has no end: wanted a line `---` before the body";
                return Err(vec![Diagnostic::error("template", place(source, 0, FENCE.len()), message)]);
            }
        };
        let (body, reads) = body(sources, source, body_at, parts).map_err(|problem| vec![*problem])?;
        Ok(Self {
            source,
            audience: head.audience,
            channels: head.channels,
            subject: head.subject,
            short: head.short,
            severity: head.severity,
            claims: head.claims,
            body,
            reads: head.reads.into_iter().chain(reads).collect(),
            short_at: head.short_at,
        })
    }

    /// What is wrong with a part by itself, whether a template includes it or not.
    #[must_use]
    pub fn wrong_in_part(sources: &Sources, part: SourceId, parts: &Parts) -> Option<Diagnostic> {
        body(sources, part, 0, parts).err().map(|problem| *problem)
    }

    /// Everything the template reads, with its place in a file.
    pub fn reads(&self) -> impl Iterator<Item = (&Path, Span)> {
        self.reads.iter().map(|(path, span)| (path, *span))
    }

    /// What a text message says, and where that stands.
    #[must_use]
    pub fn short(&self) -> (&Notice, Span) {
        (self.short.as_ref().unwrap_or(&self.subject), self.short_at)
    }

    /// The channels of an audience that a notice of it goes through, by name.
    pub fn channels_of<'w>(
        &'w self,
        workspace: &'w Workspace,
        audience: &'w Audience,
    ) -> impl Iterator<Item = (&'w str, &'w Channel)> {
        let used = |name: &str, kind: &str| {
            self.channels.is_empty() || self.channels.iter().any(|it| it.value == name || it.value == kind)
        };
        let known = audience.channels.iter().filter_map(|name| Some((name.as_str(), workspace.channels.get(name)?)));
        known.filter(move |(name, channel)| used(name, channel.kind))
    }
}

/// Where the front matter ends and where the body begins; `None` within if it has no end, and without if there is none.
fn front_matter(text: &str) -> Option<Option<(usize, usize)>> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().filter(|line| line.trim_end() == FENCE)?;
    let mut at = first.len();
    for line in lines {
        if line.trim_end() == FENCE {
            return Some(Some((at, at + line.len())));
        }
        at += line.len();
    }
    Some(None)
}

/// What stands before the body.
struct Head {
    audience: Option<Spanned<String>>,
    channels: Vec<Spanned<String>>,
    subject: Notice,
    short: Option<Notice>,
    severity: Option<Severity>,
    claims: Option<Claim>,
    reads: Vec<Read>,
    short_at: Span,
}

impl Head {
    fn read(sources: &Sources, source: SourceId, end: usize) -> Result<Self, Vec<Diagnostic>> {
        let (document, mut found) = source::parse_to(sources, source, end);
        let Some(document) = document else { return Err(found) };
        let mut decoder = Decoder::new(&document);
        let head = decoder.template_head(document.root());
        found.append(&mut decoder.found);
        match head {
            Some(head) if found.is_empty() => Ok(head),
            _ => Err(found),
        }
    }
}

impl<'d> Decoder<'d> {
    fn template_head(&mut self, root: NodeId) -> Option<Head> {
        let fields = self.fields(root, "the front matter", TEMPLATE)?;
        let mut reads = Vec::new();
        let subject = self.line(&fields, "subject", &mut reads);
        let short = self.line(&fields, "short", &mut reads);
        let channels = fields.get("channels").map(|node| self.items(node, "a list of strings")).unwrap_or_default();
        let at = fields.get("short").or_else(|| fields.get("subject"));
        Some(Head {
            audience: fields.get("audience").and_then(|node| self.text(node)),
            channels: channels.iter().filter_map(|item| self.text(*item)).collect(),
            severity: self.word(&fields, "severity"),
            claims: self.word(&fields, "claims"),
            subject: subject?,
            short,
            reads,
            short_at: self.span(at?),
        })
    }

    /// A line of text with names in it; what is wrong with it is told.
    fn line(&mut self, fields: &Fields<'d>, name: &str, reads: &mut Vec<Read>) -> Option<Notice> {
        let node = fields.get(name)?;
        let text = self.text(node)?;
        let line = text.value.trim();
        if line.is_empty() || name == "subject" && line.contains('\n') {
            let message =
                format!("`{name}` is one line of text, not {}", if line.is_empty() { "none" } else { "several" });
            self.report(Diagnostic::error("template", text.span, message));
            return None;
        }
        match Notice::line(&text.value) {
            Ok(notice) => {
                let placed = |path: &Path| (path.clone(), self.document.inner_span(node, path.from, path.to));
                reads.extend(notice.own_reads().map(placed));
                Some(notice)
            }
            Err(Refused { message, from, to, .. }) => {
                let span = self.document.inner_span(node, from, to);
                self.report(Diagnostic::error("template", span, message));
                None
            }
        }
    }
}

/// A line `Subject: ...`, an empty line, the body.
fn short_form(sources: &Sources, source: SourceId) -> Result<(Head, usize), Vec<Diagnostic>> {
    let text = sources.text(source);
    let line_end = text.find('\n').unwrap_or(text.len());
    let line = text[..line_end].trim_end();
    let Some(subject) = line.strip_prefix(SUBJECT) else {
        let message = "a template begins with `---` and its front matter, or with `Subject:`";
        let note = "write `---`, `subject: ...`, `---`, and the body";
        return Err(vec![Diagnostic::error("template", place(source, 0, line.len()), message).note(note)]);
    };
    let at = SUBJECT.len();
    let notice = Notice::line(subject).map_err(|Refused { message, from, to, .. }| {
        vec![Diagnostic::error("template", place(source, at + from, at + to), message)]
    })?;
    let placed = |path: &Path| (path.clone(), place(source, at + path.from, at + path.to));
    let head = Head {
        audience: None,
        channels: Vec::new(),
        reads: notice.own_reads().map(placed).collect(),
        subject: notice,
        short: None,
        severity: None,
        claims: None,
        short_at: place(source, 0, line.len()),
    };
    Ok((head, (line_end + 1).min(text.len())))
}

/// The body with the parts it includes, and what they read.
fn body(sources: &Sources, source: SourceId, at: usize, parts: &Parts) -> Result<(Notice, Vec<Read>), Box<Diagnostic>> {
    let text = &sources.text(source)[at..];
    let at = at + text.len() - text.trim_start_matches(['\n', '\r']).len();
    let text = &sources.text(source)[at..];
    let mut gathered = Gathered { sources, parts, open: Vec::new(), done: Vec::new() };
    gathered.include((source, at), text)?;
    let used: Vec<Text<'_>> = gathered.done.iter().map(|(name, _, text)| (name.as_str(), *text)).collect();
    let notice = Notice::body(text, &used).map_err(|Refused { part, message, from, to }| {
        let stands = gathered.done.iter().find(|(name, ..)| part.as_ref() == Some(name));
        let (source, at) = stands.map_or((source, at), |(_, source, _)| (*source, 0));
        Box::new(Diagnostic::error("template", place(source, at + from, at + to), message))
    })?;
    let mut reads: Vec<Read> =
        notice.own_reads().map(|path| (path.clone(), place(source, at + path.from, at + path.to))).collect();
    for (_, source, text) in &gathered.done {
        let own = notice.reads_of_part(text).into_iter();
        reads.extend(own.map(|path| {
            let span = place(*source, path.from, path.to);
            (path, span)
        }));
    }
    Ok((notice, reads))
}

/// The parts that a body includes: what is included stands before what includes it.
struct Gathered<'s> {
    sources: &'s Sources,
    parts: &'s Parts,
    /// The parts whose includes are being followed.
    open: Vec<String>,
    done: Vec<(String, SourceId, &'s str)>,
}

impl<'s> Gathered<'s> {
    fn include(&mut self, (source, at): (SourceId, usize), text: &'s str) -> Result<(), Box<Diagnostic>> {
        for (name, from, to) in includes(text) {
            let span = place(source, at + from, at + to);
            if let Some(first) = self.open.iter().position(|open| *open == name) {
                let circle: Vec<&str> = self.open[first..].iter().map(String::as_str).chain([name.as_str()]).collect();
                let message = format!("parts include each other: `{}`", circle.join(" -> "));
                return Err(Box::new(Diagnostic::error("template", span, message)));
            }
            if self.open.len() >= DEEPEST {
                let message = format!("parts include each other more than {DEEPEST} deep");
                return Err(Box::new(Diagnostic::error("template", span, message)));
            }
            let Some(part) = self.parts.get(&name) else {
                let known = self.parts.keys().map(String::as_str);
                let problem = Diagnostic::error("template", span, format!("no part is called `{name}`"))
                    .note("parts are `.md` files in `templates/parts/`: `{% include \"parts/NAME.md\" %}`");
                return Err(Box::new(problem.suggest(&name, known)));
            };
            if self.done.iter().any(|(done, ..)| *done == name) {
                continue;
            }
            let text = self.sources.text(*part);
            self.open.push(name.clone());
            self.include((*part, 0), text)?;
            self.open.pop();
            self.done.push((name, *part, text));
        }
        Ok(())
    }
}

fn place(source: SourceId, from: usize, to: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(source, offset(from), offset(to))
}
