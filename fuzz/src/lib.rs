//! What drctl reads, each with what must hold whatever comes in: no panic, an end, and every finding inside a file.
//!
//! The fuzz targets and `tests/mutated.rs` call the same functions. Each gives how many findings there were.

use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;

use drctl::catalogue::Catalogue;
use drctl::diag::{Diagnostic, Format, Severity, Sources, Span, mend, render};
use drctl::engine::Event;
use drctl::exec::files::workspace_folder;
use drctl::exec::load::Loaded;
use drctl::exec::run::registry;
use drctl::exec::surroundings::Surroundings;
use drctl::journal;
use drctl::plan::{Parts, Template};
use drctl::runbook::expr::infer::infer;
use drctl::runbook::expr::{Expressions, Scope, Undefined};
use drctl::runbook::source;
use drctl::runbook::workspace::Workspace;
use drctl::sim::scenario::{self, Against};

/// More findings than these, nobody reads: what reads the file, and each runbook's rules, stop telling.
const MOST_FOUND: usize = 5_000;
/// The runbook that every scenario is judged by.
const REHEARSED: &str = "runbooks/active-passive.yaml";

/// The workspace that ships: what the runbooks that come in stand on.
struct World {
    surroundings: Surroundings,
    catalogue: Catalogue,
    rehearsed: Loaded,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = workspace_folder(Path::new(env!("CARGO_MANIFEST_DIR")));
    let surroundings = Surroundings::read(&folder).expect("the workspace that ships can be read");
    let catalogue = registry().catalogue();
    let rehearsed = surroundings.load(&folder.join(REHEARSED), &catalogue).expect("the runbook that ships is there");
    World { surroundings, catalogue, rehearsed }
});

/// A text as the YAML reader takes it.
pub fn reader(bytes: &[u8]) -> usize {
    let mut sources = Sources::default();
    let found = match source::decode(&mut sources, "file.yaml", bytes) {
        Ok(id) => source::parse(&sources, id).1,
        Err(found) => found,
    };
    judged(&sources, &found)
}

/// A runbook in the workspace that ships, judged by every rule, together with what it calls.
pub fn runbook(bytes: &[u8]) -> usize {
    let loaded = WORLD.surroundings.judge("runbooks/file.yaml".to_owned(), bytes.to_vec(), &WORLD.catalogue);
    assert!(loaded.runbook.is_some() || loaded.has_errors(), "a runbook that cannot be read was let through");
    mended(&loaded.sources, &loaded.found);
    judged(&loaded.sources, &loaded.found)
}

/// The settings of a workspace.
pub fn settings(bytes: &[u8]) -> usize {
    let mut sources = Sources::default();
    let found = match source::decode(&mut sources, "drctl.yaml", bytes) {
        Ok(id) => Workspace::parse(&sources, id).1,
        Err(found) => found,
    };
    judged(&sources, &found)
}

/// A scenario, judged by a runbook that ships.
pub fn scenario(bytes: &[u8]) -> usize {
    let mut sources = Sources::default();
    let found = match source::decode(&mut sources, "scenario.yaml", bytes) {
        Ok(id) => {
            let (scenario, mut found) = scenario::parse(&sources, id);
            found.extend(scenario.iter().flat_map(against));
            found
        }
        Err(found) => found,
    };
    judged(&sources, &found)
}

fn against(scenario: &scenario::Scenario) -> Vec<Diagnostic> {
    let Loaded { runbook, runbooks, workspace, templates, .. } = &WORLD.rehearsed;
    let runbook = runbook.as_ref().expect("the runbook that ships can be read");
    scenario::check(scenario, &Against { runbook, runbooks, workspace, templates, catalogue: &WORLD.catalogue })
}

/// A template of a notice.
pub fn template(bytes: &[u8]) -> usize {
    let mut sources = Sources::default();
    let found = match source::decode(&mut sources, "template.md", bytes) {
        Ok(id) => match Template::parse(&sources, id, &Parts::new()) {
            Ok(template) => {
                template.reads().for_each(|(_, span)| inside(&sources, span));
                Vec::new()
            }
            Err(problems) => problems,
        },
        Err(found) => found,
    };
    judged(&sources, &found)
}

