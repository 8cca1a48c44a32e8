//! What the probes share: samples, and the verdict over them.
//!
//! An unhealthy target is a result. A probe fails only if it could not take its samples.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limits::{Stopped, read_within, within};
use super::{Call, Context, Done, Failure};
use crate::catalogue::{Effect, Field, HumanDuration, Type};

const MAX_SAMPLES: i64 = 1000;

pub(crate) const SAMPLES: Field = Field {
    name: "samples",
    kind: || Type::Int,
    required: false,
    doc: "how many times to look, one after the other; 3 if absent",
};
pub(crate) const EVERY: Field = Field {
    name: "every",
    kind: || Type::Duration,
    required: false,
    doc: "the pause between two samples; `1s` if absent",
};
pub(crate) const THRESHOLD: Field = Field {
    name: "threshold",
    kind: || Type::Int,
    required: false,
    doc: "how many samples must be good for the target to be healthy; more than half of them if absent",
};
pub(crate) const TIMEOUT: Field = Field {
    name: "timeout",
    kind: || Type::Duration,
    required: false,
    doc: "how long one sample waits before it is not good; `5s` if absent",
};

pub(crate) const HEALTHY: Field = Field {
    name: "healthy",
    kind: || Type::Bool,
    required: true,
    doc: "whether at least `threshold` samples were good",
};
pub(crate) const VERDICT: Field = Field {
    name: "verdict",
    kind: || Type::Enum(["healthy", "degraded", "down"].map(str::to_owned).to_vec()),
    required: true,
    doc: "`healthy` if all samples were good, `degraded` if at least `threshold` were, else `down`",
};
pub(crate) const GOOD: Field =
    Field { name: "good", kind: || Type::Int, required: true, doc: "how many samples were good" };
pub(crate) const TAKEN: Field =
    Field { name: "samples", kind: || Type::Int, required: true, doc: "how many samples were taken" };
pub(crate) const LATENCY_MS: Field = Field {
    name: "latency_ms",
    kind: || Type::Int,
    required: true,
    doc: "the median time of those that were answered, in milliseconds; 0 if none was",
};
pub(crate) const REASON: Field = Field {
    name: "reason",
    kind: || Type::String,
    required: true,
    doc: "why the verdict is what it is, with the last problem",
};

/// A probe changes nothing.
pub(crate) fn effect(_with: &Map<String, Value>) -> Effect {
    Effect::Reads
}

/// The rules for the number of samples.
pub(crate) fn rule(with: &Map<String, Value>) -> Result<(), String> {
    let number = |name, absent| with.get(name).map_or(Some(absent), Value::as_i64).unwrap_or(i64::MAX);
    let samples = number("samples", 3);
    if !(1..=MAX_SAMPLES).contains(&samples) {
        return Err(format!("at `samples`: wanted a number from 1 to {MAX_SAMPLES}, found `{samples}`"));
    }
    let threshold = number("threshold", 1);
    if !(1..=samples).contains(&threshold) {
        return Err(format!(
            "at `threshold`: wanted a number from 1 to {samples}, the number of samples, found `{threshold}`"
        ));
    }
    Ok(())
}

/// How samples are taken.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Sampling {
    samples: usize,
    every: HumanDuration,
    threshold: Option<usize>,
    timeout: HumanDuration,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            samples: 3,
            every: HumanDuration(Duration::from_secs(1)),
            threshold: None,
            timeout: HumanDuration(Duration::from_secs(5)),
        }
    }
}

impl Sampling {
    fn threshold(&self) -> usize {
        self.threshold.unwrap_or(self.samples / 2 + 1)
    }

    /// The line of a preview that says how often and how long it looks.
    pub(crate) fn preview(&self) -> String {
        let (samples, every, timeout) = (self.samples, self.every, self.timeout);
        let threshold = self.threshold();
        format!("{samples} samples, one every {every}, each up to {timeout}; healthy if {threshold} are good")
    }
}

