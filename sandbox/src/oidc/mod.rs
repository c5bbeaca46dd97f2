//! A sign-in provider: OpenID Connect discovery, authorization code with PKCE
//! (RFC 7636), refresh tokens that rotate. It lets everybody in without a
//! question, which is what a sandbox is for.

mod device;
mod token;
mod unattended;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, Query, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use crate::answer::{Dropped, allow_cors, dropped, empty, error, json_answer};
use crate::faults::Kind;
use crate::{Sandbox, lock};
use token::Signer;

/// The one client that is registered.
const CLIENT: &str = "retake-sandbox";
/// The one person who signs in.
const SUBJECT: &str = "sandbox|qa-lead";
const EMAIL: &str = "qa.lead@example.com";
/// How long a code may be exchanged, in milliseconds.
const CODE_LIFE: i64 = 60_000;
const COOKIE_NAME: &str = "sandbox_session";

type Parameters = HashMap<String, String>;

/// A code that was given out.
struct Code {
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
    ends: i64,
    used: bool,
    family: String,
}

/// A refresh token, good for one use.
struct Refresh {
    family: String,
    scope: String,
    used: bool,
}

/// What the provider remembers.
pub(crate) struct Provider {
    signer: Signer,
    sessions: HashSet<String>,
    codes: HashMap<String, Code>,
    refreshes: HashMap<String, Refresh>,
    devices: device::Codes,
    /// Access tokens by their ID, with the family that they belong to.
    live: HashMap<String, String>,
}

impl Provider {
    /// A provider with a key of its own that nobody knows.
    pub(crate) fn new() -> Self {
        Self {
            signer: Signer::generate(),
            sessions: HashSet::new(),
            codes: HashMap::new(),
            refreshes: HashMap::new(),
            devices: device::Codes::default(),
            live: HashMap::new(),
        }
    }

    /// Whether an access token of this ID is still good.
    pub(crate) fn is_live(&self, id: &str) -> bool {
        self.live.contains_key(id)
    }

    /// Ends every access token; with `sessions`, whatever could renew one too.
    pub(crate) fn expire_all(&mut self, sessions: bool) {
        self.live.clear();
        if sessions {
            self.sessions.clear();
            self.refreshes.clear();
            self.codes.clear();
        }
    }

    fn revoke(&mut self, family: &str) {
        self.live.retain(|_, of| of != family);
        self.refreshes.retain(|_, it| it.family != family);
    }

    fn issue(&mut self, asked: &Issue<'_>) -> Value {
        let id = random();
        self.live.insert(id.clone(), asked.family.to_owned());
        let begins = asked.now / 1_000;
        let ends = begins + i64::try_from(asked.lifetime).unwrap_or(i64::MAX / 2_000);
        let issuer = issuer(asked.origin);
        let access = self.signer.sign(&json!({
            "iss": issuer, "sub": SUBJECT, "aud": "https://api.resim.ai", "iat": begins, "exp": ends,
            "jti": id, "scope": asked.scope, "email": EMAIL,
            "permissions": ["batches:read", "batches:write", "projects:read", "systems:read", "builds:read",
                "experienceTags:read", "workflows:read"],
        }));
        let mut answer = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": asked.lifetime,
            "scope": asked.scope,
        });
        let scopes: Vec<&str> = asked.scope.split(' ').collect();
        if scopes.contains(&"openid") {
            answer["id_token"] = json!(self.signer.sign(&json!({
                "iss": issuer, "sub": SUBJECT, "aud": CLIENT, "iat": begins, "exp": ends,
                "nonce": asked.nonce, "email": EMAIL,
            })));
        }
        if scopes.contains(&"offline_access") {
            let refresh = random();
            answer["refresh_token"] = json!(refresh);
            self.refreshes.insert(
                refresh,
                Refresh {
                    family: asked.family.to_owned(),
                    scope: asked.scope.to_owned(),
                    used: false,
                },
            );
        }
        answer
    }
}

