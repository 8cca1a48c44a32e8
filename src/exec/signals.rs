//! Signals, as calls to the driver; and a question during which they end nothing.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::driver::Call;

/// What asks a process to end.
fn kinds() -> [SignalKind; 3] {
    [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
}

/// Does `work` while INT, TERM and HUP interrupt what waits instead of ending the process.
///
/// They stay so: only for what hands over to [`listen`] or ends soon.
///
/// # Errors
/// The handlers cannot be set.
pub fn ending_nothing<T>(work: impl FnOnce() -> T) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let held = kinds().into_iter().map(signal).collect::<std::io::Result<Vec<Signal>>>()?;
    let done = work();
    drop((held, entered));
    Ok(done)
}

/// Passes INT, TERM and HUP on.
///
/// # Errors
/// The handlers cannot be set.
pub fn listen(calls: &mpsc::UnboundedSender<Call>) -> std::io::Result<()> {
    for kind in kinds() {
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
