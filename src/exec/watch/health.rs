//! From single looks to a state: one bad look is no outage, and one good look is no recovery.

use std::collections::VecDeque;

use serde::Serialize;

use crate::catalogue::Timestamp;

/// How something is: at one look, or as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Healthy,
    /// It works in part, or now and then.
    Degraded,
    /// It does not work.
    Down,
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// What a probe's word stands for.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Healthy, Self::Degraded, Self::Down].into_iter().find(|verdict| verdict.word() == word)
    }
}

/// How many looks it takes to change the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// So many bad looks,
    pub bad: usize,
    /// of so many, are an outage.
    pub of: usize,
    /// So many good looks in a row are health.
    pub good: usize,
}

/// The state, as the looks so far make it.
#[derive(Clone, Debug)]
pub struct Health {
    thresholds: Thresholds,
    /// The last looks, the oldest first.
    looks: VecDeque<(Timestamp, Verdict)>,
    state: Verdict,
}

impl Health {
    /// Of something that nobody has looked at yet.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, looks: VecDeque::new(), state: Verdict::Healthy }
    }

    /// Takes a look in; the state after it.
    pub fn take(&mut self, at: Timestamp, look: Verdict) -> Verdict {
        let Thresholds { bad, of, good } = self.thresholds;
        self.looks.push_back((at, look));
        while self.looks.len() > of.max(good) {
            self.looks.pop_front();
        }
        let recovered = self.good_in_a_row() >= good;
        if self.state == Verdict::Down && recovered {
            // What was bad before belongs to the outage that is over.
            self.looks.retain(|(_, look)| *look == Verdict::Healthy);
        }
        let lately = || self.looks.iter().rev().take(of);
        self.state = if lately().filter(|(_, look)| *look == Verdict::Down).count() >= bad {
            Verdict::Down
        } else if recovered {
            Verdict::Healthy
        } else if self.state == Verdict::Down {
            Verdict::Down
        } else if lately().any(|(_, look)| *look != Verdict::Healthy) {
            Verdict::Degraded
        } else {
            self.state
        };
        self.state
    }

    fn good_in_a_row(&self) -> usize {
        self.looks.iter().rev().take_while(|(_, look)| *look == Verdict::Healthy).count()
    }

    /// Since when it is as bad as it is: the first bad look of those that count.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        let lately = self.looks.iter().skip(self.looks.len().saturating_sub(self.thresholds.of));
        lately.filter(|(_, look)| *look == Verdict::Down).map(|(at, _)| *at).next()
    }

    /// Whether the looks so far say it one way or the other.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.state == Verdict::Down || self.good_in_a_row() >= self.thresholds.good
    }

    /// How many looks count at most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.thresholds.of.max(self.thresholds.good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states after looks of `g`ood, `d`egraded and `b`ad, a minute apart; when the outage began, at the end.
    fn states(thresholds: (usize, usize, usize), looks: &str) -> (String, Option<i64>) {
        let (bad, of, good) = thresholds;
        let mut health = Health::new(Thresholds { bad, of, good });
        let word = |look| match look {
            'g' => Verdict::Healthy,
            'd' => Verdict::Degraded,
            _ => Verdict::Down,
        };
        let states = (0..).zip(looks.chars()).map(|(minute, look)| match health.take(Timestamp(minute), word(look)) {
            Verdict::Healthy => 'H',
            Verdict::Degraded => 'D',
            Verdict::Down => 'O',
        });
        let states = states.collect();
        (states, health.since().map(|at| at.0))
    }

    #[test]
    fn it_goes_down_with_enough_bad_looks_and_up_with_enough_good_ones() {
        for (thresholds, looks, wanted) in [
            ((3, 5, 2), "gggg", "HHHH"),
            ((3, 5, 2), "gbbb", "HDDO"),
            ((3, 5, 2), "bbbgbggbb", "DDOOOOHDD"),
            ((3, 5, 2), "bbbggbbb", "DDOOHDDO"),
            // Flapping: three of five are bad.
            ((3, 5, 2), "bgbgb", "DDDDO"),
            // Flapping, but seldom: two good ones in a row each time.
            ((3, 5, 2), "bggbggbgg", "DDHDDHDDH"),
            // Half well is neither bad nor good.
            ((2, 3, 2), "ddddgg", "DDDDDH"),
            ((2, 3, 2), "bbdddg", "DOOOOO"),
            ((1, 1, 1), "gbgb", "HOHO"),
            ((2, 2, 4), "bbgggg", "DOOOOH"),
        ] {
            assert_eq!(states(thresholds, looks).0, wanted, "{looks}");
        }
    }

    #[test]
    fn an_outage_began_with_the_first_bad_look_that_counts() {
        assert_eq!(states((3, 5, 2), "ggbgbb"), ("HHDDDO".to_owned(), Some(2)));
        assert_eq!(states((3, 5, 2), "bbbggbbb"), ("DDOOHDDO".to_owned(), Some(5)));
        assert_eq!(states((3, 5, 2), "gg").1, None);
    }
}
