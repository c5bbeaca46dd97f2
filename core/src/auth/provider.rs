//! What the sign-in provider says about itself (OpenID Connect Discovery 1.0).

use serde::{Deserialize, Serialize};

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
        let it: Self = serde_json::from_slice(document)
            .map_err(|error| format!("the provider's discovery document is broken: {error}"))?;
        // Exactly equal (OpenID Connect Discovery 1.0 §4.3), a closing slash aside.
        if it.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(format!(
                "the provider calls itself {}, config.json says {issuer}",
                it.issuer
            ));
        }
        let secure = issuer.starts_with("https://");
        for (name, url) in [
            ("authorization_endpoint", Some(&it.authorization_endpoint)),
            ("token_endpoint", Some(&it.token_endpoint)),
            ("end_session_endpoint", it.end_session_endpoint.as_ref()),
        ] {
            let Some(url) = url else { continue };
            let on_web = url.starts_with("https://") || (!secure && url.starts_with("http://"));
            if !on_web {
                return Err(format!("the provider's {name} is no safe address: {url}"));
            }
        }
        Ok(it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_document_that_speaks_for_somebody_else_is_refused() {
        for (issuer, token) in [
            ("https://evil.example", "https://p.example/token"),
            ("https://p.example", "http://p.example/token"),
            ("https://p.example", "javascript:alert(1)"),
        ] {
            assert!(Provider::read("https://p.example", &document(issuer, token)).is_err());
        }
        assert!(Provider::read("https://p.example", b"<html>").is_err());
    }
}
