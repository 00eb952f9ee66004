//! The address under which browsers reach this server: every link is built from it, none from what a request says.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::users::BadInput;

/// Scheme, host and port, as RFC 6454 writes an origin: `https://id.example.org`, no path, no default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
}

impl PublicUrl {
    /// The default for a server that listens on `address`: plain http and the name `localhost`, which passkeys work
    /// with, other than with `127.0.0.1`. `None` unless the address is a loopback one.
    pub fn of_loopback(address: SocketAddr) -> Option<Self> {
        address.ip().to_canonical().is_loopback().then(|| {
            let port = if address.port() == 80 { String::new() } else { format!(":{}", address.port()) };
            Self { origin: format!("http://localhost{port}"), host: "localhost".to_owned() }
        })
    }

    /// The origin, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// The host without its port; IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers come by https, so that cookies are Secure and HSTS is sent.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// A link to `path`, which starts with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl FromStr for PublicUrl {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BadInput("start it with https://, like https://id.example.org")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(BadInput("leave out path, query and user name: https://id.example.org is all there may be"));
        }
        let (host, port) = split_port(rest).ok_or(BadInput("give the port as a number from 1 to 65535"))?;
        let host = canonical_host(host)
            .ok_or(BadInput("give the host as a name, like id.example.org (other alphabets as xn--), or an address"))?;
        if !https && !is_loopback(&host) {
            return Err(BadInput(
                "use https: plain http is taken for localhost only, since passwords would be readable",
            ));
        }
        let port = port.filter(|p| *p != if https { 443 } else { 80 }).map_or(String::new(), |p| format!(":{p}"));
        let scheme = if https { "https" } else { "http" };
        Ok(Self { origin: format!("{scheme}://{host}{port}"), host })
    }
}

/// `None` if there is a port and it is no number.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // A colon within brackets belongs to the IPv6 address.
    let after_host = authority.rfind(']').map_or(0, |i| i + 1);
    match authority[after_host..].find(':') {
        None => Some((authority, None)),
        Some(i) => {
            let port = &authority[after_host + i + 1..];
            let number = port.parse().ok().filter(|n| *n > 0 && port.bytes().all(|b| b.is_ascii_digit()))?;
            Some((&authority[..after_host + i], Some(number)))
        }
    }
}

/// The one spelling of a host that browsers use. `None` if it is none.
pub(super) fn canonical_host(host: &str) -> Option<String> {
    if let Some(v6) = host.strip_prefix('[') {
        let address: Ipv6Addr = v6.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let host = host.to_ascii_lowercase();
    let label_fits = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // Browsers read a host that ends in a number as an IPv4 address (WHATWG URL, section 3.5).
    let numeric = host.rsplit('.').next().is_some_and(|l| l.starts_with("0x") || l.bytes().all(|b| b.is_ascii_digit()));
    let fits = host.len() <= 253 && host.split('.').all(label_fits) && (!numeric || host.parse::<Ipv4Addr>().is_ok());
    fits.then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_in_its_one_spelling() {
        for (typed, origin, host) in [
            ("https://id.example.org", "https://id.example.org", "id.example.org"),
            ("HTTPS://ID.Example.org:443/", "https://id.example.org", "id.example.org"),
            ("https://id.example.org:8443", "https://id.example.org:8443", "id.example.org"),
            ("http://localhost:8080", "http://localhost:8080", "localhost"),
            ("http://demo.localhost:80", "http://demo.localhost", "demo.localhost"),
            ("http://127.0.0.1:9", "http://127.0.0.1:9", "127.0.0.1"),
            ("http://[0:0::1]:9", "http://[::1]:9", "[::1]"),
            ("https://192.0.2.7", "https://192.0.2.7", "192.0.2.7"),
        ] {
            let url: PublicUrl = typed.parse().unwrap();
            assert_eq!((url.as_str(), url.host()), (origin, host));
            assert_eq!(origin.parse(), Ok(url));
        }
        let url: PublicUrl = "https://id.example.org/".parse().unwrap();
        assert!(url.is_https());
        assert_eq!(url.link("/sign-in"), "https://id.example.org/sign-in");
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        for bad in ["http://id.example.org", "http://192.0.2.1", "http://localhost.example.org", "http://[2001:db8::1]"]
        {
            assert!(bad.parse::<PublicUrl>().unwrap_err().0.starts_with("use https"), "{bad}");
        }
    }

    #[test]
    fn a_public_url_has_no_path_query_or_user_and_a_real_host() {
        for bad in [
            "https://id.example.org/idp",
            "https://id.example.org//",
            "https://id.example.org?x",
            "https://id.example.org#x",
            "https://mara@id.example.org",
            "https://id.example.org\\x",
            "id.example.org",
            "ftp://id.example.org",
            "https://",
            "https://:8443",
            "https://id..org",
            "https://-id.org",
            "https://büro.example",
            "https://id example.org",
            "https://1.2.3",
            "https://0x7f000001",
            "https://id.example.org:",
            "https://id.example.org:0",
            "https://id.example.org:+1",
            "https://id.example.org:70000",
            "https://[::1",
            "https://[::1]x:1",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_loopback_server_is_called_localhost() {
        let of = |address: &str| PublicUrl::of_loopback(address.parse().unwrap()).map(|u| u.to_string());
        assert_eq!(of("127.0.0.1:8080").unwrap(), "http://localhost:8080");
        assert_eq!(of("[::1]:80").unwrap(), "http://localhost");
        assert_eq!(of("0.0.0.0:8080"), None);
    }
}
