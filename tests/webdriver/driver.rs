//! The chromedriver process and the way to talk to it: JSON over plain HTTP/1.1 on loopback, one connection a command.
//!
//! Invariant: what is started here is gone after the drop. The driver and the browser that it starts get one temporary
//! folder as home, profile and place for temporary files. Its random name stands in the command line or environment
//! of each of their processes, which is how they are found again, whatever process group or parent they moved to.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long the driver may take to open its port, and processes to end.
const START: Duration = Duration::from_secs(30);

/// How long one command may take; starting Chromium on a busy machine is the longest.
const COMMAND: Duration = Duration::from_secs(60);

/// The pause between two looks at processes that are ending.
const POLL: Duration = Duration::from_millis(10);

/// A running chromedriver, and the folder that it and its browser write to.
pub struct Driver {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Driver {
    /// Starts a driver on a port that it chooses itself.
    pub fn start() -> Result<Self, String> {
        let program = find_program(&["chromedriver"])?;
        let folder = TempDir::with_prefix("idp-browser-").map_err(|why| format!("no temporary folder: {why}"))?;
        let mut process = Command::new(&program)
            .args(["--port=0", "--log-level=SEVERE"])
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| format!("{}: {why}", program.display()))?;
        let output = process.stdout.take();
        // From here on a failure drops the driver, which ends the process.
        let mut driver = Self { process, port: 0, folder };
        driver.port = read_port(output.ok_or("chromedriver has no output")?)?;
        Ok(driver)
    }

    /// The folder with everything that the driver and its browser write.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends one command and returns the `value` of the answer; no body is sent for `null`.
    ///
    /// # Errors
    /// What the driver says went wrong, or that it did not answer in time.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.exchange(method, path, &body).map_err(|why| format!("chromedriver, {path}: {why}"))?;
        let mut answer: Value =
            serde_json::from_slice(&answer).map_err(|why| format!("chromedriver, {path}: {why}"))?;
        let value = answer["value"].take();
        match (value["error"].as_str(), value["message"].as_str()) {
            // The first line says it; what follows is the driver's own stack.
            (Some(error), Some(message)) => Err(format!("{error}: {}", message.lines().next().unwrap_or_default())),
            _ => Ok(value),
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(COMMAND))?;
        stream.set_write_timeout(Some(COMMAND))?;
        stream.set_nodelay(true)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + body).as_bytes())?;
        read_body(BufReader::new(stream))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Nothing here may panic: a test that fails drops its browser while unwinding.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let until = Instant::now() + START;
        loop {
            let left = processes_of(self.folder.path());
            if left.is_empty() {
                break;
            }
            if Instant::now() > until {
                eprintln!("processes {left:?} of {} do not end", self.folder.path().display());
                break;
            }
            for pid in left {
                // It may have ended by itself since.
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(POLL);
        }
    }
}

/// The path of the first of `names` that is installed.
///
/// # Errors
/// A sentence that says what to install.
pub fn find_program(names: &[&str]) -> Result<PathBuf, String> {
    find_program_in(&std::env::var_os("PATH").unwrap_or_default(), names)
}

/// As [`find_program`], in the folders of `path`.
pub fn find_program_in(path: &OsStr, names: &[&str]) -> Result<PathBuf, String> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let mut candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|candidate| candidate.is_file()).ok_or_else(|| {
        format!("{} is not installed: install chromium and chromium-driver; .ci/run does it", names.join(" or "))
    })
}

/// The processes whose command line or environment names `folder`. Ended ones that nobody has asked for are none.
pub fn processes_of(folder: &Path) -> Vec<Pid> {
    let wanted = folder.as_os_str().as_encoded_bytes();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names_folder = |process: &Path, file: &str| {
        // Other people's processes cannot be read, and are not ours.
        fs::read(process.join(file)).is_ok_and(|text| text.windows(wanted.len()).any(|part| part == wanted))
    };
    entries
        .flatten()
        .filter_map(|entry| Some((Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?, entry.path())))
        .filter(|(_, process)| names_folder(process, "cmdline") || names_folder(process, "environ"))
        .map(|(pid, _)| pid)
        .collect()
}

/// Waits for the line that names the port, and keeps reading, so that the driver never blocks on a full pipe.
fn read_port(output: ChildStdout) -> Result<u16, String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let port = line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.'));
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                // Nobody waits any more after the time is up.
                let _ = sender.send(port);
            }
        }
    });
    receiver.recv_timeout(START).map_err(|_| "chromedriver named no port: does `chromedriver --port=0` start?".into())
}

fn read_body(mut answer: impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    while answer.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = Vec::new();
    answer.take(length).read_to_end(&mut body)?;
    Ok(body)
}
