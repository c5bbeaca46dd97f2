//! What renews the tokens of a sign-in, when that is due, and how it is said.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::Tokens;

use crate::{domain::Timestamp, view::words};

/// Renewed this long before the end, so that no request meets it.
const AHEAD: Duration = Duration::from_mins(1);
/// Never sooner than this after the last time, however short a token lives.
const PACE: Duration = Duration::from_secs(5);
/// This long before its end a token is no longer good for a read: the way takes
/// time, and clocks differ. No more, since a read that is refused for it is
/// repeated with a new one.
const MARGIN: Duration = Duration::from_secs(5);
/// How long until a provider that did not answer is asked again.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What a read does about the token before it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it goes with the token at hand.
    Nothing,
    /// It goes with the token at hand, which is still good; a new one is asked
    /// for meanwhile.
    Soon,
    /// It waits for a new token: the one at hand has ended, or is about to.
    First,
    /// It does not leave: so has the one at hand, and the provider, which did not
    /// answer, is not asked again yet.
    Later,
}

/// The refresh token, or where it is. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Refresh {
    /// There is none.
    #[default]
    None,
    /// A worker keeps it, where no script of the page reads it; the number
    /// stands for it.
    Kept(u32),
    /// It is here, since this browser starts no worker.
    Held(String),
    /// There was one, and the provider takes it no more.
    Refused,
    /// There was one, until a new sign-in began.
    GivenUp,
}

impl Refresh {
    /// Whether it may still get new tokens.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Held(_))
    }

    /// The token itself, if it is in the page's hands.
    pub fn held(&self) -> Option<&str> {
        match self {
            Self::Held(token) => Some(token),
            _ => None,
        }
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Kept(_) => "Kept",
            Self::Held(_) => "Held",
            Self::Refused => "Refused",
            Self::GivenUp => "GivenUp",
        })
    }
}

impl Tokens {
    /// When to get new ones: a minute before the end, or after half of the
    /// lifetime, whichever is later, since a token of a minute would otherwise
    /// be renewed without a pause; not before a provider that did not answer may
    /// be asked again. `None`: nothing renews them, or nothing says when they end.
    pub fn renew_at(&self) -> Option<Timestamp> {
        let at = self.due_at()?;
        Some(self.put_off.map_or(at, |it| it.max(at)))
    }

    /// What a read does about them before it leaves.
    pub fn need(&self, now: Timestamp) -> Need {
        if !self.may_end_on_the_way(now) {
            return Need::Nothing;
        }
        let is_good = self.expires.is_some_and(|end| end > now.after(MARGIN));
        let is_put_off = self.put_off.is_some_and(|at| at > now);
        match (is_good, is_put_off) {
            (true, true) => Need::Nothing,
            (true, false) => Need::Soon,
            (false, true) => Need::Later,
            (false, false) => Need::First,
        }
    }

    /// Whether a POST has to wait for new ones: these may end while it is on its
    /// way. Also if the provider did not answer a moment ago.
    pub fn may_end_on_the_way(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|at| at <= now)
    }

    /// When new ones are due, whatever the provider did when it was asked.
    fn due_at(&self) -> Option<Timestamp> {
        let end = self.expires.filter(|_| self.refresh.is_usable())?;
        let half = (end.since(self.since) / 2).max(PACE);
        let ahead = i64::try_from(AHEAD.as_millis()).unwrap_or(0);
        let ahead = Timestamp::from_millis(end.as_millis().saturating_sub(ahead));
        Some(ahead.max(self.since.after(half)))
    }
}

/// Codes of a token endpoint that ask to come again, not for good.
const LATER: [&str; 3] = ["temporarily_unavailable", "server_error", "slow_down"];

/// Whether the answer to a renewal is the provider's own word: new tokens, or a refusal
/// (RFC 6749 §5). A gateway's page, a proxy's, and a provider that asks to come again say
/// nothing of the refresh token, which is as good as before.
pub fn is_answered(status: u16, body: &[u8]) -> bool {
    if matches!(status, 408 | 425 | 429) || status >= 500 {
        return false;
    }
    let Ok(answer) = crate::json::from_bytes::<Value>(body) else {
        return false;
    };
    match answer["error"].as_str() {
        Some(code) => !LATER.contains(&code),
        None => answer["access_token"].is_string(),
    }
}

/// How long a sign-in lasts, for the person who looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lasting {
    /// Signed in by a pasted token.
    pub pasted: bool,
    /// When the token ends, where that is known.
    pub expires: Option<Timestamp>,
    /// When it is renewed by itself, where that is known.
    pub renew_at: Option<Timestamp>,
    /// The provider did not answer the last time.
    is_put_off: bool,
    refresh: RefreshIs,
}

