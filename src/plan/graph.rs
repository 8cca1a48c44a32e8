//! The graph of steps: who needs whom, in what order, and the shortest cycle where there is one.
//!
//! Knows indices only; what a step is, is not its business. Compact rows, because a runbook may have
//! a hundred thousand steps.

use std::collections::VecDeque;

/// The place of a step in its runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIndex(pub u32);

impl StepIndex {
    /// As an index into a slice of all steps.
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Rows of step indices, one row a step, in one allocation.
#[derive(Clone, Debug, Default)]
struct Rows {
    starts: Vec<u32>,
    items: Vec<StepIndex>,
}

impl Rows {
    fn build(count: usize, edges: impl Iterator<Item = (StepIndex, StepIndex)> + Clone) -> Self {
        let mut starts = vec![0_u32; count + 1];
        edges.clone().for_each(|(row, _)| starts[row.at() + 1] += 1);
        for row in 0..count {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut items = vec![StepIndex(0); starts[count] as usize];
        edges.for_each(|(row, item)| {
            items[next[row.at()] as usize] = item;
            next[row.at()] += 1;
        });
        Self { starts, items }
    }

    fn row(&self, step: StepIndex) -> &[StepIndex] {
        &self.items[self.starts[step.at()] as usize..self.starts[step.at() + 1] as usize]
    }
}

/// Who needs whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    needs: Rows,
    dependents: Rows,
}

impl Graph {
    /// A graph of `count` steps; an edge is (step, what it needs).
    #[must_use]
    pub fn build(count: usize, edges: &[(StepIndex, StepIndex)]) -> Self {
        Self {
            needs: Rows::build(count, edges.iter().copied()),
            dependents: Rows::build(count, edges.iter().map(|(step, need)| (*need, *step))),
        }
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.needs.starts.len().saturating_sub(1)
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a step needs.
    #[must_use]
    pub fn needs(&self, step: StepIndex) -> &[StepIndex] {
        self.needs.row(step)
    }

    /// Which steps need it.
    #[must_use]
    pub fn dependents(&self, step: StepIndex) -> &[StepIndex] {
        self.dependents.row(step)
    }

    /// Everything that needs it, directly or not, in index order.
    #[must_use]
    pub fn descendants(&self, step: StepIndex) -> Vec<StepIndex> {
        self.reach(step, |step| self.dependents(step))
    }

    /// Everything it needs, directly or not, in index order.
    #[must_use]
    pub fn ancestors(&self, step: StepIndex) -> Vec<StepIndex> {
        self.reach(step, |step| self.needs(step))
    }

    fn reach<'g>(&'g self, from: StepIndex, next: impl Fn(StepIndex) -> &'g [StepIndex]) -> Vec<StepIndex> {
        let mut seen = std::collections::BTreeSet::new();
        let mut queue = vec![from];
        while let Some(step) = queue.pop() {
            queue.extend(next(step).iter().copied().filter(|step| seen.insert(*step)));
        }
        seen.into_iter().collect()
    }

    /// All steps, each after what it needs, otherwise in the order of the file.
    ///
    /// # Errors
    /// A shortest cycle through one of the steps that can never start, first step repeated at the end.
    pub fn order(&self) -> Result<Vec<StepIndex>, Vec<StepIndex>> {
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut unmet: Vec<usize> = (0..count).map(|step| self.needs(StepIndex(step)).len()).collect();
        let mut ready: VecDeque<StepIndex> = (0..count).map(StepIndex).filter(|step| unmet[step.at()] == 0).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(step) = ready.pop_front() {
            order.push(step);
            for dependent in self.dependents(step) {
                unmet[dependent.at()] -= 1;
                if unmet[dependent.at()] == 0 {
                    ready.push_back(*dependent);
                }
            }
        }
        if order.len() == self.len() {
            return Ok(order);
        }
        Err(self.cycle(&unmet))
    }

    /// Every step left over has a need left over: walking needs must come round. From a step of that
    /// round, a breadth-first search finds the shortest way back to it.
    fn cycle(&self, unmet: &[usize]) -> Vec<StepIndex> {
        let left = |step: &&StepIndex| unmet[step.at()] > 0;
        let Some(first) = unmet.iter().position(|unmet| *unmet > 0) else {
            return Vec::new();
        };
        let mut seen = vec![false; unmet.len()];
        let mut step = StepIndex(u32::try_from(first).unwrap_or(u32::MAX));
        while !seen[step.at()] {
            seen[step.at()] = true;
            let Some(need) = self.needs(step).iter().find(left) else {
                return vec![step];
            };
            step = *need;
        }
        self.way_back(step)
    }

    fn way_back(&self, start: StepIndex) -> Vec<StepIndex> {
        let mut from: Vec<Option<StepIndex>> = vec![None; self.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(step) = queue.pop_front() {
            for need in self.needs(step) {
                if *need == start {
                    let mut cycle: Vec<StepIndex> = std::iter::successors(Some(step), |step| from[step.at()]).collect();
                    cycle.reverse();
                    cycle.push(start);
                    return cycle;
                }
                if from[need.at()].is_none() {
                    from[need.at()] = Some(step);
                    queue.push_back(*need);
                }
            }
        }
        vec![start]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(count: usize, edges: &[(u32, u32)]) -> Graph {
        let edges: Vec<_> = edges.iter().map(|(step, need)| (StepIndex(*step), StepIndex(*need))).collect();
        Graph::build(count, &edges)
    }

    fn numbers(steps: &[StepIndex]) -> Vec<u32> {
        steps.iter().map(|step| step.0).collect()
    }

    #[test]
    fn each_step_comes_after_what_it_needs() {
        let order = graph(4, &[(0, 3), (1, 0), (2, 0)]).order();
        assert_eq!(order.map(|order| numbers(&order)), Ok(vec![3, 0, 1, 2]));
    }

    #[test]
    fn a_cycle_is_named_by_its_shortest_way_round() {
        let cycle = |count, edges: &[(u32, u32)]| graph(count, edges).order().map_err(|cycle| numbers(&cycle));
        assert_eq!(cycle(1, &[(0, 0)]), Err(vec![0, 0]));
        assert_eq!(cycle(2, &[(0, 1), (1, 0)]), Err(vec![0, 1, 0]));
        assert_eq!(cycle(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (2, 1), (4, 0)]), Err(vec![1, 2, 1]));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_with_a_cycle_is_no_trouble() {
        let mut edges: Vec<(u32, u32)> = (1..100_000).map(|step| (step, step - 1)).collect();
        edges.push((0, 99_999));
        assert_eq!(graph(100_000, &edges).order().map_err(|cycle| cycle.len()), Err(100_001));
    }
}
