//! `kill -9` around every reply of a mail server and at every record of the journal: nobody gets a mail twice, nobody is
//! forgotten, and what nobody can tell is owed until a person says something.

use super::office::{Office, ran};
use super::smtp::{MailServer, Protection, Strike, trust};
use super::tool::installed;

const TO: [&str; 3] = ["ada@example.com", "bob@example.org", "eve@example.net"];

/// Where the password is not given yet.
async fn silent_office() -> (MailServer, Office) {
    let server = MailServer::start(Protection::Starttls, Some(("drctl", "sesame"))).await;
    let office = Office::new(&format!(
        "channels:\n  mail: {{ type: email, host: 127.0.0.1, port: {}, ca_file: ca.pem, from: status@example.com, \
         user: drctl, password: {{ env: MAIL_PASSWORD }} }}\n\
         audiences:\n  customers: {{ channels: [mail], to: [{}] }}\n",
        server.port,
        TO.join(", ")
    ));
    trust(&server, office.path());
    // What a notice says of the journal must not keep it from anybody, be it the first step, or taken up.
    office.edit("templates/incident.txt", "to the east.", "to the east, by {{ run.head }}.");
    (server, office)
}

async fn office() -> (MailServer, Office) {
    let (server, office) = silent_office().await;
    (server, office.with("MAIL_PASSWORD", "sesame"))
}

/// Everybody has one mail, or may have one, which is owed and in doubt; the rest is delivered on demand.
fn judge(office: &Office, server: &MailServer, what: &str) {
    let owed = office.owed();
    for (count, to) in server.counts(&TO).into_iter().zip(TO) {
        let doubtful = owed.contains(&(format!("mail/{to}"), true));
        assert!(count == 1 || (count == 0 && doubtful), "{what}: {to} got {count} mails, owed: {owed:?}");
    }
    assert!(owed.iter().all(|(_, in_doubt)| *in_doubt), "{what}: {owed:?}");
    let before = server.counts(&TO);
    office.drctl(&["notify", "send", "--owed", &office.run().unwrap()]);
    assert_eq!(server.counts(&TO), before, "{what}: what is in doubt is not sent without a person's word");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_around_any_reply_of_the_server_sends_nothing_twice_and_forgets_nobody() {
    let (server, calm) = office().await;
    assert_eq!(calm.tell().code, Some(0));
    let replies = server.replies();
    assert!(replies >= 3 * 8, "{replies}");
    let mut doubts = 0;
    for number in 1..=replies {
        for strike in [Strike::Before(number), Strike::After(number)] {
            let (server, office) = office().await;
            server.strike(strike);
            let child = office.start(&["run", "runbooks/tell.yaml"]);
            server.victim(child.id());
            let died = ran(child.wait_with_output().unwrap());
            if server.is_armed() {
                // The last goodbyes need not be heard.
                assert_eq!(died.code, Some(0), "{strike:?}: {died:?}");
                continue;
            }
            assert_eq!(died.code, None, "{strike:?}: {died:?}");
            let resumed = office.finish().unwrap();
            assert!(matches!(resumed.code, Some(0 | 10)), "{strike:?}: {resumed:?}");
            doubts += office.owed().len();
            judge(&office, &server, &format!("{strike:?}"));
        }
    }
    // Each mail: before and after the reply to its end; and the replies that come while nothing tells.
    assert!(doubts >= 6, "{doubts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_record_sends_nothing_twice_and_forgets_nobody() {
    if !installed(&["strace"]) {
        return;
    }
    for number in 1.. {
        let (server, office) = office().await;
        let died = office.killed_at_sync(number, &["run", "runbooks/tell.yaml"]);
        if died.code == Some(0) {
            assert!(number > 6, "{number}");
            break;
        }
        match office.finish() {
            Some(resumed) => assert!(matches!(resumed.code, Some(0 | 10)), "{number}: {resumed:?}"),
            None => {
                assert_eq!(server.connections(), 0, "{number}: a run that never started told nobody");
                continue;
            }
        }
        judge(&office, &server, &format!("sync {number}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_what_is_owed_is_delivered_sends_nothing_twice() {
    if !installed(&["strace"]) {
        return;
    }
    for number in 1.. {
        let (server, office) = silent_office().await;
        assert_eq!(office.tell().code, Some(10));
        assert_eq!((server.connections(), office.owed().len()), (0, 3));
        let office = office.with("MAIL_PASSWORD", "sesame");
        let run = office.run().unwrap();
        let died = office.killed_at_sync(number, &["notify", "send", "--owed", &run]);
        if died.code == Some(0) {
            assert!(number > 4, "{number}");
            break;
        }
        let again = office.drctl(&["notify", "send", "--owed", &run]);
        assert!(matches!(again.code, Some(0 | 4)), "{number}: {again:?}");
        judge(&office, &server, &format!("sync {number}"));
        assert_eq!(office.drctl(&["verify", &run]).code, Some(0));
    }
}
