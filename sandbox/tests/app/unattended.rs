//! Tokens without a browser, as the CLI and the Python SDK ask for them
//! (`resim-api.md` §1.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Answer, Sandbox, claims, request, string};

const AUDIENCE: (&str, &str) = ("audience", "https://api.resim.ai");
const MACHINE: (&str, &str) = ("grant_type", "client_credentials");
const PERSON: (&str, &str) = (
    "grant_type",
    "http://auth0.com/oauth/grant-type/password-realm",
);

async fn ask(sandbox: &Sandbox, basic: Option<&str>, form: &[(&str, &str)]) -> Answer {
    let header = basic.map(|it| format!("Basic {}", STANDARD.encode(it)));
    let headers: Vec<(&str, &str)> = header
        .iter()
        .map(|it| ("authorization", it.as_str()))
        .collect();
    sandbox.form("/oidc/oauth/token", &headers, form).await
}

/// The token works, and holds what the CLI looks for.
async fn assert_good(sandbox: &Sandbox, answer: Answer) {
    let answer = answer.expect(200);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3_600);
    let token = string(&answer["access_token"]);
    let permissions = claims(&token)["permissions"].clone();
    assert!(
        permissions
            .as_array()
            .is_some_and(|it| it.iter().any(|it| it == "batches:write"))
    );
    let call = async || {
        let mut call = request("GET", "/v1/projects", None);
        let bearer = format!("Bearer {token}").parse().expect("plain words");
        call.headers_mut().insert("authorization", bearer);
        sandbox.send(call).await.status
    };
    assert_eq!(call().await, 200);
    sandbox.clock.advance(3_600_000);
    assert_eq!(call().await, 401);
}

#[tokio::test]
async fn a_client_proves_itself_by_header_or_by_form() {
    let sandbox = Sandbox::new();
    let answer = ask(&sandbox, Some("id:secret"), &[AUDIENCE, MACHINE]).await;
    assert!(answer.expect(200).get("refresh_token").is_none());
    assert_good(&sandbox, answer).await;
    let form = [
        AUDIENCE,
        MACHINE,
        ("client_id", "id"),
        ("client_secret", "secret"),
    ];
    assert_good(&sandbox, ask(&sandbox, None, &form).await).await;
}

#[tokio::test]
async fn a_client_is_refused_as_the_standard_says() {
    let sandbox = Sandbox::new();
    let both = [AUDIENCE, MACHINE];
    for (basic, form, status, error) in [
        (None, &both[..], 401, "invalid_client"),
        (Some("id:"), &both[..], 401, "invalid_client"),
        (Some(":secret"), &both[..], 401, "invalid_client"),
        (Some("id"), &both[..], 401, "invalid_client"),
        (Some("id:invalid"), &both[..], 401, "invalid_client"),
        (
            Some("retake-sandbox:secret"),
            &both[..],
            400,
            "unauthorized_client",
        ),
        (Some("id:secret"), &[MACHINE][..], 400, "access_denied"),
        (Some("id:secret"), &[AUDIENCE][..], 401, "invalid_client"),
    ] {
        let answer = ask(&sandbox, basic, form).await.expect(status);
        assert_eq!(answer["error"], error, "{basic:?} {form:?}");
        assert!(answer.get("access_token").is_none());
    }
}

#[tokio::test]
async fn a_person_signs_in_by_password_and_the_sdk_gets_a_refresh_token() {
    let sandbox = Sandbox::new();
    let cli = [
        AUDIENCE,
        PERSON,
        ("realm", "cli-users"),
        ("username", "qa.lead@example.com"),
        ("password", "correct horse"),
        ("client_id", "0Ip56H1LLAo6Dc6IfePaNzgpUxbJGyVI"),
    ];
    let answer = ask(&sandbox, None, &cli).await;
    assert!(answer.expect(200).get("refresh_token").is_none());
    assert_good(&sandbox, answer).await;
    let sdk = [&cli[..], &[("scope", "offline_access")]].concat();
    let answer = ask(&sandbox, None, &sdk).await.expect(200);
    assert!(!string(&answer["refresh_token"]).is_empty());
    for (field, value, status, error) in [
        ("password", "invalid", 400, "invalid_grant"),
        ("username", "", 400, "invalid_grant"),
        ("realm", "employees", 400, "invalid_request"),
        ("client_id", "somebody", 401, "invalid_client"),
        ("audience", "https://other.example", 400, "access_denied"),
    ] {
        let form: Vec<(&str, &str)> = cli
            .iter()
            .map(|(name, it)| (*name, if *name == field { value } else { *it }))
            .collect();
        let answer = ask(&sandbox, None, &form).await.expect(status);
        assert_eq!(answer["error"], error, "{field}");
    }
}

#[tokio::test]
async fn secrets_are_not_kept_in_the_list_of_requests() {
    let sandbox = Sandbox::new();
    let form = [
        AUDIENCE,
        MACHINE,
        ("client_id", "id"),
        ("client_secret", "hush-hush"),
    ];
    let answer = ask(&sandbox, None, &form).await.expect(200);
    let listed = sandbox.get("/sandbox/requests").await;
    assert_eq!(listed.expect(200)["count"], 1);
    for secret in ["hush-hush", &string(&answer["access_token"])] {
        assert!(!listed.text().contains(secret));
    }
}
