//! Who runs a command on the host, as the trail records it.

use crate::audit::{Source, clean};

/// Where a command came from: the account it runs under, and who logged in if that is someone else (`sudo`, `su`).
pub(super) fn source() -> Source {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let effective = rustix::process::geteuid().as_raw();
    let mut text = account(&passwd, effective);
    // The kernel keeps the account of the login through every change of user; unset is all ones.
    let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|id| id.trim().parse::<u32>().ok());
    if let Some(login) = login.filter(|id| *id != u32::MAX && *id != effective) {
        text.push_str(", logged in as ");
        text.push_str(&account(&passwd, login));
    }
    Source { os_user: Some(clean(&text)), ..Source::default() }
}

/// `root (uid 0)`; the number alone where the account has no name in `passwd`.
fn account(passwd: &str, uid: u32) -> String {
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    name.map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_with_its_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nmara:x:1000:1000::/home/mara:/bin/sh\n";
        assert_eq!(account(passwd, 0), "root (uid 0)");
        assert_eq!(account(passwd, 1000), "mara (uid 1000)");
        assert_eq!(account(passwd, 7), "uid 7");
        assert!(source().os_user.is_some());
    }
}
