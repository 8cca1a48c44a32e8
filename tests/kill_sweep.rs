//! `kill -9` of the built binary at every write of its journal and inside every effect: no effect is lost, none
//! that may not be repeated happens twice, and every doubt is named. Two built-in mistakes must be found.
//!
//! The effects are counted where drctl cannot reach. Needs `strace`.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/crash/mod.rs"]
mod crash;
#[path = "support/tool.rs"]
mod tool;

use std::path::Path;

use crash::mutant::mutant;
use crash::point::{Fault, Point, Power};
use crash::scene::Story;
use crash::sweep::{Subject, Swept};
use crash::world::Strike;
use tool::installed;

fn drctl() -> Subject<'static> {
    Subject { binary: Path::new(env!("CARGO_BIN_EXE_drctl")), mutant: None }
}

/// Every point was good, and there were about as many as the story has writes.
fn assert_good(swept: &Swept, at_least: usize) {
    assert_eq!(swept.violations.join("\n\n"), "");
    assert!(swept.met >= at_least, "the fault was met only {} times", swept.met);
}

fn killed_at_sync(story: Story, number: usize) -> Point {
    Point::new(story, Fault::KillAt("fdatasync", number))
}

/// Killed before the record is in the file.
fn killed_at_write(story: Story, number: usize) -> Point {
    Point::new(story, Fault::KillAt("write", number)).after_gate()
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    assert_good(&drctl().sweep(|number| killed_at_sync(Story::Succeeds, number)), 12);
}

#[test]
fn a_kill_of_drctl_and_all_it_started_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    assert_good(&drctl().sweep(|number| killed_at_sync(Story::Succeeds, number).with_all(true)), 12);
}

#[test]
fn a_kill_at_any_moment_of_a_rollback_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    assert_good(&drctl().sweep(|number| killed_at_sync(Story::IsUndone, number)), 15);
}

#[test]
fn a_kill_of_drctl_and_all_it_started_in_a_rollback_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    assert_good(&drctl().sweep(|number| killed_at_sync(Story::IsUndone, number).with_all(true)), 15);
}

#[test]
fn a_second_kill_while_the_run_is_taken_up_changes_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    for story in [Story::Succeeds, Story::IsUndone] {
        let point =
            |number: usize| killed_at_sync(story, number).with_all(number.is_multiple_of(2)).again(1 + number % 4);
        assert_good(&drctl().sweep(point), 12);
    }
}

#[test]
fn a_kill_before_any_write_after_a_gate_keeps_the_approval_and_the_effects() {
    if !installed(&["strace"]) {
        return;
    }
    for story in [Story::Succeeds, Story::IsUndone] {
        assert_good(&drctl().sweep(|number| killed_at_write(story, number)), 10);
    }
}

#[test]
fn a_kill_of_all_before_any_write_after_a_gate_keeps_the_approval_and_the_effects() {
    if !installed(&["strace"]) {
        return;
    }
    assert_good(&drctl().sweep(|number| killed_at_write(Story::Succeeds, number).with_all(true)), 10);
}

#[test]
fn a_kill_between_an_intent_and_its_effect_is_no_effect() {
    if !installed(&["strace"]) {
        return;
    }
    for call in ["clone3", "connect", "writev"] {
        let point =
            |number: usize| Point::new(Story::Succeeds, Fault::KillAt(call, number)).with_all(number.is_multiple_of(2));
        assert_good(&drctl().sweep(point), 1);
    }
}

#[test]
fn a_power_cut_at_any_sync_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    for story in [Story::Succeeds, Story::IsUndone] {
        assert_good(&drctl().sweep(|number| killed_at_sync(story, number).with_power_cut(Power::Synced)), 12);
    }
}

#[test]
fn a_power_cut_inside_an_effect_loses_nothing_and_repeats_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    for effect in ["switch", "script", "program", "order", "ticket", "setting", "second", "notice"] {
        for counted in [false, true] {
            let strike = Fault::Strike(Strike { counted, effect });
            let shown = drctl().break_at(&Point::new(Story::Succeeds, strike).with_power_cut(Power::Synced));
            assert_eq!(shown.violations.join("\n\n"), "");
            assert!(shown.met, "{effect} was not struck");
        }
    }
}

#[test]
fn a_power_cut_finds_a_drctl_that_never_syncs_and_one_that_acts_before_it_writes() {
    if !installed(&["strace"]) {
        return;
    }
    let struck = |power| {
        Point::new(Story::Succeeds, Fault::Strike(Strike { counted: true, effect: "order" })).with_power_cut(power)
    };
    let found = drctl().break_at(&struck(Power::NeverSynced)).violations.join("\n\n");
    assert!(found.contains("something happened before there was a journal"), "{found}");
    let subject = Subject { binary: mutant(), mutant: Some("effect_before_intent") };
    let found = subject.break_at(&struck(Power::Synced)).violations.join("\n\n");
    assert!(found.contains(" times") || found.contains("before there was a journal"), "{found}");
}

