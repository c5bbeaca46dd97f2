//! Tokens: their expiry and what they claim.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Refresh;
use crate::{
    domain::{Timestamp, text::clean_line},
    view::words,
};

/// The longest words of the provider that are kept, in characters.
pub(super) const SAID_CHARS: usize = 300;

/// What Retake asks of the API (`resim-api.md` §1.2).
const NEEDED: [&str; 7] = [
    "projects:read",
    "batches:read",
    "batches:write",
    "systems:read",
    "builds:read",
    "experienceTags:read",
    "workflows:read",
];

/// What a sign-in yields. Lives in memory only; its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The bearer token of every API call.
    pub access: String,
    /// What gets new ones.
    pub refresh: Refresh,
    /// When they came.
    pub since: Timestamp,
    /// When the access token ends, where that is known.
    pub expires: Option<Timestamp>,
    /// What the access token claims, if it can be read.
    pub claims: Claims,
    /// What the ID token claims, if there is one.
    pub id_claims: Option<Claims>,
    /// The ID token itself: names the session that a sign-out ends.
    pub id_token: Option<String>,
    /// Got by a device code, so that its own client renews it.
    pub by_device: bool,
    /// The provider did not answer a renewal; it is not asked before this.
    pub put_off: Option<Timestamp>,
}

/// What an answer of a token endpoint has to fit. A field that is `None` is not
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expectation<'a> {
    /// Who issues the ID token, exactly as in the discovery document.
    pub issuer: Option<&'a str>,
    /// The client that the ID token is for.
    pub client_id: Option<&'a str>,
    /// Ties the ID token to its sign-in.
    pub nonce: Option<&'a str>,
    /// Whom the ID token has to stand for, after a renewal.
    pub subject: Option<&'a str>,
    /// Whom the access token has to stand for, if it says so, after a renewal.
    pub access_subject: Option<&'a str>,
    /// The API that the access token is for.
    pub audience: Option<&'a str>,
    /// Whether there has to be an ID token.
    pub id_token: bool,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Whom a token is for: one name or several (RFC 7519 §4.1.3). Kept as it came,
/// since reading "one or several" into a type of its own costs kilobytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience(Value);

impl Audience {
    /// Whether it names `name`.
    pub fn has(&self, name: &str) -> bool {
        match &self.0 {
            Value::Array(several) => several.iter().any(|it| it == name),
            one => one == name,
        }
    }

    /// Whether it names somebody else than `name`.
    pub fn has_others(&self, name: &str) -> bool {
        match &self.0 {
            Value::Array(several) => several.iter().any(|it| it != name),
            one => one != name,
        }
    }

    /// Whether it names nobody.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Value::Array(several) => several.is_empty(),
            one => !one.is_string(),
        }
    }
}

/// Claims of a token, read without verifying: they say what to show and when to
/// renew, never what is allowed. The API decides that. Each is read by itself: one
/// that is not as expected takes nothing from the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Who issued it.
    pub iss: Option<String>,
    /// Whom it stands for.
    pub sub: Option<String>,
    /// Their organisation, by the claim's name at the provider that ReSim uses.
    pub org_id: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// End, in seconds since 1970.
    pub exp: Option<i64>,
    /// Whom it is for.
    pub aud: Audience,
    /// The client that it was given to, where it is for others as well (OpenID Connect
    /// Core §2).
    pub azp: Option<String>,
    /// Ties an ID token to its sign-in.
    pub nonce: Option<String>,
    /// What it permits; may be missing right after a first login
    /// (`resim-api.md` §1.2).
    pub permissions: Option<Vec<String>>,
}

impl Claims {
    /// Reads the claims of a JWT (RFC 7519). `None` if it is none: the token
    /// may be opaque.
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        Self::from_json(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?)
    }

    /// Reads the claims themselves. `None`: that is no JSON object.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let claims: Value = crate::json::from_bytes(json).ok()?;
        claims.as_object()?;
        let text = |name: &str| claims[name].as_str().map(ToOwned::to_owned);
        let permissions = claims["permissions"].as_array().map(|all| {
            let texts = all.iter().filter_map(Value::as_str);
            texts.map(ToOwned::to_owned).collect()
        });
        Some(Self {
            iss: text("iss"),
            sub: text("sub"),
            org_id: text("org_id"),
            email: text("email"),
            exp: seconds(&claims["exp"]),
            aud: Audience(claims["aud"].clone()),
            azp: text("azp"),
            nonce: text("nonce"),
            permissions,
        })
    }

    /// Whom to call the account on screen.
    pub fn account(&self) -> Option<&str> {
        self.email.as_deref().or(self.sub.as_deref())
    }

    /// What Retake uses and the token does not permit, as far as it says.
    pub fn missing(&self) -> Vec<&'static str> {
        let Some(has) = &self.permissions else {
            return Vec::new();
        };
        NEEDED
            .into_iter()
            .filter(|needed| !has.iter().any(|it| it == needed))
            .collect()
    }

    /// The `permissions` quirk: a token without them, right after a first
    /// login, may still be waiting for its role.
    pub fn lacks_permissions(&self) -> bool {
        self.permissions.as_ref().is_none_or(Vec::is_empty)
    }
}

