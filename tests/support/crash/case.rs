//! One story, broken at one point and taken up until it has ended; each promise is judged on the way.

use std::path::Path;

use serde_json::Value;

use super::point::{Fault, Point, Power};
use super::power::{CALLS, Disk};
use super::scene::{Effect, Kind, Ran, Scene, Story};
use super::sweep::Shown;

/// A story on its way.
pub struct Case<'a> {
    scene: Scene,
    point: &'a Point,
    shown: Shown,
    log: Vec<String>,
}

impl<'a> Case<'a> {
    pub fn new(scene: Scene, point: &'a Point) -> Self {
        Self { scene, point, shown: Shown::default(), log: Vec::new() }
    }

    /// Breaks it and takes it up; what that showed.
    pub fn play(mut self) -> Shown {
        self.run();
        let told = if self.shown.violations.is_empty() { String::new() } else { self.told() };
        let (point, violations) = (self.point, std::mem::take(&mut self.shown.violations));
        let note = |violation| format!("{point:?}: {violation}\n{told}");
        Shown { violations: violations.into_iter().map(note).collect(), ..self.shown }
    }

    /// What was done after the fault, and the journal, for whoever reads of a violation.
    fn told(&self) -> String {
        let records = self.scene.journal();
        let line = |record: &Value| format!("{} {} {}\n", record["seq"], record["type"], record["payload"]);
        self.log.concat() + &records.iter().map(line).collect::<String>()
    }

    fn violated(&mut self, what: String) {
        self.shown.violations.push(what);
    }

    fn run(&mut self) {
        let ran = self.begin();
        self.shown.met = match &self.point.fault {
            Fault::KillAt(..) => ran.code == -9,
            Fault::FailAt(..) => ran.code == 8,
            Fault::Strike(_) | Fault::LoseAnswer(_) => self.scene.world.has_struck(),
        };
        if let Some(power) = self.point.power {
            self.cut(power);
        } else if self.point.all && self.shown.met {
            self.scene.kill_all();
        }
        if let Fault::FailAt(..) = self.point.fault {
            self.judge_failure(&ran);
        }
        if self.scene.journal().is_empty() {
            if self.scene.world.total() > 0 {
                self.violated("something happened before there was a journal".to_owned());
            }
            return;
        }
        self.take_up();
        self.judge_end();
    }

    /// The power is cut: nothing runs any more, and what was not durable is gone.
    fn cut(&mut self, power: Power) {
        self.scene.end_all();
        let log = std::fs::read(self.scene.path("trace")).unwrap();
        let disk = Disk::read(&String::from_utf8_lossy(&log), power == Power::Synced);
        let state = self.scene.path(".drctl");
        let lost = disk.cut(&state.canonicalize().unwrap_or(state));
        self.log.extend(lost.into_iter().map(|lost| format!("lost {lost}")));
    }

    /// Starts the run and breaks it.
    fn begin(&self) -> Ran {
        let scene = &self.scene;
        match self.point.fault {
            Fault::Strike(strike) => scene.world.strike(strike, self.point.all),
            Fault::LoseAnswer(effect) => scene.world.lose_answer(effect),
            Fault::KillAt(..) | Fault::FailAt(..) => {}
        }
        if !self.point.after_gate {
            assert_eq!(scene.drctl(&["plan", "orders", "--out", "plan.json"]).code, 0);
            let start = ["failover", "orders", "--plan", "plan.json", "--approve", "switch", "--as", "ada"];
            return scene.traced(&self.strace(None), &start);
        }
        assert_eq!(scene.drctl(&["failover", "orders"]).code, 3);
        assert_eq!(scene.drctl(&["approve", "switch", "--as", "ada"]).code, 0);
        scene.traced(&self.strace(Some(&scene.journal_path())), &["resume"])
    }

    fn strace(&self, journal: Option<&Path>) -> Vec<String> {
        if self.point.power.is_some() {
            let kill = match &self.point.fault {
                Fault::KillAt(call, number) => Some(format!("--inject={call}:signal=KILL:when={number}")),
                _ => None,
            };
            return ["-y", "-e", CALLS].map(str::to_owned).into_iter().chain(kill).collect();
        }
        let (call, what, number) = match &self.point.fault {
            Fault::KillAt(call, number) => (*call, "signal=KILL".to_owned(), *number),
            Fault::FailAt(call, error, number) => (*call, format!("error={error}"), *number),
            Fault::Strike(_) | Fault::LoseAnswer(_) => return vec!["-e".to_owned(), "trace=none".to_owned()],
        };
        let mut strace =
            vec!["-e".to_owned(), format!("trace={call}"), format!("--inject={call}:{what}:when={number}")];
        if let Some(journal) = journal {
            strace.extend(["-P".to_owned(), journal.display().to_string()]);
        }
        strace
    }

