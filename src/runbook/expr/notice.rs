//! The texts of a notice: compiled with the parts they include, rendered for those who read them.
//!
//! What a value says never becomes markup: in a body each is written so that Markdown shows it as it is.

use std::io;

use tera::Tera;

use super::evaluate::{ROUNDS, Scope, Undefined, context, engine, place, reason};
use super::scan::{self, Path, Scan, Token};
use super::{strict, time};
use crate::runbook::markdown;

/// The largest notice that is rendered: a loop that never ends stops here.
pub const LARGEST_NOTICE: usize = 1024 * 1024;
/// Names that end so are Markdown: their values are escaped.
const MARKDOWN: &str = ".md";
const LINE: &str = "line";
const BODY: &str = "body.md";

/// A text of a notice, compiled.
#[derive(Debug)]
pub struct Notice {
    tera: Tera,
    name: &'static str,
    /// What the text reads by itself.
    scan: Scan,
    /// What it and the parts it includes read and bind.
    whole: Scan,
    fixed: String,
}

/// A text with its name; parts are included by theirs.
pub type Text<'t> = (&'t str, &'t str);

/// What Tera refuses, and where: the name of the part, nothing for the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The part it stands in.
    pub part: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Where it begins, in bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// How values are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Teller<'z> {
    /// The time zone of those who read, by its IANA name; UTC where there is none.
    pub zone: Option<&'z str>,
    /// Whether names may stand for values, in brackets: `time` lets those pass.
    pub stands_in: bool,
}

impl Notice {
    /// Compiles a line of plain text: a subject.
    ///
    /// # Errors
    /// What Tera refuses.
    pub fn line(text: &str) -> Result<Self, Refused> {
        let included = includes(text).into_iter().next();
        if let Some((_, from, to)) = included {
            let message = "only the body of a template includes parts".to_owned();
            return Err(Refused { part: None, message, from, to });
        }
        compile(LINE, text, &[])
    }

