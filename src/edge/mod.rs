//! The ports to the outside: clock, secrets, processes, identity, environment, the state on disk.

pub mod clock;
pub mod environment;
pub mod file_system;
pub mod http;
pub mod identity;
pub mod ids;
pub mod inbox;
pub mod lock;
mod mask;
pub mod process;
pub mod secrets;
pub mod store;
pub mod virtual_clock;

/// A boxed future that may be sent between threads.
pub type Act<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
