//! Azure settings of a workspace and a runbook: where resources are, and as whom to go there.
//!
//! Each step's parameters are filled with them when a runbook is read, so that whatever is shown, digested
//! and journaled of a step names its subscription and credential. Knows nothing of how tokens are got.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ast::{ActionUse, Runbook};
use super::decode::Decoder;
use super::expr::Templated;
use super::fields::{LanguageField, Shape};
use super::source::NodeId;
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Spanned};

const fn may(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: false, shape, doc }
}

/// The parameters that `azure` fills in, and so its fields in a runbook.
pub const DEFAULTS: &[LanguageField] = &[
    may("subscription", Shape::Text, "the subscription: its id, or a name from the workspace's `azure.subscriptions`"),
    may("resource_group", Shape::Text, "the resource group"),
    may(
        "cloud",
        Shape::Text,
        "the cloud: `public` (if absent), `government`, `china`, or a name from the workspace's `azure.clouds`",
    ),
    may("credential", Shape::Text, "as whom: a name from the workspace's `azure.credentials`, or a kind of credential"),
];

/// `azure:` of a workspace.
pub const SETTINGS: &[LanguageField] = &[
    DEFAULTS[0],
    DEFAULTS[1],
    DEFAULTS[2],
    DEFAULTS[3],
    may("subscriptions", Shape::NamedTexts, "names for subscriptions: a name and an id each"),
    may("credentials", Shape::Named(CREDENTIAL), "ways to get a token, by name"),
    may("clouds", Shape::Named(CLOUD), "further clouds, by name"),
];

/// The clouds that everybody knows.
pub const CLOUDS: [&str; 3] = ["public", "government", "china"];

/// One of `azure.clouds`.
pub const CLOUD: &[LanguageField] = &[
    LanguageField { name: "authority", required: true, shape: Shape::Text, doc: "the URL that gives the tokens" },
    LanguageField { name: "management", required: true, shape: Shape::Text, doc: "the URL of Resource Manager" },
    may("audience", Shape::Text, "what tokens for Resource Manager are for; the URL of `management` if absent"),
    may("key_vault", Shape::Text, "what the names of key vaults end in, such as `vault.azure.net`"),
    may("batch", Shape::Text, "what the names of Batch endpoints end in, such as `batch.azure.com`"),
];

/// One of `azure.credentials`.
pub const CREDENTIAL: &[LanguageField] = &[
    LanguageField { name: "kinds", required: true, shape: Shape::Texts, doc: "the kinds to try, in this order" },
    may("tenant", Shape::Text, "the tenant's id (else `AZURE_TENANT_ID`)"),
    may("client", Shape::Text, "the client's id (else `AZURE_CLIENT_ID`); of a user-assigned managed identity too"),
    may("secret", Shape::Fields(SOURCE), "the client's secret, or the pipeline's access token"),
    may("assertion_file", Shape::Text, "a file that something else keeps a fresh assertion in"),
    may("service_connection", Shape::Text, "the id of the service connection of Azure Pipelines"),
];

const SOURCE: &[LanguageField] =
    &[may("env", Shape::Text, "an environment variable"), may("file", Shape::Text, "a file")];

/// What a workspace says of Azure.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What steps get that say nothing themselves.
    pub defaults: Map<String, Value>,
    /// Name -> id.
    pub subscriptions: BTreeMap<String, String>,
    /// By name.
    pub credentials: BTreeMap<String, Credential>,
    /// Further clouds by name: what takes the name's place in a step.
    pub clouds: BTreeMap<String, Value>,
}

/// A way to get a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    /// Tried in this order.
    pub kinds: Vec<CredentialKind>,
    /// The tenant's id.
    pub tenant: Option<String>,
    /// The client's id.
    pub client: Option<String>,
    /// Where the secret is.
    pub secret: Option<Source>,
    /// Where the assertion is.
    pub assertion_file: Option<String>,
    /// Of Azure Pipelines.
    pub service_connection: Option<String>,
}

