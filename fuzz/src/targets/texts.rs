//! What people write, paste and follow.

use std::time::Duration;

use retake_core::{
    auth::route::return_route,
    config::Config,
    domain::GoDuration,
    supervise::{Field, PolicyForm, supervise_command},
    view::{ViewQuery, batches::BatchFilter, open},
};
use url::Url;

use super::{
    Outcome,
    promise::{holds, is_readable, is_same},
};
use crate::{
    class::{of_features, of_words, size},
    judge::Broken,
    stage::BATCH,
};

const SITE: &str = "https://retake.example/";

fn joined(path: &str) -> Result<Url, Broken> {
    Url::parse(SITE)
        .and_then(|site| site.join(path))
        .map_err(|error| Broken::Promise(format!("{path:?} is no address: {error}")))
}

pub(super) fn config(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let config = match Config::parse(&text) {
        Ok(config) => config,
        Err(errors) => {
            holds(!errors.is_empty(), || "refused without a reason".into())?;
            for error in &errors {
                is_readable("a problem", &error.to_string())?;
            }
            let first = of_words(&errors[0].problem);
            return Ok(Outcome::invalid(format!(
                "{} problems: {first}",
                size(errors.len())
            )));
        }
    };
    holds(!config.environments.is_empty(), || "no environment".into())?;
    let mut schemes = Vec::new();
    for it in &config.environments {
        holds(it.api.ends_with('/'), || {
            format!("the base {} is no folder", it.api)
        })?;
        for address in [Some(&it.api), it.issuer.as_ref(), it.app.as_ref()]
            .into_iter()
            .flatten()
        {
            schemes.push(is_address(address)?);
        }
        // A call stays below the base.
        let call = joined(&it.api)?.join("projects/x?y=z");
        let base = joined(&it.api)?;
        let below = call.is_ok_and(|call| call.as_str().starts_with(base.as_str()));
        holds(below, || format!("a call leaves {base}"))?;
        holds(it.min_poll_every >= Duration::from_secs(1), || {
            "polls without a pause".into()
        })?;
    }
    schemes.sort_unstable();
    schemes.dedup();
    let first = &config.environments[0];
    Ok(Outcome::valid(of_features(
        &format!(
            "{} environments, {schemes:?}",
            size(config.environments.len())
        ),
        &[
            ("issuer", first.issuer.is_some()),
            ("device", first.has_device_code()),
            ("app", first.app.is_some()),
            ("settle", first.settle_window.is_some()),
            ("asks", first.ask_person),
        ],
    )))
}

/// Tokens go nowhere but to the host that is written, and never in the clear.
fn is_address(address: &str) -> Result<&'static str, Broken> {
    let url = joined(address)?;
    let host = url.host_str().unwrap_or("");
    let kind = if address.starts_with('/') {
        holds(url.as_str().starts_with(SITE), || {
            format!("{address} leads to {url}")
        })?;
        "relative"
    } else if url.scheme() == "https" {
        let written = address.to_ascii_lowercase();
        // A browser writes a number as a host in one form only.
        let is_number = host
            .bytes()
            .all(|c| c.is_ascii_digit() || b".[]:abcdef".contains(&c));
        holds(
            written.starts_with(&format!("https://{host}")) || is_number,
            || format!("{address} leads to {host}"),
        )?;
        "https"
    } else {
        let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        holds(url.scheme() == "http" && is_local, || {
            format!("{address} leads to {url}")
        })?;
        "local"
    };
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    holds(is_plain, || format!("{address} holds more than a place"))?;
    Ok(kind)
}

pub(super) fn route(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let route = return_route(&text);
    let below = route.strip_prefix('/').unwrap_or("");
    for base in ["/", "/some/path/"] {
        let url = joined(&format!("{base}{below}"))?;
        let stays = url.as_str().starts_with(SITE) && url.path().starts_with(base);
        holds(stays, || format!("{text:?} leads to {url}"))?;
        let path = url.path().trim_end_matches('/');
        let circles = ["sign-in", "callback"]
            .iter()
            .any(|door| path == format!("{base}{door}"));
        holds(!circles, || format!("{text:?} goes round"))?;
    }
    holds(return_route(&route) == route, || {
        format!("{route} is not let through twice")
    })?;
    is_readable("a route", &route)?;
    if route != text {
        let odd = if text.is_ascii() { "" } else { " odd" };
        let shape = format!(
            "{} slashes, {} %{odd}",
            size(text.matches('/').count()),
            size(text.matches('%').count())
        );
        return Ok(Outcome::invalid(format!(
            "refused: {shape}, slash first {}",
            text.starts_with('/')
        )));
    }
    Ok(Outcome::valid(of_features(
        &format!("a route of {} parts", size(route.matches('/').count())),
        &[
            ("queried", route.contains('?')),
            ("marked", route.contains('#')),
            ("escaped", route.contains('%')),
        ],
    )))
}

