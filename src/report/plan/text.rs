//! A plan as text: a line for each step, below it what it does, who must agree, and what undoes it.

use std::time::Duration;

use console::Style;
use serde_json::Value;

use super::super::sanitise::sanitise;
use super::super::words::{count, names, title_and_owner};
use super::outline::{Choice, Gate, Given, Needed, Outline, Parameter, PhaseOutline, Seconds, StepOutline, Times, Use};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every step with its parameters on one line, long ones cut.
    Short,
    /// Every parameter on lines of its own, and how each step is tried.
    Full,
}

/// The longest value that is shown on the line of its action.
const LONGEST: usize = 60;
/// The widest that names of steps make their column.
const WIDEST: usize = 32;

/// A plan for people; `colour` is for a terminal.
#[must_use]
pub fn text(plan: &Outline, detail: Detail, colour: bool) -> String {
    let mut writer = Writer { detail, colour, width: width(plan), text: String::new() };
    writer.head(plan);
    writer.inputs(&plan.inputs);
    for phase in &plan.phases {
        writer.line(0, "");
        let name = writer.paint(Style::new().bold(), phase.phase);
        writer.line(0, &name);
        writer.phase(phase, 1, 0);
    }
    writer.times(&plan.critical_path);
    writer.permissions(&plan.permissions);
    writer.text
}

fn width(plan: &Outline) -> usize {
    let widest = plan.steps().into_iter().map(|step| step.path.len()).max();
    widest.unwrap_or_default().clamp(12, WIDEST)
}

/// Text of others on one line.
fn line(text: &str) -> String {
    sanitise(text).replace('\n', " ")
}

