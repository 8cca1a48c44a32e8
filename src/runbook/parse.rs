//! Reads a runbook from its tree.

use serde_json::Value;

use super::allow::allowances;
use super::ast::{
    ActionUse, Approval, Defaults, Estimate, ForEach, Input, Kind, Objectives, OutputDeclaration, ParameterPlace,
    Phase, Repeat, Retry, Runbook, SecretSource, Simulate, Step, VaultSecret, Verify,
};
use super::decode::{Decoder, Fields};
use super::expr::Templated;
use super::fields;
use super::source::{self, Document, NodeId};
use super::unread;
use crate::catalogue::Type;
use crate::diag::{Diagnostic, SourceId, Sources, Span, Spanned};
use std::collections::BTreeSet;
use std::time::Duration;

/// Reads a runbook. `None` where so much is wrong that there is nothing to judge further.
#[must_use]
pub fn runbook(sources: &Sources, source: SourceId) -> (Option<Runbook>, Vec<Diagnostic>) {
    let (document, mut found) = source::parse(sources, source);
    let Some(document) = document else { return (None, found) };
    let mut decoder = Decoder::new(&document);
    let mut runbook = decoder.runbook(source, &document);
    found.append(&mut decoder.found);
    if let Some(runbook) = &mut runbook {
        unread::mark(&document, runbook, &found);
        let (allowances, mut problems) = allowances(sources.text(source), document.comments());
        runbook.allowances = allowances;
        found.append(&mut problems);
    }
    (runbook, found)
}

/// What a runbook is called that does not say it.
fn nameless(source: SourceId) -> Spanned<String> {
    Spanned { value: String::new(), span: Span::new(source, 0, 0) }
}

/// What a step does that does not say it.
fn nothing(span: Span) -> ActionUse {
    let with = Spanned { value: Templated::Plain(Value::Object(serde_json::Map::new())), span };
    ActionUse { name: Spanned { value: String::new(), span }, with, places: Box::default() }
}

impl<'d> Decoder<'d> {
    fn runbook(&mut self, source: SourceId, document: &'d Document) -> Option<Runbook> {
        let fields = self.fields(document.root(), "the runbook", fields::RUNBOOK)?;
        if let Some(node) = fields.get("drctl")
            && self.json(node) != 1
        {
            let note = "this drctl reads format 1; a newer file needs a newer drctl";
            self.report(Diagnostic::error("version", self.span(node), "wanted `drctl: 1`").note(note));
        }
        let inputs = self.inputs(&fields);
        let title = self.templated_line(&fields, "title");
        let objectives = fields.get("objectives").map(|node| self.objectives(node)).unwrap_or_default();
        let defaults = fields.get("defaults").map(|node| self.defaults(node)).unwrap_or_default();
        let mut steps = Vec::new();
        for phase in Phase::ALL {
            let items = fields.get(phase.name()).map_or(&[][..], |node| self.items(node, "a list of steps"));
            steps.extend(items.iter().filter_map(|item| self.step(*item, phase)));
        }
        let outputs = fields.get("outputs").map(|node| self.entries(node, "outputs")).unwrap_or_default();
        let outputs = outputs.into_iter().map(|(name, node)| (name, self.templated(node))).collect();
        let azure = fields.get("azure").and_then(|node| {
            self.fields(node, "azure", super::azure::DEFAULTS)?;
            Some(self.templated(node))
        });
        let runbook = Runbook {
            source,
            // Where they are missing or wrong, that is told; so is what else is wrong.
            name: fields.get("name").and_then(|node| self.runbook_name(node)).unwrap_or_else(|| nameless(source)),
            kind: self.word(&fields, "kind").or_else(|| self.meant_kind(&fields)).unwrap_or(Kind::Failover),
            title,
            owner: fields.get("owner").and_then(|node| self.text(node)),
            objectives,
            azure,
            inputs,
            defaults,
            steps,
            outputs,
            unread: BTreeSet::new(),
            allowances: Vec::new(),
            expressions: std::mem::take(&mut self.expressions),
        };
        Some(self.compiled(runbook))
    }

