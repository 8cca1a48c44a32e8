//! The ports to the outside: clock, secrets, identity, environment.

pub mod clock;
pub mod environment;
pub mod http;
pub mod process;
pub mod secrets;

/// A boxed future that may be sent between threads.
pub type Act<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
