//! Scores the shipped headers by the arithmetic of the MDN HTTP Observatory
//! (`mdn/mdn-http-observatory`, `src/grader/charts.js` and the tests beside it):
//! 100 points, minus for what is missing, plus for what is more than needed,
//! and the plus counts only from 90 on. Read from the configurations that hosts
//! get, not from the list that they are made from.
//!
//! Not scored, since a file cannot show it: certificate and redirect to https
//! (0 each when right), HSTS preloading (+5, a promise for a whole domain that
//! a product cannot make), CORS and cookies (0: the site has neither).

use std::collections::BTreeMap;

use retake_hosting::{Site, caddy, cloudfront, nginx, pages};

type Headers = BTreeMap<String, String>;

/// Where a site may live.
const BASES: [&str; 2] = ["/", "/some/path/"];

fn site(base: &str) -> Site {
    let config = r#"{"environments":[{"name":"R","api":"https://api.resim.ai/v1/",
        "issuer":"https://resim.us.auth0.com/","client_id":"c"}]}"#;
    let files = ["index.html", "app-0.js", "app-0_bg.wasm", "config.json"];
    Site::new(base, files.map(String::from).into(), config).expect("it is fine")
}

/// Points for one answer and the page in it.
fn score(headers: &Headers, page: &str) -> i32 {
    let get = |name: &str| headers.get(&name.to_lowercase()).map_or("", String::as_str);
    let policy: BTreeMap<&str, Vec<&str>> = get("Content-Security-Policy")
        .split(';')
        .filter_map(|directive| {
            let mut words = directive.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect();
    let sources = |name: &str| {
        policy
            .get(name)
            .or_else(|| policy.get("default-src"))
            .cloned()
            .unwrap_or_else(|| vec!["*"])
    };
    let broad = ["ftp:", "http:", "https:", "*", "https://*", "http://*"];
    let is_unsafe = |it: &&str| broad.contains(it) || ["'unsafe-inline'", "data:"].contains(it);
    let mut minus = 0;
    let mut plus = 0;
    let mut count = |points: i32| {
        if points < 0 {
            minus += points;
        } else {
            plus += points;
        }
    };
    // Content security policy.
    count(if policy.is_empty() {
        -25
    } else if sources("script-src").iter().any(is_unsafe)
        || sources("object-src").iter().any(|it| broad.contains(it))
        || policy.values().flatten().any(|it| it.starts_with("http:"))
    {
        -20
    } else if sources("script-src").contains(&"'unsafe-eval'") {
        -10
    } else if sources("style-src").iter().any(is_unsafe) {
        0
    } else if policy.get("default-src") == Some(&vec!["'none'"]) {
        10
    } else {
        5
    });
    // HTTP Strict Transport Security: half a year at least.
    let max_age = get("Strict-Transport-Security")
        .split(';')
        .find_map(|it| it.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
    count(match max_age {
        None => -20,
        Some(seconds) if seconds < 15_768_000 => -10,
        Some(_) => 0,
    });
    count(if get("X-Content-Type-Options") == "nosniff" {
        0
    } else {
        -5
    });
    let ancestors = policy.get("frame-ancestors");
    count(match (ancestors, get("X-Frame-Options")) {
        (Some(it), _) if !it.iter().any(|it| broad.contains(it)) => 5,
        (_, "DENY" | "SAMEORIGIN") => 0,
        _ => -20,
    });
    count(match get("Referrer-Policy") {
        "no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" => 5,
        "" => 0,
        _ => -5,
    });
    count(match get("Cross-Origin-Resource-Policy") {
        "same-origin" | "same-site" => 10,
        "" | "cross-origin" => 0,
        _ => -5,
    });
    for (name, best) in [
        ("Cross-Origin-Embedder-Policy", "require-corp"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ] {
        count(if get(name) == best { 10 } else { 0 });
    }
    // Subresource integrity: every script of the page has it.
    let scripts: Vec<&str> = page
        .split("<script")
        .skip(1)
        .map(|it| it.split('>').next().unwrap_or(""))
        .collect();
    let is_safe = |tag: &&str| tag.contains("integrity=\"sha384-");
    let all_safe = !scripts.is_empty() && scripts.iter().all(is_safe);
    count(if all_safe { 5 } else { 0 });
    let base = 100 + minus;
    if base >= 90 { base + plus } else { base }
}

/// The page's tags as the build writes them; the end-to-end tests check the
/// real page's.
const PAGE: &str = "<script type=\"module\" src=\"/boot.js\" integrity=\"sha384-x\"></script>";

/// The headers that a part of an nginx configuration adds.
fn of_nginx(text: &str) -> Headers {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("add_header "))
        .filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            let value = rest.trim_end_matches(';').trim_end_matches(" always");
            Some((name.to_lowercase(), value.trim_matches('"').to_owned()))
        })
        .collect()
}

/// The locations of an nginx configuration, by what stands before the brace.
fn locations(text: &str) -> Vec<(&str, &str)> {
    text.split("\nlocation ")
        .skip(1)
        .filter_map(|it| it.split_once(" {"))
        .collect()
}

#[test]
fn every_answer_of_nginx_scores_155() {
    for (base, answers) in BASES.into_iter().zip([7, 9]) {
        let text = nginx::retake(&site(base));
        let mut scored = 0;
        for (name, body) in locations(&text) {
            if body.contains("rewrite ^ ") {
                continue;
            }
            assert_eq!(score(&of_nginx(body), PAGE), 155, "{base}: location {name}");
            scored += 1;
        }
        assert_eq!(scored, answers, "{base}: {text}");
    }
}

#[test]
fn every_answer_of_a_host_with_a_headers_file_scores_155() {
    for base in BASES {
        of_a_headers_file(&pages::headers(&site(base)));
    }
}

fn of_a_headers_file(text: &str) {
    let rule = text
        .split("\n/")
        .find(|it| it.starts_with("*\n"))
        .expect("a rule for everything");
    let headers: Headers = rule
        .lines()
        .skip(1)
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    assert_eq!(score(&headers, PAGE), 155);
    // Netlify and Cloudflare join the values of every rule that matches.
    let named = text.matches("/index.html\n").count();
    assert_eq!(named, 1, "{text}");
    assert!(text.lines().all(|line| line.len() < 2_000));
}

#[test]
fn caddy_and_cloudfront_carry_the_same_headers() {
    for base in BASES {
        of_caddy_and_cloudfront(&site(base));
    }
}

fn of_caddy_and_cloudfront(site: &Site) {
    let caddy = caddy::caddyfile(site);
    let headers: Headers = caddy
        .lines()
        .filter_map(|line| line.strip_prefix("\t\t\t")?.split_once(" \""))
        .map(|(name, value)| (name.to_lowercase(), value.trim_end_matches('"').to_owned()))
        .collect();
    assert_eq!(score(&headers, PAGE), 155);

    let policy: serde_json::Value =
        serde_json::from_str(&cloudfront::headers_policy(site)).expect("it is JSON");
    let own = &policy["SecurityHeadersConfig"];
    let mut headers: Headers = policy["CustomHeadersConfig"]["Items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or("").to_owned();
            (text("Header").to_lowercase(), text("Value"))
        })
        .collect();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    headers.insert(
        "content-security-policy".into(),
        text(&own["ContentSecurityPolicy"]["ContentSecurityPolicy"]),
    );
    headers.insert(
        "referrer-policy".into(),
        text(&own["ReferrerPolicy"]["ReferrerPolicy"]),
    );
    headers.insert(
        "x-frame-options".into(),
        text(&own["FrameOptions"]["FrameOption"]),
    );
    // The policy names no value: there is only one.
    if own["ContentTypeOptions"]["Override"] == true {
        headers.insert("x-content-type-options".into(), "nosniff".into());
    }
    let seconds = &own["StrictTransportSecurity"]["AccessControlMaxAgeSec"];
    headers.insert(
        "strict-transport-security".into(),
        format!("max-age={seconds}"),
    );
    assert_eq!(score(&headers, PAGE), 155);
}

