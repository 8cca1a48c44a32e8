//! As whom drctl goes to Azure: one explicit choice, and an error that says what was tried.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions, HttpClient, Transport};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePipelinesCredential, ClientAssertion,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};

use super::Cloud;
use crate::edge::environment::variable;
use crate::runbook::azure::{Credential, CredentialKind, Source};

/// The credential of who says nothing: the developer's own tools.
pub(super) const DEFAULT: &str = "developer";

/// What the library says of a tool that is not there.
const NOT_INSTALLED: &str = "not found on PATH";

/// The credentials of a workspace, by name.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    named: BTreeMap<String, Credential>,
    /// How many tokens were given for the simulated Azure, if these are for it.
    simulated: Option<Arc<AtomicU64>>,
}

type Found = Result<Arc<dyn TokenCredential>, String>;

impl Credentials {
    /// Those of a workspace; kinds that need no settings may be named by their kind.
    #[must_use]
    pub fn new(named: BTreeMap<String, Credential>) -> Self {
        Self { named, simulated: None }
    }

    /// For the simulated Azure, which takes any token.
    #[must_use]
    pub fn simulated() -> Self {
        Self { named: BTreeMap::new(), simulated: Some(Arc::default()) }
    }

    /// The credential of that name.
    ///
    /// # Errors
    /// There is none, or it cannot be set up: which were tried, and why each failed.
    pub(super) fn get(&self, name: &str, cloud: &Cloud, transport: &Arc<dyn HttpClient>) -> Found {
        if let Some(given) = &self.simulated {
            return Ok(Arc::new(Simulated(Arc::clone(given))));
        }
        Ok(Arc::new(self.chain(name, cloud, transport)?))
    }

    /// The kind of the credential of that name which gives a token for Resource Manager.
    ///
    /// # Errors
    /// There is none: which were tried, and why each failed.
    pub(super) async fn giver(
        &self,
        name: &str,
        cloud: &Cloud,
        transport: &Arc<dyn HttpClient>,
    ) -> Result<&'static str, String> {
        let chain = self.chain(name, cloud, transport)?;
        let scope = cloud.arm_scope();
        chain.first(&[&scope], None).await.map(|(kind, _)| kind).map_err(|error| error.to_string())
    }

    fn chain(&self, name: &str, cloud: &Cloud, transport: &Arc<dyn HttpClient>) -> Result<Chain, String> {
        let settings = self.named.get(name).cloned().or_else(|| Credential::by_kind(name));
        let settings = settings.ok_or_else(|| {
            format!("no credential is called `{name}`: add it under `azure.credentials` of `drctl.yaml`")
        })?;
        let options = ClientOptions {
            transport: Some(Transport::new(Arc::clone(transport))),
            cloud: Some(Arc::new(configuration(cloud))),
            ..ClientOptions::default()
        };
        let mut tries = Vec::new();
        for kind in &settings.kinds {
            tries.push((kind.name(), build(*kind, &settings, options.clone())));
        }
        Ok(Chain { name: name.to_owned(), tries })
    }
}

fn configuration(cloud: &Cloud) -> CloudConfiguration {
    if let Some(authority) = cloud.authority() {
        let mut custom = CustomConfiguration::default();
        authority.clone_into(&mut custom.authority_host);
        return custom.into();
    }
    match cloud {
        Cloud::Government => CloudConfiguration::AzureGovernment,
        Cloud::China => CloudConfiguration::AzureChina,
        Cloud::Public | Cloud::Custom(_) => CloudConfiguration::AzurePublic,
    }
}

