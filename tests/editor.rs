//! What an editor shows by the schema: a real yaml-language-server is asked, as an editor would.
//!
//! `DRCTL_YAML_LANGUAGE_SERVER` names the server's program; without it, this test says so and does nothing.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]
#![expect(clippy::print_stdout, reason = "who reads the log learns that no editor was tried")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// An editor's side of the language server protocol.
struct Editor {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    asked: u64,
}

const FILE: &str = "file:///runbooks/orders.yaml";

impl Editor {
    fn start(program: &str, text: &str) -> Self {
        let mut command = Command::new(program);
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let (to, from) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
        let mut editor = Self { server, to, from, asked: 0 };
        editor.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} }));
        editor.tell("initialized", json!({}));
        let document = json!({ "uri": FILE, "languageId": "yaml", "version": 1, "text": text });
        editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
        editor
    }

    fn send(&mut self, message: Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn tell(&mut self, method: &str, parameters: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": parameters }));
    }

    /// The next message; what the server asks is answered with nothing.
    fn next(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server has ended");
            match line.trim().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).unwrap();
        let message: Value = serde_json::from_slice(&body).unwrap();
        if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
            let asked = message["params"]["items"].as_array().map_or(0, Vec::len);
            self.send(json!({ "jsonrpc": "2.0", "id": id, "result": vec![Value::Null; asked] }));
        }
        message
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
        loop {
            let message = self.next();
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
        }
    }

    /// What is underlined, as `line:column message`.
    fn squiggles(&mut self) -> Vec<String> {
        loop {
            let message = self.next();
            if message["method"] == "textDocument/publishDiagnostics" {
                let found = message["params"]["diagnostics"].as_array().unwrap().iter();
                let place = |at: &Value| format!("{}:{}", at["line"], at["character"]);
                return found
                    .map(|it| format!("{} {}", place(&it["range"]["start"]), it["message"].as_str().unwrap()))
                    .collect();
            }
        }
    }

    fn at(&mut self, method: &str, line: u64, character: u64) -> Value {
        let position = json!({ "line": line, "character": character });
        self.ask(method, json!({ "textDocument": { "uri": FILE }, "position": position }))
    }

    fn offered(&mut self, line: u64, character: u64) -> Vec<String> {
        let offered = self.at("textDocument/completion", line, character);
        let items = offered["items"].as_array().or_else(|| offered.as_array()).unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

#[test]
fn an_editor_completes_explains_and_underlines() {
    let Some(server) = option_env!("DRCTL_YAML_LANGUAGE_SERVER") else {
        println!("DRCTL_YAML_LANGUAGE_SERVER is not set: no editor was tried");
        return;
    };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbook.schema.json");
    let text = format!(
        "# yaml-language-server: $schema=file://{}
drctl: 1
name: orders
kind: failover
owner: team
execution:
  - id: move
    action: azure.sql.failover_group
    with:
      server: orders-sql-east
      group: orders
      mode: plannd
      
  - id: look
    action: probe.
    tiemout: 5m
",
        schema.display()
    );
    let mut editor = Editor::start(server, &text);
    let squiggles = editor.squiggles();
    let found = |place: &str| squiggles.iter().find(|line| line.starts_with(place)).cloned().unwrap_or_default();
    assert!(found("11:12 ").contains("planned"), "{squiggles:?}");
    assert!(found("15:4 ").contains("tiemout is not allowed"), "{squiggles:?}");

    let actions = editor.offered(14, 18);
    assert!(actions.iter().any(|label| label == "probe.http"), "{actions:?}");
    let parameters = editor.offered(12, 6);
    assert!(parameters.iter().any(|label| label == "resource_group"), "{parameters:?}");

    let explained = editor.at("textDocument/hover", 9, 8)["contents"]["value"].as_str().unwrap().to_owned();
    assert!(explained.contains("server"), "{explained}");
    let explained = editor.at("textDocument/hover", 7, 20).to_string();
    assert!(explained.contains("makes a server the primary of an Azure SQL failover group"), "{explained}");
}
