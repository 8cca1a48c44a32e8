//! Mends files: applies the fixes that are safe, and touches nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::check::Checked;
use super::files::replace;
use crate::diag::{Fix, SourceId, mend};

/// Applies every safe fix; what was changed, one line each. No line says that no file was touched. The names of files are
/// as seen from `here`.
///
/// # Errors
/// A file cannot be written, or is not as it was when it was judged.
pub fn fix(here: &Path, checked: &Checked) -> io::Result<Vec<String>> {
    let mut by_file: BTreeMap<SourceId, Vec<&Fix>> = BTreeMap::new();
    for fix in checked.found.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safe) {
        by_file.entry(fix.span.source).or_default().push(fix);
    }
    let mut said = Vec::new();
    for (source, fixes) in by_file {
        let text = checked.sources.text(source);
        let (mended, applied) = mend(text, &fixes);
        let file = here.join(checked.sources.name(source));
        mend_file(&file, text, &mended).map_err(|error| named(&file, &error))?;
        said.extend(applied.iter().map(|fix| {
            let found = &text[fix.span.start as usize..fix.span.end as usize];
            let change = match fix.replacement.as_str() {
                "" => format!("removed `{}`", found.trim()),
                now => format!("`{found}` is now `{now}`"),
            };
            format!("{}: {change}", checked.sources.place(fix.span))
        }));
    }
    Ok(said)
}

/// Puts a new text in the place of the one that was judged; the mark of its encoding, which is no part of it, stays.
fn mend_file(file: &Path, old: &str, new: &str) -> io::Result<()> {
    let now = fs::read(file)?;
    let Some(mark) = now.strip_suffix(old.as_bytes()).filter(|mark| mark.is_empty() || *mark == "\u{FEFF}".as_bytes())
    else {
        return Err(io::Error::other("it was changed meanwhile: nothing was mended in it"));
    };
    replace(file, &now, &[mark, new.as_bytes()].concat())
}

fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot mend `{}`: {error}", file.display()))
}