fn build(kind: CredentialKind, settings: &Credential, client_options: ClientOptions) -> Found {
    let want = |value: &Option<String>, name: &str, variable_name: &str| {
        let value = value.clone().or_else(|| variable(variable_name));
        value.ok_or_else(|| format!("it needs `{name}` (or the environment variable `{variable_name}`)"))
    };
    let tenant = || want(&settings.tenant, "tenant", "AZURE_TENANT_ID");
    let client = || want(&settings.client, "client", "AZURE_CLIENT_ID");
    let assertion_options = |client_options| ClientAssertionCredentialOptions { client_options };
    let told = |error: azure_core::Error| reasons(&error);
    Ok(match kind {
        CredentialKind::AzureCli => AzureCliCredential::new(None).map_err(told)?,
        CredentialKind::AzureDeveloperCli => AzureDeveloperCliCredential::new(None).map_err(told)?,
        CredentialKind::ManagedIdentity => {
            let user_assigned_id = settings.client.clone().map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
            ManagedIdentityCredential::new(Some(options)).map_err(told)?
        }
        CredentialKind::WorkloadIdentity => {
            let options = WorkloadIdentityCredentialOptions {
                credential_options: assertion_options(client_options),
                client_id: settings.client.clone(),
                tenant_id: settings.tenant.clone(),
                token_file_path: settings.assertion_file.clone().map(Into::into),
            };
            WorkloadIdentityCredential::new(Some(options)).map_err(told)?
        }
        CredentialKind::ClientSecret => {
            let secret = Secret::new(read(settings.secret.as_ref(), "secret", "AZURE_CLIENT_SECRET")?);
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(&tenant()?, client()?, secret, Some(options)).map_err(told)?
        }
        CredentialKind::ClientAssertion => {
            let file = settings.assertion_file.clone().ok_or("it needs `assertion_file`")?;
            let assertion = AssertionFile(file);
            let options = assertion_options(client_options);
            ClientAssertionCredential::new(tenant()?, client()?, assertion, Some(options)).map_err(told)?
        }
        CredentialKind::Pipelines => {
            let connection = settings.service_connection.clone().ok_or("it needs `service_connection`")?;
            let token = read(settings.secret.as_ref(), "secret", "SYSTEM_ACCESSTOKEN")?;
            AzurePipelinesCredential::new(tenant()?, client()?, &connection, token, None).map_err(told)?
        }
    })
}

/// An error and what brought it about, in a line: the outermost words only say that no token came.
fn reasons(error: &dyn Error) -> String {
    let (mut told, mut next): (Vec<String>, _) = (Vec::new(), Some(error));
    while let Some(error) = next {
        let words = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        // The library's page of advice is about its own installation, not about what Azure said.
        let words = words.split(" To troubleshoot, visit").next().unwrap_or_default().to_owned();
        if !told.iter().any(|before| before.contains(&words)) {
            told.push(words);
        }
        next = error.source();
    }
    told.join(": ")
}

