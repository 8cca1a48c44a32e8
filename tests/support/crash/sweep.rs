//! Breaks a story at one point after the other: what went against the promises.

use std::collections::BTreeSet;
use std::path::Path;

use super::case::Case;
use super::point::Point;
use super::scene::Scene;

/// What a point showed.
#[derive(Debug, Default)]
pub struct Shown {
    /// Whether the fault was met at all.
    pub met: bool,
    /// The steps that were in doubt.
    pub doubts: BTreeSet<String>,
    /// What went against the promises.
    pub violations: Vec<String>,
}

/// The binary that is broken.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub binary: &'a Path,
    pub mutant: Option<&'static str>,
}

impl Subject<'_> {
    /// Breaks the story at one point.
    pub fn break_at(self, point: &Point) -> Shown {
        let scene = Scene::new(self.binary, point.story).with_mutant(self.mutant);
        Case::new(scene, point).play()
    }

    /// Breaks the story at the first, second, ... point until one is not met any more; what went wrong.
    pub fn sweep(self, point: impl Fn(usize) -> Point) -> Swept {
        let mut swept = Swept::default();
        for number in 1.. {
            let shown = self.break_at(&point(number));
            swept.violations.extend(shown.violations);
            if !shown.met {
                break;
            }
            swept.met += 1;
        }
        swept
    }
}

/// What a sweep showed.
#[derive(Debug, Default)]
pub struct Swept {
    /// How many points were met.
    pub met: usize,
    pub violations: Vec<String>,
}
