//! A DNS server with a zone in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

/// What the server does with a question.
#[derive(Clone)]
pub enum Zone {
    /// Answers from these records; other names do not exist.
    Records(Vec<Record>),
    /// Says that it failed.
    Fails,
    /// Says nothing.
    Silent,
}

pub struct Server {
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                let question = Message::from_vec(&buffer[..length]).unwrap();
                if let Some(answer) = answer(&zone, question) {
                    socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(zone: &Zone, question: Message) -> Option<Message> {
    let query = question.queries[0].clone();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.add_query(query.clone());
    match zone {
        Zone::Silent => return None,
        Zone::Fails => answer.metadata.response_code = ResponseCode::ServFail,
        Zone::Records(records) => {
            let named = records.iter().filter(|record| record.name == *query.name());
            let wanted = |kind| kind == query.query_type() || kind == RecordType::CNAME;
            answer.add_answers(named.clone().filter(|record| wanted(record.record_type())).cloned());
            if named.count() == 0 {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
        }
    }
    Some(answer)
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

fn record(owner: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(name(owner), ttl, data)
}

pub fn a(owner: &str, ttl: u32, address: &str) -> Record {
    record(owner, ttl, RData::A(A(address.parse::<Ipv4Addr>().unwrap())))
}

pub fn cname(owner: &str, ttl: u32, target: &str) -> Record {
    record(owner, ttl, RData::CNAME(CNAME(name(target))))
}

pub fn txt(owner: &str, ttl: u32, parts: &[&str]) -> Record {
    let parts = parts.iter().map(|&part| part.to_owned()).collect();
    record(owner, ttl, RData::TXT(TXT::new(parts)))
}

pub fn mx(owner: &str, ttl: u32, preference: u16, mail: &str) -> Record {
    record(owner, ttl, RData::MX(MX::new(preference, name(mail))))
}