/// A secret of the settings, else of the environment.
fn read(source: Option<&Source>, name: &str, usual: &str) -> Result<String, String> {
    let unset = |variable: &str| format!("the environment variable `{variable}` is not set");
    match source {
        Some(Source::Env(name)) => variable(name).ok_or_else(|| unset(name)),
        Some(Source::File(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
            Ok(text.trim_end().to_owned())
        }
        None => variable(usual).ok_or_else(|| format!("it needs `{name}`: {}", unset(usual))),
    }
}

/// Tries its credentials in their order, and goes on with the one that worked.
struct Chain {
    name: String,
    tries: Vec<(&'static str, Found)>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TokenCredential for Chain {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.first(scopes, options).await.map(|(_, token)| token)
    }
}

impl Chain {
    /// What to type where a person's own sign-in is one of the kinds that failed. It comes first: a terminal cuts long
    /// lines. A tool that is not there cannot be typed.
    fn sign_in(failures: &[(&str, String)]) -> String {
        let command = |kind: &str| match kind {
            "azure_cli" => Some(("az", "`az login`")),
            "azure_developer_cli" => Some(("azd", "`azd auth login`")),
            _ => None,
        };
        let tools = failures.iter().filter_map(|(kind, why)| Some((command(kind)?, why.contains(NOT_INSTALLED))));
        let (missing, there): (Vec<_>, Vec<_>) = tools.partition(|(_, is_missing)| *is_missing);
        let there: Vec<&str> = there.into_iter().map(|((_, command), _)| command).collect();
        match missing.first() {
            _ if !there.is_empty() => format!(": type {}", there.join(" or ")),
            Some(((tool, command), _)) => format!(": install `{tool}`, then type {command}"),
            None => String::new(),
        }
    }

    /// The first kind that gives a token, and the token.
    async fn first(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<(&'static str, AccessToken)> {
        let mut failures = Vec::new();
        for (kind, credential) in &self.tries {
            let failed = match credential {
                Ok(credential) => match credential.get_token(scopes, options.clone()).await {
                    Ok(token) => return Ok((*kind, token)),
                    Err(error) => reasons(&error),
                },
                Err(why) => why.clone(),
            };
            failures.push((*kind, failed));
        }
        let (name, sign_in) = (&self.name, Self::sign_in(&failures));
        let tried: Vec<String> = failures.into_iter().map(|(kind, failed)| format!("{kind}: {failed}")).collect();
        let message = format!("no token by the credential `{name}`{sign_in}; tried {}", tried.join("; "));
        Err(azure_core::Error::with_message(ErrorKind::Credential, message))
    }
}

/// An assertion that something else keeps fresh in a file.
#[derive(Debug)]
struct AssertionFile(String);

#[async_trait::async_trait]
impl ClientAssertion for AssertionFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let text = tokio::fs::read_to_string(&self.0).await.map_err(|error| {
            azure_core::Error::with_message(ErrorKind::Credential, format!("cannot read `{}`: {error}", self.0))
        })?;
        Ok(text.trim_end().to_owned())
    }
}

/// Tokens that the simulated Azure takes: each is another one, so that it can tell an old one from a new one.
#[derive(Debug)]
struct Simulated(Arc<AtomicU64>);

#[async_trait::async_trait]
impl TokenCredential for Simulated {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let day = azure_core::time::Duration::days(365);
        Ok(AccessToken::new(
            format!("simulated for {}, token {}", scopes.join(" "), self.0.fetch_add(1, Ordering::Relaxed)),
            azure_core::time::OffsetDateTime::now_utc() + day,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_to_type_comes_before_all_that_was_tried() {
        let told = async |kinds: &[&'static str]| {
            let tries = kinds.iter().map(|kind| (*kind, Err("not signed in".to_owned()))).collect();
            let chain = Chain { name: "ops".to_owned(), tries };
            chain.first(&["scope"], None).await.map(|(kind, _)| kind).unwrap_err().to_string()
        };
        assert_eq!(
            told(&["managed_identity", "azure_cli", "azure_developer_cli"]).await,
            "no token by the credential `ops`: type `az login` or `azd auth login`; tried managed_identity: not signed in; \
             azure_cli: not signed in; azure_developer_cli: not signed in"
        );
        let not_there = |kinds: &[(&'static str, bool)]| {
            let why = |is_there| if is_there { "not signed in" } else { "az not found on PATH" }.to_owned();
            Chain::sign_in(&kinds.iter().map(|(kind, is_there)| (*kind, why(*is_there))).collect::<Vec<_>>())
        };
        assert_eq!(not_there(&[("azure_cli", false), ("azure_developer_cli", true)]), ": type `azd auth login`");
        let neither = [("azure_cli", false), ("azure_developer_cli", false)];
        assert_eq!(not_there(&neither), ": install `az`, then type `az login`");
        assert_eq!(
            told(&["client_secret"]).await,
            "no token by the credential `ops`; tried client_secret: not signed in"
        );
    }

    #[test]
    fn an_error_is_told_with_all_that_brought_it_about() {
        let refused = std::io::Error::other("connection refused");
        let sent = azure_core::Error::with_error(ErrorKind::Io, refused, "the request\n failed");
        let outer = azure_core::Error::with_error(
            ErrorKind::Credential,
            sent,
            "authentication failed\nTo troubleshoot, visit https://example.com",
        );
        assert_eq!(reasons(&outer), "authentication failed: the request failed: connection refused");
    }
}
