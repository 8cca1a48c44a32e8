//! The body of a notice, Markdown, as each kind of reader takes it: HTML and text for mails, Slack's mrkdwn, what
//! Teams shows in a card.
//!
//! What Markdown means here:
//!
//! - A line break is a line break, as people expect of a notice they typed.
//! - In code, too, a backslash before a sign means the sign: values are escaped wherever they stand.
//! - HTML is text: nobody's markup gets into a mail.
//! - A link leads to the web, an address or a telephone; any other is its text. A picture is its description: a
//!   mail that fetches something tells others who reads it.
//! - Nothing calls people: `@everyone` and `<!channel>` are words, whoever wrote them.

mod events;
mod html;
mod slack;
mod teams;
mod text;
mod writer;

pub use html::html;
pub use slack::slack;
pub use teams::teams;
pub use text::text;

#[cfg(test)]
mod tests;
