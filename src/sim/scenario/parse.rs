//! Reads a scenario file from its tree: every mistake with its place.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fields::{self, FAULTS};
use super::{
    CrashPoint, DELAY, Endpoint, Expect, Fault, Lost, MessageExpected, People, Remedy, RemedyAct, Reply, Scenario,
    StepExpected, WorldExpected,
};
use crate::diag::{Diagnostic, SourceId, Sources, Spanned};
use crate::engine::{Resolution, StepState};
use crate::runbook::ast::{Kind, Simulate};
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::source::{self, NodeId};

/// Reads a scenario. `None` where so much is wrong that there is nothing to judge further.
#[must_use]
pub fn parse(sources: &Sources, source: SourceId) -> (Option<Scenario>, Vec<Diagnostic>) {
    let (document, mut found) = source::parse(sources, source);
    let Some(document) = document else { return (None, found) };
    let mut reader = Reader(Decoder::new(&document));
    let scenario = reader.scenario(document.root());
    found.append(&mut reader.0.found);
    (scenario, found)
}

struct Reader<'d>(Decoder<'d>);

impl<'d> Reader<'d> {
    fn scenario(&mut self, root: NodeId) -> Option<Scenario> {
        let fields = self.0.fields(root, "the scenario", fields::SCENARIO)?;
        if let Some(node) = fields.get("drctl")
            && self.0.json(node) != 1
        {
            let note = "this drctl reads format 1; a newer file needs a newer drctl";
            self.wrong(node, "version", "wanted `drctl: 1`", Some(note));
        }
        let kind = if fields.get("kind").is_some() { self.0.word(&fields, "kind")? } else { Kind::Failover };
        let mut faults = Vec::new();
        for item in fields.get("faults").map(|node| self.0.items(node, "a list of faults")).unwrap_or_default() {
            faults.extend(self.fault(*item));
        }
        Some(Scenario {
            name: fields.get("scenario").and_then(|node| self.0.text(node))?,
            runbook: fields.get("runbook").and_then(|node| self.0.text(node))?,
            kind,
            title: fields.get("title").and_then(|node| self.0.text(node)).map(|text| text.value),
            inputs: fields.get("inputs").map(|node| self.mapping(node)).unwrap_or_default(),
            seed: fields.get("seed").map_or(0, |node| self.seed(node)),
            resources: self.resources(&fields),
            endpoints: self.endpoints(&fields),
            steps: fields.get("steps").map(|node| self.stand_ins(node)).unwrap_or_default(),
            faults,
            people: fields.get("people").map(|node| self.people(node)).unwrap_or_default(),
            expect: fields.get("expect").map(|node| self.expect(node)).unwrap_or_default(),
        })
    }

    fn wrong(&mut self, node: NodeId, code: &'static str, message: impl Into<String>, note: Option<&str>) {
        let mut diagnostic = Diagnostic::error(code, self.0.span(node), message);
        if let Some(note) = note {
            diagnostic = diagnostic.note(note);
        }
        self.0.report(diagnostic);
    }

    fn mapping(&mut self, node: NodeId) -> Map<String, Value> {
        match self.0.json(node) {
            Value::Object(entries) => entries,
            other => {
                let found = crate::catalogue::found(&other);
                self.wrong(node, "type", format!("wanted a mapping, found {found}"), None);
                Map::new()
            }
        }
    }

    fn seed(&mut self, node: NodeId) -> u64 {
        let seed = self.0.json(node).as_u64();
        if seed.is_none() {
            self.wrong(node, "type", "wanted a whole number from 0 on", None);
        }
        seed.unwrap_or(0)
    }

    fn duration(&mut self, fields: &Fields<'d>, name: &str) -> Option<Duration> {
        fields.get(name).and_then(|node| self.0.duration(node))
    }

    fn text(&mut self, fields: &Fields<'d>, name: &str) -> Option<String> {
        fields.get(name).and_then(|node| self.0.text(node)).map(|text| text.value)
    }

    fn flag(&mut self, fields: &Fields<'d>, name: &str) -> Option<bool> {
        fields.get(name).and_then(|node| self.0.boolean(node))
    }

    fn resources(&mut self, fields: &Fields<'d>) -> Vec<Spanned<Value>> {
        let items = fields.get("resources").map(|node| self.0.items(node, "a list of resources")).unwrap_or_default();
        let mut resources = Vec::new();
        for item in items {
            let value = self.0.json(*item);
            let named = ["type", "name"].iter().all(|name| value.get(*name).is_some_and(Value::is_string));
            if named {
                resources.push(Spanned { value, span: self.0.span(*item) });
            } else {
                self.wrong(*item, "resource", "a resource needs `type` and `name`", None);
            }
        }
        resources
    }

