//! `probe.dns`: whether a name resolves to what it should. Nothing is cached, neither between samples nor here.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::samples::{self, Sample, Sampling};
use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Field, Outputs, Type};
use crate::edge::Act;

static SPEC: ActionSpec = ActionSpec {
    name: "probe.dns",
    summary: "says whether a name resolves to what it should",
    docs: "Asks a DNS server several times, without any cache of its own and without the file of hosts. A sample \
        is good if there are answers that hold all of `expect` and none of `absent`. A name that does not exist has \
        no answers: an old address is gone from it, but nobody reaches the new one either, so that is good only \
        with `allow_none`. An unhealthy name is a result, not a failure: read it from the output `healthy`. \
        Names compare without regard to case or a \
        dot at the end. Ask the zone's own servers with `server` to see a change before caches do.",
    parameters: &[
        Field {
            name: "name",
            kind: || Type::String,
            required: true,
            doc: "the whole name, such as `orders.example.com`; no search domain is added",
        },
        Field {
            name: "type",
            kind: || Type::Enum(["A", "AAAA", "CNAME", "TXT", "MX", "NS"].map(str::to_owned).to_vec()),
            required: false,
            doc: "the records to ask for; `A` if absent",
        },
        Field {
            name: "server",
            kind: || Type::String,
            required: false,
            doc: "the server to ask, as `10.0.0.2` or `10.0.0.2:5353`; those of this machine if absent",
        },
        Field {
            name: "expect",
            kind: Type::strings,
            required: false,
            doc: "what must be among the answers: addresses, names, texts, or `10 mail.example.com` for MX",
        },
        Field {
            name: "absent",
            kind: Type::strings,
            required: false,
            doc: "what must not be among the answers, such as the address of the region that failed",
        },
        Field {
            name: "allow_none",
            kind: || Type::Bool,
            required: false,
            doc: "whether no answers at all are good too, as for a name that is to disappear; false if absent",
        },
        samples::SAMPLES,
        samples::EVERY,
        samples::THRESHOLD,
        samples::TIMEOUT,
    ],
    outputs: Outputs::Fixed(&[
        samples::HEALTHY,
        samples::VERDICT,
        samples::GOOD,
        samples::TAKEN,
        samples::LATENCY_MS,
        samples::REASON,
        Field { name: "answers", kind: Type::strings, required: true, doc: "the last answers, sorted" },
        Field {
            name: "ttl",
            kind: || Type::Int,
            required: true,
            doc: "the shortest time these answers may be cached, in seconds; 0 if there are none",
        },
    ]),
    effect: samples::effect,
    code: &[],
    is_check: true,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    let text = |name: &str| with.get(name).and_then(Value::as_str);
    if let Some(name) = text("name") {
        fully_qualified(name)?;
    }
    if let Some(server) = text("server") {
        address(server)?;
    }
    samples::rule(with)
}

fn fully_qualified(name: &str) -> Result<Name, String> {
    let problem = || format!("at `name`: wanted a name such as `orders.example.com`, found `{name}`");
    let mut parsed = Name::from_str_relaxed(name).map_err(|_| problem())?;
    if parsed.num_labels() == 0 {
        return Err(problem());
    }
    parsed.set_fqdn(true);
    Ok(parsed)
}

fn address(server: &str) -> Result<SocketAddr, String> {
    let with_port = server.parse::<SocketAddr>();
    let address = with_port.or_else(|_| server.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
    address.map_err(|_| format!("at `server`: wanted an address such as `10.0.0.2` or `10.0.0.2:53`, found `{server}`"))
}

#[derive(Deserialize)]
struct Params {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    server: Option<String>,
    #[serde(default)]
    expect: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    allow_none: bool,
    #[serde(flatten)]
    sampling: Sampling,
}

/// The action `probe.dns`.
pub struct ProbeDns;

impl Action for ProbeDns {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let text = |name: &str, absent: &str| with.get(name).map_or_else(|| absent.to_owned(), params::plain);
        let server = text("server", "the servers of this machine");
        let mut lines = vec![format!("ask {server} for the {} of {}", text("type", "A"), text("name", ""))];
        let lists = ["expect", "absent", "allow_none"].into_iter();
        lines.extend(lists.filter_map(|name| Some(format!("{name}: {}", params::plain(with.get(name)?)))));
        lines.push(Sampling::deserialize(with).unwrap_or_default().preview());
        lines
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let params: Params = params::read(&call.with)?;
            let name = fully_qualified(&params.name).map_err(Failure::Failed)?;
            let kind = params.kind.as_deref().unwrap_or("A").parse();
            let kind = kind.map_err(|_| Failure::Failed("the type of records is not known".to_owned()))?;
            resolver(params.server.as_deref()).map_err(Failure::Failed)?;
            let target = format!("`{}`", context.secrets.mask(&params.name));
            let absent = Map::from_iter([("answers".to_owned(), json!([])), ("ttl".to_owned(), json!(0))]);
            let look = || sample(context, &params, name.clone(), kind);
            samples::probe((context, call), (&params.sampling, &target), absent, look).await
        })
    }
}