    /// Text that may hold `{{ }}`.
    fn templated_line(&mut self, fields: &Fields<'d>, name: &str) -> Option<Templated> {
        let node = fields.get(name)?;
        self.text(node)?;
        Some(self.templated(node))
    }

    fn compiled(&mut self, mut runbook: Runbook) -> Runbook {
        for (id, message, from, to) in runbook.expressions.compile() {
            let span = runbook.expressions.get(id).span.slice(from, to);
            self.report(Diagnostic::error("expression", span, message));
        }
        runbook
    }

    /// The kind that may have been meant, so that what follows from it is not told as well.
    fn meant_kind(&self, fields: &Fields<'d>) -> Option<Kind> {
        let written = fields.get("kind").and_then(|node| self.document.scalar_text(node))?;
        let kinds = [Kind::Failover, Kind::Failback, Kind::Drill].map(Kind::name);
        Kind::named(crate::diag::closest(written, kinds)?)
    }

    /// A runbook's name is part of a run's: letters, digits, `-` and `_`.
    fn runbook_name(&mut self, node: NodeId) -> Option<Spanned<String>> {
        let text = self.text(node)?;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        let starts = text.value.starts_with(|first: char| first.is_ascii_lowercase());
        if starts && text.value.len() <= 64 && text.value.bytes().all(fits) {
            return Some(text);
        }
        let message = format!("`{}` is not a runbook's name", text.value);
        let note = "small letters, digits, `-` and `_`, a letter first, at most 64: a run is named after it";
        self.report(Diagnostic::error("name", text.span, message).note(note));
        None
    }

    fn objectives(&mut self, node: NodeId) -> Objectives {
        let Some(fields) = self.fields(node, "objectives", fields::OBJECTIVES) else {
            return Objectives::default();
        };
        let rto = fields.get("rto").and_then(|node| self.some_time(node));
        Objectives { rto, rpo: fields.get("rpo").and_then(|node| self.duration(node)) }
    }

    fn inputs(&mut self, top: &Fields<'d>) -> Vec<Input> {
        let entries = top.get("inputs").map(|node| self.entries(node, "inputs")).unwrap_or_default();
        let inputs: Vec<Input> = entries.into_iter().filter_map(|(name, node)| self.input(name, node)).collect();
        self.secrets =
            inputs.iter().filter(|input| input.kind == Type::Secret).map(|input| input.name.value.clone()).collect();
        inputs
    }

    fn input(&mut self, name: Spanned<String>, node: NodeId) -> Option<Input> {
        let fields = self.fields(node, &format!("input `{}`", name.value), fields::INPUT)?;
        let word: String = self.word(&fields, "type")?;
        let values = fields.get("values").map(|node| self.texts(node)).unwrap_or_default();
        let kind = match word.as_str() {
            "enum" => Type::Enum(values.clone()),
            "secret" => Type::Secret,
            other => Type::named(other)?,
        };
        if (word == "enum") == values.is_empty() {
            let message = if word == "enum" { "an enum needs `values`" } else { "`values` goes with `type: enum`" };
            self.report(Diagnostic::error("input", name.span, message));
        }
        let default = fields.get("default").map(|node| (self.json(node), self.span(node)));
        if let Some((value, span)) = &default
            && let Err(problem) = kind.check(value)
        {
            self.report(Diagnostic::error("type", *span, format!("the default of `{}`: {problem}", name.value)));
        }
        let from = fields.get("from").and_then(|node| self.secret_source(node));
        // A source that is there and wrong was told already.
        if kind == Type::Secret && (fields.get("from").is_none() || default.is_some()) {
            let note = "write `from:` with `{ env: NAME }`, `{ file: PATH }`, `{ command: [..] }` or `{ key_vault: { vault: NAME, secret: NAME } }`";
            self.report(
                Diagnostic::error("secret", name.span, "a secret comes `from` somewhere, and has no default")
                    .note(note),
            );
        } else if kind != Type::Secret && from.is_some() {
            self.report(Diagnostic::error("input", name.span, "`from` goes with `type: secret`"));
        }
        let description = fields.get("description").and_then(|node| self.text(node)).map(|text| text.value);
        Some(Input { name, kind, default: default.map(|(value, _)| value), from, description })
    }