/// What an access token is made of.
struct Issue<'a> {
    origin: &'a str,
    family: &'a str,
    scope: &'a str,
    nonce: Option<&'a str>,
    lifetime: u64,
    now: i64,
}

fn random() -> String {
    let mut bytes = [0_u8; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn issuer(origin: &str) -> String {
    format!("{origin}/oidc/")
}

/// The provider, below `/oidc`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(discovery).options(preflight),
        )
        .route("/jwks", get(jwks).options(preflight))
        .route("/authorize", get(authorize))
        .route("/oauth/token", post(tokens).options(preflight))
        .route("/userinfo", get(userinfo).options(preflight))
        .route("/logout", get(logout))
        .route("/oauth/revoke", post(revoke).options(preflight))
        .route("/oauth/device/code", post(device::code).options(preflight))
        .route("/device", get(device::page))
}

async fn preflight(State(sandbox): State<Arc<Sandbox>>) -> Response<Body> {
    shared(&sandbox, empty(204))
}

/// Lets other origins read an answer, if the sandbox does so at all.
fn shared(sandbox: &Sandbox, mut response: Response<Body>) -> Response<Body> {
    if sandbox.config.cors {
        allow_cors(response.headers_mut());
    }
    response
}

async fn discovery(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap) -> Response<Body> {
    let issuer = issuer(&crate::v1::origin(&headers));
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}authorize"),
        "token_endpoint": format!("{issuer}oauth/token"),
        "userinfo_endpoint": format!("{issuer}userinfo"),
        "jwks_uri": format!("{issuer}jwks"),
        "end_session_endpoint": format!("{issuer}logout"),
        "revocation_endpoint": format!("{issuer}oauth/revoke"),
        "device_authorization_endpoint": format!("{issuer}oauth/device/code"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", device::GRANT],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
    });
    shared(&sandbox, json_answer(200, &document))
}

async fn jwks(State(sandbox): State<Arc<Sandbox>>) -> Response<Body> {
    let keys = lock(&sandbox.oidc).signer.jwks();
    shared(&sandbox, json_answer(200, &keys))
}

fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then(|| value.to_owned())
    })
}

/// `GET /oidc/authorize`: sends the person back with a code.
async fn authorize(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Parameters>,
) -> Response<Body> {
    let path = uri.path_and_query().map_or("", |it| it.as_str());
    let number = lock(&sandbox.record).asked(sandbox.now(), "GET", path, &[]);
    let response = authorized(&sandbox, &headers, &asked);
    lock(&sandbox.record).answered(number, response.status().as_u16());
    response
}

fn authorized(sandbox: &Sandbox, headers: &HeaderMap, asked: &Parameters) -> Response<Body> {
    let origin = crate::v1::origin(headers);
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    // Before client and address are known to be right, nobody is sent anywhere.
    if get("client_id") != CLIENT {
        return error(400, &format!("The client_id must be {CLIENT}."));
    }
    let redirect_uri = get("redirect_uri");
    if !is_ours(redirect_uri, &origin) {
        return error(400, &format!("The redirect_uri must be {origin}/callback."));
    }
    let refuse = |code: &str, words: &str| {
        let query = [
            ("error", code),
            ("error_description", words),
            ("state", get("state")),
            ("iss", &issuer(&origin)),
        ];
        redirect(redirect_uri, &query, None)
    };
    if get("response_type") != "code" {
        return refuse("unsupported_response_type", "only code is supported");
    }
    if get("code_challenge").is_empty() || get("code_challenge_method") != "S256" {
        return refuse(
            "invalid_request",
            "a code_challenge with the method S256 is required",
        );
    }
    if get("state").is_empty() {
        return refuse("invalid_request", "a state is required");
    }
    if get("login_hint") == "deny" {
        return refuse("access_denied", "the person said no");
    }
    let mut provider = lock(&sandbox.oidc);
    let known = session(headers).filter(|it| provider.sessions.contains(it));
    if known.is_none() && get("prompt") == "none" {
        return refuse("login_required", "nobody is signed in");
    }
    let session = known.unwrap_or_else(random);
    provider.sessions.insert(session.clone());
    let code = random();
    provider.codes.insert(
        code.clone(),
        Code {
            redirect_uri: redirect_uri.to_owned(),
            challenge: get("code_challenge").to_owned(),
            nonce: asked.get("nonce").cloned(),
            scope: get("scope").to_owned(),
            ends: sandbox.now() + CODE_LIFE,
            used: false,
            family: random(),
        },
    );
    redirect(
        redirect_uri,
        &[
            ("code", &code),
            ("state", get("state")),
            ("iss", &issuer(&origin)),
        ],
        Some(&session),
    )
}

