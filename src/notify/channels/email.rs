//! Notices as mails, each to one recipient, over SMTP (RFC 5321).
//!
//! A mail counts as taken with the reply to the end of its DATA, and may have been taken from the moment its first byte
//! is sent. Whatever fails before that was not taken. Servers need not deduplicate, though the `Message-ID` of a mail is
//! the same whenever it is sent.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::signature::hex;
use super::{Letter, Notice, Outside, Undelivered};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::notify::markup;

/// How long a server may take until it wants the mail.
const TO_DATA: Duration = Duration::from_secs(30);
/// How long a server that has taken a mail may take to say goodbye.
const TO_QUIT: Duration = Duration::from_secs(2);
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// A mail server, and who gets a mail.
#[derive(Clone, Deserialize)]
pub struct EmailChannel {
    /// The channel's name.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: Tls,
    /// A certificate to trust besides the system's: a PEM file, relative to the workspace.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// The name to log in with.
    #[serde(default)]
    pub user: Option<String>,
    /// The password, which is a secret: never shown.
    #[serde(default)]
    pub password: Option<String>,
    /// The sender.
    pub from: String,
    /// Who gets a mail.
    #[serde(default)]
    pub to: Vec<String>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// It begins in the clear; nothing else is said before it is encrypted (RFC 3207).
    #[default]
    Starttls,
    /// It is encrypted from the beginning (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

impl Tls {
    fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

impl EmailChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let mail =
            self.mail(letter, outside.clock.now()).map_err(|why| Undelivered::Refused(format!("not sent: {why}")))?;
        let bytes = mail.formatted();
        let tls = self.tls_parameters(outside.workspace)?;
        let open = async {
            let mut connection = self.connect(tls).await.map_err(|error| not_taken(&error))?;
            let options = options(&connection, &mail, &bytes)?;
            announce(&mut connection, &mail, options).await.map_err(|error| not_taken(&error))?;
            Ok(connection)
        };
        let mut connection = soon(outside, TO_DATA, open).await??;
        outside.begin();
        connection.message(&bytes).await.map_err(|error| perhaps_taken(&error))?;
        soon(outside, TO_QUIT, connection.quit()).await.ok();
        Ok(())
    }

    /// Connects and logs in, as for a mail, and sends none.
    ///
    /// # Errors
    /// What is wrong, without secrets.
    pub async fn try_login(&self, workspace: &Path) -> Result<(), String> {
        let tls = self.tls_parameters(workspace).map_err(|problem| problem.to_string())?;
        let mut connection = self.connect(tls).await.map_err(|error| not_taken(&error).to_string())?;
        connection.quit().await.ok();
        Ok(())
    }

    /// The port it goes to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.tls.port())
    }

    fn tls_parameters(&self, workspace: &Path) -> Result<Option<TlsParameters>, Undelivered> {
        if self.tls == Tls::None {
            return Ok(None);
        }
        let refused =
            |what: &str, why: &dyn std::fmt::Display| Undelivered::Refused(format!("not sent: {what}: {why}"));
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let pem = std::fs::read(workspace.join(path)).map_err(|error| refused(&format!("`{path}`"), &error))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| refused(&format!("`{path}`"), &error))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map(Some).map_err(|error| refused("no TLS", &error))
    }

    async fn connect(&self, tls: Option<TlsParameters>) -> Result<AsyncSmtpConnection, Error> {
        let hello = ClientId::default();
        let at_once = tls.clone().filter(|_| self.tls == Tls::Implicit);
        let place = (self.host.as_str(), self.port());
        let mut connection = AsyncSmtpConnection::connect_tokio1(place, Some(TO_DATA), &hello, at_once, None).await?;
        if let Some(tls) = tls.filter(|_| self.tls == Tls::Starttls) {
            connection.starttls(tls, &hello).await?;
        }
        if let Some(user) = &self.user {
            let credentials = Credentials::new(user.clone(), self.password.clone().unwrap_or_default());
            connection.auth(&MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    fn mail(&self, letter: Letter<'_>, now: Timestamp) -> Result<Message, String> {
        let from: Mailbox = self.from.parse().map_err(|error| format!("`from` is no address: {error}"))?;
        let to = letter.to.unwrap_or_default();
        let to: Address = to.parse().map_err(|error| format!("`{to}` is no address: {error}"))?;
        let domain = from.email.domain().to_owned();
        let id = hex(&Sha256::digest(letter.key(&self.name))[..16]);
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
        // RFC 3834: out-of-office notes do not answer it.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let (text, html) = (markup::text(&letter.notice.body), page(letter.notice));
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(letter.notice.subject.as_str())
            .date(date)
            .message_id(Some(format!("<{id}@{domain}>")))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| error.to_string())
    }
}

/// What the server has to know of a mail that is not all ASCII.
fn options(connection: &AsyncSmtpConnection, mail: &Message, bytes: &[u8]) -> Result<Vec<MailParameter>, Undelivered> {
    let supports = |feature| connection.server_info().supports_feature(feature);
    let mut options = Vec::new();
    let envelope = mail.envelope();
    if envelope.to().iter().chain(envelope.from()).any(|address| !address.to_string().is_ascii()) {
        if !supports(Extension::SmtpUtfEight) {
            return Err(Undelivered::Refused("not sent: the server takes only addresses in ASCII".to_owned()));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() && supports(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

/// Everything before the mail itself: the server has agreed to take it.
async fn announce(
    connection: &mut AsyncSmtpConnection,
    mail: &Message,
    options: Vec<MailParameter>,
) -> Result<(), Error> {
    let envelope = mail.envelope();
    connection.command(Mail::new(envelope.from().cloned(), options)).await?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    connection.command(Data).await.map(drop)
}

/// The body as a page that needs nothing from elsewhere.
fn page(notice: &Notice) -> String {
    let title = notice.subject.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let style = "font-family: system-ui, sans-serif; line-height: 1.5; max-width: 40em";
    let body = markup::html(&notice.body);
    format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body style=\"{style}\">\n{body}\n</body></html>\n"
    )
}

/// What `work` comes to; a server that takes too long has taken nothing.
async fn soon<T>(outside: Outside<'_>, span: Duration, work: impl Future<Output = T>) -> Result<T, Undelivered> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = outside.clock.sleep(span) => {
            Err(Undelivered::unreachable(format_args!("no answer within {}", HumanDuration(span))))
        }
    }
}

/// Before the mail itself was sent.
fn not_taken(error: &Error) -> Undelivered {
    if error.is_permanent() || error.is_client() || error.is_tls() {
        Undelivered::Refused(words(error))
    } else if error.status().is_some() {
        Undelivered::put_off(words(error), None)
    } else {
        Undelivered::unreachable(innermost(error))
    }
}

/// Afterwards: only a reply tells that it was not taken.
fn perhaps_taken(error: &Error) -> Undelivered {
    match (error.is_permanent(), error.is_transient()) {
        (true, _) => Undelivered::Refused(words(error)),
        (_, true) => Undelivered::put_off(words(error), None),
        _ => Undelivered::InDoubt(format!("no reply to the end of the mail: {}", innermost(error))),
    }
}

fn words(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("refused with {code}: {}", innermost(error)),
        None => format!("not sent: {}", innermost(error)),
    }
}

/// The innermost reason: the outer ones only say that something failed.
fn innermost(error: &Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let ended = inner.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof);
    if ended || error.is_response() {
        return "the connection was closed".to_owned();
    }
    inner.to_string()
}