/// Kills supervisors too: between the end of a step and the record of it.
#[test]
fn a_kill_of_a_supervisor_at_any_record_it_keeps_is_a_doubt_at_most() {
    if !installed(&["strace"]) {
        return;
    }
    for number in 1..=10 {
        let point = Point::new(Story::Succeeds, Fault::KillAt("fsync", number)).with_all(true);
        let shown = drctl().break_at(&point);
        assert_eq!(shown.violations.join("\n\n"), "");
    }
}

/// Killed in the middle of an effect, drctl asks about it only where nobody else can tell.
#[test]
fn a_kill_inside_an_effect_asks_only_where_nobody_else_can_tell() {
    if !installed(&["strace"]) {
        return;
    }
    // The effect, and the step that is in doubt if drctl is killed alone, or with all it started.
    let told = [
        ("switch", "", "switch"),
        ("script", "", "script"),
        ("program", "", ""),
        ("order", "order", "order"),
        ("ticket", "", ""),
        ("setting", "", ""),
        ("second", "", "second"),
        ("notice", "tell", "tell"),
    ];
    for (effect, alone, with_all) in told {
        judge_strikes(Story::Succeeds, effect, [alone, with_all]);
    }
}

#[test]
fn a_kill_inside_an_undo_asks_only_where_nobody_else_can_tell() {
    if !installed(&["strace"]) {
        return;
    }
    let told = [("undo_script", "", "script"), ("undo_program", "", ""), ("undo_order", "order", "order")];
    for (effect, alone, with_all) in told {
        judge_strikes(Story::IsUndone, effect, [alone, with_all]);
    }
}

fn judge_strikes(story: Story, effect: &'static str, doubts: [&str; 2]) {
    for (all, counted) in [(false, false), (false, true), (true, false), (true, true)] {
        let point = Point::new(story, Fault::Strike(Strike { counted, effect })).with_all(all);
        let shown = drctl().break_at(&point);
        assert_eq!(shown.violations.join("\n\n"), "");
        assert!(shown.met, "{point:?} struck nothing");
        let doubt = doubts[usize::from(all)];
        // Steps beside it may have been cut short too; the sweep has judged them.
        assert!(doubt.is_empty() || shown.doubts.contains(doubt), "{point:?}: {:?}", shown.doubts);
    }
}

#[test]
fn an_answer_that_never_comes_is_no_reason_to_send_again() {
    if !installed(&["strace"]) {
        return;
    }
    let told = [("order", Some("order")), ("ticket", None), ("notice", Some("tell")), ("undo_order", Some("order"))];
    for (effect, step) in told {
        let shown = drctl().break_at(&Point::new(Story::IsUndone, Fault::LoseAnswer(effect)));
        assert_eq!(shown.violations.join("\n\n"), "");
        assert_eq!(shown.doubts.iter().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(step));
    }
}

#[test]
fn any_sync_of_the_journal_may_fail_and_a_resume_goes_on() {
    if !installed(&["strace"]) {
        return;
    }
    let point = |number| Point::new(Story::Succeeds, Fault::FailAt("fdatasync", "EIO", number));
    assert_good(&drctl().sweep(point), 12);
}

#[test]
fn the_disk_may_be_full_at_any_write_and_a_resume_goes_on() {
    if !installed(&["strace"]) {
        return;
    }
    let point = |number| Point::new(Story::IsUndone, Fault::FailAt("write", "ENOSPC", number)).after_gate();
    assert_good(&drctl().sweep(point), 12);
}

/// What the sweep says of a drctl with a mistake built in; nothing where it is switched off.
fn violations(mistake: Option<&'static str>) -> Vec<String> {
    let subject = Subject { binary: mutant(), mutant: mistake };
    subject.sweep(|number| killed_at_write(Story::IsUndone, number)).violations
}

#[test]
fn the_sweep_finds_both_mistakes() {
    if !installed(&["strace"]) {
        return;
    }
    for mistake in ["effect_before_intent", "blind_retry"] {
        let found = violations(Some(mistake));
        assert!(found.iter().any(|it| it.contains(" times")), "{mistake} was not found: {}", found.join("\n\n"));
    }
    assert_eq!(violations(None).join("\n\n"), "", "without a mistake the same binary is right");
}

#[test]
fn rehearsed_crashes_find_both_mistakes() {
    for mistake in ["effect_before_intent", "blind_retry"] {
        let mut command = std::process::Command::new(mutant());
        command.args(["rehearse", "platform-recovery", "--scenario", "region_down", "--crash-everywhere"]);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("DRCTL_WORKSPACE").env("DRCTL_MUTANT", mistake);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{mistake}: {text}");
        assert!(text.contains(" happened 2 times, undisturbed 1"), "{mistake}: {text}");
    }
}