/// [`Refresh`] without its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshIs {
    Missing,
    Kept,
    Held,
    Refused,
    GivenUp,
}

impl Lasting {
    /// Of these tokens.
    pub fn of(tokens: &Tokens, pasted: bool) -> Self {
        Self {
            pasted,
            expires: tokens.expires,
            renew_at: tokens.renew_at(),
            is_put_off: tokens.put_off.is_some(),
            refresh: match tokens.refresh {
                Refresh::None => RefreshIs::Missing,
                Refresh::Kept(_) => RefreshIs::Kept,
                Refresh::Held(_) => RefreshIs::Held,
                Refresh::Refused => RefreshIs::Refused,
                Refresh::GivenUp => RefreshIs::GivenUp,
            },
        }
    }

    /// Whether what renews it was given up for a new sign-in, which is not there yet.
    pub fn is_given_up(&self) -> bool {
        self.refresh == RefreshIs::GivenUp
    }

    /// When it ends or is renewed, by `now`; in words for a menu.
    pub fn words(&self, now: Timestamp) -> String {
        let ends = match self.expires {
            Some(at) if at <= now => "past its end by this computer's clock".to_owned(),
            Some(at) => format!("ends in {}", words::duration(at.since(now))),
            None => "does not say when it ends".to_owned(),
        };
        if self.pasted {
            return format!("pasted token, {ends}");
        }
        match self.refresh {
            RefreshIs::Missing => format!("{ends}; the provider gave nothing to renew it with"),
            RefreshIs::Refused => format!("{ends}; the provider refuses to renew it"),
            RefreshIs::GivenUp => format!("{ends}; not renewed, since a new sign-in began"),
            RefreshIs::Kept | RefreshIs::Held => {
                let next = self.renew_at.map_or_else(String::new, |at| {
                    let how = if self.is_put_off { "" } else { ", next" };
                    format!("{how} in {}", words::duration(at.since(now)))
                });
                let held = if self.refresh == RefreshIs::Held {
                    ". This browser started no worker, so the page itself keeps what renews it"
                } else {
                    ""
                };
                if self.is_put_off {
                    format!("{ends}; the provider did not answer, asked again{next}{held}")
                } else {
                    format!("renewed by itself{next}{held}")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn tokens(lifetime: Option<u64>, refresh: Refresh) -> Tokens {
        let mut it = Tokens::pasted("t", NOW).expect("a token");
        it.expires = lifetime.map(|it| NOW.after(Duration::from_secs(it)));
        it.refresh = refresh;
        it
    }

    #[test]
    fn only_the_providers_own_word_decides_about_a_refresh_token() {
        let grant = r#"{"access_token":"a"}"#;
        for (status, body, is_word) in [
            (200, grant, true),
            (400, r#"{"error":"invalid_grant"}"#, true),
            (401, r#"{"error":"invalid_client"}"#, true),
            // A proxy, a gateway, a firewall, a page to sign in to the network.
            (200, "<html>Welcome</html>", false),
            (200, "{}", false),
            (403, "<html>Forbidden</html>", false),
            (403, r#"{"message":"Forbidden"}"#, false),
            (404, "", false),
            (408, r#"{"error":"invalid_grant"}"#, false),
            (429, grant, false),
            (503, r#"{"error":"invalid_grant"}"#, false),
            (400, r#"{"error":"temporarily_unavailable"}"#, false),
            (400, r#"{"error":"server_error"}"#, false),
        ] {
            assert_eq!(
                is_answered(status, body.as_bytes()),
                is_word,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn renewed_a_minute_ahead_or_at_half_whichever_is_later() {
        for (lifetime, after) in [
            (86_400, 86_340),
            (3_600, 3_540),
            (121, 61),
            (120, 60),
            (64, 32),
            (61, 30),
            (60, 30),
            (10, 5),
            (2, 5),
            (0, 5),
        ] {
            let at = tokens(Some(lifetime), Refresh::Kept(1)).renew_at();
            let pause = at.expect("due some time").since(NOW).as_secs();
            assert_eq!(pause, after, "a life of {lifetime} s");
        }
    }

    /// What a read needs, so many seconds after the token came.
    fn assert_needs(it: &Tokens, needs: &[(u64, Need)]) {
        for (after, need) in needs {
            let now = NOW.after(Duration::from_secs(*after));
            assert_eq!(it.need(now), *need, "after {after} s");
        }
    }

    #[test]
    fn a_read_waits_only_for_a_token_that_has_ended_or_is_about_to() {
        let it = tokens(Some(3_600), Refresh::Kept(1));
        let needs = [
            (0, Need::Nothing),
            (3_539, Need::Nothing),
            (3_540, Need::Soon),
            (3_594, Need::Soon),
            (3_595, Need::First),
            (3_600, Need::First),
            (9_999, Need::First),
        ];
        assert_needs(&it, &needs);
        for (after, need) in needs {
            let now = NOW.after(Duration::from_secs(after));
            // A POST goes with none that a read would have renewed.
            assert_eq!(it.may_end_on_the_way(now), need != Need::Nothing);
        }
        for refresh in [Refresh::None, Refresh::Refused, Refresh::GivenUp] {
            let it = tokens(Some(60), refresh);
            let late = NOW.after(Duration::from_mins(9));
            assert_eq!(it.need(late), Need::Nothing, "nothing to wait for");
            assert!(!it.may_end_on_the_way(late));
        }
    }

    #[test]
    fn a_provider_that_did_not_answer_is_asked_again_after_a_pause() {
        let mut it = tokens(Some(3_600), Refresh::Kept(1));
        let asked = NOW.after(Duration::from_mins(59));
        let again = asked.after(PATIENCE);
        it.put_off = Some(again);
        assert_eq!(it.renew_at(), Some(again));
        assert_eq!(it.need(asked), Need::Nothing, "reads do not ask meanwhile");
        assert_eq!(it.need(again), Need::Soon, "there is time for another");
        assert!(it.may_end_on_the_way(asked), "a POST is not let off");
        // Asked shortly before the end: from there on nothing is sent in vain.
        it.put_off = Some(NOW.after(Duration::from_secs(3_610)));
        let needs = [
            (3_594, Need::Nothing),
            (3_595, Need::Later),
            (3_600, Need::Later),
            (3_609, Need::Later),
            (3_610, Need::First),
        ];
        assert_needs(&it, &needs);
        it.put_off = Some(NOW);
        assert_eq!(it.renew_at(), Some(asked), "never before it is due");
    }

    #[test]
    fn what_nothing_renews_is_never_due() {
        for refresh in [Refresh::None, Refresh::Refused, Refresh::GivenUp] {
            assert_eq!(tokens(Some(60), refresh).renew_at(), None);
        }
        assert_eq!(tokens(None, Refresh::Held("r".into())).renew_at(), None);
    }

    #[test]
    fn the_menu_promises_only_what_will_be() {
        let says =
            |lifetime, refresh, pasted| Lasting::of(&tokens(lifetime, refresh), pasted).words(NOW);
        assert_eq!(
            says(Some(3_600), Refresh::Kept(1), false),
            "renewed by itself, next in 59 m 00 s"
        );
        assert_eq!(says(None, Refresh::Kept(1), false), "renewed by itself");
        let held = says(Some(3_600), Refresh::Held("r".into()), false);
        assert!(held.contains("started no worker"), "{held}");
        let mut late = tokens(Some(60), Refresh::Kept(1));
        late.put_off = Some(NOW.after(Duration::from_secs(45)));
        assert_eq!(
            Lasting::of(&late, false).words(NOW),
            "ends in 1 m 00 s; the provider did not answer, asked again in 45 s"
        );
        for refresh in [Refresh::None, Refresh::Refused, Refresh::GivenUp] {
            let text = says(Some(3_600), refresh, false);
            assert!(text.starts_with("ends in 1 h 00 m; "), "{text}");
            assert!(!text.contains("renewed by itself"), "{text}");
        }
        let given_up = says(Some(3_600), Refresh::GivenUp, false);
        assert!(given_up.ends_with("; not renewed, since a new sign-in began"));
        assert!(!given_up.contains("provider"), "{given_up}");
        assert_eq!(
            says(Some(0), Refresh::None, true),
            "pasted token, past its end by this computer's clock"
        );
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let text = format!("{:?}", Refresh::Held("topsecret".into()));
        assert!(!text.contains("topsecret"));
    }

    #[test]
    fn what_is_logged_of_a_refresh_token_tells_where_it_is_and_never_the_token() {
        for (refresh, shown, usable) in [
            (Refresh::None, "None", false),
            (Refresh::Kept(7), "Kept", true),
            (Refresh::Held("r-secret".into()), "Held", true),
            (Refresh::Refused, "Refused", false),
            (Refresh::GivenUp, "GivenUp", false),
        ] {
            assert_eq!(format!("{refresh:?}"), shown);
            assert_eq!(refresh.is_usable(), usable, "{shown}");
            assert_eq!(refresh.held().is_some(), shown == "Held");
        }
    }
}