pub(super) fn link(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let ours = ["http://127.0.0.1:8080".to_owned()];
    let target = open::parse(&text, &ours);
    let foreign = Url::parse(text.trim()).is_ok_and(|url| {
        let host = url.host_str().unwrap_or("");
        let is_resim = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
        text.contains("://")
            && !((url.scheme() == "https" && (is_resim("resim.ai") || is_resim("resim.io")))
                || url.origin().ascii_serialization() == ours[0])
    });
    holds(!foreign || target == Some(open::Target::Foreign), || {
        format!("another site's link is followed: {text:?} as {target:?}")
    })?;
    let project = match &target {
        None => return Ok(Outcome::invalid("nothing")),
        Some(open::Target::Foreign) => {
            return Ok(Outcome::invalid(format!(
                "foreign, {} slashes",
                size(text.matches('/').count())
            )));
        }
        Some(open::Target::Project(project)) => Some(project),
        Some(open::Target::Batch { project, batch }) => {
            holds(!batch.is_empty(), || "a batch without a name".into())?;
            project.as_ref()
        }
    };
    if let Some(project) = project {
        let path = open::project_path(project);
        let url = joined(&path)?;
        holds(url.as_str().starts_with(SITE) && path.is_ascii(), || {
            format!("{path} leads to {url}")
        })?;
    }
    Ok(Outcome::valid(of_features(
        "target",
        &[
            ("project", project.is_some()),
            ("batch", matches!(target, Some(open::Target::Batch { .. }))),
            ("link", text.contains("://")),
            ("escaped", text.contains('%')),
            (
                "id",
                project.is_some_and(|it| open::canonical(it).is_some()),
            ),
            ("odd", !text.is_ascii()),
        ],
    )))
}

pub(super) fn query(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let view = ViewQuery::parse(&text);
    let written = view.to_query();
    holds(ViewQuery::parse(&written) == view, || {
        format!("{written} reads otherwise")
    })?;
    is_query(&written)?;
    let filter = BatchFilter::parse(&text);
    let list = filter.to_query();
    holds(BatchFilter::parse(&list) == filter, || {
        format!("{list} reads otherwise")
    })?;
    is_query(&list)?;
    holds(view.filter.tags.len() <= 50, || "endless questions".into())?;
    let known = retake_core::domain::ConflatedStatus::KNOWN;
    Ok(Outcome::valid(of_features(
        "view",
        &[
            ("statuses", !view.filter.statuses.is_empty()),
            (
                "unknown",
                view.filter.statuses.iter().any(|it| !known.contains(it)),
            ),
            ("tags", !view.filter.tags.is_empty()),
            ("text", !view.filter.text.is_empty()),
            (
                "sorted",
                view.sort.key != retake_core::view::SortKey::default(),
            ),
            ("reversed", view.sort.reversed),
            ("open", view.open.is_some()),
            ("odd", !text.is_ascii()),
        ],
    )))
}

/// Appended to a path it changes the query of it alone.
fn is_query(query: &str) -> Result<(), Broken> {
    let url = joined(&format!("projects/x{query}"))?;
    let stays = url.path() == "/projects/x" && url.fragment().is_none() && query.is_ascii();
    holds(stays, || format!("{query} makes {url}"))
}

pub(super) fn duration(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    match GoDuration::parse(&text) {
        Ok(it) => {
            let written = it.to_string();
            holds(GoDuration::parse(&written) == Ok(it), || {
                format!("{written} reads otherwise")
            })?;
            let unit = written.trim_start_matches(|c: char| !c.is_alphabetic());
            let unit: String = unit.chars().filter(|c| c.is_alphabetic()).collect();
            let sign = if it.as_nanos() < 0 { "-" } else { "" };
            Ok(Outcome::valid(format!(
                "{sign}{unit} of {} parts",
                size(text.matches(char::is_alphabetic).count())
            )))
        }
        Err(error) => {
            let words = error.to_string();
            is_readable("a refusal", &words.chars().take(300).collect::<String>())?;
            holds(words.starts_with("time: "), || words.clone())?;
            let kind = format!("{error:?}");
            let kind = kind.split('(').next().unwrap_or("").to_owned();
            Ok(Outcome::invalid(format!(
                "{kind} of {} bytes",
                size(text.len())
            )))
        }
    }
}

pub(super) fn policy(bytes: &[u8]) -> Result<Outcome, Broken> {
    const FIELDS: [Field; 6] = [
        Field::MaxRerunAttempts,
        Field::RerunMaxFailurePercent,
        Field::RerunOnStates,
        Field::FailOnStates,
        Field::PollEvery,
        Field::WaitTimeout,
    ];
    let text = String::from_utf8_lossy(bytes);
    let mut form = PolicyForm::default();
    for (field, line) in FIELDS.into_iter().zip(text.split('\n')) {
        form.set(field, line.to_owned());
    }
    match form.check(Duration::from_secs(10)) {
        Ok(policy) => {
            let percent = policy.rerun_max_failure_percent;
            holds(percent > 0.0 && percent <= 100.0, || format!("{percent} %"))?;
            holds(policy.poll_every >= Duration::from_secs(10), || {
                "polls too often".into()
            })?;
            is_readable("a policy", &policy.in_words())?;
            let stored = serde_json::to_string(&policy).expect("plain data serialises");
            let again: Result<retake_core::supervise::Policy, _> = serde_json::from_str(&stored);
            let again = again.and_then(serde_json::to_value).unwrap_or_default();
            let now = serde_json::to_value(policy).expect("plain data serialises");
            holds(is_same(&again, &now), || {
                format!("reads otherwise: {stored}")
            })?;
            is_readable("a command", &supervise_command(&policy, "p", BATCH, 0))?;
            Ok(Outcome::valid(of_features(
                "policy",
                &[
                    ("waits only", policy.max_rerun_attempts == 0),
                    ("fails on", !policy.fail_on.is_empty()),
                    ("reruns nothing", policy.rerun_on.is_empty()),
                    ("fraction", percent.fract() != 0.0),
                    ("endless", policy.wait_timeout > Duration::from_hours(1_000)),
                ],
            )))
        }
        Err(errors) => {
            let fields: Vec<String> = errors.iter().map(|it| format!("{:?}", it.field)).collect();
            Ok(Outcome::invalid(fields.join(", ")))
        }
    }
}