    pub(super) fn secret_source(&mut self, node: NodeId) -> Option<SecretSource> {
        let fields = self.fields(node, "from", fields::SECRET)?;
        let env = fields.get("env").and_then(|node| self.text(node)).map(|text| SecretSource::Env(text.value));
        let file = fields.get("file").and_then(|node| self.text(node)).map(|text| SecretSource::File(text.value));
        let command = fields.get("command").map(|node| SecretSource::Command(self.texts(node)));
        let vault = fields.get("key_vault").map(|node| self.vault_secret(node).map(SecretSource::KeyVault));
        // What is there and wrong was told already.
        let is_wrong = vault.as_ref().is_some_and(Option::is_none);
        let mut sources = env.into_iter().chain(file).chain(command).chain(vault.flatten());
        let (first, second) = (sources.next(), sources.next());
        if first.is_none() && !is_wrong || second.is_some() {
            let message = "wanted one of `env`, `file`, `command` and `key_vault`";
            self.report(Diagnostic::error("secret", self.span(node), message));
        }
        first
    }

    /// A token is sent to the host that the vault's name makes: only what a vault may be called gets there.
    fn vault_secret(&mut self, node: NodeId) -> Option<VaultSecret> {
        let fields = self.fields(node, "key_vault", fields::VAULT_SECRET)?;
        let mut name = |field: &str, longest: usize| {
            let text = fields.get(field).and_then(|node| self.text(node))?;
            let fits = text.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !fits || !(1..=longest).contains(&text.value.len()) {
                let wanted = format!("wanted at most {longest} letters, digits and hyphens");
                self.report(Diagnostic::error(
                    "secret",
                    text.span,
                    format!("`{field}`: {wanted}, found `{}`", text.value),
                ));
                return None;
            }
            Some(text.value)
        };
        let (vault, secret) = (name("vault", 24), name("secret", 127));
        let version = name("version", 64);
        if version.is_none() && fields.get("version").is_some() {
            return None;
        }
        Some(VaultSecret { vault: vault?, secret: secret?, version })
    }

    pub(super) fn defaults(&mut self, node: NodeId) -> Defaults {
        let Some(fields) = self.fields(node, "defaults", fields::DEFAULTS) else {
            return Defaults::default();
        };
        Defaults {
            timeout: fields.get("timeout").and_then(|node| self.some_time(node)),
            retry: fields.get("retry").and_then(|node| self.retry(node)),
            on_failure: self.word(&fields, "on_failure"),
        }
    }

    fn retry(&mut self, node: NodeId) -> Option<Retry> {
        let fields = self.fields(node, "retry", fields::RETRY)?;
        let mut duration = |name| fields.get(name).and_then(|node| self.duration(node));
        let initial = duration("initial").unwrap_or(Duration::from_secs(1));
        let max = duration("max").unwrap_or(Duration::from_mins(1)).max(initial);
        Some(Retry { attempts: fields.get("attempts").and_then(|node| self.count(node))?, initial, max })
    }

