//! `probe.*` in a rehearsal: the samples are taken of the simulated world.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::stage::Stage;
use crate::actions::samples::{self, Sample, Sampling};
use crate::actions::{Action, Call, Context, Done, Failure};
use crate::catalogue::ActionSpec;
use crate::edge::Act;

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(50);

/// Stands in for a probe.
pub(super) struct Look {
    real: Box<dyn Action>,
    stage: Arc<Stage>,
}

impl Look {
    pub(super) fn new(real: Box<dyn Action>, stage: Arc<Stage>) -> Self {
        Self { real, stage }
    }

    fn target(&self, call: &Call) -> String {
        let text = |name: &str| call.with.get(name).map(crate::actions::params::plain).unwrap_or_default();
        match self.real.spec().name {
            "probe.tcp" => format!("tcp://{}:{}", text("host"), text("port")),
            "probe.dns" => format!("dns://{}", text("name")),
            _ => text("url"),
        }
    }

    /// What a target that answers is seen to give, besides the verdict.
    fn seen(&self, call: &Call, status: u16) -> Map<String, Value> {
        let seen = match self.real.spec().name {
            "probe.http" => json!({ "status": status }),
            "probe.dns" => json!({ "answers": call.with.get("expect").cloned().unwrap_or(json!([])), "ttl": 60 }),
            _ => json!({}),
        };
        seen.as_object().cloned().unwrap_or_default()
    }

    async fn sample(&self, context: &Context, call: &Call, target: &str) -> Sample {
        if let Some(why) = self.stage.holds_not(call) {
            context.clock.sleep(LATENCY).await;
            return Sample { problem: Some(why), latency: Some(LATENCY), seen: self.seen(call, 200) };
        }
        let probed = self.stage.probe(target);
        if !probed.known {
            self.stage.assume(&call.step, format!("that {target} answers"));
        }
        context.clock.sleep(LATENCY).await;
        let wanted = call.with.get("status").and_then(Value::as_u64);
        match probed.answer {
            Err(why) => Sample::lost(why),
            Ok(200) => Sample {
                problem: None,
                latency: Some(LATENCY),
                seen: self.seen(call, wanted.map_or(200, |it| it as u16)),
            },
            Ok(status) => {
                let good = wanted.map_or((200..300).contains(&status), |wanted| wanted == u64::from(status));
                let problem = (!good).then(|| format!("answered with {status}"));
                Sample { problem, latency: Some(LATENCY), seen: self.seen(call, status) }
            }
        }
    }
}

impl Action for Look {
    fn spec(&self) -> &'static ActionSpec {
        self.real.spec()
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        self.real.preview(with)
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            if let Some(why) = self.stage.fails(&call.step) {
                return Err(Failure::Failed(why));
            }
            let target = self.target(call);
            let sampling = Sampling::deserialize(&call.with).unwrap_or_default();
            let absent = match self.real.spec().name {
                "probe.http" => json!({ "status": 0 }),
                "probe.dns" => json!({ "answers": [], "ttl": 0 }),
                _ => json!({}),
            };
            let absent = absent.as_object().cloned().unwrap_or_default();
            let look = || self.sample(context, call, &target);
            let mut done = samples::probe((context, call), (&sampling, &format!("`{target}`")), absent, look).await?;
            done.outputs.extend(self.stage.said(&call.step));
            Ok(done)
        })
    }
}
