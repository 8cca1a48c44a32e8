//! Notices side by side go to a receiver one after the other, no sooner than it wants them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::http;
use super::office::Office;

/// A receiver that refuses what comes too soon.
struct Receiver {
    address: String,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    /// Until when the next is refused.
    shut_until: Instant,
    /// What each was answered.
    statuses: Vec<u16>,
    /// Whether it refuses the first as well, and all else for a while.
    is_busy: bool,
}

impl Seen {
    fn answer(&mut self) -> &'static str {
        let now = Instant::now();
        let is_first = self.statuses.is_empty();
        let (status, shut_for, text) = match (is_first && self.is_busy, now < self.shut_until) {
            (true, _) => (429, 1_800, "HTTP/1.1 429 X\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n"),
            (false, true) => (429, 0, "HTTP/1.1 429 X\r\ncontent-length: 0\r\n\r\n"),
            (false, false) => (200, 700, "HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nok"),
        };
        self.statuses.push(status);
        self.shut_until = self.shut_until.max(now + Duration::from_millis(shut_for));
        text
    }
}

impl Receiver {
    async fn start(is_busy: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen { shut_until: Instant::now(), statuses: Vec::new(), is_busy }));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, seen }
    }

    fn statuses(&self) -> Vec<u16> {
        self.seen.lock().unwrap().statuses.clone()
    }

    /// Tells it of four things at once.
    fn told_of_four(&self) -> Office {
        let office = Office::new(&format!(
            "channels:\n  way: {{ type: slack, url: \"http://{}/x\" }}\naudiences:\n  customers: [way]\n",
            self.address
        ));
        let more = ["b", "c", "d"].map(|id| {
            format!("  - id: {id}\n    action: notify\n    with: {{ template: incident, audience: customers, vars: {{ what: {id} }} }}\n")
        });
        office.edit("runbooks/tell.yaml", "  - id: after\n", &format!("{}  - id: after\n", more.concat()));
        let ran = office.tell();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        office
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) -> Option<()> {
    let mut rest = Vec::new();
    loop {
        http::read(&mut stream, &mut rest).await?;
        let text = seen.lock().unwrap().answer();
        stream.write_all(text.as_bytes()).await.ok()?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_side_by_side_keep_the_pace_that_their_receiver_asks_for() {
    let receiver = Receiver::start(false).await;
    let office = receiver.told_of_four();
    assert_eq!((receiver.statuses(), office.owed()), (vec![200; 4], Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refuses_one_notice_is_left_alone_by_all() {
    let receiver = Receiver::start(true).await;
    let office = receiver.told_of_four();
    assert_eq!((receiver.statuses(), office.owed()), (vec![429, 200, 200, 200, 200], Vec::new()));
}