/// Whether people may be sent back there: the callback of the site at this
/// origin, at its root or below a plain path.
fn is_ours(redirect_uri: &str, origin: &str) -> bool {
    let path = redirect_uri.strip_prefix(origin);
    path.and_then(|it| it.strip_suffix("/callback"))
        .is_some_and(|base| {
            (base.is_empty() || base.starts_with('/'))
                && base
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_~/".contains(c))
        })
}

fn redirect(to: &str, query: &[(&str, &str)], session: Option<&str>) -> Response<Body> {
    let query = query
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect::<Vec<_>>()
        .join("&");
    let mut response = empty(302);
    if let Ok(value) = HeaderValue::from_str(&format!("{to}?{query}")) {
        response.headers_mut().insert(LOCATION, value);
    }
    let cookie =
        session.map(|it| format!("{COOKIE_NAME}={it}; Path=/oidc; HttpOnly; SameSite=Lax"));
    if let Some(cookie) = cookie.and_then(|it| HeaderValue::from_str(&it).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// `POST /oidc/oauth/token`: codes and refresh tokens become access tokens.
async fn tokens(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    bytes: Bytes,
) -> Response<Body> {
    // With the query, so that a test can mark its own calls.
    let path = uri.path_and_query().map_or("", |it| it.as_str());
    let number = lock(&sandbox.record).asked(sandbox.now(), "POST", path, &[]);
    let fault = lock(&sandbox.faults).strike("POST", path);
    let answer = || {
        let asked: Parameters = form_urlencoded::parse(&bytes).into_owned().collect();
        match granted(&sandbox, &headers, &asked) {
            Ok(answer) => json_answer(200, &answer),
            Err((code, words)) => {
                let status = if code == "invalid_client" { 401 } else { 400 };
                json_answer(
                    status,
                    &json!({ "error": code, "error_description": words }),
                )
            }
        }
    };
    let response = match fault {
        None => answer(),
        // The answer is lost on its way: the old refresh token is used up, the
        // new one never arrives.
        Some(Kind::DropAfterApply) => {
            drop(answer());
            dropped()
        }
        Some(Kind::Latency(ms)) => {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            answer()
        }
        Some(_) => error(503, "The provider is out of order."),
    };
    let is_lost = response.extensions().get::<Dropped>().is_some();
    let status = if is_lost {
        0
    } else {
        response.status().as_u16()
    };
    lock(&sandbox.record).answered(number, status);
    shared(&sandbox, response)
}

type Refusal = (&'static str, &'static str);

fn granted(sandbox: &Sandbox, headers: &HeaderMap, asked: &Parameters) -> Result<Value, Refusal> {
    if let Some(answer) = unattended::granted(sandbox, headers, asked) {
        return answer;
    }
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    if get("client_id") != CLIENT {
        return Err(("invalid_client", "this client is not registered"));
    }
    let origin = crate::v1::origin(headers);
    let (now, lifetime) = (sandbox.now(), sandbox.config.token_lifetime);
    let mut provider = lock(&sandbox.oidc);
    match get("grant_type") {
        "authorization_code" => {
            let Some(code) = provider.codes.get_mut(get("code")) else {
                return Err(("invalid_grant", "this code is not known"));
            };
            let family = code.family.clone();
            if code.used {
                // A code that comes twice was stolen once (RFC 6749 §4.1.2).
                provider.revoke(&family);
                return Err(("invalid_grant", "this code was used before"));
            }
            code.used = true;
            if code.ends < now {
                return Err(("invalid_grant", "this code is too old"));
            }
            if code.redirect_uri != get("redirect_uri") {
                return Err(("invalid_grant", "the redirect_uri is another one"));
            }
            let hash = ring::digest::digest(&ring::digest::SHA256, get("code_verifier").as_bytes());
            if URL_SAFE_NO_PAD.encode(hash.as_ref()) != code.challenge {
                return Err((
                    "invalid_grant",
                    "the code_verifier does not fit the challenge",
                ));
            }
            let (scope, nonce) = (code.scope.clone(), code.nonce.clone());
            let nonce = nonce.as_deref();
            Ok(provider.issue(&Issue {
                origin: &origin,
                family: &family,
                scope: &scope,
                nonce,
                lifetime,
                now,
            }))
        }
        "refresh_token" => {
            let Some(refresh) = provider.refreshes.get_mut(get("refresh_token")) else {
                return Err(("invalid_grant", "this refresh token is not known"));
            };
            let (family, scope) = (refresh.family.clone(), refresh.scope.clone());
            if refresh.used {
                provider.revoke(&family);
                return Err(("invalid_grant", "this refresh token was used before"));
            }
            refresh.used = true;
            Ok(provider.issue(&Issue {
                origin: &origin,
                family: &family,
                scope: &scope,
                nonce: None,
                lifetime,
                now,
            }))
        }
        device::GRANT => {
            let scope = provider.devices.poll(get("device_code"), now)?;
            Ok(provider.issue(&Issue {
                origin: &origin,
                family: &random(),
                scope: &scope,
                nonce: None,
                lifetime,
                now,
            }))
        }
        _ => Err((
            "unsupported_grant_type",
            "only authorization_code, refresh_token and device_code are supported",
        )),
    }
}

/// `POST /oidc/oauth/revoke`: a refresh token and what it got are worthless from
/// now on (RFC 7009). An unknown one is no error.
async fn revoke(State(sandbox): State<Arc<Sandbox>>, bytes: Bytes) -> Response<Body> {
    let number = lock(&sandbox.record).asked(sandbox.now(), "POST", "/oidc/oauth/revoke", &[]);
    let asked: Parameters = form_urlencoded::parse(&bytes).into_owned().collect();
    {
        let mut provider = lock(&sandbox.oidc);
        let token = asked.get("token").map_or("", String::as_str);
        if let Some(family) = provider.refreshes.get(token).map(|it| it.family.clone()) {
            provider.revoke(&family);
        }
    }
    lock(&sandbox.record).answered(number, 200);
    shared(&sandbox, json_answer(200, &json!({})))
}

async fn userinfo(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap) -> Response<Body> {
    let response = match crate::auth::check(&sandbox, headers.get(AUTHORIZATION)) {
        Ok(()) => json_answer(200, &json!({ "sub": SUBJECT, "email": EMAIL })),
        Err((status, words)) => error(status, words),
    };
    shared(&sandbox, response)
}

async fn logout(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    Query(asked): Query<Parameters>,
) -> Response<Body> {
    if let Some(session) = session(&headers) {
        lock(&sandbox.oidc).sessions.remove(&session);
    }
    let origin = crate::v1::origin(&headers);
    let home = format!("{origin}/");
    let to = asked
        .get("post_logout_redirect_uri")
        .filter(|it| it.starts_with(&home))
        .map_or(home.as_str(), String::as_str);
    let mut response = empty(302);
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, value);
    }
    response.headers_mut().insert(
        SET_COOKIE,
        HeaderValue::from_static("sandbox_session=; Path=/oidc; Max-Age=0"),
    );
    response
}
