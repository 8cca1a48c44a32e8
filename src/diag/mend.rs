//! Fixes applied to a text.

use super::Fix;

/// The text with these fixes applied, and those that were: of fixes whose places overlap, the first. All are of this
/// text; one that reaches beyond it is left out.
#[must_use]
pub fn mend<'f>(text: &str, fixes: &[&'f Fix]) -> (String, Vec<&'f Fix>) {
    let mut ordered = fixes.to_vec();
    ordered.sort();
    let (mut mended, mut at, mut applied) = (String::with_capacity(text.len()), 0, Vec::new());
    for fix in ordered {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        if let Some(kept) = text.get(at..start).filter(|_| text.is_char_boundary(end)) {
            mended.push_str(kept);
            mended.push_str(&fix.replacement);
            at = end;
            applied.push(fix);
        }
    }
    mended.push_str(text.get(at..).unwrap_or_default());
    (mended, applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{SourceId, Span};

    fn fix(start: u32, end: u32, replacement: &str) -> Fix {
        let span = Span::new(SourceId::default(), start, end);
        Fix { span, replacement: replacement.to_owned(), say: String::new(), safe: true }
    }

    #[test]
    fn fixes_are_applied_where_they_stand_and_nothing_else_changes() {
        let text = "ned: [\u{E4}] # why\r\nx:  1";
        let fixes = [fix(17, 18, "y"), fix(0, 3, "needs"), fix(5, 9, "[b]")];
        let (mended, applied) = mend(text, &fixes.iter().collect::<Vec<_>>());
        assert_eq!(mended, "needs: [b] # why\r\ny:  1");
        assert_eq!(applied.len(), 3);
    }

    #[test]
    fn of_two_fixes_for_one_place_the_first_is_applied() {
        let fixes = [fix(1, 3, "x"), fix(0, 2, "y"), fix(2, 9, "z")];
        let (mended, applied) = mend("abc", &fixes.iter().collect::<Vec<_>>());
        assert_eq!((mended.as_str(), applied), ("yc", vec![&fixes[1]]));
    }
}