struct Writer {
    detail: Detail,
    colour: bool,
    width: usize,
    text: String,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(format!("{}{text}", "  ".repeat(indent)).trim_end());
        self.text.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.colour).apply_to(text).to_string()
    }

    fn head(&mut self, plan: &Outline) {
        let steps = plan.steps_within_reach();
        let gates = steps.iter().filter(|step| step.approval.is_some()).count();
        let final_steps = steps.iter().filter(|step| step.point_of_no_return).count();
        let mut parts = vec![count(steps.len(), "step")];
        parts.extend((gates > 0).then(|| count(gates, "gate")));
        parts.extend((final_steps > 0).then(|| format!("{} of no return", count(final_steps, "point"))));
        let name = format!("{} `{}`", plan.kind, plan.runbook);
        let name = self.paint(Style::new().bold(), &name);
        self.line(0, &format!("{name}: {}", parts.join(", ")));
        if let Some(title) =
            title_and_owner(plan.title.as_deref().map(|title| self.cut(line(title))), plan.owner.as_deref())
        {
            self.line(0, &title);
        }
    }

    fn inputs(&mut self, inputs: &[Given]) {
        if inputs.is_empty() {
            return;
        }
        self.line(0, "");
        let head = self.paint(Style::new().bold(), "inputs");
        self.line(0, &head);
        let width = inputs.iter().map(|input| input.name.len()).max().unwrap_or_default();
        for input in inputs {
            let value = match &input.from {
                Some(from) => format!("(secret from {})", line(from)),
                None => self.short(&input.value),
            };
            self.line(1, &format!("{:width$}  {value}", input.name));
        }
    }

    fn phase(&mut self, phase: &PhaseOutline, indent: usize, before: usize) {
        for (wave, steps) in phase.waves.iter().enumerate() {
            for step in steps {
                self.step(step, before + wave + 1, indent);
            }
        }
    }

    fn step(&mut self, step: &StepOutline, wave: usize, indent: usize) {
        let critical = if step.critical { "*" } else { " " };
        let time = step.estimate.map_or_else(|| "-".to_owned(), |(typical, _)| typical.to_string());
        let name =
            self.paint(Style::new().bold(), &step.path) + &" ".repeat(self.width.saturating_sub(step.path.len()));
        let title = step.title.as_deref().map(|title| self.cut(line(title)));
        let title = title_and_owner(title, step.owner.as_deref()).unwrap_or_default();
        self.line(indent, &format!("{wave:>2} {critical} {name} {time:>7}  {title}"));
        let inner = indent + 3;
        self.does("", &step.does, "", inner);
        self.conditions(step, inner);
        if step.point_of_no_return {
            let words = self.paint(Style::new().red().bold(), "POINT OF NO RETURN");
            self.line(inner, &format!("{words}: nothing before it can be undone once it has run"));
        }
        if let Some(gate) = &step.approval {
            self.gate(&step.path, gate, inner);
        }
        if let Some(check) = &step.verify {
            self.does("verified by ", &check.does, &format!("; within {}", check.within), inner);
        }
        if let Some(rollback) = &step.rollback {
            self.does("undone by ", rollback, "", inner);
        }
        if let Some(call) = &step.calls {
            let mut waves = 0;
            for phase in &call.phases {
                self.phase(phase, inner, waves);
                waves += phase.waves.len();
            }
        }
    }

    /// An action as it would be typed: `wait for=5m`.
    fn does(&mut self, words: &str, action: &Use, more: &str, indent: usize) {
        let name = self.paint(Style::new().cyan(), &action.action);
        if self.detail == Detail::Full {
            self.line(indent, &format!("{words}{name}{more}"));
            action.with.iter().for_each(|parameter| self.parameter(parameter, indent + 1));
            return;
        }
        let shown = |name: &str| !["subscription", "credential", "resource_group"].contains(&name);
        let parameters = action.with.iter().filter(|parameter| shown(&parameter.name));
        let parameters = parameters.map(|parameter| format!(" {}={}", parameter.name, self.short(&parameter.value)));
        let parameters: String = parameters.collect();
        let group = action.with.iter().find(|parameter| parameter.name == "resource_group");
        let group = group.map(|group| format!(" in {}", self.short(&group.value))).unwrap_or_default();
        self.line(indent, &format!("{words}{name}{parameters}{group}{more}"));
    }

    fn parameter(&mut self, parameter: &Parameter, indent: usize) {
        let text = match &parameter.value {
            Value::String(text) => sanitise(text),
            Value::Object(entries) if !entries.is_empty() => {
                self.line(indent, &format!("{}:", parameter.name));
                for (name, value) in entries {
                    let inner = Parameter { name: name.clone(), value: value.clone(), known_after: Vec::new() };
                    self.parameter(&inner, indent + 1);
                }
                return;
            }
            other => sanitise(&other.to_string()),
        };
        let mut lines = text.trim_end().split('\n');
        self.line(indent, &format!("{}: {}", parameter.name, lines.next().unwrap_or_default()));
        lines.for_each(|further| self.line(indent + 1, further));
    }

    /// A value on one line; text that could be taken for more than one word is quoted.
    fn short(&self, value: &Value) -> String {
        let text = match value {
            Value::String(text)
                if text.starts_with('(') || (!text.is_empty() && !text.contains(char::is_whitespace)) =>
            {
                line(text)
            }
            other => line(&other.to_string()),
        };
        self.cut(text)
    }

    fn cut(&self, text: String) -> String {
        if self.detail == Detail::Full || text.chars().count() <= LONGEST {
            return text;
        }
        text.chars().take(LONGEST - 3).chain("...".chars()).collect()
    }

    fn conditions(&mut self, step: &StepOutline, indent: usize) {
        let mut parts = Vec::new();
        if !step.needs.is_empty() {
            parts.push(format!("after {}", step.needs.join(", ")));
        }
        if let Some(when) = &step.when {
            let applies = match step.applies {
                Some(true) => ": it does",
                Some(false) => ": it does not",
                None => "",
            };
            parts.push(format!("only where {}{applies}", line(when)));
        }
        match step.run_if {
            "failure" => parts.push("only after a failure".to_owned()),
            "always" => parts.push("at the end, however the run ends".to_owned()),
            _ => {}
        }
        if let Some(each) = &step.for_each {
            parts.push(format!("for each of {}", self.short(&each.value)));
        }
        if let Some(repeat) = &step.every {
            let until = repeat.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            parts.push(format!("every {}{until}", repeat.every));
        }
        let usual = if step.does.action == "notify" { "continue" } else { "stop" };
        if step.on_failure != usual {
            parts.push(format!("after a failure: {}", step.on_failure));
        }
        if self.detail == Detail::Full {
            parts.push(format!(
                "{}; {} of {} each",
                step.effect,
                count(step.attempts as usize, "attempt"),
                step.timeout
            ));
            parts.extend(step.estimate.map(|(typical, worst)| format!("takes {typical}, at worst {worst}")));
        }
        if !parts.is_empty() {
            let parts = self.paint(Style::new().dim(), &parts.join("; "));
            self.line(indent, &parts);
        }
    }

    fn gate(&mut self, path: &str, gate: &Gate, indent: usize) {
        let word = self.paint(Style::new().yellow().bold(), "GATE");
        self.line(indent, &format!("{word} {}", gate_words(gate)));
        if let Some(prompt) = &gate.prompt {
            let text = sanitise(prompt.value.as_str().unwrap_or_default());
            text.trim_end().split('\n').for_each(|asked| self.line(indent + 1, asked));
        }
        match (&gate.digest, &gate.why) {
            (Some(digest), _) => {
                self.line(indent + 1, &format!("--approve {path}={}", crate::plan::digest::short(digest)));
                if self.detail == Detail::Full {
                    gate.preview.iter().for_each(|does| self.line(indent + 1, &format!("does: {}", line(does))));
                }
            }
            (None, why) => {
                let why = why.as_deref().unwrap_or_default();
                self.line(indent + 1, &format!("no approval ahead: {}", line(why)));
            }
        }
    }

    fn times(&mut self, times: &Times) {
        let head = self.paint(Style::new().bold(), "critical path *");
        let (usual, worst) = (times.typical, times.worst);
        let rto = times.rto.map_or_else(|| "no RTO is set".to_owned(), |rto| against(rto, usual, worst));
        self.line(0, "");
        self.line(0, &format!("{head} {usual} usually, {worst} at worst; {rto}"));
        self.line(1, &times.steps.join(" -> "));
        if times.worst_steps != times.steps {
            self.line(1, &format!("at worst {}", times.worst_steps.join(" -> ")));
        }
        let worst = times.choices.first().map(|choice| (choice.typical, choice.worst));
        let alike = |choice: &Choice| Some((choice.typical, choice.worst)) == worst;
        if let [first, _, ..] = times.choices.as_slice()
            && times.choices.iter().all(alike)
        {
            let names: Vec<String> = first.inputs.keys().map(|name| format!("`{name}`")).collect();
            self.line(1, &format!("the same for every value of {}", names.join(", ")));
        } else {
            times.choices.iter().for_each(|choice| self.line(1, &choice_words(choice, alike(choice))));
        }
        if !times.not_told_apart.is_empty() {
            let same = names(&times.not_told_apart, 12);
            self.line(1, &format!("each with {same} as in this plan: there are too many combinations to try all"));
        }
        if !times.without_estimate.is_empty() {
            let steps = names(&times.without_estimate, 12);
            self.line(1, &format!("counted as nothing, for want of an `estimate`: {steps}"));
        }
    }

    fn permissions(&mut self, needed: &[Needed]) {
        if needed.is_empty() {
            return;
        }
        self.line(0, "");
        let head = self.paint(Style::new().bold(), "permissions");
        self.line(0, &format!("{head} beyond reading"));
        let width = needed.iter().map(|needed| needed.permission.len()).max().unwrap_or_default().min(80);
        let mut scope = "";
        for needed in needed {
            if needed.scope != scope {
                scope = &needed.scope;
                self.line(1, &line(scope));
            }
            self.line(2, &format!("{:width$}  {}", needed.permission, needed.steps.join(", ")));
        }
    }
}