/// The score can fall, and by as much as the Observatory says.
#[test]
fn what_is_missing_costs_points() {
    let full = of_nginx(locations(&nginx::retake(&site("/some/path/")))[2].1);
    let without = |name: &str| {
        let mut headers = full.clone();
        assert!(headers.remove(&name.to_lowercase()).is_some(), "{name}");
        score(&headers, PAGE)
    };
    assert_eq!(score(&full, PAGE), 155);
    assert_eq!(score(&full, "<script src=\"/boot.js\"></script>"), 150);
    // Without a policy nothing restricts framing by it either: -10 -25 -5, and
    // what is left is below 90, so that nothing more is added.
    assert_eq!(without("Content-Security-Policy"), 75);
    assert_eq!(without("Strict-Transport-Security"), 80);
    assert_eq!(without("X-Content-Type-Options"), 150);
    assert_eq!(without("Referrer-Policy"), 150);
    assert_eq!(without("Cross-Origin-Resource-Policy"), 145);
    assert_eq!(without("Cross-Origin-Embedder-Policy"), 145);
    assert_eq!(without("Cross-Origin-Opener-Policy"), 145);
    let mut loose = full.clone();
    loose.insert(
        "content-security-policy".into(),
        "default-src 'self'; script-src 'self' 'unsafe-inline'".into(),
    );
    assert!(score(&loose, PAGE) < 90);
    assert_eq!(score(&Headers::new(), PAGE), 30);
}
