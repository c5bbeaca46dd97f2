//! The headers of every answer, from `headers.txt`.

use crate::Site;

const HEADERS: &str = include_str!("../headers.txt");

/// Names and values for one site, in the order of the file.
pub fn of(site: &Site) -> Vec<(&'static str, String)> {
    let connect: String = site.connect.iter().map(|it| format!(" {it}")).collect();
    HEADERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, value.replace("{connect}", &connect)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
