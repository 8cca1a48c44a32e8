//! Mails, at a real server.

use super::office::Office;
use super::smtp::{MailServer, Protection, trust};

const PASSWORD: &str = "open-sesame-4711";

fn settings(port: u16, more: &str, to: &[&str]) -> String {
    let to = to.join(", ");
    format!(
        "contacts:\n  ada: {{ email: ada@example.com, phone: \"+441632960000\" }}\n\
         channels:\n  mail: {{ type: email, host: 127.0.0.1, port: {port}, from: Example Status <status@example.com>{more} }}\n\
         audiences:\n  customers: {{ channels: [mail], contacts: [ada], to: [{to}] }}\n"
    )
}

const LOGIN: &str = ", ca_file: ca.pem, user: drctl, password: { env: MAIL_PASSWORD }";

async fn office(protection: Protection, tls: &str, to: &[&str]) -> (MailServer, Office) {
    let server = MailServer::start(protection, Some(("drctl", PASSWORD))).await;
    let office = Office::new(&settings(server.port, &format!("{LOGIN}{tls}"), to)).with("MAIL_PASSWORD", PASSWORD);
    trust(&server, office.path());
    (server, office)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recipient_gets_a_mail_of_their_own_over_an_encrypted_connection() {
    for (protection, tls) in [(Protection::Starttls, ""), (Protection::Implicit, ", tls: implicit")] {
        let (server, office) = office(protection, tls, &["bob@example.org"]).await;
        let ran = office.tell();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let mails = server.mails();
        let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to, ["bob@example.org", "ada@example.com"]);
        for mail in &mails {
            assert!(mail.encrypted && mail.user.as_deref() == Some("drctl"), "{mail:?}");
            assert_eq!(mail.from, "status@example.com");
            assert_eq!(mail.header("From"), Some("\"Example Status\" <status@example.com>"));
            assert_eq!(mail.header("To"), Some(mail.to.as_str()));
            assert_eq!(mail.header("Subject"), Some("Orders are down"));
            assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
            let id = mail.header("Message-ID").unwrap();
            assert!(id.starts_with('<') && id.ends_with("@example.com>") && id.len() == 46, "{id}");
            assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"), "{}", mail.data);
            assert!(mail.data.contains("\r\n\r\nWe move Orders to the east."), "{}", mail.data);
            assert!(mail.data.contains("<p>We move <strong>Orders</strong> to the east.</p>"), "{}", mail.data);
        }
        assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_owed_with_the_reason_and_nothing_waits_for_it() {
    let to = ["reject@example.org", "greylist@example.org", "lost@example.org", "slow@example.org"];
    let (server, office) = office(Protection::Starttls, "", &to).await;
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let everybody =
        ["reject@example.org", "greylist@example.org", "lost@example.org", "slow@example.org", "ada@example.com"];
    assert_eq!(server.counts(&everybody), [0, 1, 1, 1, 1], "a greylisted mail is sent again by itself");
    let run = office.run().unwrap();
    let owed = [
        "owed: `tell`: `mail/lost@example.org`: it may have been delivered: no reply to the end of the mail: the connection was closed",
        "owed: `tell`: `mail/reject@example.org`: refused with 550: 5.1.1 no such mailbox",
    ];
    let next = [
        format!("next: drctl notify send --owed {run}"),
        format!("next: drctl notify send --owed {run} tell --doubtful mail/lost@example.org --reason \"...\""),
    ];
    let lines: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with("owed") || line.starts_with("next")).collect();
    assert_eq!(lines, [owed[0], owed[1], &next[0], &next[1]], "{}", ran.stdout);
    assert!(office.drctl(&["runs"]).stdout.contains("owes 2 deliveries"));
    let status = office.drctl(&["status", &run]);
    assert_eq!(status.code, Some(10));
    assert!(status.stdout.contains("\nowed\n  `tell`: `mail/lost@example.org`: it may"), "{}", status.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_delivered_later_and_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (another, office) = self::office(Protection::Starttls, "", &["bob@example.org"]).await;
    office.edit("drctl.yaml", &format!("port: {}", another.port), &format!("port: {port}"));
    office.edit("runbooks/tell.yaml", "    action: notify\n", "    action: notify\n    timeout: 900ms\n");
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let run = office.run().unwrap();
    let shown = office.drctl(&["notify", "send", "--owed", "--dry-run"]);
    let text = format!(
        "run {run} owes 2 deliveries\n  `tell`: `mail/ada@example.com`: not sent: the channel does not answer\n  \
         `tell`: `mail/bob@example.org`: not sent: Connection refused (os error 111)\n\
         next: drctl notify send --owed {run}\n"
    );
    assert_eq!((shown.code, shown.stdout), (Some(1), text));
    let server = MailServer::start_at(port, Protection::Starttls, Some(("drctl", PASSWORD))).await;
    trust(&server, office.path());
    // The template is what it was when the run started.
    office.edit("templates/incident.txt", "are down", "are gone");
    let sent = office.drctl(&["notify", "send", "--owed", &run, "tell"]);
    let text = format!(
        "delivered: `tell`: `mail/ada@example.com`\ndelivered: `tell`: `mail/bob@example.org`\nrun {run} owes nothing\n"
    );
    assert_eq!((sent.code, sent.stdout), (Some(0), text));
    assert_eq!(server.mails()[0].header("Subject"), Some("Orders are down"));
    let again = office.drctl(&["notify", "send", "--owed", &run]);
    assert_eq!((again.code, again.stdout), (Some(0), format!("run {run} owes nothing\n")));
    assert_eq!(server.counts(&["ada@example.com", "bob@example.org"]), [1, 1]);
    let mistyped = office.drctl(&["notify", "send", "--owed", &run, "tel"]);
    assert!(mistyped.code == Some(2) && mistyped.stderr.contains("did you mean `tell`?"), "{mistyped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_doubt_is_sent_again_only_when_a_person_says_so() {
    let (server, office) = office(Protection::Starttls, "", &["lost@example.org"]).await;
    assert_eq!(office.tell().code, Some(10));
    let run = office.run().unwrap();
    let lost = ["lost@example.org"];
    let sent = office.drctl(&["notify", "send", "--owed", &run]);
    assert_eq!((sent.code, server.counts(&lost)), (Some(4), vec![1]), "{sent:?}");
    let sent = office.drctl(&["notify", "send", "--owed", &run, "tell", "--doubtful", "mail/lost@example.org"]);
    assert_eq!((sent.code, server.counts(&lost)), (Some(2), vec![1]), "no reason was given: {sent:?}");
    let mistyped = ["notify", "send", "--owed", &run, "tell", "--doubtful", "mail/lots@example.org", "--reason", "x"];
    let sent = office.drctl(&mistyped);
    let wanted = "the delivery `mail/lots@example.org` is not in doubt: those that are: `mail/lost@example.org`; did you mean `mail/lost@example.org`?";
    assert!(sent.code == Some(2) && sent.stderr.contains(wanted), "{sent:?}");
    let again =
        ["notify", "send", "--owed", &run, "tell", "--doubtful", "mail/lost@example.org", "--reason", "asked him"];
    assert_eq!((office.drctl(&again).code, server.counts(&lost)), (Some(4), vec![2]), "lost once more");
    let known =
        ["notify", "send", "--owed", &run, "tell", "--arrived", "mail/lost@example.org", "--reason", "asked him"];
    let settled = office.drctl(&known);
    let text = format!("settled: `tell`: `mail/lost@example.org`\nrun {run} owes nothing\n");
    assert_eq!((settled.code, settled.stdout), (Some(0), text));
    assert_eq!(server.counts(&lost), [2]);
    assert!(office.state().contains("asked him"), "why stands in the journal");
    assert_eq!(office.drctl(&["verify", &run]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_that_does_not_prove_who_it_is() {
    let why = |office: &Office| office.status()["owed"][0]["reason"].as_str().unwrap().to_owned();
    // It does not offer to encrypt.
    let server = MailServer::start(Protection::None, None).await;
    let office = Office::new(&settings(server.port, "", &[]));
    assert_eq!(office.tell().code, Some(10));
    assert_eq!(why(&office), "not sent: STARTTLS is not supported on this server");
    assert_eq!(server.counts(&["ada@example.com"]), [0]);
    // It may say so, where that is wanted.
    let office = Office::new(&settings(server.port, ", tls: none", &[]));
    assert_eq!(office.tell().code, Some(0));
    assert!(!server.mails()[0].encrypted);
    // Nobody vouches for its certificate.
    let (server, office) = self::office(Protection::Starttls, "", &[]).await;
    office.edit("drctl.yaml", "ca_file: ca.pem, ", "");
    assert_eq!(office.tell().code, Some(10));
    assert!(why(&office).starts_with("not sent: invalid peer certificate"), "{}", why(&office));
    assert_eq!(server.counts(&["ada@example.com"]), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_shown() {
    let (server, office) = office(Protection::Starttls, "", &[]).await;
    let office = office.with("MAIL_PASSWORD", "wrong-password-0815");
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert_eq!(office.status()["owed"][0]["reason"], "refused with 535: 5.7.8 these credentials are not known here");
    assert_eq!(server.counts(&["ada@example.com"]), [0]);
    let doctor = office.drctl(&["doctor"]);
    let found = "broken   mail";
    assert!(doctor.stdout.contains("these credentials are not known here"), "{found} {}", doctor.stdout);
    let shown = [ran.stdout, ran.stderr, office.state(), doctor.stdout, doctor.stderr].concat();
    assert!(!shown.contains("wrong-password-0815") && !shown.contains("d3JvbmctcGFzc3dvcmQtMDgxNQ"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_cannot_be_read_keeps_nobody_from_recovering() {
    let (server, office) = office(Protection::Starttls, "", &["bob@example.org"]).await;
    office.edit("drctl.yaml", "MAIL_PASSWORD", "NOT_SET_ANYWHERE");
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let why = "secret `channels.mail.password`: the environment variable `NOT_SET_ANYWHERE` is not set";
    assert!(ran.stderr.contains(&format!("warning: {why}: what would be sent with it will be owed")), "{}", ran.stderr);
    assert_eq!(office.status()["owed"][0]["reason"], format!("not sent: {why}"));
    let run = office.run().unwrap();
    let office = office.with("NOT_SET_ANYWHERE", PASSWORD);
    let sent = office.drctl(&["notify", "send", "--owed"]);
    let text = format!(
        "delivered: `tell`: `mail/ada@example.com`\ndelivered: `tell`: `mail/bob@example.org`\nrun {run} owes nothing\n"
    );
    assert_eq!((sent.code, sent.stdout.as_str()), (Some(0), text.as_str()), "{}", sent.stderr);
    assert_eq!(office.drctl(&["notify", "send", "--owed"]).stdout, "no run owes anything\n");
    assert_eq!(server.counts(&["ada@example.com", "bob@example.org"]), [1, 1]);
    assert_eq!(office.drctl(&["status", &run]).code, Some(10), "what happened stays what happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_logs_in_and_sends_nothing() {
    let (server, office) = office(Protection::Starttls, "", &[]).await;
    let shown = office.drctl(&["doctor"]).stdout;
    assert!(
        shown.contains(&format!("`127.0.0.1`, port {}, lets drctl log in; nothing was sent", server.port)),
        "{shown}"
    );
    assert_eq!((server.connections(), server.mails().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_may_say_that_the_run_waits_for_its_notice() {
    let (server, office) = office(Protection::Starttls, "", &["lost@example.org"]).await;
    office.edit("runbooks/tell.yaml", "    action: notify\n", "    action: notify\n    on_failure: stop\n");
    assert_eq!(office.tell().code, Some(4));
    let run = office.run().unwrap();
    let said = office.drctl(&["resolve", &run, "tell", "--did-not-happen", "--reason", "he has nothing"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(office.drctl(&["resume", &run]).code, Some(4), "lost once more");
    assert_eq!(server.counts(&["lost@example.org", "ada@example.com"]), [2, 1]);
    office.drctl(&["resolve", &run, "tell", "--happened", "--reason", "he has it"]);
    assert_eq!(office.drctl(&["resume", &run]).code, Some(10));
    assert_eq!(office.owed(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_goes_to_whom_each_channel_would_have_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (another, office) = self::office(Protection::Starttls, "", &[]).await;
    office.edit("drctl.yaml", &format!("port: {}", another.port), &format!("port: {port}"));
    let desk = format!(
        "  desk: {{ type: email, host: 127.0.0.1, port: {port}, from: desk@example.com{LOGIN}, to: [duty@example.org] }}\n"
    );
    office.edit("drctl.yaml", "audiences:\n", &format!("{desk}audiences:\n"));
    office.edit("drctl.yaml", "channels: [mail]", "channels: [mail, desk]");
    office.edit("runbooks/tell.yaml", "    action: notify\n", "    action: notify\n    timeout: 900ms\n");
    assert_eq!(office.tell().code, Some(10));
    let server = MailServer::start_at(port, Protection::Starttls, Some(("drctl", PASSWORD))).await;
    trust(&server, office.path());
    let sent = office.drctl(&["notify", "send", "--owed"]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(server.counts(&["ada@example.com", "duty@example.org"]), [2, 1], "{sent:?}");
}