    /// Compiles a body with the parts that it includes, directly or not: what is included stands before what includes it.
    ///
    /// # Errors
    /// What Tera refuses.
    pub fn body(text: &str, parts: &[Text<'_>]) -> Result<Self, Refused> {
        compile(BODY, text, parts)
    }

    /// What the text reads by itself, without its parts; what it binds is no read.
    pub fn own_reads(&self) -> impl Iterator<Item = &Path> {
        self.scan.paths.iter()
    }

    /// What a part reads that it includes: a part sees what binds around its place.
    #[must_use]
    pub fn reads_of_part(&self, text: &str) -> Vec<Path> {
        let mut reads = scan::notice(text).paths;
        reads.retain(|path| !self.whole.locals.contains(&path.parts[0]));
        reads
    }

    /// What it says at least, whatever happens: the text outside of `{{ }}` and `{% %}`; nothing where what it says depends
    /// on conditions.
    #[must_use]
    pub fn fixed_text(&self) -> &str {
        &self.fixed
    }

    /// The names it and its parts read.
    #[must_use]
    pub fn names(&self) -> &[Path] {
        &self.whole.paths
    }

    /// The text with every name replaced.
    ///
    /// # Errors
    /// A name has no value, a filter does not fit, or the result passes 1 MiB.
    pub fn render(&self, scope: &dyn Scope, teller: Teller<'_>) -> Result<String, Undefined> {
        let mut context = context(&self.whole, scope)?;
        if let Some(zone) = teller.zone {
            context.insert_value(time::ZONE, zone.into());
        }
        context.insert_value(time::STANDS_IN, teller.stands_in.into());
        let mut out = Limited::default();
        ROUNDS.set(0);
        let rendered = self.tera.render_to(self.name, &context, &mut out);
        if out.is_full {
            return Err(Undefined::Wrong("the notice is longer than 1 MiB".to_owned()));
        }
        rendered.map_err(|error| Undefined::Wrong(reason(&error)))?;
        String::from_utf8(out.bytes).map_err(|error| Undefined::Wrong(error.to_string()))
    }
}

/// The parts that a text includes: name and place.
#[must_use]
pub fn includes(text: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    each_code(text, |tokens| {
        if let [(Token::Name("include"), ..), (Token::Text(name), from, to), ..] = tokens {
            // The name itself, without its quotes.
            found.push(((*name).to_owned(), from + 1, to - 1));
        }
    });
    found
}

/// Calls `look` with the tokens of each `{{ }}` and `{% %}`, without the signs that trim.
fn each_code<'t>(text: &'t str, mut look: impl FnMut(&[scan::Placed<'t>])) {
    let mut at = 0;
    while let Some((open, closing)) = scan::next_code(text, at) {
        let Some(end) = scan::close(text, open + 2, closing) else { break };
        if closing != "#}" {
            let (tokens, _) = scan::tokens(text, open + 2, end);
            let signs = tokens.iter().take_while(|token| token.0 == Token::Sign("-")).count();
            look(&tokens[signs..]);
        }
        at = end + 2;
    }
}

fn compile(name: &'static str, text: &str, parts: &[Text<'_>]) -> Result<Notice, Refused> {
    let mut tera = engine();
    time::register(&mut tera);
    tera.autoescape_on([MARKDOWN]);
    tera.set_escape_fn(|text, out| out.write_all(markdown::escaped(text).as_bytes()));
    for (part, text) in parts {
        add(&mut tera, part, text).map_err(|refused| Refused { part: Some((*part).to_owned()), ..refused })?;
    }
    add(&mut tera, name, text)?;
    let scan = scan::notice(text);
    let mut whole = scan.clone();
    for part in parts.iter().map(|(_, text)| scan::notice(text)) {
        whole.paths.extend(part.paths);
        whole.locals.extend(part.locals);
    }
    Ok(Notice { tera, name, scan, whole, fixed: fixed(text) })
}

/// The text outside of code; nothing of a text with `{% %}`.
fn fixed(text: &str) -> String {
    let (mut out, mut at) = (String::new(), 0);
    while let Some((open, closing)) = scan::next_code(text, at) {
        let Some(end) = scan::close(text, open + 2, closing) else { break };
        if closing == "%}" {
            return String::new();
        }
        out.push_str(&text[at..open]);
        at = end + 2;
    }
    (out + &text[at..]).trim().to_owned()
}

fn add(tera: &mut Tera, name: &str, text: &str) -> Result<(), Refused> {
    if let Some((from, to)) = marks_safe(text) {
        let message = "`safe` would let a value become markup".to_owned();
        return Err(Refused { part: None, message, from, to });
    }
    // As written first, so that what Tera says is of the text people know.
    tera.add_raw_template(name, text).map_err(|error| {
        let (message, from, to) = place(&error, 0, text);
        Refused { part: None, message, from, to }
    })?;
    let whole = |error: &tera::Error| Refused { part: None, message: reason(error), from: 0, to: text.len() };
    tera.add_raw_template(name, &strict::notice(text)).map_err(|error| whole(&error))
}

/// Where a text calls a value safe.
fn marks_safe(text: &str) -> Option<(usize, usize)> {
    let mut found = None;
    each_code(text, |tokens| {
        let called = tokens.windows(2).find(|pair| pair[0].0 == Token::Sign("|") && pair[1].0 == Token::Name("safe"));
        let filtered = tokens
            .first()
            .zip(tokens.get(1))
            .filter(|(first, second)| first.0 == Token::Name("filter") && second.0 == Token::Name("safe"));
        let token = called.map(|pair| &pair[1]).or(filtered.map(|(_, second)| second));
        found = found.or(token.map(|(_, from, to)| (*from, *to)));
    });
    found
}

#[derive(Default)]
struct Limited {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LARGEST_NOTICE {
            self.is_full = true;
            return Err(io::Error::other("it is full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Fixed;

    impl Scope for Fixed {
        fn root(&self, name: &str) -> Option<tera::Value> {
            (name == "vars").then(|| tera::Value::from_serializable(&json!({ "a": "*a*\n- b", "list": ["_x_"] })))
        }
        fn step(&self, _: &str) -> Option<Result<tera::Value, Undefined>> {
            None
        }
    }

    fn rendered(text: &str, parts: &[Text<'_>]) -> Result<String, Undefined> {
        Notice::body(text, parts).unwrap().render(&Fixed, Teller::default())
    }

    #[test]
    fn a_notice_that_never_ends_is_stopped() {
        let nested = |inner: &str| format!("{{% for a in range(end=9000) %}}{inner}{{% endfor %}}");
        let too_many = Err(Undefined::Wrong("its loops make more than 10000 rounds".to_owned()));
        assert_eq!(rendered(&nested(&nested(&nested(""))), &[]), too_many);
        assert_eq!(rendered(&nested(&nested("xxxx")), &[]), too_many);
        let part = nested("");
        assert_eq!(rendered(&nested("{% include \"parts/a.md\" %}"), &[("parts/a.md", part.as_str())]), too_many);
        let too_long = Err(Undefined::Wrong("the notice is longer than 1 MiB".to_owned()));
        assert_eq!(rendered(&nested(&"x".repeat(1000)), &[]), too_long);
        assert_eq!(rendered(&nested(""), &[]), Ok(String::new()), "the next notice begins anew");
    }

    #[test]
    fn the_space_around_a_loop_is_as_it_is_written() {
        let loops =
            "a\n{% for n in [1, 2] -%}\n  {{ n }}\n{%- endfor %}\n{% for n in [1, 2] %}\n  {{ n }}\n{% endfor %}b";
        assert_eq!(rendered(loops, &[]), Ok("a\n12\n\n  1\n\n  2\nb".to_owned()));
    }

    #[test]
    fn values_are_escaped_in_a_body_and_its_parts_and_stay_as_they_are_in_a_line() {
        let part = ("parts/p.md", "{% for x in vars.list %}{{ x ~ item }}{% endfor %}");
        let body = "{% for item in vars.list %}{% include \"parts/p.md\" %}{% endfor %} {{ vars.a | upper }}";
        assert_eq!(rendered(body, &[part]), Ok("\\_x\\_\\_x\\_ \\*A\\*&#10;- B".to_owned()));
        let line = Notice::line("{{ vars.a }}").unwrap().render(&Fixed, Teller::default());
        assert_eq!(line, Ok("*a*\n- b".to_owned()));
    }

    #[test]
    fn a_name_without_a_value_is_an_error_in_a_part_too() {
        let refused = Err(Undefined::Wrong("`vars.b` has no value".to_owned()));
        assert_eq!(rendered("{% if vars.b == 'x' %}b{% endif %}", &[]), refused);
        assert_eq!(rendered("{% include \"parts/p.md\" %}", &[("parts/p.md", "{{ vars.b }}")]), refused);
    }

    #[test]
    fn nothing_is_called_safe() {
        for text in ["{{ vars.a | safe }}", "{{- vars.a|upper|safe -}}", "{% filter safe %}x{% endfilter %}"] {
            let refused = Notice::body(text, &[]).map_err(|refused| refused.message).err();
            assert_eq!(refused.as_deref(), Some("`safe` would let a value become markup"), "{text}");
        }
        assert!(Notice::body("{{ vars.safe }}", &[]).is_ok());
    }
}