/// Where a credential's secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(String),
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// `az login`.
    AzureCli,
    /// `azd auth login`.
    AzureDeveloperCli,
    /// Of the machine drctl runs on.
    ManagedIdentity,
    /// Of the Kubernetes pod drctl runs in.
    WorkloadIdentity,
    /// A service principal with a secret.
    ClientSecret,
    /// A service principal with an assertion in a file.
    ClientAssertion,
    /// A service connection of Azure Pipelines.
    Pipelines,
}

impl CredentialKind {
    const ALL: [Self; 7] = [
        Self::AzureCli,
        Self::AzureDeveloperCli,
        Self::ManagedIdentity,
        Self::WorkloadIdentity,
        Self::ClientSecret,
        Self::ClientAssertion,
        Self::Pipelines,
    ];

    /// Its name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AzureCli => "azure_cli",
            Self::AzureDeveloperCli => "azure_developer_cli",
            Self::ManagedIdentity => "managed_identity",
            Self::WorkloadIdentity => "workload_identity",
            Self::ClientSecret => "client_secret",
            Self::ClientAssertion => "client_assertion",
            Self::Pipelines => "pipelines",
        }
    }
}

impl Credential {
    /// The credential that a kind alone makes; `developer` is the developer's own tools.
    #[must_use]
    pub fn by_kind(name: &str) -> Option<Self> {
        let kinds = match name {
            "developer" => vec![CredentialKind::AzureCli, CredentialKind::AzureDeveloperCli],
            name => vec![*CredentialKind::ALL.iter().find(|kind| kind.name() == name)?],
        };
        Some(Self { kinds, ..Self::default() })
    }
}

impl Decoder<'_> {
    pub(super) fn azure(&mut self, node: NodeId) -> Settings {
        let Some(fields) = self.fields(node, "azure", SETTINGS) else { return Settings::default() };
        let mut settings = Settings::default();
        for name in DEFAULTS.iter().map(|field| field.name) {
            if let Some(text) = fields.get(name).and_then(|node| self.text(node)) {
                settings.defaults.insert(name.to_owned(), Value::String(text.value));
            }
        }
        let named = fields.get("subscriptions").map(|node| self.entries(node, "subscriptions")).unwrap_or_default();
        for (name, node) in named {
            settings.subscriptions.extend(self.text(node).map(|id| (name.value, id.value)));
        }
        let named = fields.get("credentials").map(|node| self.entries(node, "credentials")).unwrap_or_default();
        for (name, node) in named {
            settings.credentials.extend(self.credential(&name.value, node).map(|credential| (name.value, credential)));
        }
        let named = fields.get("clouds").map(|node| self.entries(node, "clouds")).unwrap_or_default();
        for (name, node) in named {
            settings.clouds.extend(self.cloud(&name, node).map(|cloud| (name.value, cloud)));
        }
        settings
    }

    /// A further cloud. Tokens go to its hosts, so that they are read with care.
    fn cloud(&mut self, name: &Spanned<String>, node: NodeId) -> Option<Value> {
        let fields = self.fields(node, &format!("cloud `{}`", name.value), CLOUD)?;
        if CLOUDS.contains(&name.value.as_str()) {
            let message = format!("`{}` is a cloud that everybody knows: give this one another name", name.value);
            self.report(Diagnostic::error("azure", name.span, message));
        }
        let mut cloud = Map::from_iter([("name".to_owned(), Value::from(name.value.as_str()))]);
        for (field, is_url) in CLOUD.iter().map(|field| (field.name, !matches!(field.name, "key_vault" | "batch"))) {
            let Some(text) = fields.get(field).and_then(|node| self.text(node)) else { continue };
            let host = if is_url { text.value.strip_prefix("https://") } else { Some(text.value.as_str()) };
            if !host.is_some_and(|host| is_host(host.trim_end_matches('/'))) {
                let wanted =
                    if is_url { "an address such as `https://host.example`" } else { "a name such as `host.example`" };
                let message = format!("`{field}` of cloud `{}`: wanted {wanted}, found `{}`", name.value, text.value);
                self.report(Diagnostic::error("azure", text.span, message));
            }
            // As URLs say it: requests are held against these.
            let host = text.value.trim_end_matches('/').to_ascii_lowercase();
            cloud.insert(field.to_owned(), Value::from(host.strip_suffix(":443").unwrap_or(&host)));
        }
        Some(Value::Object(cloud))
    }

    fn credential(&mut self, name: &str, node: NodeId) -> Option<Credential> {
        let fields = self.fields(node, &format!("credential `{name}`"), CREDENTIAL)?;
        let mut kinds = Vec::new();
        for item in fields.get("kinds").map_or(&[][..], |node| self.items(node, "a list of strings")) {
            let Some(text) = self.text(*item) else { continue };
            match CredentialKind::ALL.into_iter().find(|kind| kind.name() == text.value) {
                Some(kind) => kinds.push(kind),
                None => {
                    let known = CredentialKind::ALL.map(CredentialKind::name);
                    let message = format!("no kind of credential is called `{}`", text.value);
                    let note = format!("there are {}", known.join(", "));
                    self.report(Diagnostic::error("azure", text.span, message).note(note).suggest(&text.value, known));
                }
            }
        }
        let mut text = |name| fields.get(name).and_then(|node| self.text(node)).map(|text| text.value);
        let (tenant, client) = (text("tenant"), text("client"));
        let (assertion_file, service_connection) = (text("assertion_file"), text("service_connection"));
        let secret = fields.get("secret").and_then(|node| self.source(node));
        Some(Credential { kinds, tenant, client, secret, assertion_file, service_connection })
    }

    fn source(&mut self, node: NodeId) -> Option<Source> {
        let fields = self.fields(node, "secret", SOURCE)?;
        let mut text = |name| fields.get(name).and_then(|node| self.text(node)).map(|text| text.value);
        match (text("env"), text("file")) {
            (Some(name), None) => Some(Source::Env(name)),
            (None, Some(path)) => Some(Source::File(path)),
            _ => {
                let span = self.span(node);
                self.report(Diagnostic::error("azure", span, "a secret is in `env` or in a `file`: give one of them"));
                None
            }
        }
    }
}

