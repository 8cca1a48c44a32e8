//! Boxes in rows, and the lines between them: an order with few crossings, and no line through a box.

/// The space between two boxes of a row.
const GAP: f64 = 28.0;
/// The space between two rows, where lines run.
const ROW_GAP: f64 = 40.0;
/// The space of a line that passes a row, and beside it.
const LANE: f64 = 6.0;
const LANE_GAP: f64 = 8.0;
/// How often order and places are improved.
const SWEEPS: usize = 12;

/// Where things stand; the origin is the left upper corner.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The left upper corner of each box.
    pub(super) corners: Vec<(f64, f64)>,
    /// The points of each line, from the bottom of a box to the top of another.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Places boxes of these sizes in rows; a line leads from a box to one in a later row.
pub(super) fn place(sizes: &[(f64, f64)], rows: &[Vec<usize>], lines: &[(usize, usize)]) -> Placed {
    let mut layers = Layers::new(sizes, rows, lines);
    layers.order();
    layers.spread();
    layers.placed(sizes, lines)
}

/// Boxes and lanes: a line that passes a row has a lane there, which is a box without content.
struct Layers {
    /// How many boxes there are; the numbers after theirs are lanes.
    boxes: usize,
    widths: Vec<f64>,
    rows: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// The lanes of each line, downwards.
    lanes: Vec<Vec<usize>>,
    left: Vec<f64>,
    tops: Vec<f64>,
    heights: Vec<f64>,
}

impl Layers {
    fn new(sizes: &[(f64, f64)], rows: &[Vec<usize>], lines: &[(usize, usize)]) -> Self {
        let mut rows = rows.to_vec();
        let mut widths: Vec<f64> = sizes.iter().map(|(width, _)| *width).collect();
        let mut row_of = vec![0; sizes.len()];
        for (number, row) in rows.iter().enumerate() {
            row.iter().for_each(|item| row_of[*item] = number);
        }
        let mut links = Vec::new();
        let mut lanes = Vec::new();
        for (from, to) in lines {
            let mut last = *from;
            let mut own = Vec::new();
            for row in &mut rows[row_of[*from] + 1..row_of[*to]] {
                let lane = widths.len();
                widths.push(LANE);
                row.push(lane);
                links.push((last, lane));
                own.push(lane);
                last = lane;
            }
            links.push((last, *to));
            lanes.push(own);
        }
        let (mut above, mut below) = (vec![Vec::new(); widths.len()], vec![Vec::new(); widths.len()]);
        for (from, to) in links {
            below[from].push(to);
            above[to].push(from);
        }
        let height = |row: &Vec<usize>| {
            row.iter().filter_map(|item| sizes.get(*item)).map(|(_, height)| *height).fold(0.0, f64::max)
        };
        let heights: Vec<f64> = rows.iter().map(height).collect();
        let top = |top: &mut f64, height: &f64| {
            let own = *top;
            *top += height + ROW_GAP;
            Some(own)
        };
        let tops = heights.iter().scan(0.0, top).collect();
        Self { boxes: sizes.len(), left: vec![0.0; widths.len()], widths, rows, above, below, lanes, tops, heights }
    }

