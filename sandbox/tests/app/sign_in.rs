//! The sign-in provider as a browser uses it: discovery, authorization code with
//! PKCE, refresh tokens that rotate.

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

use crate::support::{AUTHORITY, Answer, Sandbox, claims, encoded, request, string};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CLIENT: (&str, &str) = ("client_id", "retake-sandbox");

fn callback() -> String {
    format!("http://{AUTHORITY}/callback")
}

/// Asks to be let in; `changes` replace parameters.
async fn authorize(sandbox: &Sandbox, cookie: &str, changes: &[(&str, &str)]) -> Answer {
    let redirect_uri = callback();
    let query: Vec<String> = [
        CLIENT,
        ("redirect_uri", redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", "openid offline_access"),
        ("state", "a state & more"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("prompt", ""),
        ("login_hint", ""),
    ]
    .into_iter()
    .map(|(name, value)| {
        let change = changes.iter().find(|(it, _)| *it == name);
        let value = change.map_or(value, |(_, it)| *it);
        format!("{name}={}", encoded(value))
    })
    .collect();
    let mut asked = request("GET", &format!("/oidc/authorize?{}", query.join("&")), None);
    asked.headers_mut().remove("authorization");
    if !cookie.is_empty() {
        let cookie = cookie.parse().expect("plain words");
        asked.headers_mut().insert("cookie", cookie);
    }
    sandbox.send(asked).await
}

/// A parameter of the address that somebody is sent to.
#[track_caller]
fn sent(answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let to = answer.header("location");
    let query = to
        .strip_prefix(&format!("{}?", callback()))
        .expect("the callback");
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

async fn exchange(sandbox: &Sandbox, code: &str, changes: &[(&str, &str)]) -> Answer {
    let redirect_uri = callback();
    let form: Vec<(&str, &str)> = [
        CLIENT,
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", VERIFIER),
    ]
    .into_iter()
    .map(|(name, value)| {
        let change = changes.iter().find(|(it, _)| *it == name);
        (name, change.map_or(value, |(_, it)| *it))
    })
    .collect();
    sandbox.form("/oidc/oauth/token", &[], &form).await
}

async fn refresh(sandbox: &Sandbox, token: &str) -> Answer {
    let form = [
        CLIENT,
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    sandbox.form("/oidc/oauth/token", &[], &form).await
}

async fn signed_in(sandbox: &Sandbox) -> Value {
    let code = sent(&authorize(sandbox, "", &[]).await, "code");
    exchange(sandbox, &code, &[]).await.expect(200)
}

async fn reads(sandbox: &Sandbox, answer: &Value) -> u16 {
    let mut call = request("GET", "/v1/projects", None);
    let bearer = format!("Bearer {}", string(&answer["access_token"]));
    call.headers_mut()
        .insert("authorization", bearer.parse().expect("plain words"));
    sandbox.send(call).await.status
}

#[track_caller]
fn assert_refused(answer: &Answer, error: &str) {
    assert_eq!(answer.expect(400)["error"], error);
}

#[tokio::test]
async fn discovery_names_addresses_of_the_host_that_was_called() {
    let sandbox = Sandbox::new();
    let document = sandbox
        .get("/oidc/.well-known/openid-configuration")
        .await
        .expect(200);
    let issuer = format!("http://{AUTHORITY}/oidc/");
    assert_eq!(document["issuer"], issuer.as_str());
    for (field, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "oauth/token"),
        ("jwks_uri", "jwks"),
        ("userinfo_endpoint", "userinfo"),
        ("end_session_endpoint", "logout"),
    ] {
        assert_eq!(document[field], format!("{issuer}{path}"), "{field}");
    }
    assert_eq!(
        document["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
}

#[tokio::test]
async fn a_code_and_its_verifier_become_tokens_that_the_key_set_proves() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let sandbox = Sandbox::new();
    let sent_back = authorize(&sandbox, "", &[]).await;
    assert_eq!(sent(&sent_back, "state"), "a state & more");
    assert_eq!(sent(&sent_back, "iss"), format!("http://{AUTHORITY}/oidc/"));
    let answer = exchange(&sandbox, &sent(&sent_back, "code"), &[])
        .await
        .expect(200);
    assert_eq!(reads(&sandbox, &answer).await, 200);
    let access = claims(&string(&answer["access_token"]));
    assert_eq!(access["aud"], "https://api.resim.ai");
    assert!(
        access["permissions"]
            .as_array()
            .is_some_and(|it| !it.is_empty())
    );
    let identity = string(&answer["id_token"]);
    assert_eq!(
        (&claims(&identity)["nonce"], &claims(&identity)["aud"]),
        (&"n-1".into(), &"retake-sandbox".into())
    );
    let keys = sandbox.get("/oidc/jwks").await.expect(200);
    let part = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(string(&keys["keys"][0][name]))
            .expect("base64url")
    };
    let point = [vec![4], part("x"), part("y")].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    for token in [&identity, &string(&answer["access_token"])] {
        let (text, signature) = token.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        assert!(key.verify(text.as_bytes(), &signature).is_ok());
    }
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_uses_the_code_up() {
    let sandbox = Sandbox::new();
    for verifier in ["", CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"] {
        let code = sent(&authorize(&sandbox, "", &[]).await, "code");
        let answer = exchange(&sandbox, &code, &[("code_verifier", verifier)]).await;
        assert_refused(&answer, "invalid_grant");
        assert_refused(&exchange(&sandbox, &code, &[]).await, "invalid_grant");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_a_minute_and_for_its_own_address() {
    let sandbox = Sandbox::new();
    let code = sent(&authorize(&sandbox, "", &[]).await, "code");
    let answer = exchange(&sandbox, &code, &[]).await.expect(200);
    assert_eq!(reads(&sandbox, &answer).await, 200);
    // A second use was a theft: what the first one got is worthless too.
    assert_refused(&exchange(&sandbox, &code, &[]).await, "invalid_grant");
    assert_eq!(reads(&sandbox, &answer).await, 401);
    let old = string(&answer["refresh_token"]);
    assert_refused(&refresh(&sandbox, &old).await, "invalid_grant");

    let code = sent(&authorize(&sandbox, "", &[]).await, "code");
    let other = [("redirect_uri", "http://evil.example/callback")];
    assert_refused(&exchange(&sandbox, &code, &other).await, "invalid_grant");
    let code = sent(&authorize(&sandbox, "", &[]).await, "code");
    sandbox.clock.advance(60_001);
    assert_refused(&exchange(&sandbox, &code, &[]).await, "invalid_grant");
    assert_refused(&exchange(&sandbox, "unknown", &[]).await, "invalid_grant");
    let stranger = exchange(&sandbox, "unknown", &[("client_id", "somebody")]).await;
    assert_eq!(stranger.expect(401)["error"], "invalid_client");
}

#[tokio::test]
async fn a_refresh_token_rotates_and_an_old_one_ends_the_whole_family() {
    let sandbox = Sandbox::new();
    let first = signed_in(&sandbox).await;
    let bystander = signed_in(&sandbox).await;
    let second = refresh(&sandbox, &string(&first["refresh_token"]))
        .await
        .expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(reads(&sandbox, &second).await, 200);
    let stolen = refresh(&sandbox, &string(&first["refresh_token"])).await;
    assert_refused(&stolen, "invalid_grant");
    let newest = refresh(&sandbox, &string(&second["refresh_token"])).await;
    assert_refused(&newest, "invalid_grant");
    assert_eq!(reads(&sandbox, &second).await, 401);
    assert_eq!(reads(&sandbox, &bystander).await, 200);
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let sandbox = Sandbox::new();
    let code = sent(
        &authorize(&sandbox, "", &[("scope", "openid")]).await,
        "code",
    );
    let answer = exchange(&sandbox, &code, &[]).await.expect(200);
    assert!(answer.get("refresh_token").is_none());
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let sandbox = Sandbox::new();
    for change in [
        ("client_id", "somebody"),
        ("redirect_uri", "http://evil.example/callback"),
        ("redirect_uri", "http://sandbox.test.evil.example/callback"),
        ("redirect_uri", "//sandbox.test/callback"),
    ] {
        let answer = authorize(&sandbox, "", &[change]).await;
        answer.refused(400);
        assert_eq!(answer.header("location"), "");
    }
}

#[tokio::test]
async fn a_bad_request_goes_back_with_its_error_and_the_state() {
    let sandbox = Sandbox::new();
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("login_hint", "deny"), "access_denied"),
        (("prompt", "none"), "login_required"),
    ] {
        let answer = authorize(&sandbox, "", &[change]).await;
        assert_eq!(sent(&answer, "error"), error);
        assert_eq!(sent(&answer, "state"), "a state & more");
        assert_eq!(sent(&answer, "code"), "");
    }
}

#[tokio::test]
async fn a_session_signs_in_again_without_a_question_until_it_is_ended() {
    let sandbox = Sandbox::new();
    let first = authorize(&sandbox, "", &[]).await;
    let set = first.header("set-cookie").to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    let cookie = set.split(';').next().expect("a pair").to_owned();
    let silent = authorize(&sandbox, &cookie, &[("prompt", "none")]).await;
    assert!(!sent(&silent, "code").is_empty());
    let mut out = request(
        "GET",
        "/oidc/logout?post_logout_redirect_uri=http://evil.example/",
        None,
    );
    out.headers_mut()
        .insert("cookie", cookie.parse().expect("plain words"));
    let out = sandbox.send(out).await;
    assert_eq!(
        (out.status, out.header("location")),
        (302, "http://sandbox.test/")
    );
    let silent = authorize(&sandbox, &cookie, &[("prompt", "none")]).await;
    assert_eq!(sent(&silent, "error"), "login_required");
}

#[tokio::test]
async fn an_access_token_ends_by_its_lifetime_or_by_order() {
    let sandbox = Sandbox::with("everyday", |config| config.token_lifetime = 90);
    let answer = signed_in(&sandbox).await;
    assert_eq!(answer["expires_in"], 90);
    sandbox.clock.advance(89_000);
    assert_eq!(reads(&sandbox, &answer).await, 200);
    sandbox.clock.advance(1_000);
    assert_eq!(reads(&sandbox, &answer).await, 401);
    let renewed = refresh(&sandbox, &string(&answer["refresh_token"]))
        .await
        .expect(200);
    assert_eq!(reads(&sandbox, &renewed).await, 200);
    sandbox
        .post("/sandbox/tokens/expire", &serde_json::json!({}))
        .await
        .expect(200);
    assert_eq!(reads(&sandbox, &renewed).await, 401);
    let renewed = refresh(&sandbox, &string(&renewed["refresh_token"]))
        .await
        .expect(200);
    let all = serde_json::json!({ "sessions": true });
    sandbox
        .post("/sandbox/tokens/expire", &all)
        .await
        .expect(200);
    let gone = refresh(&sandbox, &string(&renewed["refresh_token"])).await;
    assert_refused(&gone, "invalid_grant");
}
