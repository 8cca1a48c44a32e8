//! Mails, at a server that nobody wrote for drctl: aiosmtpd. Needs Debian's `python3-aiosmtpd`; without it these tests
//! say so and do nothing, but fail where `CI` is set.

#![expect(clippy::print_stdout, reason = "who reads the log learns that no such server was tried")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::office::Office;

/// The Python that Debian's packages are for, whatever else is installed.
const PYTHON: &str = "/usr/bin/python3";
const PASSWORD: &str = "open-sesame-4711";

#[expect(clippy::disallowed_methods, reason = "what a test may skip depends on where it runs")]
fn is_installed() -> bool {
    let found = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    assert!(found || std::env::var_os("CI").is_none(), "aiosmtpd is missing: apt-get install python3-aiosmtpd");
    if !found {
        println!("aiosmtpd is not installed: no mail was sent to it");
    }
    found
}

/// The server; it ends with the test.
struct Aiosmtpd {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl Aiosmtpd {
    /// Protected by `starttls` or `implicit` TLS; `mechanism` is the only way to log in, if there is one.
    fn start(protection: &str, mechanism: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(folder.path().join("server.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/channels/mail_server.py");
        let mut command = Command::new(PYTHON);
        command.args(["-W", "ignore"]).arg(script).arg(folder.path()).args([protection, PASSWORD]).args(mechanism);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { folder, process, port: port.trim().parse().unwrap() }
    }

    /// An office that sends its mails there, to these.
    fn office(&self, settings: &str, to: &[&str]) -> Office {
        let office = Office::new(&format!(
            "channels:\n  mail: {{ type: email, host: 127.0.0.1, port: {}, from: Example Status <status@example.com>, \
             ca_file: ca.pem, user: drctl, password: {{ env: MAIL_PASSWORD }}{settings} }}\n\
             audiences:\n  customers: {{ channels: [mail], to: [{}] }}\n",
            self.port,
            to.join(", ")
        ));
        fs::copy(self.folder.path().join("server.pem"), office.path().join("ca.pem")).unwrap();
        office.with("MAIL_PASSWORD", PASSWORD)
    }

    /// Every mail that was taken, as Python read it.
    fn mails(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("mails")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn recipients(&self) -> Vec<String> {
        self.mails().iter().map(|mail| mail["to"][0].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn a_mail_is_read_elsewhere_as_it_was_written() {
    if !is_installed() {
        return;
    }
    let ways = [("starttls", None), ("starttls", Some("LOGIN")), ("implicit", Some("PLAIN"))];
    for (protection, mechanism) in ways {
        let server = Aiosmtpd::start(protection, mechanism);
        let tls = format!(", tls: {protection}");
        let office = server.office(&tls, &["ada@example.com", "bob@example.org"]);
        office.edit("runbooks/tell.yaml", "default: Orders", "default: \"Bestellungen für Köln ✓\"");
        office.edit(
            "templates/incident.txt",
            "to the east.\n",
            "to the east.\n\n.\n\nA line that begins with a dot ends no mail.\n",
        );
        let ran = office.tell();
        assert_eq!(ran.code, Some(0), "{protection} {mechanism:?}: {ran:?}");
        assert_eq!(server.recipients(), ["ada@example.com", "bob@example.org"]);
        let mails = server.mails();
        assert_ne!(mails[0]["id"], mails[1]["id"]);
        for mail in mails {
            let headers = json!({
                "From": "Example Status <status@example.com>", "To": mail["to"][0],
                "Subject": "Bestellungen für Köln ✓ are down", "Auto-Submitted": "auto-generated",
            });
            assert_eq!(mail["headers"], headers);
            assert_eq!((&mail["from"], &mail["user"]), (&json!("status@example.com"), &json!("drctl")));
            assert_eq!((&mail["encrypted"], &mail["defects"]), (&json!(true), &json!([])));
            let text =
                "We move Bestellungen für Köln ✓ to the east.\n\n.\n\nA line that begins with a dot ends no mail.";
            assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), text);
            let html = mail["html"].as_str().unwrap();
            assert!(html.contains("<p>We move <strong>Bestellungen für Köln ✓</strong> to the east.</p>"), "{html}");
        }
    }
}

#[test]
fn what_another_server_does_not_take_is_owed_and_what_it_took_without_a_word_is_in_doubt() {
    if !is_installed() {
        return;
    }
    let server = Aiosmtpd::start("starttls", None);
    let to = ["reject@example.org", "greylist@example.org", "spam@example.org", "lost@example.org", "ada@example.com"];
    let office = server.office("", &to);
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let owed = |to: &str, in_doubt: bool, why: &str| json!({ "step": "tell", "channel": "mail", "to": to, "in_doubt": in_doubt, "reason": why });
    let wanted = json!([
        owed("lost@example.org", true, "no reply to the end of the mail: the connection was closed"),
        owed("reject@example.org", false, "refused with 550: 5.1.1 no such mailbox"),
        owed("spam@example.org", false, "refused with 554: 5.7.1 this looks like spam"),
    ]);
    assert_eq!(office.status()["owed"], wanted);
    let taken = ["lost@example.org", "ada@example.com", "greylist@example.org"];
    assert_eq!(server.recipients(), taken, "the greylisted one was sent again by itself");
    let sent = office.drctl(&["notify", "send", "--owed"]);
    assert_eq!((sent.code, server.recipients()), (Some(1), taken.map(str::to_owned).to_vec()), "{sent:?}");
}

#[test]
fn another_server_that_does_not_know_the_password_gets_no_mail() {
    if !is_installed() {
        return;
    }
    let server = Aiosmtpd::start("starttls", None);
    let office = server.office("", &["ada@example.com"]).with("MAIL_PASSWORD", "wrong");
    assert_eq!(office.tell().code, Some(10));
    let why = "refused with 535: 5.7.8 Authentication credentials invalid";
    assert_eq!(office.status()["owed"][0]["reason"], why);
    // Nothing is said in the clear to a server that wants to be spoken to in private.
    let office = server.office(", tls: none", &["ada@example.com"]);
    assert_eq!(office.tell().code, Some(10));
    assert_eq!(office.status()["owed"][0]["reason"], "not sent: No compatible authentication mechanism was found");
    assert_eq!(server.mails(), Vec::<Value>::new());
}