    /// Orders each row by where its neighbours stand, downwards and upwards in turn.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let place = self.places();
            let neighbours = if sweep % 2 == 0 { &self.above } else { &self.below };
            for row in &mut self.rows {
                let key = |item: &usize| {
                    let near = &neighbours[*item];
                    let sum: usize = near.iter().map(|other| place[*other]).sum();
                    // What has no neighbour stays where it is.
                    if near.is_empty() { place[*item] as f64 } else { sum as f64 / near.len() as f64 }
                };
                row.sort_by(|a, b| key(a).total_cmp(&key(b)));
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn places(&self) -> Vec<usize> {
        let mut place = vec![0; self.widths.len()];
        for row in &self.rows {
            row.iter().enumerate().for_each(|(at, item)| place[*item] = at);
        }
        place
    }

    fn crossings(&self) -> usize {
        let place = self.places();
        let in_row = |row: &Vec<usize>| {
            let ends: Vec<(usize, usize)> =
                row.iter().flat_map(|item| self.below[*item].iter().map(|to| (place[*item], place[*to]))).collect();
            let crosses = |(at, a): (usize, &(usize, usize))| {
                ends[at + 1..].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count()
            };
            ends.iter().enumerate().map(crosses).sum::<usize>()
        };
        self.rows.iter().map(in_row).sum()
    }

    /// Moves everything towards its neighbours, as far as the order and the gaps allow.
    fn spread(&mut self) {
        for row in 0..self.rows.len() {
            self.settle(row, |_, _| None);
        }
        for sweep in 0..SWEEPS {
            let rows = 0..self.rows.len();
            let rows: Vec<usize> = if sweep % 2 == 0 { rows.collect() } else { rows.rev().collect() };
            for row in rows {
                self.settle(row, |layers, item| {
                    let near = || layers.above[item].iter().chain(&layers.below[item]);
                    let sum: f64 = near().map(|other| layers.left[*other] + layers.widths[*other] / 2.0).sum();
                    let count = near().count();
                    (count > 0).then(|| sum / count as f64)
                });
            }
        }
        let first = self.left.iter().copied().fold(f64::INFINITY, f64::min);
        self.left.iter_mut().for_each(|left| *left -= first);
    }

    /// The space between two neighbours in a row.
    fn gap(&self, item: usize, next: usize) -> f64 {
        if self.is_lane(item) || self.is_lane(next) { LANE_GAP } else { GAP }
    }

    fn is_lane(&self, item: usize) -> bool {
        item >= self.boxes
    }

    /// Gives a row its places: as near to where `centre` wants each as the gaps allow, by least squares.
    fn settle(&mut self, row: usize, centre: impl Fn(&Self, usize) -> Option<f64>) {
        let row = self.rows[row].clone();
        let mut offset = 0.0;
        // Blocks of neighbours that stand as close as they may: their wanted place, and how many they are.
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        let mut offsets = Vec::new();
        for (at, item) in row.iter().enumerate() {
            if let Some(before) = at.checked_sub(1) {
                offset += self.widths[row[before]] + self.gap(row[before], *item);
            }
            let wanted = centre(self, *item).map_or(self.left[*item], |centre| centre - self.widths[*item] / 2.0);
            offsets.push(offset);
            blocks.push((wanted - offset, 1));
            while let [.., (before, many), (last, more)] = blocks.as_slice()
                && before > last
            {
                let count = many + more;
                let mean = (before * *many as f64 + last * *more as f64) / count as f64;
                blocks.truncate(blocks.len() - 2);
                blocks.push((mean, count));
            }
        }
        let places = blocks.into_iter().flat_map(|(place, count)| std::iter::repeat_n(place, count));
        for ((item, offset), place) in row.iter().zip(offsets).zip(places) {
            self.left[*item] = place + offset;
        }
    }

    fn placed(&self, sizes: &[(f64, f64)], lines: &[(usize, usize)]) -> Placed {
        let mut corners = vec![(0.0, 0.0); sizes.len()];
        let mut row_of = vec![0; self.widths.len()];
        for (number, row) in self.rows.iter().enumerate() {
            for item in row {
                row_of[*item] = number;
                if let Some(corner) = corners.get_mut(*item) {
                    *corner = (self.left[*item], self.tops[number]);
                }
            }
        }
        let middle = |item: usize| self.left[item] + self.widths[item] / 2.0;
        let line = |((from, to), lanes): (&(usize, usize), &Vec<usize>)| {
            let bottom = self.tops[row_of[*from]] + self.heights[row_of[*from]];
            let mut points = vec![(middle(*from), corners[*from].1 + sizes[*from].1), (middle(*from), bottom)];
            for lane in lanes {
                let top = self.tops[row_of[*lane]];
                points.extend([(middle(*lane), top), (middle(*lane), top + self.heights[row_of[*lane]])]);
            }
            points.push((middle(*to), corners[*to].1));
            points
        };
        let right = (0..self.widths.len()).map(|item| self.left[item] + self.widths[item]).fold(0.0, f64::max);
        let height = self.tops.last().zip(self.heights.last()).map_or(0.0, |(top, height)| top + height);
        Placed { lines: lines.iter().zip(&self.lanes).map(line).collect(), corners, width: right, height }
    }
}
