//! The channels of notices with the built binary: at a real mail server, and at receivers that check what they are sent.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]
#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

#[path = "channels/announce.rs"]
mod announce;
#[path = "support/http.rs"]
#[expect(dead_code, reason = "other tests ask more of it")]
mod http;
#[path = "channels/incidents.rs"]
mod incidents;
#[path = "channels/kill.rs"]
mod kill;
#[path = "channels/kill_posts.rs"]
mod kill_posts;
#[path = "channels/mail.rs"]
mod mail;
#[path = "channels/office.rs"]
mod office;
#[path = "channels/pace.rs"]
mod pace;
#[path = "channels/real_mail.rs"]
mod real_mail;
#[path = "channels/receivers.rs"]
mod receivers;
#[path = "support/smtp.rs"]
mod smtp;
#[path = "support/tool.rs"]
mod tool;