/// An expression, compiled, judged and evaluated where every name has a value.
pub fn expression(bytes: &[u8]) -> usize {
    let Ok(text) = std::str::from_utf8(bytes) else { return 0 };
    let mut sources = Sources::default();
    let source = sources.add("expression", text);
    let whole = Span::new(source, 0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let mut expressions = Expressions::default();
    let id = expressions.add(text, whole);
    let problems = expressions.compile();
    let told = |(_, message, from, to): &(_, String, usize, usize)| {
        Diagnostic::error("expression", whole.slice(*from, *to), message.as_str())
    };
    let mut found: Vec<Diagnostic> = problems.iter().map(told).collect();
    if let (_, Some((from, to, message))) = infer(text, &|_| None) {
        found.push(Diagnostic::error("type", whole.slice(from, to), message));
    }
    if problems.is_empty() {
        for path in &expressions.get(id).scan.paths {
            inside(&sources, whole.slice(path.from, path.to));
        }
        drop(black_box(expressions.evaluate(id, &Anything)));
    }
    judged(&sources, &found)
}

/// Gives every name the same small value.
struct Anything;

impl Scope for Anything {
    fn root(&self, _: &str) -> Option<tera::Value> {
        Some(anything())
    }

    fn step(&self, _: &str) -> Option<Result<tera::Value, Undefined>> {
        Some(Ok(anything()))
    }
}

fn anything() -> tera::Value {
    tera::Value::from_serializable(&["a", "b", "c"])
}

/// A journal, as a crash or a bad disk may have left it. Damage is told with its line.
pub fn journal(bytes: &[u8]) -> usize {
    match journal::recover::<Event>(bytes) {
        Ok(recovered) => {
            assert!(recovered.end.valid_bytes <= bytes.len() as u64, "more is valid than there is");
            0
        }
        Err(damage) => {
            assert!(damage.byte <= bytes.len() as u64 && damage.line > 0, "{damage} is outside of the journal");
            1
        }
    }
}

/// What must hold of all findings; how many there are.
fn judged(sources: &Sources, found: &[Diagnostic]) -> usize {
    assert!(found.len() <= MOST_FOUND, "{} findings", found.len());
    for finding in found {
        let others = finding.others.iter().map(|(span, _)| *span);
        let fix = finding.fix.iter().map(|fix| fix.span);
        std::iter::once(finding.primary).chain(others).chain(fix).for_each(|span| inside(sources, span));
        assert!(!finding.message.trim().is_empty(), "a finding says nothing: {finding:?}");
    }
    for format in Format::ALL {
        let shown = render(found, sources, format, false);
        assert!(found.is_empty() || !shown.trim().is_empty(), "{} shows nothing of {found:?}", format.name());
    }
    found.len()
}

/// Whether a place is in a file that was read, on whole characters.
fn inside(sources: &Sources, span: Span) {
    assert!(!sources.name(span.source).is_empty(), "{span:?} is in no file");
    let text = sources.text(span.source);
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is outside of its file");
}

/// Safe fixes leave a text that can be read where it could be read before.
fn mended(sources: &Sources, found: &[Diagnostic]) {
    let fixes = found.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safe);
    let own: Vec<_> = fixes.filter(|fix| sources.name(fix.span.source) == "runbooks/file.yaml").collect();
    let Some(source) = own.first().map(|fix| fix.span.source) else { return };
    let is_error = |finding: &Diagnostic| finding.code == "syntax" && finding.severity == Severity::Error;
    // Where the reader stopped at such a place, it has seen nothing of what follows.
    let stops = |finding: &Diagnostic| finding.code == "unquoted-template" || is_error(finding);
    let (text, _) = mend(sources.text(source), &own);
    let mut again = Sources::default();
    let id = again.add("runbooks/file.yaml", text);
    let broken = source::parse(&again, id).1.iter().any(is_error);
    assert!(!broken || found.iter().any(stops), "a fix breaks the file");
}
