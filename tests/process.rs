//! The actions `exec` and `shell` with real processes: how they end, what they leave, what survives a crash.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drctl::actions::exec::Exec;
use drctl::actions::shell::Shell;
use drctl::actions::{Action as _, Call, Context, Done, Failure, Observation};
use drctl::catalogue::{Timestamp, Type};
use drctl::edge::clock::{Clock as _, SystemClock};
use drctl::edge::process::{ProcessRunner, SUPERVISE};
use drctl::edge::secrets::Secrets;
use proptest::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

/// A workspace, and what an action gets of the outside.
struct Site {
    folder: PathBuf,
    context: Context,
    handles: Arc<Mutex<Vec<Value>>>,
    runner: Arc<ProcessRunner>,
    /// Removes the folder in the end.
    _guard: Option<tempfile::TempDir>,
}

impl Site {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let mut site = Self::at(guard.path());
        site._guard = Some(guard);
        site
    }

    fn at(folder: &Path) -> Self {
        let handles = Arc::new(Mutex::new(Vec::new()));
        let journal = Arc::clone(&handles);
        let context = Context {
            clock: Arc::new(SystemClock::start(Timestamp::default())),
            http: reqwest::Client::new(),
            azure: Arc::new(drctl::actions::azure::Azure::new(
                Arc::new(reqwest::Client::new()),
                Default::default(),
                Arc::new(SystemClock::start(Timestamp::default())),
                "run",
            )),
            secrets: Arc::new(Secrets::default()),
            cancel: CancellationToken::new(),
            workspace: folder.to_owned(),
            handle: Arc::new(move |handle| {
                journal.lock().unwrap().push(handle);
                Box::pin(async { Ok(()) })
            }),
        };
        let runner = ProcessRunner::new(env!("CARGO_BIN_EXE_drctl")).with_grace(Duration::from_millis(300));
        Self { folder: folder.to_owned(), context, handles, runner: Arc::new(runner), _guard: None }
    }

    fn with_secret(mut self, value: &str) -> Self {
        let mut secrets = Secrets::default();
        secrets.insert("token", value);
        self.context.secrets = Arc::new(secrets);
        self
    }

    fn attempt(&self) -> PathBuf {
        self.folder.join("state/steps/restore/1")
    }

    fn call(&self, with: Value) -> Call {
        let Value::Object(with) = with else { panic!("a mapping is wanted") };
        Call {
            run: "run-1".to_owned(),
            step: "restore".to_owned(),
            attempt: 1,
            idempotency_key: "run-1/restore".to_owned(),
            with,
            declared: Vec::new(),
            folder: self.attempt(),
            timeout: Duration::from_secs(60),
            repeatable: false,
            settle: Duration::ZERO,
            previous: None,
        }
    }

    fn script(&self, script: &str) -> Call {
        self.call(json!({"script": script}))
    }

    fn shell(&self) -> Shell {
        Shell::new(Arc::clone(&self.runner))
    }

    async fn run(&self, call: &Call) -> Result<Done, Failure> {
        self.shell().apply(&self.context, call).await
    }

    async fn observe(&self, call: &Call) -> Observation {
        self.shell().observe(&self.context, call).await
    }

    async fn attach(&self, call: &Call) -> Result<Done, Failure> {
        let shell = self.shell();
        shell.attach(&self.context, call, &Value::Null).unwrap().await
    }

    /// Runs the same script supervised and as a plain child, each in a folder of its own.
    async fn both(&self, call: &Call) -> [Result<Done, Failure>; 2] {
        let supervised = self.run(call).await;
        let folder = self.folder.join("state/steps/restore/2");
        let plain = Call { folder, repeatable: true, ..call.clone() };
        [supervised, self.run(&plain).await]
    }
}

fn repeatable(call: Call) -> Call {
    Call { repeatable: true, ..call }
}

fn stdout(done: Result<Done, Failure>) -> String {
    done.unwrap().outputs["stdout"].as_str().unwrap().to_owned()
}