/// Whether this is the name of a host, with a port or without.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

/// Fills what the steps of a runbook leave out with the runbook's settings, then with the workspace's.
pub fn fill(runbook: &mut Runbook, settings: &Settings, catalogue: &Catalogue) {
    let own = runbook.azure.take();
    for step in &mut runbook.steps {
        for action in step.actions_mut() {
            fill_action(action, own.as_ref(), settings, catalogue);
        }
    }
    runbook.azure = own;
}

fn fill_action(action: &mut ActionUse, own: Option<&Templated>, settings: &Settings, catalogue: &Catalogue) {
    let name = &action.name.value;
    let Some(spec) = catalogue.get(name).filter(|_| name.starts_with("azure.")) else { return };
    for field in DEFAULTS.iter().map(|field| field.name).filter(|field| spec.parameter(field).is_some()) {
        if action.with.value.entry(field).is_none() {
            let own = own.and_then(|own| own.entry(field)).map(std::borrow::Cow::into_owned);
            let default = || settings.defaults.get(field).cloned().map(Templated::Plain);
            if let Some(value) = own.or_else(default) {
                action.with.value.add_entry(field, value);
            }
        }
    }
    for field in ["subscription", "cloud"] {
        let written = action.with.value.entry(field).map(std::borrow::Cow::into_owned);
        if let Some(meant) = written.and_then(|written| meant(field, &written, settings)) {
            action.with.value.add_entry(field, meant);
        }
    }
}

/// What the workspace gives a name for, where a field holds one of its names.
#[must_use]
pub fn meant(field: &str, written: &Templated, settings: &Settings) -> Option<Templated> {
    let name = written.plain()?.as_str()?;
    let value = match field {
        "subscription" => Value::from(settings.subscriptions.get(name)?.as_str()),
        "cloud" => settings.clouds.get(name)?.clone(),
        _ => return None,
    };
    Some(Templated::Plain(value))
}
