//! How browsers reach the server: address, https, the proxy in front.

use std::path::Path;

use super::Finding;
use crate::config::Config;
use crate::host::lock::{FolderLock, announced};

pub(super) fn look(folder: &Path, config: &Config) -> Vec<Finding> {
    // What a running server says counts more than what a file says: it may have been started with flags.
    let running = matches!(FolderLock::is_held(folder), Ok(true)).then(|| announced(folder)).flatten();
    judge(config, running.as_deref())
}

fn judge(config: &Config, running: Option<&str>) -> Vec<Finding> {
    let configured = config.public_url_at(config.listen);
    let url = running.unwrap_or(configured.as_str());
    let https = url.starts_with("https:");
    let mut findings = Vec::new();
    if running.is_some_and(|running| config.public_url.is_some() && running != configured.as_str()) {
        findings.push(Finding::warning(format!(
            "the server says that it is reached at {url}, the settings read here say {configured}: restart it, or give \
             this command the same settings"
        )));
    }
    if !https {
        findings.push(Finding::warning(format!(
            "browsers reach the server at {url}, which is this machine alone: set public_url to an https address, with a \
             proxy in front"
        )));
    }
    if !config.listen.ip().is_loopback() {
        findings.push(Finding::warning(format!(
            "it listens on {}, where others on the network reach it without https: set listen to 127.0.0.1:{}, or let a \
             firewall admit the proxy alone",
            config.listen,
            config.listen.port()
        )));
    }
    if https && config.trusted_proxy.is_empty() {
        findings.push(Finding::warning(
            "no proxy is trusted, so all visitors count as one address: set trusted_proxy to the proxy's, such as \
             127.0.0.1",
        ));
    }
    if config.trusted_proxy.iter().any(|network| network.is_everyone()) {
        findings.push(Finding::warning(
            "trusted_proxy is everyone, so any visitor can pretend another address: set it to the proxy's alone",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(format!("browsers reach the server at {url}, through a proxy that is trusted")));
    }
    findings
}