    fn step(&mut self, node: NodeId, phase: Phase) -> Option<Step> {
        let fields = self.fields(node, "the step", fields::STEP)?;
        let id = fields.get("id").and_then(|node| self.name(node));
        let action = self.action(&fields);
        let outputs = fields.get("outputs").map(|node| self.outputs(node)).unwrap_or_default();
        let step = Step {
            span: self.span(node),
            unread: BTreeSet::new(),
            phase,
            title: self.templated_line(&fields, "title").map(Box::new),
            owner: fields.get("owner").and_then(|node| self.text(node)).map(|text| text.value.into()),
            outputs,
            needs: fields.get("needs").map(|node| self.names(node)).unwrap_or_default(),
            when: fields.get("when").and_then(|node| self.expression(node)),
            run_if: self.word(&fields, "run_if").unwrap_or_default(),
            repeat: self.repeat(&fields),
            for_each: self.for_each(&fields),
            approval: fields.get("approval").and_then(|node| self.approval(node)).map(Box::new),
            timeout: fields.get("timeout").and_then(|node| self.some_time(node)),
            retry: fields.get("retry").and_then(|node| self.retry(node)).map(Box::new),
            verify: fields.get("verify").and_then(|node| self.verify(node)).map(Box::new),
            rollback: fields.get("rollback").and_then(|node| self.rollback(node)).map(Box::new),
            on_failure: self.word(&fields, "on_failure"),
            on_interrupt: self.word(&fields, "on_interrupt"),
            estimate: fields.get("estimate").and_then(|node| self.estimate(node)).map(Box::new),
            point_of_no_return: fields.get("point_of_no_return").and_then(|node| self.boolean(node)).unwrap_or(false),
            simulate: fields.get("simulate").and_then(|node| self.simulate(node)).map(Box::new),
            // Others may need it: a step without an action is one of which nobody knows what it does.
            action: action.unwrap_or_else(|| nothing(self.span(node))),
            id: id?,
        };
        Some(step)
    }

    fn action(&mut self, fields: &Fields<'d>) -> Option<ActionUse> {
        let name = fields.get("action").and_then(|node| self.text(node));
        let with = fields.get("with");
        let places: Box<[_]> = match with {
            Some(node) => {
                let entries = self.entries(node, "with");
                let place = |(key, value): (Spanned<String>, _)| ParameterPlace {
                    name: Spanned { value: key.value.into_boxed_str(), span: key.span },
                    value: self.span(value),
                };
                entries.into_iter().map(place).collect()
            }
            None => Box::default(),
        };
        let name = name?;
        let with = match with {
            Some(node) => Spanned { value: self.templated(node), span: self.span(node) },
            None => Spanned { value: Templated::Plain(Value::Object(serde_json::Map::new())), span: name.span },
        };
        Some(ActionUse { name, with, places })
    }

    fn outputs(&mut self, node: NodeId) -> Box<[OutputDeclaration]> {
        let entries = self.entries(node, "outputs");
        entries.into_iter().filter_map(|(name, node)| self.output(name, node)).collect()
    }

    fn output(&mut self, name: Spanned<String>, node: NodeId) -> Option<OutputDeclaration> {
        let (kind, measures) = if self.is_mapping(node) {
            let fields = self.fields(node, "output", fields::OUTPUT)?;
            (fields.get("type"), fields.get("measures"))
        } else {
            (Some(node), None)
        };
        let kind = self.simple_type(kind?)?;
        let Some(measures) = measures else { return Some(OutputDeclaration { name, kind, measures_loss: false }) };
        let word = self.text(measures)?;
        let problem = match kind {
            _ if word.value != "rpo" => format!("wanted `rpo`, found `{}`", word.value),
            Type::Int | Type::Number | Type::Duration => {
                return Some(OutputDeclaration { name, kind, measures_loss: true });
            }
            _ => format!("a loss of data is measured as a duration, or in seconds as a number, not as {kind}"),
        };
        self.report(Diagnostic::error("type", word.span, problem));
        None
    }

    fn simple_type(&mut self, node: NodeId) -> Option<Type> {
        let word = self.text(node)?;
        let names = fields::TYPES.iter().copied();
        let kind = Type::named(&word.value);
        if kind.is_none() {
            let message = format!("`{}` is not a type", word.value);
            self.report(
                Diagnostic::error("type", word.span, message)
                    .suggest(&word.value, names)
                    .note(format!("types are {}", fields::TYPES.join(", "))),
            );
        }
        kind
    }

