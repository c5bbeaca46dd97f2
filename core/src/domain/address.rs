//! Addresses on the web, taken apart strictly: what a browser would have to
//! guess at is refused.
//!
//! Why: the addresses of the API and of the provider decide where tokens go.
//! A browser reads `http://localhost:80@evil.example` as a visit to
//! `evil.example`, and drops line breaks out of the middle of an address; a
//! careless check by prefix accepts both.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An absolute `https://` or `http://` address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// Whether it is `https`.
    pub is_secure: bool,
    /// The host, an IPv6 one in its brackets.
    pub host: &'a str,
    /// The port, where it is written.
    pub port: Option<u16>,
    /// The path with query and fragment; may be empty.
    pub rest: &'a str,
}

/// Characters that stand in no address (RFC 3986 §2).
fn is_foreign(c: char) -> bool {
    !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

/// Whether a text could be an address or a part of one.
///
/// # Errors
/// What stands in it that may not, as the end of "must not contain".
pub fn check_characters(text: &str) -> Result<(), &'static str> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Err("spaces")
    } else if text.chars().any(is_foreign) {
        Err("characters that stand in no address; write them as %XX")
    } else {
        Ok(())
    }
}

impl<'a> Address<'a> {
    /// Takes an address apart.
    ///
    /// # Errors
    /// What is wrong, as the end of "the address …".
    pub fn parse(text: &'a str) -> Result<Self, String> {
        check_characters(text).map_err(|what| format!("must not contain {what}"))?;
        let (is_secure, after) = match (text.strip_prefix("https://"), text.strip_prefix("http://"))
        {
            (Some(after), _) => (true, after),
            (_, Some(after)) => (false, after),
            _ => return Err("does not begin with https://".into()),
        };
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        if authority.contains('@') {
            return Err("must not hold a user name or a password".into());
        }
        let (host, port) = split_port(authority)?;
        check_host(host)?;
        Ok(Self {
            is_secure,
            host,
            port,
            rest,
        })
    }

    /// Whether it leads to this very machine.
    pub fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || matches!(self.host, "127.0.0.1" | "[::1]")
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    // The colons of an IPv6 host stand in brackets.
    let after_host = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_host..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_host + colon);
    match port[1..].parse::<u16>() {
        Ok(number) if number > 0 && port[1..].bytes().all(|c| c.is_ascii_digit()) => {
            Ok((host, Some(number)))
        }
        _ => Err("has no port after its colon".into()),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("has no host".into());
    }
    let is_good = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        // A browser reads `127.1` and `0x7f000001` as addresses of this machine.
        None if ends_in_number(host) => host.parse::<Ipv4Addr>().is_ok(),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
        }),
    };
    if is_good {
        Ok(())
    } else {
        Err("has a host that is none".into())
    }
}

fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or("");
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|c| c.is_ascii_digit())
        || hex.is_some_and(|it| it.bytes().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_come_apart() {
        for (text, host, port, rest) in [
            ("https://api.resim.ai/v1/", "api.resim.ai", None, "/v1/"),
            ("https://a.example", "a.example", None, ""),
            (
                "http://127.0.0.1:8080/x?y#z",
                "127.0.0.1",
                Some(8080),
                "/x?y#z",
            ),
            ("http://[::1]:1/", "[::1]", Some(1), "/"),
            (
                "https://b-1.s3.eu_x.example/k?X-Amz-Sig=a%2Fb",
                "b-1.s3.eu_x.example",
                None,
                "/k?X-Amz-Sig=a%2Fb",
            ),
            ("https://a.example?to=x@y", "a.example", None, "?to=x@y"),
        ] {
            let it = Address::parse(text).expect(text);
            assert_eq!((it.host, it.port, it.rest), (host, port, rest), "{text}");
        }
    }

    #[test]
    fn what_a_browser_would_guess_at_is_refused() {
        for text in [
            "",
            "https://",
            "https:///path",
            "https:a.example",
            "HTTPS://a.example",
            "ftp://a.example",
            "javascript:alert(1)",
            "https://user@a.example",
            "https://user:pw@a.example/",
            "http://localhost:80@evil.example/",
            "http://localhost\\@evil.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:+80",
            "https://a..example",
            "https://.a.example",
            "https://a.example.",
            "https://%65vil.example",
            "https://127.1",
            "https://0x7f000001",
            "https://2130706433/",
            "https://1.2.3.4.5",
            "https://127.0.0.256",
            "https://a.0x",
            "https://evil。example",
            "https://[::1",
            "https://[::1]x/",
            "https://[zz]/",
            "https://a.exa\nmple",
            "https://a.example/\u{202e}",
            "https://a.example/a b",
            "https://a.example/\"><script>",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (text, is_local) in [
            ("http://localhost/", true),
            ("http://LOCALHOST:1/", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://128.0.0.1", false),
        ] {
            let it = Address::parse(text).expect(text);
            assert_eq!(it.is_local(), is_local, "{text}");
        }
    }
}
