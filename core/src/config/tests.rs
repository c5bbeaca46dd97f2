//! What is read, and what is refused with which words.

use super::*;

fn errors(text: &str) -> Vec<String> {
    Config::parse(text)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_smallest_configuration_has_sensible_defaults() {
    let config =
        Config::parse(r#"{"environments":[{"name":"P","api":"https://api.resim.ai/v1"}]}"#)
            .unwrap();
    assert_eq!(
        config.environments,
        [Environment {
            name: "P".into(),
            api: "https://api.resim.ai/v1/".into(),
            ..Environment::default()
        }]
    );
}

#[test]
fn every_field_is_read() {
    let config = Config::parse(
        r#"{"environments":[{"name":"S","api":"/v1/","issuer":"/oidc","client_id":"c","device_client_id":"d",
            "audience":"a","scopes":"openid","app":"https://app.resim.ai",
            "min_poll_every":"1s","settle_window":"20s","busy_window":"1m","ask_person":true,
            "sandbox":true}]}"#,
    )
    .unwrap();
    let it = &config.environments[0];
    assert_eq!(it.min_poll_every, Duration::from_secs(1));
    let limits = it.limits();
    assert_eq!(limits.settle, Duration::from_secs(20));
    assert_eq!(limits.busy_window, Duration::from_mins(1));
    assert!(limits.ask_person);
    assert!(it.ask_person && it.sandbox);
    assert_eq!(
        (it.issuer.as_deref(), it.scopes.as_str()),
        (Some("/oidc"), "openid")
    );
}

#[test]
fn a_window_that_is_not_safe_is_a_sandbox_s_only() {
    let text = |field: &str, window: &str, sandbox: bool| {
        format!(
            r#"{{"environments":[{{"name":"x","api":"/v1","{field}":"{window}","sandbox":{sandbox}}}]}}"#
        )
    };
    for (field, window, in_sandbox, elsewhere) in [
        ("settle_window", "999ms", false, false),
        ("settle_window", "1s", true, false),
        ("settle_window", "1m34s", true, false),
        ("settle_window", "1m35s", true, true),
        ("settle_window", "15m", true, true),
        ("settle_window", "15m1s", false, false),
        ("busy_window", "1s", true, false),
        ("busy_window", "1m", true, true),
        ("busy_window", "24h", true, true),
        ("busy_window", "25h", false, false),
    ] {
        for (sandbox, is_taken) in [(true, in_sandbox), (false, elsewhere)] {
            let read = Config::parse(&text(field, window, sandbox));
            assert_eq!(
                read.is_ok(),
                is_taken,
                "{field} {window} {sandbox}: {read:?}"
            );
        }
    }
    let why = Config::parse(&text("settle_window", "20s", false)).unwrap_err();
    assert_eq!(
        why[0].to_string(),
        "environments[0].settle_window: must be at least 1m35s, or tests may run twice or not \
         at all: only beside \"sandbox\": true may it be shorter"
    );
}

#[test]
fn every_problem_names_its_field() {
    for (text, field) in [
        ("{", "config.json"),
        ("{}", "environments"),
        (r#"{"environments":[]}"#, "environments"),
        (r#"{"environments":[7]}"#, "environments[0]"),
        (
            r#"{"environments":[{"api":"/v1/"}]}"#,
            "environments[0].name",
        ),
        (r#"{"environments":[{"name":"x"}]}"#, "environments[0].api"),
        (
            r#"{"environments":[{"name":"x","api":7}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"api.resim.ai"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"http://api.resim.ai"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"//evil"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1/","issuer":"/oidc","client_id":"the ID that ReSim gave"}]}"#,
            "environments[0].client_id",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1/","issuer":"/oidc","device_client_id":"a\tb"}]}"#,
            "environments[0].device_client_id",
        ),
        (
            r#"{"environments":[{"name":"x","api":"http://localhost:80@evil.example/"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"https://a.example/v1?x=1"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1/../v2"}]}"#,
            "environments[0].api",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","issuer":"/o"}]}"#,
            "environments[0].client_id",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","client_id":"c"}]}"#,
            "environments[0].issuer",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","min_poll_every":"0s"}]}"#,
            "environments[0].min_poll_every",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","ask_person":"yes"}]}"#,
            "environments[0].ask_person",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","settle_window":"soon"}]}"#,
            "environments[0].settle_window",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/v1","clientid":"c"}]}"#,
            "environments[0].clientid",
        ),
        (
            r#"{"environments":[{"name":"x","api":"/a"},{"name":"x","api":"/b"}]}"#,
            "environments[1].name",
        ),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(
            errors[0].starts_with(&format!("{field}: ")),
            "{text}: {errors:?}"
        );
    }
}

#[test]
fn several_problems_are_told_at_once() {
    let all =
        errors(r#"{"environments":[{"name":"","api":"x"},{"name":"b","api":"/v1","app":"y"}]}"#);
    assert_eq!(all.len(), 3, "{all:?}");
}

#[test]
fn a_way_to_sign_in_is_offered_only_where_issuer_and_client_are_known() {
    let (issuer, client) = (Some("https://p.example".to_owned()), Some("c".to_owned()));
    for (issuer, client_id, device_client_id, offered) in [
        (None, None, None, (false, false)),
        (issuer.clone(), None, None, (false, false)),
        (None, client.clone(), client.clone(), (false, false)),
        (issuer.clone(), client.clone(), None, (true, false)),
        (issuer.clone(), None, client.clone(), (false, true)),
        (issuer, client.clone(), client, (true, true)),
    ] {
        let it = Environment {
            issuer,
            client_id,
            device_client_id,
            ..Environment::default()
        };
        assert_eq!((it.has_redirect(), it.has_device_code()), offered, "{it:?}");
    }
}

#[test]
fn an_id_token_is_asked_for_by_the_very_word_among_the_scopes() {
    let asks = |scopes: &str| {
        Environment {
            scopes: scopes.into(),
            ..Environment::default()
        }
        .asks_openid()
    };
    assert!(asks("offline_access openid"));
    assert!(!asks("offline_access openid-like"));
    assert!(!asks(""));
}

#[test]
fn a_field_beside_the_environments_is_named_as_none() {
    assert_eq!(
        errors(r#"{"environments":[{"name":"P","api":"/v1/"}],"theme":"dark"}"#),
        ["theme: is not a field: the only one here is environments"]
    );
}