    fn endpoints(&mut self, fields: &Fields<'d>) -> Vec<Endpoint> {
        let items = fields.get("endpoints").map(|node| self.0.items(node, "a list of endpoints")).unwrap_or_default();
        let mut endpoints = Vec::new();
        for item in items {
            let Some(fields) = self.0.fields(*item, "an endpoint", fields::ENDPOINT) else { continue };
            endpoints.extend(self.text(&fields, "url").map(|url| Endpoint {
                url,
                served_by: self.text(&fields, "served_by"),
                region: self.text(&fields, "region"),
                moved: self.moved(*item, &fields),
                status: fields.get("status").and_then(|node| self.0.count(node)).and_then(|it| u16::try_from(it).ok()),
            }));
        }
        endpoints
    }

    fn moved(&mut self, node: NodeId, fields: &Fields<'d>) -> Option<(Spanned<String>, String)> {
        let step = fields.get("moved_by").and_then(|node| self.0.text(node));
        match (step, self.text(fields, "moved_to")) {
            (Some(step), Some(to)) => Some((step, to)),
            (None, None) => None,
            _ => {
                self.wrong(node, "endpoint", "`moved_by` and `moved_to` belong together", None);
                None
            }
        }
    }

    fn stand_ins(&mut self, node: NodeId) -> Vec<(Spanned<String>, Simulate)> {
        let entries = self.0.entries(node, "steps");
        entries.into_iter().filter_map(|(name, node)| Some((name, self.0.simulate(node)?))).collect()
    }

