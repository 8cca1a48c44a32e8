//! `cargo run --example demo`: a failover on this machine, with nothing but Rust.
//!
//! Starts two tiny servers and a load balancer (this program again, as children), ends the primary, and hands
//! over to the real `drctl failover demo`. Knows nothing of drctl but its command line.

#![expect(clippy::print_stdout, reason = "it talks to the person who started it")]

mod server;

use std::env::args_os;
use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, IsTerminal as _, stderr, stdin};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use tokio::signal::unix::{SignalKind, signal};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<ExitCode> {
    let words: Vec<String> = args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let code = runtime.block_on(demo());
            // A thread may still wait for Enter.
            runtime.shutdown_background();
            code
        }
        ["server", name] => server::serve(name),
        ["balancer", primary, standby] => server::balance(primary.parse()?, standby.parse()?),
        _ => Err("it takes no arguments: cargo run --example demo".into()),
    }
}

async fn demo() -> Outcome<ExitCode> {
    // From here on Ctrl-C is for drctl, which goes on to do what it says about it.
    drop(signal(SignalKind::interrupt())?);
    let mut primary = Running::start(&["server", "primary"])?;
    let standby = Running::start(&["server", "standby"])?;
    let balancer = Running::start(&["balancer", &primary.at.to_string(), &standby.at.to_string()])?;
    println!("demo: started a primary, a standby and a load balancer, http://{}/", balancer.at);
    primary.end()?;
    println!("demo: ended the primary; drctl takes over\n");
    let status = drctl(&primary, &standby, &balancer).await?;
    if !status.success() && is_attended() {
        println!("\ndemo: drctl ended ({status}). The servers are still there; in another terminal:\n");
        println!("    cargo run -- status\n    cargo run -- resume\n");
        println!("demo: press Enter when you are done");
        let enter = tokio::task::spawn_blocking(|| stdin().lines().next());
        tokio::select! { _ = enter => {} _ = tokio::signal::ctrl_c() => {} }
    }
    // What a shell would say of a signal: 128 and its number.
    let signal = || Some(128 + std::os::unix::process::ExitStatusExt::signal(&status)?);
    Ok(ExitCode::from(u8::try_from(status.code().or_else(signal).unwrap_or(1))?))
}

async fn drctl(primary: &Running, standby: &Running, balancer: &Running) -> Outcome<ExitStatus> {
    let mut command = tokio::process::Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--bin", "drctl", "--", "failover", "demo"]);
    let urls = [
        ("primary_url", primary, ""),
        ("standby_url", standby, ""),
        ("service_url", balancer, ""),
        ("admin_url", balancer, "active"),
    ];
    for (input, server, path) in urls {
        command.arg("--set").arg(format!("{input}=http://{}/{path}", server.at));
    }
    if !is_attended() {
        command.arg("--yes");
    }
    Ok(command.status().await?)
}

/// Whether somebody is there to answer the gate.
fn is_attended() -> bool {
    variable("CI").is_none() && stdin().is_terminal() && stderr().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads its environment itself")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A server in a process of its own, which ends with this program however that ends.
struct Running {
    child: Child,
    at: SocketAddr,
}

impl Running {
    /// Starts it; its first line says where it listens.
    fn start(words: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Out of reach of Ctrl-C, which is not meant for it.
        let mut child = command.process_group(0).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("a server has no output")?).read_line(&mut line)?;
        Ok(Self { child, at: line.trim().parse()? })
    }

    fn end(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end().ok();
    }
}