/// A resolver without a past. Its patience is the sample's.
fn resolver(server: Option<&str>) -> Result<TokioResolver, String> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()
            .map_err(|error| format!("the DNS servers of this machine cannot be read: {error}: set `server`"))?,
        Some(server) => {
            let address = address(server)?;
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = address.port();
                connection
            });
            let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    builder.options_mut().cache_size = 0;
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder.build().map_err(|error| format!("no DNS resolver can be made: {error}"))
}

async fn sample(context: &Context, params: &Params, name: Name, kind: RecordType) -> Sample {
    let begin = context.clock.now();
    let resolver = match resolver(params.server.as_deref()) {
        Ok(resolver) => resolver,
        Err(why) => return Sample::lost(why),
    };
    let records = match resolver.lookup(name, kind).await {
        Ok(lookup) => lookup.answers().to_vec(),
        Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Vec::new(),
        Err(error) => return Sample::lost(error.to_string()),
    };
    let latency = begin.until(context.clock.now());
    let (answers, ttl) = answers(&records, kind);
    Sample {
        problem: judge(params, &answers).err(),
        latency: Some(latency),
        seen: Map::from_iter([("answers".to_owned(), json!(answers)), ("ttl".to_owned(), json!(ttl))]),
    }
}

/// The records of that type: what leads to them, such as a CNAME before an A, is left out.
fn answers(records: &[Record], kind: RecordType) -> (Vec<String>, u32) {
    let records = records.iter().filter(|record| record.record_type() == kind);
    let mut answers: Vec<String> = records.clone().map(|record| text(&record.data)).collect();
    answers.sort();
    answers.dedup();
    (answers, records.map(|record| record.ttl).min().unwrap_or(0))
}

fn text(data: &RData) -> String {
    let name = |name: &Name| name.to_string().trim_end_matches('.').to_owned();
    match data {
        RData::CNAME(target) => name(target),
        RData::NS(server) => name(server),
        RData::MX(mail) => format!("{} {}", mail.preference, name(&mail.exchange)),
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        other => other.to_string(),
    }
}

fn judge(params: &Params, answers: &[String]) -> Result<(), String> {
    let is_text = params.kind.as_deref() == Some("TXT");
    let holds = |wanted: &String| answers.iter().any(|answer| same(answer, wanted, is_text));
    let found = || match answers {
        [] => "no records".to_owned(),
        some => format!("`{}`", some.join("`, `")),
    };
    if let Some(missing) = params.expect.iter().find(|wanted| !holds(wanted)) {
        return Err(format!("wanted `{missing}`, found {}", found()));
    }
    if let Some(present) = params.absent.iter().find(|unwanted| holds(unwanted)) {
        return Err(format!("`{present}` should be absent, found {}", found()));
    }
    if answers.is_empty() && !params.allow_none {
        return Err("found no records".to_owned());
    }
    Ok(())
}

fn same(answer: &str, wanted: &str, is_text: bool) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let bare = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    match (is_text, address(wanted)) {
        (true, _) => answer == wanted,
        (_, Some(wanted)) => address(answer) == Some(wanted),
        _ => bare(answer) == bare(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_or_without_a_port() {
        for (server, wanted) in [
            ("10.0.0.2", "10.0.0.2:53"),
            ("10.0.0.2:5353", "10.0.0.2:5353"),
            ("::1", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
        ] {
            assert_eq!(address(server).map(|address| address.to_string()), Ok(wanted.to_owned()));
        }
        for with in [json!({"server": "dns.example.com"}), json!({"name": ""}), json!({"name": "a..b"})] {
            assert!(rule(with.as_object().unwrap()).is_err(), "{with}");
        }
    }

    #[test]
    fn names_and_addresses_compare_by_what_they_mean() {
        assert!(same("West.example.com", "west.EXAMPLE.com.", false));
        assert!(same("fd00::1", "FD00:0:0::1", false));
        assert!(same("10 mail.example.com", "10 mail.example.com.", false));
        assert!(!same("Token", "token", true));
        assert!(!same("10.0.0.1", "10.0.0.11", false));
    }
}