    /// The only entry of a mapping.
    fn only(&mut self, node: NodeId, what: &str) -> Option<(Spanned<String>, NodeId)> {
        let mut entries = self.0.entries(node, what);
        match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) => Some(entry),
            (Some(_), false) => {
                self.wrong(node, "fault", format!("wanted {what}, found several: write each as an item"), None);
                None
            }
            (None, _) => None,
        }
    }

    fn fault(&mut self, item: NodeId) -> Option<Spanned<Fault>> {
        let (word, node) = self.only(item, "one fault")?;
        let Some(known) = FAULTS.iter().find(|fault| fault.name == word.value) else {
            let diagnostic = Diagnostic::error("fault", word.span, format!("no fault is called `{}`", word.value));
            self.0.report(diagnostic.suggest(&word.value, FAULTS.iter().map(|fault| fault.name)));
            return None;
        };
        let fields = self.0.fields(node, &format!("fault `{}`", word.value), known.fields)?;
        let value = self.fault_of(known.name, &fields)?;
        Some(Spanned { value, span: word.span })
    }

    fn fault_of(&mut self, name: &str, fields: &Fields<'d>) -> Option<Fault> {
        let at = |reader: &mut Self| reader.duration(fields, "at").unwrap_or_default();
        Some(match name {
            "region_down" => Fault::RegionDown {
                region: self.text(fields, "region")?,
                at: at(self),
                lasts: self.duration(fields, "for"),
            },
            "throttled" => Fault::Throttled {
                service: self.text(fields, "service"),
                lasts: self.duration(fields, "for"),
                retry_after: self.duration(fields, "retry_after").unwrap_or(Duration::from_secs(10)),
            },
            "busy" => Fault::Busy {
                step: self.text(fields, "step"),
                service: self.text(fields, "service"),
                lasts: self.duration(fields, "for")?,
            },
            "slow_replication" => {
                Fault::SlowReplication { resource: self.text(fields, "resource"), lag: self.duration(fields, "lag")? }
            }
            "expired_token" => Fault::ExpiredToken { at: at(self) },
            of_step => self.step_fault(of_step, fields)?,
        })
    }

    fn step_fault(&mut self, name: &str, fields: &Fields<'d>) -> Option<Fault> {
        let step = self.text(fields, "step")?;
        Some(match name {
            "failed_operation" => Fault::FailedOperation {
                step,
                code: self.text(fields, "code"),
                message: self.text(fields, "message"),
                times: fields.get("times").and_then(|node| self.0.count(node)),
            },
            "stuck_operation" => Fault::StuckOperation { step },
            "lost_response" => Fault::LostResponse {
                step,
                effect: match self.0.word::<String>(fields, "effect").as_deref() {
                    Some("before") => Lost::BeforeEffect,
                    _ => Lost::AfterEffect,
                },
                times: fields.get("times").and_then(|node| self.0.count(node)),
            },
            "crash" => Fault::Crash {
                step,
                point: match self.0.word::<String>(fields, "point").as_deref() {
                    Some("before_effect") => CrashPoint::BeforeEffect,
                    Some("polling") => CrashPoint::Polling,
                    _ => CrashPoint::AfterEffect,
                },
            },
            "hang" => Fault::Hang { step },
            _ => Fault::Timeout { step },
        })
    }

    fn people(&mut self, node: NodeId) -> People {
        let mut people = People::default();
        for (name, node) in self.0.entries(node, "people") {
            match name.value.as_str() {
                "default" => people.default = self.reply(node).unwrap_or_default(),
                "operator" => people.operator = self.0.text(node).map(|text| text.value),
                "resume_after" => people.resume_after = self.0.duration(node).unwrap_or(DELAY),
                "on_failure" => {
                    for item in self.0.items(node, "a list of what is done") {
                        people.on_failure.extend(self.remedy(*item));
                    }
                }
                _ => people.replies.extend(self.reply(node).map(|reply| (name, reply))),
            }
        }
        people
    }

    fn reply(&mut self, node: NodeId) -> Option<Reply> {
        let fields = self.0.fields(node, "a reply", fields::REPLY)?;
        Some(Reply {
            silent: self.flag(&fields, "approve") == Some(false),
            reject: self.text(&fields, "reject"),
            after: self.duration(&fields, "after"),
            answers: fields.get("answers").map(|node| self.mapping(node)).unwrap_or_default(),
        })
    }

    fn remedy(&mut self, node: NodeId) -> Option<Remedy> {
        let fields = self.0.fields(node, "`on_failure`", fields::REMEDY)?;
        let said = |reader: &mut Self, name| reader.flag(&fields, name) == Some(true);
        let resolve = match self.0.word::<String>(&fields, "resolve").as_deref() {
            Some("happened") => Some(Resolution::Happened),
            Some("did_not_happen") => Some(Resolution::DidNotHappen),
            Some(_) => Some(Resolution::Retry),
            None => None,
        };
        let acts: Vec<RemedyAct> = [
            said(self, "retry").then_some(RemedyAct::Retry),
            said(self, "skip").then_some(RemedyAct::Skip),
            said(self, "abort").then_some(RemedyAct::Abort),
            resolve.map(RemedyAct::Resolve),
        ]
        .into_iter()
        .flatten()
        .collect();
        let [act] = acts.as_slice() else {
            self.wrong(node, "people", "wanted one of `retry`, `skip`, `resolve`, `abort`", None);
            return None;
        };
        Some(Remedy {
            step: fields.get("step").and_then(|node| self.0.text(node)),
            act: *act,
            after: self.duration(&fields, "after").unwrap_or(DELAY),
        })
    }

    fn expect(&mut self, node: NodeId) -> Expect {
        let Some(fields) = self.0.fields(node, "`expect`", fields::EXPECT) else { return Expect::default() };
        let mut expect = Expect::default();
        if let Some(node) = fields.get("state") {
            let span = self.0.span(node);
            expect.state = self.0.word(&fields, "state").map(|value| Spanned { value, span });
        }
        expect.rto = self.at_most(&fields, "rto");
        expect.rpo = self.at_most(&fields, "rpo");
        if let Some(node) = fields.get("steps") {
            for (name, node) in self.0.entries(node, "steps") {
                expect.steps.extend(self.step_expected(node).map(|expected| (name, expected)));
            }
        }
        for item in fields.get("world").map(|node| self.0.items(node, "a list of resources")).unwrap_or_default() {
            expect.world.extend(self.world_expected(*item));
        }
        for item in fields.get("messages").map(|node| self.0.items(node, "a list of notices")).unwrap_or_default() {
            expect.messages.extend(self.message_expected(*item));
        }
        expect
    }

    fn at_most(&mut self, fields: &Fields<'d>, name: &'static str) -> Option<Spanned<Duration>> {
        let node = fields.get(name)?;
        let inner = self.0.fields(node, &format!("`{name}`"), fields::AT_MOST)?;
        let value = self.duration(&inner, "at_most")?;
        Some(Spanned { value, span: self.0.span(node) })
    }

    fn step_expected(&mut self, node: NodeId) -> Option<StepExpected> {
        let text = self.0.text(node)?;
        match text.value.as_str() {
            "never" => return Some(StepExpected::Never),
            "ran" => return Some(StepExpected::Ran),
            _ => {}
        }
        if let Ok(state) = serde_json::from_value::<StepState>(Value::String(text.value.clone())) {
            return Some(StepExpected::In(state));
        }
        let message = format!("wanted `never`, `ran` or a state of a step, found `{}`", text.value);
        self.0.report(
            Diagnostic::error("type", text.span, message).suggest(&text.value, fields::STEP_WORDS.iter().copied()),
        );
        None
    }

    fn world_expected(&mut self, node: NodeId) -> Option<WorldExpected> {
        let fields = self.0.fields(node, "a resource", fields::WORLD)?;
        Some(WorldExpected {
            resource: self.text(&fields, "resource")?,
            at: self.text(&fields, "at").unwrap_or_default(),
            is: fields.get("is").map(|node| self.0.json(node))?,
            span: self.0.span(node),
        })
    }

    fn message_expected(&mut self, node: NodeId) -> Option<MessageExpected> {
        let fields = self.0.fields(node, "a notice", fields::MESSAGE)?;
        let times = fields.get("times").map(|node| self.seed(node));
        Some(MessageExpected {
            template: self.text(&fields, "template")?,
            audience: self.text(&fields, "audience"),
            times: times.and_then(|times| u32::try_from(times).ok()),
            contains: self.text(&fields, "contains"),
            span: self.0.span(node),
        })
    }
}