/// One look at the target.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// What was not good about it.
    pub(crate) problem: Option<String>,
    /// How long the answer took, if there was one.
    pub(crate) latency: Option<Duration>,
    /// What else was seen: further outputs.
    pub(crate) seen: Map<String, Value>,
}

impl Sample {
    /// One without an answer.
    pub(crate) fn lost(why: impl Into<String>) -> Self {
        Self { problem: Some(why.into()), ..Self::default() }
    }
}

/// Takes the samples and judges them. `absent` are the further outputs of a target that never answered.
pub(crate) async fn probe<S: Future<Output = Sample>>(
    (context, call): (&Context, &Call),
    (sampling, target): (&Sampling, &str),
    absent: Map<String, Value>,
    look: impl Fn() -> S,
) -> Result<Done, Failure> {
    let take_all = async {
        let mut samples = Vec::new();
        while samples.len() < sampling.samples {
            if !samples.is_empty() {
                context.clock.sleep(sampling.every.0).await;
            }
            let sample = match within(context, sampling.timeout.0, look()).await {
                Err(Stopped::Cancel) => return Err(Failure::Cancelled),
                Err(stopped) => Sample::lost(stopped.words()),
                Ok(sample) => sample,
            };
            samples.push(sample);
        }
        Ok(samples)
    };
    let samples = read_within(context, call.timeout, take_all).await?;
    Ok(judge(context, sampling, target, (absent, samples)))
}

fn judge(
    context: &Context,
    sampling: &Sampling,
    target: &str,
    (mut outputs, samples): (Map<String, Value>, Vec<Sample>),
) -> Done {
    let good = samples.iter().filter(|sample| sample.problem.is_none()).count();
    let threshold = sampling.threshold();
    let verdict = match good {
        good if good == samples.len() => "healthy",
        good if good >= threshold => "degraded",
        _ => "down",
    };
    let reason = context.secrets.mask(&reason(&samples, good, threshold));
    let latency = median(samples.iter().filter_map(|sample| sample.latency).collect());
    let verdict_outputs = json!({
        "healthy": good >= threshold,
        "verdict": verdict,
        "good": good,
        "samples": samples.len(),
        "latency_ms": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        "reason": reason,
    });
    // Of what else was seen, the last counts.
    let seen = samples.into_iter().map(|sample| sample.seen).rfind(|seen| !seen.is_empty());
    outputs.extend(seen.unwrap_or_default());
    outputs.extend(verdict_outputs.as_object().cloned().unwrap_or_default());
    Done { outputs, already: false, note: format!("{target} is {verdict}: {reason}") }
}

fn reason(samples: &[Sample], good: usize, threshold: usize) -> String {
    let count = format!("{good} of {} samples good", samples.len());
    let last = samples.iter().zip(1..).filter_map(|(sample, number)| Some((sample.problem.as_ref()?, number)));
    let Some((problem, number)) = last.last() else {
        return count;
    };
    let wanted = if good < threshold { format!(", wanted {threshold}") } else { String::new() };
    format!("{count}{wanted}; sample {number}: {problem}")
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans.get(spans.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_samples_that_make_no_sense_are_refused() {
        for (with, problem) in [
            (json!({"samples": 0}), "at `samples`: wanted a number from 1 to 1000, found `0`"),
            (json!({"samples": -1}), "at `samples`: wanted a number from 1 to 1000, found `-1`"),
            (
                json!({"samples": 2, "threshold": 3}),
                "at `threshold`: wanted a number from 1 to 2, the number of samples, found `3`",
            ),
            (json!({"threshold": 0}), "at `threshold`: wanted a number from 1 to 3, the number of samples, found `0`"),
        ] {
            assert_eq!(rule(with.as_object().unwrap()), Err(problem.to_owned()));
        }
        assert_eq!(rule(&Map::new()), Ok(()));
    }

    #[test]
    fn the_median_is_a_time_that_was_measured() {
        let ms = Duration::from_millis;
        assert_eq!(median(vec![ms(9), ms(1), ms(3)]), ms(3));
        assert_eq!(median(vec![ms(4), ms(2)]), ms(2));
        assert_eq!(median(Vec::new()), ms(0));
    }
}