/// A `NumericDate` (RFC 7519 §2), whose fraction does not matter here.
fn seconds(claim: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` ends at the largest number there is"
    )]
    let whole = |it: f64| it as i64;
    claim.as_i64().or_else(|| claim.as_f64().map(whole))
}

/// Why tokens are not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The token endpoint refused: its code and words, made safe to read.
    Refused(String, Option<String>),
    /// The answer cannot be read.
    Unreadable(String),
    /// The ID token belongs to another sign-in.
    WrongNonce,
    /// The ID token comes from another provider.
    WrongIssuer,
    /// A token is for somebody else: another client or another API.
    WrongAudience,
    /// A renewal gave tokens of another account.
    WrongSubject,
    /// The provider gave no ID token that can be read, though it was asked for one.
    NoIdToken,
}

impl TokenError {
    /// The refusal in an answer, if it is one.
    pub(super) fn refusal(answer: &Value) -> Option<Self> {
        let text = |name: &str| {
            let said = answer[name].as_str();
            said.map(|it| clean_line(it, SAID_CHARS))
        };
        Some(Self::Refused(text("error")?, text("error_description")))
    }

    /// An answer that cannot be read, and why; the words may quote it.
    pub(super) fn unreadable(why: &str) -> Self {
        Self::Unreadable(clean_line(why, SAID_CHARS))
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code, Some(words)) => {
                write!(f, "The provider gave no token ({code}): {words}")
            }
            Self::Refused(code, None) => write!(f, "The provider gave no token ({code})."),
            Self::Unreadable(why) => write!(f, "The provider's answer cannot be read: {why}"),
            Self::WrongNonce => f.write_str("The provider's answer belongs to another sign-in."),
            Self::WrongIssuer => {
                f.write_str("The provider's answer names another provider. Nothing was accepted.")
            }
            Self::WrongAudience => f.write_str(
                "The provider's token is for another application or API. Check client_id and \
                 audience in config.json.",
            ),
            Self::WrongSubject => {
                f.write_str("The provider's answer is for another account. Sign in again.")
            }
            Self::NoIdToken => f.write_str(
                "The provider gave no ID token. Check that the client may use the scope openid.",
            ),
        }
    }
}

impl Tokens {
    /// Reads the answer of a token endpoint.
    ///
    /// The ID token is checked as OpenID Connect Core §3.1.3.7 wants it, but for
    /// two points. Its signature: it comes straight from the token endpoint over
    /// TLS, which that section lets stand for it. Its times (`exp`, `iat`): it is
    /// seconds old and used for nothing later, and a computer whose clock is wrong
    /// should still get in; the access token's end is counted from `now` on, whatever
    /// `now` is called here. Further audiences are fine as long as `azp` names this
    /// client; that section leaves to the client whom else it trusts.
    ///
    /// A token of another type than Bearer is refused, since it would be sent as one
    /// (RFC 6749 §7.1). No type at all is taken for Bearer.
    ///
    /// # Errors
    /// It is a refusal, cannot be read, or does not fit.
    pub fn read(
        body: &[u8],
        expected: &Expectation<'_>,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let answer: Value = crate::json::from_bytes(body)
            .map_err(|error| TokenError::unreadable(&error.to_string()))?;
        if let Some(refusal) = TokenError::refusal(&answer) {
            return Err(refusal);
        }
        let text = |name: &str| answer[name].as_str().map(ToOwned::to_owned);
        if let Some(kind) = text("token_type")
            && !kind.eq_ignore_ascii_case("bearer")
        {
            return Err(TokenError::unreadable(&format!(
                "token_type is {kind}, not Bearer"
            )));
        }
        let access = text("access_token")
            .filter(|token| is_token(token))
            .ok_or_else(|| TokenError::Unreadable("access_token is missing".into()))?;
        let id_token = text("id_token");
        let id_claims = id_token.as_deref().and_then(Claims::read);
        match &id_claims {
            Some(claims) => check_id_token(claims, expected)?,
            None if expected.id_token => return Err(TokenError::NoIdToken),
            None => {}
        }
        let claims = Claims::read(&access).unwrap_or_default();
        // A token for another API would be sent to this one. Where it does not
        // say whom it is for, the API itself decides.
        if expected
            .audience
            .is_some_and(|it| !claims.aud.is_empty() && !claims.aud.has(it))
        {
            return Err(TokenError::WrongAudience);
        }
        // A provider need not send an ID token with a renewal; then the access
        // token alone tells whose it is.
        if let (Some(was), Some(is)) = (expected.access_subject, claims.sub.as_deref())
            && was != is
        {
            return Err(TokenError::WrongSubject);
        }
        let lifetime = answer["expires_in"].as_u64();
        let expires = lifetime
            .map(|seconds| now.after(Duration::from_secs(seconds)))
            .or_else(|| expiry(&claims));
        Ok(Self {
            access,
            refresh: text("refresh_token").map_or(Refresh::None, Refresh::Held),
            since: now,
            expires,
            claims,
            id_claims,
            id_token,
            by_device: false,
            put_off: None,
        })
    }

    /// A token that a person pasted.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn pasted(text: &str, now: Timestamp) -> Result<Self, String> {
        let text = text.trim();
        let mut words = text.splitn(2, char::is_whitespace);
        let text = match (words.next(), words.next()) {
            (Some(scheme), rest) if scheme.eq_ignore_ascii_case("bearer") => {
                rest.unwrap_or("").trim()
            }
            _ => text,
        };
        if text.is_empty() {
            return Err("Paste a bearer token first.".into());
        }
        if !is_token(text) {
            return Err(
                "A bearer token is one word of letters, digits and -._~+/= only; \
                        copy it without quotes or line breaks."
                    .into(),
            );
        }
        let claims = Claims::read(text).unwrap_or_default();
        // A token that has ended by this computer's clock may be good all the
        // same, if it is the clock that is wrong: `says` warns, the API decides.
        let expires = expiry(&claims);
        Ok(Self {
            access: text.to_owned(),
            refresh: Refresh::None,
            since: now,
            expires,
            claims,
            id_claims: None,
            id_token: None,
            by_device: false,
            put_off: None,
        })
    }

    /// What the token says of itself: whom it stands for, when it ends, what it
    /// permits. For the person who pasted it, before it is used.
    pub fn says(&self, now: Timestamp) -> String {
        let whose = self
            .account()
            .map_or_else(String::new, |it| format!("For {it}. "));
        let ends = self.expires.map_or_else(
            || "It does not say when it ends. ".to_owned(),
            |at| {
                if at <= now {
                    let ago = words::duration(now.since(at));
                    format!("By this computer's clock it ended {ago} ago; ReSim decides. ")
                } else {
                    format!("Ends in {}. ", words::duration(at.since(now)))
                }
            },
        );
        let permits = match &self.claims.permissions {
            None => "It does not say what it permits.".to_owned(),
            Some(has) if has.is_empty() => "It permits nothing yet.".to_owned(),
            Some(has) => {
                let missing = self.claims.missing();
                if missing.is_empty() {
                    format!("Permits all that Retake uses ({} permissions).", has.len())
                } else {
                    format!("Permits no {}.", missing.join(", "))
                }
            }
        };
        words::clean(&format!("{whose}{ends}{permits}")).into_owned()
    }

    /// Whom to call the account on screen.
    pub fn account(&self) -> Option<&str> {
        self.id_claims
            .as_ref()
            .and_then(Claims::account)
            .or_else(|| self.claims.account())
    }

    /// Who this is, for everything that belongs to one account.
    pub fn subject(&self) -> Option<&str> {
        self.claims
            .sub
            .as_deref()
            .or_else(|| self.id_claims.as_ref()?.sub.as_deref())
    }
}

fn check_id_token(claims: &Claims, expected: &Expectation<'_>) -> Result<(), TokenError> {
    let differs = |is: Option<&str>, should: Option<&str>| should.is_some() && is != should;
    if differs(claims.iss.as_deref(), expected.issuer) {
        return Err(TokenError::WrongIssuer);
    }
    let is_for = |client: &str| {
        claims.aud.has(client)
            && match claims.azp.as_deref() {
                Some(party) => party == client,
                None => !claims.aud.has_others(client),
            }
    };
    if expected.client_id.is_some_and(|it| !is_for(it)) {
        return Err(TokenError::WrongAudience);
    }
    if differs(claims.nonce.as_deref(), expected.nonce) {
        return Err(TokenError::WrongNonce);
    }
    if differs(claims.sub.as_deref(), expected.subject) {
        return Err(TokenError::WrongSubject);
    }
    Ok(())
}

fn expiry(claims: &Claims) -> Option<Timestamp> {
    claims
        .exp
        .map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)))
}

/// The characters of a bearer token (RFC 6750 §2.1).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-._~+/=".contains(&c))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
