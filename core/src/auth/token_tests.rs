//! What tokens are accepted, and what they say.

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
    let tokens = Tokens::read(body.as_bytes(), &Expectation::default(), NOW).unwrap();
    assert_eq!(tokens.expires, Some(Timestamp::from_millis(4_600_000)));
    assert_eq!(
        (tokens.subject(), tokens.refresh.held()),
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
    let expected = Expectation {
        nonce: Some("mine"),
        ..Expectation::default()
    };
    assert_eq!(
        Tokens::read(body("other").as_bytes(), &expected, NOW),
        Err(TokenError::WrongNonce)
    );
    let tokens = Tokens::read(body("mine").as_bytes(), &expected, NOW).unwrap();
    assert_eq!(tokens.account(), Some("a@b.c"));
    assert_eq!(tokens.expires, None);
}

#[test]
fn an_answer_that_does_not_fit_in_any_part_is_refused() {
    let expected = Expectation {
        issuer: Some("https://p.example/"),
        client_id: Some("retake"),
        nonce: Some("n"),
        subject: Some("u1"),
        access_subject: None,
        audience: Some("https://api.resim.ai"),
        id_token: true,
    };
    let good = r#"{"iss":"https://p.example/","aud":"retake","nonce":"n","sub":"u1"}"#;
    let several = r#"{"iss":"https://p.example/","aud":["x","retake"],"azp":"retake","nonce":"n","sub":"u1","exp":1}"#;
    let api = r#"{"aud":["https://api.resim.ai","https://p.example/userinfo"]}"#;
    let read = |id: Option<&str>, access: &str| {
        let id = id.map_or_else(String::new, |it| format!(r#","id_token":"{}""#, jwt(it)));
        let body = format!(r#"{{"access_token":"{access}"{id}}}"#);
        Tokens::read(body.as_bytes(), &expected, NOW).map(|_| ())
    };
    assert_eq!(read(Some(good), &jwt(api)), Ok(()));
    assert_eq!(read(Some(several), "opaque"), Ok(()));
    for (id, error) in [
        (
            good.replace("p.example/", "p.example"),
            TokenError::WrongIssuer,
        ),
        (
            good.replace("https://p", "https://evil"),
            TokenError::WrongIssuer,
        ),
        (
            good.replace(r#""iss":"https://p.example/","#, ""),
            TokenError::WrongIssuer,
        ),
        (good.replace("retake", "another"), TokenError::WrongAudience),
        (
            good.replace(r#""retake""#, r#"["a","b"]"#),
            TokenError::WrongAudience,
        ),
        (
            good.replace(r#""aud":"retake","#, ""),
            TokenError::WrongAudience,
        ),
        // Given to another client, or for others whom nobody vouches for.
        (
            several.replace(r#""azp":"retake""#, r#""azp":"x""#),
            TokenError::WrongAudience,
        ),
        (
            several.replace(r#""azp":"retake","#, ""),
            TokenError::WrongAudience,
        ),
        (
            good.replace(r#""nonce""#, r#""azp":"x","nonce""#),
            TokenError::WrongAudience,
        ),
        (
            good.replace(r#""nonce":"n""#, r#""nonce":"m""#),
            TokenError::WrongNonce,
        ),
        (good.replace(r#""nonce":"n","#, ""), TokenError::WrongNonce),
        (good.replace("u1", "u2"), TokenError::WrongSubject),
        ("broken".to_owned(), TokenError::NoIdToken),
    ] {
        assert_eq!(read(Some(&id), "opaque"), Err(error), "{id}");
    }
    assert_eq!(read(None, "opaque"), Err(TokenError::NoIdToken));
    let elsewhere = jwt(r#"{"aud":"https://other.example"}"#);
    assert_eq!(read(Some(good), &elsewhere), Err(TokenError::WrongAudience));
}

#[test]
fn a_token_that_is_no_bearer_token_is_not_sent_as_one() {
    for (kind, is_bearer) in [
        ("", true),
        (r#","token_type":"Bearer""#, true),
        (r#","token_type":"bearer""#, true),
        (r#","token_type":"DPoP""#, false),
        (r#","token_type":"mac""#, false),
    ] {
        let body = format!(r#"{{"access_token":"t"{kind}}}"#);
        let read = Tokens::read(body.as_bytes(), &Expectation::default(), NOW);
        assert_eq!(read.is_ok(), is_bearer, "{kind}");
        if let Err(error) = read {
            assert!(error.to_string().contains("token_type"), "{error}");
        }
    }
}

#[test]
fn the_clock_of_this_computer_may_be_wrong() {
    let id = jwt(r#"{"iat":4000000,"exp":4003600}"#);
    let body = format!(r#"{{"access_token":"t","id_token":"{id}","expires_in":600}}"#);
    for now in [0, 4_000_000_000, 90_000_000_000] {
        let now = Timestamp::from_millis(now);
        let tokens = Tokens::read(body.as_bytes(), &Expectation::default(), now).unwrap();
        assert_eq!(tokens.expires, Some(now.after(Duration::from_mins(10))));
    }
}

#[test]
fn a_pasted_token_says_what_it_is_good_for() {
    let says = |claims: &str| Tokens::pasted(&jwt(claims), NOW).unwrap().says(NOW);
    let all = NEEDED.map(|it| format!("\"{it}\"")).join(",");
    assert_eq!(
        says(&format!(
            r#"{{"email":"a@b.c","exp":4600,"permissions":[{all}]}}"#
        )),
        "For a@b.c. Ends in 1 h 00 m. Permits all that Retake uses (7 permissions)."
    );
    let some = all.replace("\"batches:write\",", "");
    assert!(says(&format!(r#"{{"permissions":[{some}]}}"#)).ends_with("Permits no batches:write."));
    assert!(says(r#"{"permissions":[]}"#).ends_with("It permits nothing yet."));
    assert!(says(r#"{"sub":"u\u202e"}"#).starts_with("For u⟨U+202E⟩. It does not say when"));
}

#[test]
fn refusals_and_nonsense_are_told_apart() {
    let refused = Tokens::read(
        br#"{"error":"invalid_grant"}"#,
        &Expectation::default(),
        NOW,
    );
    assert_eq!(
        refused,
        Err(TokenError::Refused("invalid_grant".into(), None))
    );
    for body in ["<html>", "{}", r#"{"access_token":"two words"}"#] {
        assert!(matches!(
            Tokens::read(body.as_bytes(), &Expectation::default(), NOW),
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
}

#[test]
fn a_pasted_token_that_seems_to_have_ended_is_warned_of_and_not_refused() {
    let token = Tokens::pasted(&jwt(r#"{"exp":940}"#), NOW).unwrap();
    let says = token.says(NOW);
    assert!(
        says.starts_with("By this computer's clock it ended 1 m 00 s ago; ReSim decides."),
        "{says}"
    );
}

#[test]
fn a_renewal_without_an_id_token_is_for_the_same_account() {
    let expected = |was| Expectation {
        access_subject: was,
        ..Expectation::default()
    };
    let read = |claims: &str, was| {
        let body = format!(r#"{{"access_token":"{}"}}"#, jwt(claims));
        Tokens::read(body.as_bytes(), &expected(was), NOW).map(|_| ())
    };
    assert_eq!(read(r#"{"sub":"u1"}"#, Some("u1")), Ok(()));
    assert_eq!(
        read(r#"{"sub":"u2"}"#, Some("u1")),
        Err(TokenError::WrongSubject)
    );
    assert_eq!(read(r"{}", Some("u1")), Ok(()), "it does not say");
    assert_eq!(read(r#"{"sub":"u2"}"#, None), Ok(()), "nobody was named");
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

#[test]
fn each_reason_not_to_take_a_token_says_what_to_do() {
    for (error, words) in [
        (
            TokenError::Refused("invalid_grant".into(), Some("expired".into())),
            "The provider gave no token (invalid_grant): expired",
        ),
        (
            TokenError::Refused("invalid_grant".into(), None),
            "The provider gave no token (invalid_grant).",
        ),
        (
            TokenError::WrongNonce,
            "The provider's answer belongs to another sign-in.",
        ),
        (
            TokenError::WrongIssuer,
            "The provider's answer names another provider. Nothing was accepted.",
        ),
        (
            TokenError::WrongAudience,
            "The provider's token is for another application or API. Check client_id and audience \
             in config.json.",
        ),
        (
            TokenError::WrongSubject,
            "The provider's answer is for another account. Sign in again.",
        ),
        (
            TokenError::NoIdToken,
            "The provider gave no ID token. Check that the client may use the scope openid.",
        ),
    ] {
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn what_is_no_token_of_three_readable_parts_claims_nothing() {
    for token in ["", "opaque", "a.b", "e30.!!!.c2ln", "e30.bm90IGpzb24.c2ln"] {
        assert_eq!(Claims::read(token), None, "{token}");
    }
    let silent = Claims::read(&jwt("{}")).unwrap();
    assert_eq!(
        silent.missing(),
        Vec::<&str>::new(),
        "it does not say what it permits"
    );
}

#[test]
fn a_claim_that_is_odd_takes_nothing_from_the_others() {
    let claims = Claims::from_json(
        br#"{"sub":"u","aud":["a","b"],"exp":1893456000.9,"email":7,"permissions":["x",3]}"#,
    )
    .expect("claims");
    assert_eq!(claims.sub.as_deref(), Some("u"));
    assert!(claims.aud.has("b"));
    assert_eq!(claims.exp, Some(1_893_456_000));
    assert_eq!(claims.email, None);
    assert_eq!(claims.permissions, Some(vec!["x".to_owned()]));
    let odd = Claims::from_json(br#"{"sub":"u","permissions":"all"}"#).expect("claims");
    assert_eq!((odd.sub.as_deref(), odd.permissions), (Some("u"), None));
    assert_eq!(Claims::from_json(b"[]"), None);
}
