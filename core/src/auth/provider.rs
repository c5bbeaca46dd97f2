//! What the sign-in provider says about itself (OpenID Connect Discovery 1.0).

use serde::{Deserialize, Serialize};

use super::transaction::form;
use crate::domain::{address::Address, text::clean_line};

/// The longest words that quote the provider.
const SAID_CHARS: usize = 400;

/// The parts of a discovery document that a sign-in needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Who it is; equals the configured issuer.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where a session ends, if the provider has that.
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    /// Where a refresh token is made worthless, if the provider has that (RFC 7009).
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    /// Where a code for another device is asked for, if it has that (RFC 8628).
    #[serde(default)]
    pub device_authorization_endpoint: Option<String>,
    /// Whether answers name the issuer (RFC 9207), so that its absence is a refusal.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// Where the document of an issuer is.
    pub fn discovery_url(issuer: &str) -> String {
        format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        )
    }

    /// Reads the document of `issuer`.
    ///
    /// # Errors
    /// It is no such document, it speaks for somebody else, or an endpoint is
    /// not on the web.
    pub fn read(issuer: &str, document: &[u8]) -> Result<Self, String> {
        let said = |words: String| clean_line(&words, SAID_CHARS);
        let it: Self = crate::json::from_bytes(document).map_err(|error| {
            said(format!(
                "the provider's discovery document is broken: {error}"
            ))
        })?;
        // Exactly equal (OpenID Connect Discovery 1.0 §4.3), a closing slash aside.
        if it.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(said(format!(
                "the provider calls itself {}, config.json says {issuer}",
                it.issuer
            )));
        }
        let secure = issuer.starts_with("https://");
        for (name, url) in [
            ("authorization_endpoint", Some(&it.authorization_endpoint)),
            ("token_endpoint", Some(&it.token_endpoint)),
            ("end_session_endpoint", it.end_session_endpoint.as_ref()),
            ("revocation_endpoint", it.revocation_endpoint.as_ref()),
            (
                "device_authorization_endpoint",
                it.device_authorization_endpoint.as_ref(),
            ),
        ] {
            let Some(url) = url else { continue };
            // A part after `#` would swallow the parameters that are added.
            let is_safe = Address::parse(url)
                .is_ok_and(|it| (it.is_secure || !secure) && !it.rest.contains('#'));
            if !is_safe {
                return Err(said(format!(
                    "the provider's {name} is no safe address: {url}"
                )));
            }
        }
        Ok(it)
    }

    /// Where a person goes to end the session at the provider, and comes back
    /// from to `home`, which has to be registered there. `None`: it has no such
    /// place; then the provider's session lives on until it ends by itself.
    ///
    /// Auth0 has one of its own beside the standard one, and names the standard
    /// one in its document only if the tenant has switched it on.
    pub fn sign_out_url(
        &self,
        client_id: &str,
        id_token: Option<&str>,
        home: &str,
    ) -> Option<String> {
        if let Some(endpoint) = &self.end_session_endpoint {
            let mut parameters = vec![("client_id", client_id), ("post_logout_redirect_uri", home)];
            // With it the provider knows whose session it is and asks nothing.
            if let Some(id_token) = id_token {
                parameters.push(("id_token_hint", id_token));
            }
            let separator = if endpoint.contains('?') { '&' } else { '?' };
            return Some(format!("{endpoint}{separator}{}", form(&parameters)));
        }
        let host = self.issuer.strip_prefix("https://")?.trim_end_matches('/');
        host.ends_with(".auth0.com").then(|| {
            let parameters = form(&[("client_id", client_id), ("returnTo", home)]);
            format!("https://{host}/v2/logout?{parameters}")
        })
    }
}

/// What to say when a provider's endpoint could not be reached from the page's `origin`; `why`
/// is the browser's word for it. A browser tells a page no more of another site, so the
/// usual reasons are named: both are configuration.
pub fn unreached(endpoint: &str, origin: &str, why: &str) -> String {
    let endpoint = clean_line(endpoint, SAID_CHARS);
    let why = clean_line(why, SAID_CHARS);
    format!(
        "{endpoint} could not be reached ({why}). Does the provider allow requests from {origin} \
         (its allowed web origins)? Does the site's Content-Security-Policy name it (--connect)?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_out_of_reach_is_named_with_the_usual_reasons() {
        let words = unreached(
            "https://p.example/token",
            "https://site",
            "Failed to\u{202e} fetch",
        );
        assert!(words.starts_with("https://p.example/token could not be reached (Failed to"));
        assert!(words.contains("from https://site") && words.contains("--connect"));
        assert!(!words.contains('\u{202e}'));
    }

    fn document(issuer: &str, token: &str) -> Vec<u8> {
        format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"https://p.example/authorize",
                "token_endpoint":"{token}","jwks_uri":"https://p.example/jwks"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_document_of_the_issuer_is_read() {
        let it = Provider::read(
            "https://p.example/",
            &document("https://p.example", "https://p.example/token"),
        )
        .unwrap();
        assert_eq!(it.token_endpoint, "https://p.example/token");
        assert_eq!(
            Provider::discovery_url("https://p.example/"),
            "https://p.example/.well-known/openid-configuration"
        );
    }

    #[test]
    fn a_session_ends_where_the_provider_says_or_where_auth0_does_it() {
        let mut it = Provider::read(
            "https://p.example/",
            &document("https://p.example/", "https://p.example/token"),
        )
        .unwrap();
        let url = |it: &Provider, hint| it.sign_out_url("c", hint, "https://a.example/sign-in");
        assert_eq!(url(&it, None), None);
        it.end_session_endpoint = Some("https://p.example/end".into());
        assert_eq!(
            url(&it, Some("e.y.J")).unwrap(),
            "https://p.example/end?client_id=c&post_logout_redirect_uri=https%3A%2F%2Fa%2Eexample%2Fsign%2Din&id_token_hint=e%2Ey%2EJ"
        );
        it.end_session_endpoint = None;
        it.issuer = "https://resim.us.auth0.com/".into();
        assert_eq!(
            url(&it, Some("e.y.J")).unwrap(),
            "https://resim.us.auth0.com/v2/logout?client_id=c&returnTo=https%3A%2F%2Fa%2Eexample%2Fsign%2Din"
        );
        it.issuer = "https://notauth0.com/".into();
        assert_eq!(url(&it, None), None);
    }

    #[test]
    fn a_document_that_speaks_for_somebody_else_is_refused() {
        for (issuer, token) in [
            ("https://evil.example", "https://p.example/token"),
            ("https://p.example", "http://p.example/token"),
            ("https://p.example", "javascript:alert(1)"),
            ("https://p.example", "https://p.example@evil.example/token"),
            ("https://p.example", "https://p.example/token#"),
            ("https://p.example", "https://"),
        ] {
            assert!(Provider::read("https://p.example", &document(issuer, token)).is_err());
        }
        assert!(Provider::read("https://p.example", b"<html>").is_err());
    }
}
