//! The headers of every answer, from `headers.txt`.

use crate::Site;

const HEADERS: &str = include_str!("../headers.txt");

/// The content security policy of what the relay passes on: data, of which nothing runs.
pub const OF_THE_RELAY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// What the relay takes out of the API's answers: leave for other origins, which is the
/// site's own to give, and what would act on the whole origin or its browser.
pub const NOT_FROM_THE_API: [&str; 11] = [
    "Set-Cookie",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Expose-Headers",
    "Clear-Site-Data",
    "NEL",
    "Report-To",
    "Reporting-Endpoints",
    "Alt-Svc",
];

/// What binds every hostname below the site's own to https.
const SUBDOMAINS: &str = "; includeSubDomains";

/// Names and values for one site, in the order of the file.
///
/// Below a path the hostname belongs to somebody else's site first, so its
/// subdomains are not ours to bind; browsers would hold them to it for a year.
pub fn of(site: &Site) -> Vec<(&'static str, String)> {
    let connect: String = site.connect.iter().map(|it| format!(" {it}")).collect();
    let is_host_of_its_own = site.base == "/";
    HEADERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let value = value.replace("{connect}", &connect);
            if is_host_of_its_own {
                (name, value)
            } else {
                (name, value.replace(SUBDOMAINS, ""))
            }
        })
        .collect()
}

/// The value of one header; empty if the site has no such header.
pub fn value(site: &Site, name: &str) -> String {
    of(site)
        .into_iter()
        .find_map(|(it, value)| (it == name).then_some(value))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hostname_of_its_own_binds_its_subdomains() {
        let hsts = |base: &str| {
            let site = Site {
                base: base.into(),
                files: Vec::new(),
                connect: Vec::new(),
            };
            value(&site, "Strict-Transport-Security")
        };
        assert_eq!(hsts("/"), "max-age=31536000; includeSubDomains");
        assert_eq!(hsts("/retake/"), "max-age=31536000");
    }

    #[test]
    fn every_line_is_a_header_and_no_value_could_end_a_quoted_text() {
        let site = Site {
            base: "/".into(),
            files: Vec::new(),
            connect: vec!["https://api.example".into()],
        };
        let headers = of(&site);
        let lines = HEADERS
            .lines()
            .filter(|it| !it.is_empty() && !it.starts_with('#'));
        assert_eq!(headers.len(), lines.count());
        for (name, value) in headers {
            assert!(
                !value.contains(['"', '\\', '$', '{', '}', '`']),
                "{name}: {value}"
            );
        }
    }
}
