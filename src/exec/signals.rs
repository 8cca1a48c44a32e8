//! Signals, as calls to the driver.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::driver::Call;

/// Passes INT, TERM and HUP on.
///
/// # Errors
/// The handlers cannot be set.
pub fn listen(calls: &mpsc::UnboundedSender<Call>) -> std::io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let signals = signal(kind)?;
        tokio::spawn(pass_on(signals, kind.as_raw_value(), calls.clone()));
    }
    Ok(())
}

async fn pass_on(mut signals: Signal, number: i32, calls: mpsc::UnboundedSender<Call>) {
    while signals.recv().await.is_some() {
        if calls.send(Call::Signal(number)).is_err() {
            return;
        }
    }
}
