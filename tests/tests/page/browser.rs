//! Headless Chromium, driven over a pipe: no port is opened, and it may not reach any network.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    session: Option<String>,
    number: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it, offline, and opens the file.
    pub(crate) fn open(page: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a scratch directory");
        // The browser reads commands from descriptor 3 and writes to 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"])
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--proxy-server=127.0.0.1:1",
                "--window-size=1280,1600",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take().expect("standard input");
        let output = child.stdout.take().expect("standard output");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(parsed) = serde_json::from_slice(&message) else { break };
                if sender.send(parsed).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            child,
            input,
            messages,
            events: VecDeque::new(),
            session: None,
            number: 0,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        let offline = json!({
            "offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0
        });
        browser.call("Network.emulateNetworkConditions", &offline);
        browser.call("Page.navigate", &json!({ "url": format!("file://{}", page.display()) }));
        browser.wait_for_event("Page.loadEventFired");
        browser
    }

    /// Calls a method of the protocol and returns its result.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let number = self.number;
        let mut message = json!({ "id": number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser listens: is chromium installed?");
        let end = Instant::now() + PATIENCE;
        loop {
            let message = self.next(end, method);
            if message["id"] == number {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    fn next(&mut self, end: Instant, waiting_for: &str) -> Value {
        match self.messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("{waiting_for}: no answer in time"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!(
                    "{waiting_for}: the browser has ended: is chromium installed? `tests/run page` installs it"
                )
            }
        }
    }

    fn wait_for_event(&mut self, method: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.next(end, method);
            self.events.push_back(message);
        }
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true
        });
        let result = self.call("Runtime.evaluate", &parameters);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// A key is pressed and let go.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let parameters = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code
            });
            self.call("Input.dispatchKeyEvent", &parameters);
        }
    }

    /// Text is typed where the focus is, letter by letter.
    pub(crate) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            let letter = letter.to_string();
            self.call("Input.dispatchKeyEvent", &json!({ "type": "char", "text": letter }));
        }
    }

    /// Shows the page as somebody who prefers `light` or `dark` sees it.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// A picture of the page, into a file if `STEADFAST_SCREENSHOTS` names a directory.
    pub(crate) fn picture(&mut self, name: &str) -> Vec<u8> {
        use base64::Engine;
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let picture = picture["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture).expect("base64");
        if let Some(directory) = std::env::var_os("STEADFAST_SCREENSHOTS") {
            let path = Path::new(&directory).join(format!("{name}.png"));
            std::fs::write(path, &bytes).expect("the picture is written");
        }
        bytes
    }

    /// Complaints of the page so far: exceptions, errors on the console, violations of its policy.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.value("1");
        let is_complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Page.javascriptDialogOpening") => {
                true
            }
            Some("Runtime.consoleAPICalled") => event["params"]["type"] != "log",
            _ => false,
        };
        self.events.iter().filter(is_complaint).map(ToString::to_string).collect()
    }

    /// The addresses that were asked for.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.value("1");
        let address = |event: &Value| {
            (event["method"] == "Network.requestWillBeSent")
                .then(|| event["params"]["request"]["url"].as_str().map(str::to_owned))
                .flatten()
        };
        self.events.iter().filter_map(address).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