/// `incident_commander (ada, grace), 2 people, not who started the run; after 15m duty_manager (linus) too`.
fn gate_words(gate: &Gate) -> String {
    let people = |roles: &[String], people: &[String]| match people {
        [] => format!("{} (nobody has this role)", roles.join(" or ")),
        people => format!("{} ({})", roles.join(" or "), people.join(", ")),
    };
    let who = if gate.by.is_empty() { "anybody".to_owned() } else { people(&gate.by, &gate.people) };
    let quorum = if gate.quorum > 1 { format!(", {} of them", gate.quorum) } else { String::new() };
    let others = if gate.requester_may_approve { "" } else { ", not who starts the run" };
    let then = match (gate.timeout, gate.on_timeout) {
        (None, _) => "waits for as long as it takes".to_owned(),
        (Some(after), "reject") => format!("refused after {after}"),
        (Some(after), _) if gate.escalate_to.is_empty() => format!("overdue after {after}"),
        (Some(after), _) => format!("after {after} also {}", people(&gate.escalate_to, &gate.escalate_to_people)),
    };
    format!("{who}{quorum}{others}; {then}{}", calls_words(&gate.calls))
}

/// `; calls on_call_engineer at once, engineering_manager after 5m`.
fn calls_words(calls: &[(String, Seconds)]) -> String {
    let mut after = Duration::ZERO;
    let words = calls.iter().map(|(calls, timeout)| {
        let when = if after.is_zero() { "at once".to_owned() } else { format!("after {}", Seconds(after)) };
        after += timeout.0;
        format!("{calls} {when}")
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!("; calls {}", words.join(", ")) }
}

/// `RTO 45m: 13m49s to spare at worst`.
fn against(rto: Seconds, usual: Seconds, worst: Seconds) -> String {
    let over = |time: Seconds| Seconds(time.0.saturating_sub(rto.0));
    if usual > rto {
        format!("RTO {rto}: usually {} over it", over(usual))
    } else if worst > rto {
        format!("RTO {rto}: at worst {} over it", over(worst))
    } else {
        format!("RTO {rto}: {} to spare at worst", Seconds(rto.0 - worst.0))
    }
}

/// `with mode=planned  19m usually, 49m at worst   the worst`.
fn choice_words(choice: &Choice, is_worst: bool) -> String {
    let word = |(name, value): (&String, &Value)| {
        format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let values: Vec<String> = choice.inputs.iter().map(word).collect();
    let notes = [is_worst.then_some("the worst"), choice.planned.then_some("this plan")];
    let notes: Vec<&str> = notes.into_iter().flatten().collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("with {}: {} usually, {} at worst{notes}", values.join(", "), choice.typical, choice.worst)
}
