//! Whether a run is a drill of the calendar, and may be held now.

use super::run::Start;
use crate::catalogue::{HumanDuration, Timestamp};
use crate::diag::{closest, listed};
use crate::error::Error;
use crate::plan::windows::{Opening, opening, window_words};
use crate::runbook::ast::{Kind, Runbook};
use crate::runbook::workspace::{Drill, Window, Workspace};

/// What a run is as a drill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The drill.
    pub(super) drill: Option<String>,
    /// Why it is held outside its window, where it is.
    pub(super) outside_window: Option<String>,
    /// What people have to know before it goes on.
    pub(super) note: Option<String>,
}

/// What the run is as a drill. What changes nothing, as a dry run, is none; nor is an announcement, whatever its name.
///
/// # Errors
/// There is no such drill, it is one of another runbook, or its window is closed and nobody said why it is held.
pub(super) fn admitted(
    workspace: &Workspace,
    runbook: &Runbook,
    start: &Start,
    now: Timestamp,
) -> Result<Admitted, Error> {
    let announces = start.made.as_ref().is_some_and(|made| made.announces.is_some());
    if start.dry_run || start.simulate.is_some() || announces {
        return Ok(Admitted::default());
    }
    let Some((name, drill)) = meant(workspace, runbook, start.drill.as_deref())? else {
        return Ok(Admitted::default());
    };
    let admitted = Admitted { drill: Some(name.to_owned()), ..Admitted::default() };
    let window = drill.window.as_ref().and_then(|window| workspace.maintenance_windows.get_key_value(window));
    let Some((called, window)) = window else { return Ok(admitted) };
    let next = opening(window, now);
    if let Some(open) = next.filter(|opening| opening.holds(now)) {
        return Ok(Admitted { note: too_late(name, drill, (called, open), now), ..admitted });
    }
    match start.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => Ok(Admitted { outside_window: Some(reason.to_owned()), ..admitted }),
        None => Err(closed(name, (called, window), next, now)),
    }
}

/// The drill that was named; without a name, that of a drill runbook.
fn meant<'w>(
    workspace: &'w Workspace,
    runbook: &Runbook,
    named: Option<&str>,
) -> Result<Option<(&'w str, &'w Drill)>, Error> {
    let is_same = |drill: &Drill| drill.runbook.value == runbook.name.value && drill.kind == runbook.kind;
    let drills = &workspace.drills;
    let Some(named) = named else {
        let own = drills.iter().filter(|(_, drill)| runbook.kind == Kind::Drill && is_same(drill));
        let own: Vec<(&str, &Drill)> = own.map(|(name, drill)| (name.as_str(), drill)).collect();
        return match own.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            several => {
                let names = listed(several.iter().map(|(name, _)| *name));
                let message = format!("drill `{}` stands more than once in the calendar: {names}", runbook.name.value);
                Err(Error::usage(message).next("say which it is: `--drill NAME`"))
            }
        };
    };
    let Some((name, drill)) = drills.get_key_value(named) else {
        let names = || drills.keys().map(String::as_str);
        let there = match drills.len() {
            0 => "`drctl.yaml` names none".to_owned(),
            _ => format!("there are {}", listed(names())),
        };
        let meant = closest(named, names()).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        return Err(Error::usage(format!("no drill is called `{named}`: {there}{meant}")).next("drctl drills"));
    };
    if !is_same(drill) {
        let (tries, is) = ((drill.kind.name(), &drill.runbook.value), (runbook.kind.name(), &runbook.name.value));
        let message =
            format!("drill `{name}` tries the {} `{}`, and this is the {} `{}`", tries.0, tries.1, is.0, is.1);
        return Err(Error::usage(message).next("drctl drills"));
    }
    Ok(Some((name, drill)))
}

fn too_late(name: &str, drill: &Drill, (called, open): (&str, Opening), now: Timestamp) -> Option<String> {
    let left = now.until(open.until);
    let lasts = drill.lasts.filter(|lasts| *lasts > left)?;
    let (left, lasts) = (HumanDuration(left), HumanDuration(lasts));
    Some(format!("drill `{name}` may last {lasts}, and its window `{called}` closes in {left}"))
}

fn closed(name: &str, (called, window): (&str, &Window), next: Option<Opening>, now: Timestamp) -> Error {
    let seconds = |at: Timestamp| Timestamp(at.0 - at.0.rem_euclid(1000));
    let next = next.map_or("never again".to_owned(), |next| format!("next at {}", seconds(next.from)));
    let message = format!(
        "drill `{name}` is held within its maintenance window `{called}` ({}), and that is closed: it is {}, it opens {next}",
        window_words(window),
        seconds(now),
    );
    Error::usage(message).next("to hold it all the same, say why: add `--reason \"...\"`, which is journaled")
}
