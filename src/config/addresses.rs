//! Networks of trusted proxies, and whose address a request has that came through them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::users::BadInput;

/// A network such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether `ip` lies in the network. An IPv4 address in IPv6 clothes counts as what it is.
    pub fn contains(self, ip: IpAddr) -> bool {
        match (self.network, ip.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same_start(a.to_bits().into(), b.to_bits().into(), 32 - self.prefix),
            (IpAddr::V6(a), IpAddr::V6(b)) => same_start(a.to_bits(), b.to_bits(), 128 - self.prefix),
            _ => false,
        }
    }

    /// Whether every address of its kind lies in the network.
    pub const fn is_everyone(self) -> bool {
        self.prefix == 0
    }
}

/// Whether two addresses are equal but for the last `host_bits` bits.
fn same_start(a: u128, b: u128, host_bits: u8) -> bool {
    // Shifting all 128 bits away is the network of everything.
    (a ^ b).checked_shr(host_bits.into()).unwrap_or(0) == 0
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let no = BadInput("write addresses or networks, like 127.0.0.1 or 10.0.0.0/8");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let network = address.parse::<IpAddr>().map_err(|_| no)?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(p) => {
                p.parse().ok().filter(|p: &u8| *p <= longest && p.to_string() == text[address.len() + 1..]).ok_or(no)?
            }
        };
        // ::ffff:10.0.0.1 is compared as 10.0.0.1; a prefix of it would mean something else than it says.
        if network.to_canonical() != network {
            return if prefix == longest { Ok(Self { network: network.to_canonical(), prefix: 32 }) } else { Err(no) };
        }
        Ok(Self { network, prefix })
    }
}

/// Whose address a request has: `peer`'s, unless that is a trusted proxy. Then it is the rightmost address in
/// `X-Forwarded-For` (its lines joined with commas) that is none, because what stands left of it was written by a
/// stranger. Where an entry is no address, or all are proxies, the last hop that is known counts.
pub fn client_address(peer: IpAddr, x_forwarded_for: Option<&str>, trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut client = peer.to_canonical();
    let mut hops = x_forwarded_for.unwrap_or_default().rsplit(',');
    while is_trusted(client) {
        match hops.next().and_then(hop) {
            Some(ip) => client = ip,
            None => break,
        }
    }
    client
}

/// Some proxies add the port, and brackets to IPv6.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(peer: &str, header: Option<&str>) -> IpAddr {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::1".parse().unwrap()];
        client_address(ip(peer), header, &trusted)
    }

    #[test]
    fn a_header_counts_only_from_a_trusted_proxy() {
        assert_eq!(client("192.0.2.1", Some("198.51.100.7")), ip("192.0.2.1"));
        assert_eq!(client("10.1.2.3", Some("198.51.100.7")), ip("198.51.100.7"));
        assert_eq!(client("::ffff:10.1.2.3", Some("198.51.100.7")), ip("198.51.100.7"));
        assert_eq!(client("10.1.2.3", None), ip("10.1.2.3"));
        assert_eq!(client_address(ip("127.0.0.1"), Some("198.51.100.7"), &[]), ip("127.0.0.1"));
    }

    #[test]
    fn of_several_hops_the_rightmost_that_is_no_proxy_counts() {
        assert_eq!(client("10.0.0.1", Some("203.0.113.9, 198.51.100.7, fd00::1 ,10.9.9.9")), ip("198.51.100.7"));
        assert_eq!(client("10.0.0.1", Some("10.0.0.3, 10.0.0.2")), ip("10.0.0.3"));
        assert_eq!(client("10.0.0.1", Some("198.51.100.7, unknown, 10.0.0.2")), ip("10.0.0.2"));
        assert_eq!(client("10.0.0.1", Some("")), ip("10.0.0.1"));
        assert_eq!(client("10.0.0.1", Some("198.51.100.7:4711")), ip("198.51.100.7"));
        assert_eq!(client("10.0.0.1", Some("[2001:db8::1]:4711")), ip("2001:db8::1"));
        assert_eq!(client("10.0.0.1", Some("[2001:db8::1]")), ip("2001:db8::1"));
    }

    #[test]
    fn a_network_holds_what_starts_as_it_does() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.128/25", "192.0.2.129", "192.0.2.1"),
            ("0.0.0.0/0", "203.0.113.1", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ] {
            let network: Cidr = network.parse().unwrap();
            assert!(network.contains(ip(inside)) && !network.contains(ip(outside)), "{network}");
        }
        for bad in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/08", "::ffff:10.0.0.0/104"]
        {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }
}