    /// What could not be saved is printed, and nothing of it was begun.
    fn judge_failure(&mut self, ran: &Ran) {
        if !self.shown.met {
            return;
        }
        let lines = ran.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let unsaved: Vec<Value> = lines.collect();
        // The repair of a resume fails before there is anything to save.
        if unsaved.is_empty() && !ran.stderr.contains("could not repair the journal") {
            self.violated(format!("no unsaved record was printed: {}", ran.stderr));
        }
        for record in unsaved.iter().filter(|record| record["type"] == "intent") {
            let payload = &record["payload"];
            let step = payload["step"].as_str().unwrap_or_default();
            let effect = effect_of(step, payload["side"] == "rollback");
            if self.scene.world.count(&effect) > 0 {
                self.violated(format!("`{effect}` happened without a durable intent"));
            }
        }
    }

    /// Resumes until the run has ended; each doubt is settled from what the world counted.
    fn take_up(&mut self) {
        let run = self.scene.run().unwrap_or_default();
        if let Some(sync) = self.point.again {
            let inject = format!("--inject=fdatasync:signal=KILL:when={sync}");
            self.scene.traced(&["-e".to_owned(), "trace=fdatasync".to_owned(), inject], &["resume", &run]);
            if self.point.all {
                self.scene.kill_all();
            }
        }
        for _ in 0..20 {
            let ran = self.scene.drctl(&["resume", &run]);
            self.log.push(format!("resume: {}\n{}{}", ran.code, ran.stdout, ran.stderr));
            match ran.code {
                0 | 1 | 10 => return,
                4 => self.settle(&run, &ran),
                code => return self.violated(format!("resume ended with {code}: {}", ran.stderr)),
            }
        }
        self.violated("twenty resumes did not end it".to_owned());
    }

    /// Every doubt is named, on the screen and for programs; none is asked that need not be.
    fn settle(&mut self, run: &str, ran: &Ran) {
        let status = self.scene.status();
        let steps = status["steps"].as_array().cloned().unwrap_or_default();
        let doubts: Vec<String> = steps
            .iter()
            .filter(|step| step["state"] == "in_doubt")
            .filter_map(|step| step["step"].as_str().map(str::to_owned))
            .collect();
        if doubts.is_empty() {
            self.violated(format!("a doubt that is not named: {status}"));
        }
        for step in doubts {
            if !ran.stdout.contains(&format!("in doubt: `{step}`")) {
                self.violated(format!("the doubt of `{step}` is not shown: {}", ran.stdout));
            }
            let effect = effect_of(&step, self.is_undoing(&step));
            if !self.may_be_doubtful(&effect) {
                self.violated(format!("`{effect}` is in doubt without need: {}", ran.stdout));
            }
            let happened = self.scene.world.count(&effect) > 0;
            let what = if happened { "--happened" } else { "--did-not-happen" };
            let resolved = self.scene.drctl(&["resolve", run, &step, what, "--reason", "counted"]);
            if resolved.code != 0 {
                self.violated(format!("`{step}` cannot be resolved: {}", resolved.stderr));
            }
            self.shown.doubts.insert(step);
        }
    }

    /// Which side of a step its last doubt is about.
    fn is_undoing(&self, step: &str) -> bool {
        let journal = self.scene.journal();
        let doubts = journal.iter().filter(|record| record["payload"]["side"].is_string());
        let last = doubts.rev().find(|record| record["payload"]["step"] == step);
        last.is_some_and(|record| record["payload"]["side"] == "rollback")
    }

    fn may_be_doubtful(&self, name: &str) -> bool {
        let effects = self.point.story.effects();
        effects.iter().find(|effect| effect.name == name).is_some_and(|effect| match effect.kind {
            Kind::Unsafe => true,
            Kind::Supervised => self.point.all,
            Kind::Repeatable | Kind::Observable => false,
        })
    }

    /// All happened, what may not be repeated happened once, and the journal holds.
    fn judge_end(&mut self) {
        let state = self.scene.status()["state"].clone();
        let wanted: &[&str] = match self.point.story {
            Story::Succeeds => &["succeeded", "completed_with_exceptions"],
            Story::IsUndone => &["failed"],
        };
        if !state.as_str().is_some_and(|state| wanted.contains(&state)) {
            let status = self.scene.drctl(&["status", &self.scene.run().unwrap_or_default()]);
            self.violated(format!("the run ended as {state}: {}", status.stdout));
        }
        for Effect { name, kind } in self.point.story.effects() {
            match self.scene.world.count(name) {
                0 => self.violated(format!("`{name}` is lost")),
                count if count > 1 && kind != Kind::Repeatable => {
                    self.violated(format!("`{name}` happened {count} times"));
                }
                _ => {}
            }
        }
        if std::fs::read_dir(self.scene.path("notices")).map_or(0, Iterator::count) != 1 {
            self.violated("the notice is not in its file".to_owned());
        }
        for effect in self.scene.world.badly_keyed() {
            self.violated(format!("`{effect}` was asked for under several idempotency keys, or none"));
        }
        let verified = self.scene.drctl(&["verify", &self.scene.run().unwrap_or_default()]);
        if verified.code != 0 {
            self.violated(format!("the journal does not hold: {}", verified.stderr));
        }
    }
}

/// The name of what a step does to the world.
fn effect_of(step: &str, undoing: bool) -> String {
    match (step, undoing) {
        ("tell", _) => "notice".to_owned(),
        (step, true) => format!("undo_{step}"),
        (step, false) => step.to_owned(),
    }
}
