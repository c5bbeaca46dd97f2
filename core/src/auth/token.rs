//! Tokens: their expiry and what they claim.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::domain::Timestamp;

/// Renewed this long before it expires, so that no request meets the end.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// What a sign-in yields. Lives in memory only; its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The bearer token of every API call.
    pub access: String,
    /// Gets new ones, if the provider gave one.
    pub refresh: Option<String>,
    /// When the access token ends, where that is known.
    pub expires: Option<Timestamp>,
    /// What the access token claims, if it can be read.
    pub claims: Claims,
    /// What the ID token claims, if there is one.
    pub id_claims: Option<Claims>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Claims of a token, read without verifying: they say what to show and when to
/// renew, never what is allowed. The API decides that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
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
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Whom to call the account on screen.
    pub fn account(&self) -> Option<&str> {
        self.email.as_deref().or(self.sub.as_deref())
    }

    /// The `permissions` quirk: a token without them, right after a first
    /// login, may still be waiting for its role.
    pub fn lacks_permissions(&self) -> bool {
        self.permissions.as_ref().is_none_or(Vec::is_empty)
    }
}

/// Why tokens are not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The token endpoint refused: its code and words. Hostile text.
    Refused(String, Option<String>),
    /// The answer cannot be read.
    Unreadable(String),
    /// The ID token belongs to another sign-in.
    WrongNonce,
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
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    expires_in: Option<i64>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Tokens {
    /// Reads the answer of a token endpoint. With `nonce`, an ID token has to
    /// carry it.
    ///
    /// # Errors
    /// It is a refusal, cannot be read, or belongs to another sign-in.
    pub fn read(body: &[u8], nonce: Option<&str>, now: Timestamp) -> Result<Self, TokenError> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| TokenError::Unreadable(error.to_string()))?;
        if let Some(error) = answer.error {
            return Err(TokenError::Refused(error, answer.error_description));
        }
        let access = answer
            .access_token
            .filter(|token| is_token(token))
            .ok_or_else(|| TokenError::Unreadable("access_token is missing".into()))?;
        let id_claims = answer.id_token.as_deref().and_then(Claims::read);
        if let (Some(nonce), Some(claims)) = (nonce, &id_claims)
            && claims.nonce.as_deref() != Some(nonce)
        {
            return Err(TokenError::WrongNonce);
        }
        let claims = Claims::read(&access).unwrap_or_default();
        let lifetime = answer
            .expires_in
            .and_then(|seconds| u64::try_from(seconds).ok());
        let expires = lifetime
            .map(|seconds| now.after(Duration::from_secs(seconds)))
            .or_else(|| expiry(&claims));
        Ok(Self {
            access,
            refresh: answer.refresh_token,
            expires,
            claims,
            id_claims,
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
        let expires = expiry(&claims);
        if expires.is_some_and(|at| at <= now) {
            return Err("This token has already expired. Copy a fresh one.".into());
        }
        Ok(Self {
            access: text.to_owned(),
            refresh: None,
            expires,
            claims,
            id_claims: None,
        })
    }

    /// When to get a new one.
    pub fn renew_at(&self) -> Option<Timestamp> {
        let before = i64::try_from(RENEW_BEFORE.as_millis()).unwrap_or(0);
        self.expires
            .map(|at| Timestamp::from_millis(at.as_millis().saturating_sub(before)))
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
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn an_answer_is_read_with_its_expiry() {
        let access = jwt(r#"{"sub":"u1","permissions":["batches:read"],"exp":99}"#);
        let body = format!(
            r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}}"#
        );
        let tokens = Tokens::read(body.as_bytes(), Some("n"), NOW).unwrap();
        assert_eq!(tokens.expires, Some(Timestamp::from_millis(4_600_000)));
        assert_eq!(tokens.renew_at(), Some(Timestamp::from_millis(4_540_000)));
        assert_eq!(
            (tokens.subject(), tokens.refresh.as_deref()),
            (Some("u1"), Some("r"))
        );
        assert!(!tokens.claims.lacks_permissions());
    }

    #[test]
    fn an_id_token_of_another_sign_in_is_refused() {
        let body = |nonce: &str| {
            let id = jwt(&format!(
                r#"{{"sub":"u1","email":"a@b.c","nonce":"{nonce}"}}"#
            ));
            format!(r#"{{"access_token":"opaque","id_token":"{id}"}}"#)
        };
        assert_eq!(
            Tokens::read(body("other").as_bytes(), Some("mine"), NOW),
            Err(TokenError::WrongNonce)
        );
        let tokens = Tokens::read(body("mine").as_bytes(), Some("mine"), NOW).unwrap();
        assert_eq!(tokens.account(), Some("a@b.c"));
        assert_eq!(tokens.expires, None);
    }

    #[test]
    fn refusals_and_nonsense_are_told_apart() {
        let refused = Tokens::read(br#"{"error":"invalid_grant"}"#, None, NOW);
        assert_eq!(
            refused,
            Err(TokenError::Refused("invalid_grant".into(), None))
        );
        for body in ["<html>", "{}", r#"{"access_token":"two words"}"#] {
            assert!(matches!(
                Tokens::read(body.as_bytes(), None, NOW),
                Err(TokenError::Unreadable(_))
            ));
        }
    }

    #[test]
    fn a_pasted_token_is_trimmed_and_checked() {
        assert_eq!(
            Tokens::pasted("  Bearer abc.def \n", NOW).unwrap().access,
            "abc.def"
        );
        for bad in ["", "  ", "bearer ", "two words", "\"quoted\"", "a\nb"] {
            assert!(Tokens::pasted(bad, NOW).is_err(), "{bad:?}");
        }
        assert!(
            Tokens::pasted(&jwt(r#"{"exp":999}"#), NOW)
                .unwrap_err()
                .contains("expired")
        );
        assert!(Tokens::pasted(&jwt(r#"{"exp":1001}"#), NOW).is_ok());
    }

    #[test]
    fn missing_permissions_are_noticed() {
        for (claims, lacks) in [
            (r#"{"permissions":["a"]}"#, false),
            (r#"{"permissions":[]}"#, true),
            (r"{}", true),
        ] {
            assert_eq!(
                Claims::read(&jwt(claims)).unwrap().lacks_permissions(),
                lacks,
                "{claims}"
            );
        }
        assert_eq!(Claims::read("opaque"), None);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let tokens = Tokens::pasted("topsecret", NOW).unwrap();
        assert!(!format!("{tokens:?}").contains("topsecret"));
    }
}
