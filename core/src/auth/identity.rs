//! Whose a thing is that outlives a page: a journal belongs to one account of
//! one organisation at one environment (`reliability.md` §9, T17).

use serde::{Deserialize, Serialize};

use super::Tokens;
use crate::config::Environment;

/// An account as far as its tokens tell. Two are the same only if every part
/// is; an account that names no subject is the same as another such one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The environment's name.
    pub environment: String,
    /// Base of its API; another API under the same name is another place.
    pub api: String,
    /// Who issued the token: the token's own word, else the configured provider.
    pub issuer: Option<String>,
    /// The organisation, where the token names one.
    pub organisation: Option<String>,
    /// The provider's name for the account.
    pub subject: Option<String>,
}

impl Identity {
    /// Whom these tokens stand for.
    pub fn of(environment: &Environment, tokens: &Tokens) -> Self {
        let claims = &tokens.claims;
        Self {
            environment: environment.name.clone(),
            api: environment.api.clone(),
            issuer: claims.iss.clone().or_else(|| environment.issuer.clone()),
            organisation: claims.org_id.clone(),
            subject: tokens.subject().map(ToOwned::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::Claims, config::Config};

    fn environment() -> Environment {
        let config = r#"{"environments":[{"name":"Acme","api":"https://api.example.com/v1"}]}"#;
        let config = Config::parse(config).expect("a good configuration");
        config.environments[0].clone()
    }

    fn tokens(claims: &str) -> Tokens {
        Tokens {
            access: "secret".into(),
            refresh: crate::auth::Refresh::None,
            since: crate::domain::Timestamp::from_millis(0),
            expires: None,
            claims: Claims::from_json(claims.as_bytes()).expect("claims"),
            id_claims: None,
            id_token: None,
            by_device: false,
            put_off: None,
        }
    }

    #[test]
    fn accounts_differ_by_issuer_organisation_and_subject() {
        let environment = environment();
        let of = |claims| Identity::of(&environment, &tokens(claims));
        let one = of(r#"{"iss":"https://a","org_id":"o1","sub":"s1"}"#);
        assert_eq!(one, of(r#"{"iss":"https://a","org_id":"o1","sub":"s1"}"#));
        for other in [
            r#"{"iss":"https://b","org_id":"o1","sub":"s1"}"#,
            r#"{"iss":"https://a","org_id":"o2","sub":"s1"}"#,
            r#"{"iss":"https://a","org_id":"o1","sub":"s2"}"#,
            r#"{"iss":"https://a","sub":"s1"}"#,
            "{}",
        ] {
            assert_ne!(one, of(other), "{other}");
        }
    }

    #[test]
    fn a_renewed_token_of_the_same_account_is_the_same() {
        let environment = environment();
        let of = |claims| Identity::of(&environment, &tokens(claims));
        let claims = |exp| format!(r#"{{"iss":"https://a","sub":"s1","exp":{exp}}}"#);
        assert_eq!(of(&claims(1)), of(&claims(2)));
    }
}
