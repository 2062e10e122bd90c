//! A browser that does what it is told, by the WebDriver protocol (w3.org/TR/webdriver2).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex};

use serde_json::{Value, json};

use crate::harness::{Client, installed};

/// What the protocol calls the key under which an element's id stands.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';

/// How many browsers are there, which take much memory.
static OPEN: Mutex<usize> = Mutex::new(0);
static CLOSED: Condvar = Condvar::new();
const MOST: usize = 2;

/// The right to have one.
struct Turn;

impl Turn {
    fn wait() -> Turn {
        let open = OPEN.lock().unwrap();
        *CLOSED.wait_while(open, |open| *open == MOST).unwrap() += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *OPEN.lock().unwrap() -= 1;
        CLOSED.notify_one();
    }
}

/// A window of Chromium without a screen, which knows no host but this one.
pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    /// Its profile, and whatever else it writes.
    _home: tempfile::TempDir,
    _turn: Turn,
}

impl Browser {
    /// `None`, with a word why, where Debian's packages are not installed.
    pub fn start() -> Option<Browser> {
        let there = installed("/usr/bin/chromedriver", "chromium-driver")
            && installed("/usr/bin/chromium", "chromium");
        if !there {
            return None;
        }
        let turn = Turn::wait();
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut driver = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("successfully on port ")?;
            Some(rest.trim_end_matches('.').to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        let port = port.expect("a port");
        let client = Client::connect(&format!("127.0.0.1:{port}"), None);
        let profile = home.path().join("profile");
        let args = json!([
            "--headless=new",
            // Who is root has no sandbox.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            format!("--user-data-dir={}", profile.display()),
            "--window-size=1280,1000",
        ]);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let mut browser = Browser {
            driver,
            client,
            session: String::new(),
            _home: home,
            _turn: turn,
        };
        let session = browser.send("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().expect("a session").to_owned();
        Some(browser)
    }

    /// Opens a page and waits until it is there.
    pub fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    pub fn url(&self) -> String {
        text(self.get("url"))
    }

    pub fn title(&self) -> String {
        text(self.get("title"))
    }

    /// The page as it is now.
    pub fn source(&self) -> String {
        text(self.get("source"))
    }

    /// The text that one sees of the first element.
    pub fn text(&self, selector: &str) -> String {
        text(self.get(&format!("element/{}/text", self.element(selector))))
    }

    /// The texts of all elements, at one moment.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let all = format!("[...document.querySelectorAll('{selector}')]");
        let texts = self.script(&format!("return {all}.map(it => it.innerText.trim())"));
        let texts = texts.as_array().expect("texts").clone();
        texts.into_iter().map(text).collect()
    }

    pub fn click(&self, selector: &str) {
        self.post(
            &format!("element/{}/click", self.element(selector)),
            &json!({}),
        );
    }

    /// Clicks the first link of this text.
    pub fn follow(&self, link: &str) {
        let found = self.post("element", &json!({"using": "link text", "value": link}));
        let id = found[ELEMENT].as_str().expect("a link");
        self.post(&format!("element/{id}/click"), &json!({}));
    }

    /// Types into the first element.
    pub fn enter(&self, selector: &str, typed: &str) {
        let id = self.element(selector);
        self.post(&format!("element/{id}/value"), &json!({"text": typed}));
    }

    /// Types wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.post("actions", &json!({"actions": [keyboard]}));
    }

    /// Runs a script in the page; what it returns.
    pub fn script(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script that is done when it calls its last argument.
    pub fn script_async(&self, script: &str, argument: &Value) -> Value {
        self.post(
            "execute/async",
            &json!({"script": script, "args": [argument]}),
        )
    }

    /// Waits until a script returns true.
    pub fn wait(&self, condition: &str) {
        let start = std::time::Instant::now();
        while self.script(&format!("return Boolean({condition})")) != true {
            let waited = start.elapsed();
            assert!(waited.as_secs() < 20, "still not: {condition}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Whether the page is dark, for who prefers that.
    pub fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [feature]}),
        );
    }

    /// A window of this size, as a telephone has it where it is narrow.
    pub fn resize(&self, width: u32, height: u32, scale: f64) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Whether pages may run scripts.
    pub fn allow_scripts(&self, are_allowed: bool) {
        let value = json!({"value": !are_allowed});
        self.devtools("Emulation.setScriptExecutionDisabled", &value);
    }

    /// A picture of the window as PNG.
    pub fn screenshot(&self) -> String {
        text(self.get("screenshot"))
    }

    /// What stands in the console since the last time.
    pub fn console(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().expect("a log").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            "goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post(
            "element",
            &json!({"using": "css selector", "value": selector}),
        );
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn get(&self, what: &str) -> Value {
        self.send(
            "GET",
            &format!("/session/{}/{what}", self.session),
            &Value::Null,
        )
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        self.send("POST", &format!("/session/{}/{what}", self.session), body)
    }

    fn send(&self, method: &str, target: &str, body: &Value) -> Value {
        let sent = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let kind = [("Content-Type", "application/json")];
        let answer = self.client.send(method, target, &kind, sent.as_bytes());
        let json: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(
            answer.status, 200,
            "{method} {target} {sent:.300}: {:#}",
            json["value"]["message"]
        );
        json["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Who drives the browser ends it too.
        let target = format!("/session/{}", self.session);
        self.client.try_send("DELETE", &target, &[], b"").ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn text(value: Value) -> String {
    value.as_str().expect("a text").to_owned()
}