    fn repeat(&mut self, fields: &Fields<'d>) -> Option<Box<Repeat>> {
        let until = fields.get("until").and_then(|node| self.name(node));
        let Some(every) = fields.get("every") else {
            if let Some(until) = until {
                self.report(Diagnostic::error("repeat", until.span, "`until` goes with `every`"));
            }
            return None;
        };
        let span = self.span(every);
        let every = self.duration(every)?;
        if every.is_zero() {
            self.report(Diagnostic::error("repeat", span, "`every` needs a time longer than nothing"));
            return None;
        }
        Some(Box::new(Repeat { every, until }))
    }

    fn for_each(&mut self, fields: &Fields<'d>) -> Option<Box<ForEach>> {
        let max_parallel = fields.get("max_parallel").and_then(|node| self.count(node));
        let Some(node) = fields.get("for_each") else {
            if let Some(node) = fields.get("max_parallel") {
                self.report(Diagnostic::error("repeat", self.span(node), "`max_parallel` goes with `for_each`"));
            }
            return None;
        };
        Some(Box::new(ForEach { items: self.templated(node), span: self.span(node), max_parallel }))
    }

    fn approval(&mut self, node: NodeId) -> Option<Approval> {
        let fields = self.fields(node, "approval", fields::APPROVAL)?;
        Some(Approval {
            by: fields.get("by").map(|node| self.names(node)).unwrap_or_default(),
            quorum: fields.get("quorum").and_then(|node| self.count(node)).unwrap_or(1),
            requester_may_approve: fields.get("requester_may_approve").and_then(|node| self.boolean(node)),
            timeout: fields.get("timeout").and_then(|node| self.some_time(node)),
            on_timeout: self.word(&fields, "on_timeout").unwrap_or_default(),
            escalate_to: fields.get("escalate_to").map(|node| self.names(node)).unwrap_or_default(),
            escalation: fields.get("escalation").and_then(|node| self.text(node)),
            estimate: fields.get("estimate").and_then(|node| self.estimate(node)),
            prompt: self.templated_line(&fields, "prompt"),
            span: self.span(node),
        })
    }

    fn verify(&mut self, node: NodeId) -> Option<Verify> {
        let fields = self.fields(node, "verify", fields::VERIFY)?;
        let action = self.action(&fields);
        let mut duration = |name| fields.get(name).and_then(|node| self.duration(node));
        let (within, every) = (duration("within"), duration("every"));
        Some(Verify {
            action: action?,
            within: within.unwrap_or(Duration::from_mins(1)),
            every: every.unwrap_or(Duration::from_secs(2)).max(Duration::from_millis(10)),
        })
    }

    fn rollback(&mut self, node: NodeId) -> Option<ActionUse> {
        let fields = self.fields(node, "rollback", fields::ACTION)?;
        self.action(&fields)
    }

    fn estimate(&mut self, node: NodeId) -> Option<Estimate> {
        let fields = self.fields(node, "estimate", fields::ESTIMATE)?;
        let mut duration = |name| fields.get(name).and_then(|node| self.duration(node));
        let (typical, worst) = (duration("typical"), duration("worst"));
        Some(Estimate { typical: typical?, worst })
    }

    pub(crate) fn simulate(&mut self, node: NodeId) -> Option<Simulate> {
        let fields = self.fields(node, "simulate", fields::SIMULATE)?;
        let outputs = fields.get("outputs").map(|node| (self.json(node), node));
        let outputs = match outputs {
            None => serde_json::Map::new(),
            Some((Value::Object(outputs), _)) => outputs,
            Some((_, node)) => {
                self.report(Diagnostic::error("type", self.span(node), "wanted a mapping of outputs"));
                return None;
            }
        };
        Some(Simulate {
            duration: fields.get("duration").and_then(|node| self.duration(node)),
            outputs,
            fail: fields.get("fail").and_then(|node| self.text(node)).map(|text| text.value),
        })
    }
}