/// Polls until `what` holds; fails the test if it does not within half a minute.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let clock = SystemClock::start(Timestamp::default());
    let deadline = clock.now().plus(Duration::from_secs(30));
    while !holds() {
        assert!(clock.now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A time to sleep that nobody else sleeps.
fn marker(number: u32) -> String {
    format!("1000.{}0{number}", std::process::id())
}

/// The living processes whose command line or environment holds `marker`.
fn marked(marker: &str) -> Vec<i32> {
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_str().unwrap_or_default().parse::<i32>() else {
            continue;
        };
        let holds = |name: &str| {
            std::fs::read(entry.path().join(name)).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(marker))
        };
        if holds("cmdline") || holds("environ") {
            pids.push(pid);
        }
    }
    pids
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn failed(message: &str) -> Result<Done, Failure> {
    Err(Failure::Failed(message.to_owned()))
}

mod endings {
    use super::*;

    #[tokio::test]
    async fn a_success_gives_the_end_of_what_was_printed() {
        let site = Site::new();
        let [supervised, plain] = site.both(&site.script("echo one; echo two; echo aside >&2")).await;
        assert_eq!(supervised, plain);
        let done = supervised.unwrap();
        let digest = "sha256:f24dfcb0b1bba6a2c1d5ce71fa8d7a39f0ae9bac0d1c9d1c1ad4a8a2a3a2b0f1";
        assert_eq!(done.outputs["stdout_digest"].as_str().unwrap().len(), digest.len());
        assert_eq!(done.outputs["stdout"], "one\ntwo");
        assert_eq!((done.outputs["exit_code"].clone(), done.already), (json!(0), false));
        assert_eq!(done.note, "the script exited with code 0");
        assert_eq!(std::fs::read_to_string(site.attempt().join("stderr")).unwrap(), "aside\n");
        assert_eq!(site.handles.lock().unwrap().len(), 1);
        assert_eq!(site.handles.lock().unwrap()[0]["folder"], "1");
    }

    #[tokio::test]
    async fn an_exit_code_is_a_failure_unless_it_is_listed() {
        let site = Site::new();
        let script = "echo before; echo 'no such host' >&2; exit 3";
        let message = "the script exited with code 3, wanted exit code 0; its last lines on stderr:\nno such host";
        assert_eq!(site.both(&site.script(script)).await, [failed(message), failed(message)]);

        let site = Site::new();
        let call = site.call(json!({"script": script, "exit_codes": [0, 3]}));
        for done in site.both(&call).await {
            assert_eq!(done.unwrap().outputs["exit_code"], 3);
        }
    }

    #[tokio::test]
    async fn a_process_ended_by_a_signal_failed() {
        let site = Site::new();
        let message = "the script was ended by signal 9 (KILL), wanted exit code 0; it printed nothing";
        assert_eq!(site.both(&site.script("kill -9 $$")).await, [failed(message), failed(message)]);
    }

    #[tokio::test]
    async fn a_script_ends_at_the_first_failure_and_at_a_variable_that_is_not_set() {
        let site = Site::new();
        let message = "the script exited with code 1, wanted exit code 0; it printed nothing";
        assert_eq!(site.run(&site.script("false; echo on")).await, failed(message));
        let site = Site::new();
        let problem = site.run(&site.script("echo $nowhere")).await.unwrap_err().to_string();
        assert!(problem.contains("nowhere: parameter not set"), "{problem}");
        let site = Site::new();
        let call = site.call(json!({"script": "false | true", "shell": "bash"}));
        assert_eq!(site.run(&call).await, failed(message));
    }

    #[tokio::test]
    async fn a_script_that_looks_like_an_option_is_a_script() {
        let site = Site::new();
        let problem = site.run(&site.script("-x")).await.unwrap_err().to_string();
        assert!(problem.contains("code 127") && problem.contains("-x: not found"), "{problem}");
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_nothing_is_started() {
        let site = Site::new();
        std::fs::write(site.folder.join("plain"), "echo").unwrap();
        let exec = Exec::new(Arc::clone(&site.runner));
        let here = site.folder.display();
        for (with, message) in [
            (
                json!({"argv": ["nowhere"], "env": {"PATH": "/x:/y"}}),
                "there is no program `nowhere` in the PATH `/x:/y`".to_owned(),
            ),
            (json!({"argv": ["./plain"]}), format!("`{here}/./plain` is not executable: `chmod +x` it")),
            (json!({"argv": ["true"], "dir": "gone"}), format!("there is no folder `{here}/gone` to run it in")),
        ] {
            for call in [site.call(with.clone()), repeatable(site.call(with))] {
                assert_eq!(exec.apply(&site.context, &call).await, failed(&message));
            }
        }
        assert!(!site.attempt().exists());
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_executed_failed() {
        use std::os::unix::fs::PermissionsExt as _;
        let site = Site::new();
        let path = site.folder.join("odd");
        std::fs::write(&path, "echo no first line").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let exec = Exec::new(Arc::clone(&site.runner));
        let call = site.call(json!({"argv": ["./odd"]}));
        let message = format!(
            "could not start `{}/./odd`: Exec format error (os error 8): a script starts with a line such as `#!/bin/sh`",
            site.folder.display()
        );
        assert_eq!(exec.apply(&site.context, &call).await, failed(&message));
        let call = Call { folder: site.folder.join("other"), ..repeatable(call) };
        assert_eq!(exec.apply(&site.context, &call).await, failed(&message));
    }

    #[tokio::test]
    async fn a_process_gets_a_small_environment_and_no_input() {
        let site = Site::new();
        let call = site.call(json!({"script": "cat; env | cut -d= -f1 | sort | tr '\\n' ' '", "env": {"GIVEN": "1"}}));
        for printed in site.both(&call).await {
            let printed = stdout(printed);
            let (allowed, others): (Vec<&str>, Vec<&str>) = printed.split_whitespace().partition(|name| {
                ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TERM"].contains(name)
                    || name.starts_with("LC_")
                    || name.starts_with("SS")
            });
            assert!(allowed.contains(&"PATH"));
            let wanted = ["DRCTL_ATTEMPT", "DRCTL_IDEMPOTENCY_KEY", "DRCTL_OUTPUT", "DRCTL_STEP", "GIVEN", "PWD"];
            assert_eq!(others, wanted);
        }
    }

    #[tokio::test]
    async fn a_supervised_process_has_no_terminal_and_leaves_no_core() {
        let site = Site::new().with_secret("a secret");
        let printed = stdout(site.run(&site.script("cut -d' ' -f6 /proc/self/stat; echo $PPID; ulimit -Hc")).await);
        let [session, supervisor, core] = printed.lines().collect::<Vec<_>>()[..] else { panic!("{printed}") };
        assert_eq!((session, core), (supervisor, "0"));
    }

    #[tokio::test]
    async fn it_runs_in_the_folder_it_names() {
        let site = Site::new();
        std::fs::create_dir(site.folder.join("sub")).unwrap();
        let call = site.call(json!({"script": "pwd -P", "dir": "sub"}));
        let wanted = site.folder.canonicalize().unwrap().join("sub");
        for printed in site.both(&call).await {
            assert_eq!(Path::new(&stdout(printed)), wanted);
        }
    }

    #[tokio::test]
    async fn one_attempt_is_never_started_twice() {
        let site = Site::new();
        let call = site.script("echo once >> \"$DRCTL_OUTPUT.count\"");
        site.run(&call).await.unwrap();
        assert!(matches!(site.run(&call).await, Err(Failure::Ambiguous(_))));
        let count = std::fs::read_to_string(site.attempt().join("outputs.json.count")).unwrap();
        assert_eq!(count, "once\n");
    }

    #[tokio::test]
    async fn files_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let site = Site::new();
        for outcome in site.both(&site.script("umask; echo x; echo y >&2")).await {
            outcome.unwrap();
        }
        for attempt in [site.attempt(), site.folder.join("state/steps/restore/2")] {
            assert_eq!(attempt.metadata().unwrap().permissions().mode() & 0o777, 0o700);
            for file in std::fs::read_dir(attempt).unwrap() {
                let file = file.unwrap();
                assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
            }
        }
    }
}

mod outputs {
    use super::*;

    async fn written(script: &str) -> Result<Map<String, Value>, String> {
        let site = Site::new();
        let mut call = site.script(script);
        call.declared = vec![("incident".to_owned(), Type::String), ("hosts".to_owned(), Type::strings())];
        let [supervised, plain] = site.both(&call).await;
        assert_eq!(supervised, plain);
        supervised.map(|done| done.outputs).map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn what_the_step_declares_comes_back() {
        let outputs = written(r#"printf '{"incident": "INC-1 ü", "hosts": ["a"]}' > "$DRCTL_OUTPUT""#).await.unwrap();
        assert_eq!((&outputs["incident"], &outputs["hosts"]), (&json!("INC-1 ü"), &json!(["a"])));
        assert_eq!(outputs["exit_code"], 0);
    }

    #[tokio::test]
    async fn what_is_missing_unknown_or_of_another_type_is_told_with_the_effect() {
        let effect = "the script exited with code 0 and has had its effect, but";
        for (script, problem) in [
            ("true", "it did not write the output `incident`, which the step declares, to the file in `$DRCTL_OUTPUT`"),
            (
                r#"echo '{"incident": "x", "hosts": [], "extra": 1}' > "$DRCTL_OUTPUT""#,
                "it wrote the output `extra`, which the step does not declare under `outputs`",
            ),
            (
                r#"echo '{"incident": "x", "hosts": [1]}' > "$DRCTL_OUTPUT""#,
                "of the output `hosts`: at `[0]`: wanted a string, found the number `1`",
            ),
            (r#"head -c 300000 /dev/zero > "$DRCTL_OUTPUT""#, "the file in `$DRCTL_OUTPUT` is larger than 256 KiB"),
            (r#"mkfifo "$DRCTL_OUTPUT""#, "the file in `$DRCTL_OUTPUT` is not a regular file"),
            (r#"printf '\377' > "$DRCTL_OUTPUT""#, "the file in `$DRCTL_OUTPUT` is not UTF-8 text"),
        ] {
            assert_eq!(written(script).await, Err(format!("{effect} {problem}")));
        }
    }
}

mod printing {
    use super::*;

    const SIZE: usize = 64 << 20;

    #[tokio::test]
    async fn much_output_is_kept_at_both_ends_in_bounded_memory() {
        let site = Site::new().with_secret("a secret that is never printed");
        let make = format!("echo first; head -c {SIZE} /dev/zero | tr '\\0' x; echo; echo last");
        let memory = "awk '/VmHWM/ {print $2}' /proc/$PPID/status >&2";
        let done = site.run(&site.script(&format!("{make}; {memory}"))).await.unwrap();

        let peak = std::fs::read_to_string(site.attempt().join("stderr")).unwrap();
        assert!(peak.trim().parse::<u64>().unwrap() < 64 << 10, "{peak} KiB");
        let sum = Command::new("sh").args(["-c", &format!("({make}) | sha256sum")]).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let wanted = format!("sha256:{}", sum.split(' ').next().unwrap());
        assert_eq!(done.outputs["stdout_digest"], wanted);
        let kept = std::fs::read_to_string(site.attempt().join("stdout")).unwrap();
        assert!(kept.starts_with("first\nxxx") && kept.ends_with("xxx\nlast\n"));
        let dropped = SIZE + "first\n\nlast\n".len() - (2 << 20);
        assert!(kept.contains(&format!("x\n[drctl: {dropped} bytes dropped]\nx")));
        let sizes: Value = serde_json::from_slice(&std::fs::read(site.attempt().join("output.json")).unwrap()).unwrap();
        assert_eq!(sizes["stdout"], json!({"size": SIZE + 12, "digest": wanted}));
    }

    #[tokio::test]
    async fn what_stays_in_the_background_neither_blocks_nor_dies() {
        for is_repeatable in [false, true] {
            let site = Site::new();
            let marker = marker(17);
            let mut call = site.script(&format!("sleep {marker} & echo started"));
            call.repeatable = is_repeatable;
            assert_eq!(stdout(site.run(&call).await), "started");
            let [daemon] = marked(&marker)[..] else { panic!("the daemon is gone") };
            if !is_repeatable {
                assert_eq!(stdout(site.attach(&call).await), "started");
            }
            kill(daemon);
        }
    }

    #[tokio::test]
    async fn secrets_show_up_nowhere() {
        let secret = "canary/ s3cr3t+\"&?";
        let site = Site::new().with_secret(secret);
        let script = r#"
            echo "plain $TOKEN"; printf %s "$TOKEN" | base64; echo "$TOKEN" | base64; echo "$PERCENT" >&2
            printf %.9s "$TOKEN"; sleep 0.1; printf '%s\n' "${TOKEN#?????????}"
            printf '{"token": "%s"}' "$JSON" > "$DRCTL_OUTPUT"
            cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' '\n' | grep -c 's3cr[3]t' || true
        "#;
        let percent = "canary%2F%20s3cr3t%2B%22%26%3F";
        let env = json!({"TOKEN": secret, "PERCENT": percent, "JSON": secret.replace('"', "\\\"")});
        let mut call = site.call(json!({"script": script, "env": env}));
        call.declared = vec![("token".to_owned(), Type::String)];
        for is_repeatable in [false, true] {
            call.folder = site.folder.join(format!("state/{is_repeatable}"));
            call.repeatable = is_repeatable;
            let done = site.run(&call).await.unwrap();
            assert_eq!(done.outputs["stdout"], "plain ***\n***\n***\n***\n0");
            assert_eq!(done.outputs["token"], "***");
            assert_eq!(std::fs::read_to_string(call.folder.join("stderr")).unwrap(), "***\n");
            for file in std::fs::read_dir(&call.folder).unwrap() {
                let path = file.unwrap().path();
                let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
                for canary in ["canary", "s3cr3t", "Y2FuYXJ5"] {
                    assert!(!text.contains(canary), "{}: {text}", path.display());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn data_never_becomes_code(value in "[^\0]{0,60}[^\0\r\n]") {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let site = Site::new();
            let call = site.call(json!({"script": "printf %s \"$V\"", "env": {"V": value}}));
            for printed in runtime.block_on(site.both(&call)) {
                prop_assert_eq!(&stdout(printed), &value);
            }
            let exec = Exec::new(Arc::clone(&site.runner));
            let call = Call { folder: site.folder.join("exec"), ..site.call(json!({"argv": ["printf", "%s", value]})) };
            prop_assert_eq!(&stdout(runtime.block_on(exec.apply(&site.context, &call))), &value);
        }
    }
}

mod stopping {
    use super::*;

    /// Runs `script` with a timeout and expects that nothing it started is left.
    async fn times_out(script: &str, number: u32) {
        let marker = marker(number);
        for is_repeatable in [false, true] {
            let site = Site::new();
            let mut call = site.script(&script.replace("MARKER", &marker));
            call.repeatable = is_repeatable;
            call.timeout = Duration::from_millis(400);
            match site.run(&call).await {
                Err(Failure::Failed(message)) if is_repeatable => {
                    assert_eq!(message, "the script timed out after 400ms");
                }
                Err(Failure::Ambiguous(message)) if !is_repeatable => assert!(
                    message.starts_with("the script timed out after 400ms: TERM went to it and all it started"),
                    "{message}"
                ),
                other => panic!("{other:?}"),
            }
            assert_eq!(std::fs::read_to_string(site.attempt().join("stdout")).unwrap(), "ready\n");
            assert_eq!(marked(&marker), Vec::<i32>::new());
        }
    }

    #[tokio::test]
    async fn a_process_that_ignores_term_is_killed() {
        times_out("trap '' TERM; echo ready; while :; do sleep MARKER; done", 11).await;
    }

    #[tokio::test]
    async fn a_tree_of_processes_is_ended() {
        let script = "for i in 1 2 3; do (sleep MARKER & (sleep MARKER & wait) & wait) & done; echo ready; wait";
        times_out(script, 12).await;
    }

    #[tokio::test]
    async fn processes_that_left_the_group_are_ended() {
        let script = "setsid sh -c 'trap \"\" TERM; sleep MARKER & sleep MARKER' & \
                      (setsid setsid sleep MARKER &) ; echo ready; sleep MARKER";
        times_out(script, 13).await;
    }

    #[tokio::test]
    async fn a_supervisor_finds_even_those_that_hide() {
        let site = Site::new();
        let mut call = site
            .script(&"(env -i setsid sleep MARKER > /dev/null 2>&1 &); sleep MARKER".replace("MARKER", &marker(14)));
        call.timeout = Duration::from_millis(400);
        assert!(matches!(site.run(&call).await, Err(Failure::Ambiguous(_))));
        assert_eq!(marked(&marker(14)), Vec::<i32>::new());
    }

    #[tokio::test]
    async fn orphans_that_ended_are_let_go() {
        let site = Site::new();
        let script = "(sh -c 'echo $$ > pid' &); until [ -s pid ]; do sleep 0.01; done
            while kill -0 $(cat pid) 2> /dev/null; do sleep 0.01; done; echo gone";
        assert_eq!(stdout(site.run(&site.script(script)).await), "gone");
    }

    #[tokio::test]
    async fn a_failure_ends_what_was_left_in_the_background() {
        for is_repeatable in [false, true] {
            let site = Site::new();
            let mut call = site.script(&"sleep MARKER & setsid sleep MARKER & exit 4".replace("MARKER", &marker(15)));
            call.repeatable = is_repeatable;
            assert!(matches!(site.run(&call).await, Err(Failure::Failed(_))));
            assert_eq!(marked(&marker(15)), Vec::<i32>::new());
        }
    }

    #[tokio::test]
    async fn term_comes_first_and_is_given_time() {
        let site = Site::new();
        let mut call = site.script("trap 'echo cleaned >&2; exit 0' TERM; sleep 1000 > /dev/null 2>&1 & wait");
        call.timeout = Duration::from_millis(300);
        let message = "the script timed out after 300ms: TERM went to it and all it started, KILL to what was left; \
                       it exited with code 0; its last lines on stderr:\ncleaned";
        assert_eq!(site.run(&call).await, Err(Failure::Ambiguous(message.to_owned())));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cancelled_process_is_in_doubt_unless_it_may_be_repeated() {
        for is_repeatable in [false, true] {
            let site = Site::new();
            let mut call = site.script(&"echo ready; sleep MARKER".replace("MARKER", &marker(16)));
            call.repeatable = is_repeatable;
            let ready = site.attempt().join("stdout");
            let cancel = site.context.cancel.clone();
            let canceller = tokio::task::spawn_blocking(move || {
                eventually("the script runs", || ready.exists());
                cancel.cancel();
            });
            let outcome = site.run(&call).await;
            canceller.await.unwrap();
            let doubt = "the script was cancelled: TERM went to it and all it started, KILL to what was left; \
                         it was ended by signal 15 (TERM); its last lines on stdout:\nready";
            let wanted = match is_repeatable {
                true => Failure::Failed("the script was cancelled".to_owned()),
                false => Failure::Ambiguous(doubt.to_owned()),
            };
            assert_eq!((outcome, marked(&marker(16))), (Err(wanted), vec![]));
        }
    }

    #[tokio::test]
    async fn what_is_cancelled_beforehand_has_no_effect() {
        let site = Site::new();
        site.context.cancel.cancel();
        for outcome in site.both(&site.script("echo ran")).await {
            assert_eq!(outcome, Err(Failure::Cancelled));
        }
        assert!(!site.attempt().exists());
    }
}

/// drctl dies at the worst moments.
mod crashes {
    use super::*;

    /// Waits for the test to open the gate, then ends in a way of its own.
    const GATED: &str = r#"echo running; while [ ! -e "$GATE" ]; do sleep 0.02; done
        printf '{"incident": "INC-7"}' > "$DRCTL_OUTPUT"; echo finished; exit 5"#;

    fn gated(site: &Site, is_repeatable: bool) -> Call {
        let gate = site.folder.join("gate");
        let mut call = site.call(json!({"script": GATED, "env": {"GATE": gate}, "exit_codes": [5]}));
        call.declared = vec![("incident".to_owned(), Type::String)];
        call.repeatable = is_repeatable;
        call
    }

    fn open_gate(site: &Site) {
        std::fs::write(site.folder.join("gate"), "").unwrap();
    }

    /// What the killed drctl does: not a test by itself.
    #[tokio::test]
    #[ignore = "runs in a process of its own, to be killed"]
    #[expect(clippy::disallowed_methods, reason = "the way to tell a test something")]
    async fn victim() {
        let Ok(folder) = std::env::var("VICTIM_FOLDER") else {
            return;
        };
        let site = Site::at(Path::new(&folder));
        site.run(&gated(&site, std::env::var("VICTIM_REPEATABLE").is_ok())).await.ok();
    }

    /// Starts a drctl, waits until its process runs, and kills it.
    fn kill_drctl_meanwhile(site: &Site, is_repeatable: bool) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "crashes::victim"]).env("VICTIM_FOLDER", &site.folder);
        if is_repeatable {
            command.env("VICTIM_REPEATABLE", "1");
        }
        let mut victim = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the script runs", || site.attempt().join("stdout").exists());
        victim.kill().unwrap();
        victim.wait().unwrap();
    }

    fn supervisor(site: &Site) -> i32 {
        let text = std::fs::read(site.attempt().join("started.json")).unwrap();
        let started: Value = serde_json::from_slice(&text).unwrap();
        started["pid"].as_i64().unwrap().try_into().unwrap()
    }

    fn still_running(observation: &Observation) -> bool {
        matches!(observation, Observation::Unknown(why) if why.starts_with("the script: still running as process "))
    }

    #[tokio::test]
    async fn a_step_outlives_drctl_and_its_real_end_is_found() {
        let site = Site::new();
        let call = gated(&site, false);
        kill_drctl_meanwhile(&site, false);
        open_gate(&site);
        let done = site.attach(&call).await.unwrap();
        assert_eq!((&done.outputs["exit_code"], &done.outputs["incident"]), (&json!(5), &json!("INC-7")));
        assert_eq!(done.outputs["stdout"], "running\nfinished");
        assert_eq!(site.observe(&call).await, Observation::Applied(done.outputs));
    }

    #[tokio::test]
    async fn a_look_at_a_running_step_can_be_ended_and_leaves_it_alone() {
        let mut site = Site::new();
        let call = gated(&site, false);
        kill_drctl_meanwhile(&site, false);
        site.context.cancel.cancel();
        assert!(still_running(&site.observe(&call).await));
        site.context.cancel = CancellationToken::new();
        open_gate(&site);
        assert!(matches!(site.observe(&call).await, Observation::Applied(_)));
    }

    #[tokio::test]
    async fn a_step_found_running_can_be_cancelled() {
        let site = Site::new();
        let call = gated(&site, false);
        kill_drctl_meanwhile(&site, false);
        site.context.cancel.cancel();
        let doubt = site.attach(&call).await.unwrap_err();
        assert!(matches!(&doubt, Failure::Ambiguous(why) if why.starts_with("the script was cancelled: TERM went")));
        assert_eq!(marked(&site.attempt().join("outputs.json").display().to_string()), Vec::<i32>::new());
    }

    #[tokio::test]
    async fn room_for_the_record_of_its_end_is_taken_before_a_process_starts() {
        let site = Site::new();
        let call = site.script("stat -c %b \"${DRCTL_OUTPUT%/*}/exit.json.draft\"");
        let done = site.run(&call).await.unwrap();
        let blocks: u64 = done.outputs["stdout"].as_str().unwrap().trim().parse().unwrap();
        assert!(blocks * 512 >= 16 << 10, "{blocks} blocks");
        let left = |name: &str| std::fs::metadata(site.attempt().join(name)).map(|file| file.len() > 0);
        assert_eq!(left("exit.json").ok(), Some(true));
        assert_eq!(left("exit.json.draft").ok(), None);
    }

    #[tokio::test]
    async fn of_what_may_be_repeated_nobody_claims_that_it_was_not_started() {
        let site = Site::new();
        let call = Call { repeatable: true, ..site.script("true") };
        let why = "it may have run; nothing of it runs now, and it may be repeated".to_owned();
        assert_eq!(site.attach(&call).await, Err(Failure::Ambiguous(why.clone())));
        assert_eq!(site.observe(&call).await, Observation::NotApplied(why));
    }

    #[tokio::test]
    async fn when_the_supervisor_dies_too_the_outcome_is_unknown() {
        let site = Site::new();
        let call = gated(&site, false);
        kill_drctl_meanwhile(&site, false);
        kill(supervisor(&site));
        let mut waiting = Box::pin(site.attach(&call));
        let early = tokio::time::timeout(Duration::from_millis(250), &mut waiting).await;
        assert!(early.is_err(), "the script still runs");
        open_gate(&site);
        let Err(Failure::Ambiguous(why)) = waiting.await else { panic!("nothing can tell how it ended") };
        assert!(why.contains("then its supervisor was killed: nothing recorded how it ended"), "{why}");
        assert_eq!(site.observe(&call).await, Observation::Unknown(why));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_supervisor_that_dies_under_a_living_drctl_leaves_doubt() {
        let site = Site::new();
        let call = gated(&site, false);
        let attempt = Site::at(&site.folder);
        let killer = tokio::task::spawn_blocking(move || {
            eventually("the script runs", || attempt.attempt().join("stdout").exists());
            kill(supervisor(&attempt));
            open_gate(&attempt);
        });
        let outcome = site.run(&call).await;
        killer.await.unwrap();
        assert!(matches!(outcome, Err(Failure::Ambiguous(_))), "{outcome:?}");
    }

    #[tokio::test]
    async fn an_order_that_did_not_arrive_whole_starts_nothing() {
        use std::io::Write as _;
        let site = Site::new();
        let call = gated(&site, false);
        assert!(matches!(site.observe(&call).await, Observation::NotApplied(_)));
        std::fs::create_dir_all(site.attempt()).unwrap();
        let lock = std::fs::File::create(site.attempt().join("lock")).unwrap();
        let mut supervisor = Command::new(env!("CARGO_BIN_EXE_drctl"))
            .arg(SUPERVISE)
            .stdin(Stdio::piped())
            .stdout(lock)
            .spawn()
            .unwrap();
        supervisor.stdin.take().unwrap().write_all(b"{\"job\": {\"argv\": [\"sh\"").unwrap();
        assert!(!supervisor.wait().unwrap().success());
        assert!(matches!(site.observe(&call).await, Observation::NotApplied(_)));
        assert_eq!(std::fs::read_dir(site.attempt()).unwrap().count(), 1);
    }

    /// A supervisor that is a script: `$DRCTL` is the real one.
    fn with_supervisor(site: &mut Site, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = site.folder.join("supervisor");
        let real = env!("CARGO_BIN_EXE_drctl");
        std::fs::write(&path, format!("#!/bin/sh\nDRCTL={real}\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        site.runner = Arc::new(ProcessRunner::new(path));
    }

    #[tokio::test]
    async fn a_supervisor_that_a_signal_ends_too_early_is_started_again() {
        let mut site = Site::new();
        with_supervisor(&mut site, "[ -e ../early ] && exec $DRCTL \"$@\"; touch ../early; kill -INT $$");
        assert_eq!(stdout(site.run(&site.script("echo once")).await), "once");
    }

    #[tokio::test]
    async fn a_supervisor_that_starts_nothing_says_why() {
        let mut site = Site::new();
        let problem = "could not write `started.json`: No space left on device (os error 28)";
        with_supervisor(&mut site, &format!("echo '{problem}' >&2; exit 1"));
        let message = format!("its supervisor ended before it started anything; it said: {problem}");
        assert_eq!(site.run(&site.script("true")).await, failed(&message));
        assert!(matches!(site.observe(&site.script("true")).await, Observation::NotApplied(_)));
    }

    #[tokio::test]
    async fn a_repeatable_step_is_run_again_once_the_first_one_is_gone() {
        let mut site = Site::new();
        let call = gated(&site, true);
        kill_drctl_meanwhile(&site, true);
        site.context.cancel.cancel();
        assert!(still_running(&site.observe(&call).await));
        site.context.cancel = CancellationToken::new();
        assert!(matches!(site.run(&call).await, Err(Failure::Ambiguous(_))), "one at a time");
        open_gate(&site);
        assert!(matches!(site.observe(&call).await, Observation::NotApplied(_)));
        assert_eq!(stdout(site.run(&call).await), "running\nfinished");
    }

    #[tokio::test]
    async fn a_reused_process_id_is_not_killed() {
        let site = Site::new();
        let call = site.script("true");
        std::fs::create_dir_all(site.attempt()).unwrap();
        let mut bystander = Command::new("sleep").arg("1000").spawn().unwrap();
        let lock = std::fs::File::create(site.attempt().join("lock")).unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let started = json!({"pid": bystander.id(), "ticks": 1, "boot": boot.trim(), "time": "2026-01-01T00:00:00Z"});
        std::fs::write(site.attempt().join("started.json"), started.to_string()).unwrap();
        site.context.cancel.cancel();
        assert!(matches!(site.attach(&call).await, Err(Failure::Ambiguous(_))));
        assert_eq!(bystander.try_wait().unwrap(), None);
        bystander.kill().unwrap();
        bystander.wait().unwrap();
    }
}

/// `cargo test --test process -- --ignored --nocapture cost`, beside `make -j8` with as many targets.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "a measurement is there to be read")]
async fn cost_of_a_thousand_steps() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    for (is_repeatable, count) in [(true, 1000), (false, 200)] {
        let site = Arc::new(Site::new());
        let next = Arc::new(AtomicUsize::new(0));
        let start = site.context.clock.now();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (site, next) = (Arc::clone(&site), Arc::clone(&next));
                tokio::spawn(async move {
                    let exec = Exec::new(Arc::clone(&site.runner));
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return;
                        }
                        let mut call = site.call(json!({"argv": ["/bin/true"]}));
                        call.repeatable = is_repeatable;
                        call.folder = site.folder.join(number.to_string());
                        exec.apply(&site.context, &call).await.unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let took = start.until(site.context.clock.now());
        eprintln!(
            "repeatable: {is_repeatable}: {count} steps, {took:?}, {:?} a step",
            took / u32::try_from(count).unwrap()
        );
    }
}
