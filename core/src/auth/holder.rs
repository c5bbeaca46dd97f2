//! The tokens in hand, and which answer may still replace them.
//!
//! A renewal takes seconds, and much may happen meanwhile: the API refuses the
//! old token, the person signs out, another account signs in. Each sign-in and
//! each sign-out begins a new session with a number of its own; an answer
//! counts only for the session that asked.
//!
//! Invariant: tokens of one session never stand in for another's.

use std::time::Duration;

use super::{Refresh, Tokens};
use crate::domain::Timestamp;

/// Two refusals that are further apart than this have nothing to do with each other.
const SAME_TROUBLE: Duration = Duration::from_mins(10);

/// Which session of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionNumber(u64);

/// Which token of which session: each renewal gives the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenNumber {
    /// The session.
    pub session: SessionNumber,
    renewals: u64,
}

/// The tokens of the present session.
#[derive(Debug, Default)]
pub struct Holder {
    number: SessionNumber,
    tokens: Option<Tokens>,
    /// Those of a session that has expired: what renews them may be good still,
    /// until a sign-in takes its place.
    lapsed: Option<Tokens>,
    /// How often they were renewed.
    renewals: u64,
    /// The last token that the API refused for a POST, and when, until it takes one.
    refused_for_post: Option<(TokenNumber, Timestamp)>,
    /// Two in a row were refused: nothing but another sign-in goes on.
    asks_person: bool,
}

impl Holder {
    /// Nobody is signed in.
    pub fn new() -> Self {
        Self::default()
    }

    /// The present session.
    pub fn number(&self) -> SessionNumber {
        self.number
    }

    /// Its tokens; `None` if nobody is signed in, or the session has expired.
    pub fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// Its tokens, also once the session has expired; `None` if it was ended.
    pub fn latest(&self) -> Option<&Tokens> {
        self.tokens.as_ref().or(self.lapsed.as_ref())
    }

    /// Somebody signed in.
    pub fn begin(&mut self, tokens: Tokens) {
        self.end();
        self.tokens = Some(tokens);
    }

    /// The session is over; gives the tokens to make worthless.
    pub fn end(&mut self) -> Option<Tokens> {
        self.number.0 += 1;
        self.renewals = 0;
        self.refused_for_post = None;
        self.asks_person = false;
        let lapsed = self.lapsed.take();
        self.tokens.take().or(lapsed)
    }

    /// A new sign-in begins: gives what renewed this session, or did until that
    /// expired, to make it worthless. The token at hand serves until the new ones
    /// are there.
    pub fn give_way(&mut self) -> Option<Tokens> {
        let Some(tokens) = &mut self.tokens else {
            return self.lapsed.take();
        };
        let given_up = tokens.clone();
        if tokens.refresh.is_usable() {
            tokens.refresh = Refresh::GivenUp;
        }
        Some(given_up)
    }

    /// The API takes the token of the session `number` no more. Whether that
    /// counts: it is the present session, and there was a token. The session
    /// keeps its number: a renewal that is under way may still save it.
    pub fn expire(&mut self, number: SessionNumber) -> bool {
        if number != self.number || self.tokens.is_none() {
            return false;
        }
        self.lapsed = self.tokens.take();
        true
    }

    /// Whether something may renew this session, also if it has expired meanwhile:
    /// not once that was refused, or given up for a new sign-in.
    pub fn may_renew(&self) -> bool {
        !self.asks_person && self.latest().is_some_and(|it| it.refresh.is_usable())
    }

    /// Takes in renewed tokens of the session `number`. Gives them back if they do
    /// not count.
    pub fn renewed(&mut self, number: SessionNumber, tokens: Tokens) -> Option<Tokens> {
        if number != self.number || !self.may_renew() {
            return Some(tokens);
        }
        self.tokens = Some(tokens);
        self.lapsed = None;
        self.renewals += 1;
        None
    }

    /// Which token is at hand.
    pub fn token_number(&self) -> TokenNumber {
        TokenNumber {
            session: self.number,
            renewals: self.renewals,
        }
    }

    /// The API refused a POST that was sent with this token. Whether it had refused an
    /// earlier one a moment ago as well, and took none in between: then the next one will not do either,
    /// and the POST would be sent and refused for ever. From there on nothing renews this
    /// session.
    pub fn post_refused(&mut self, token: TokenNumber, now: Timestamp) -> bool {
        let before = self.refused_for_post.replace((token, now));
        self.asks_person |= before.is_some_and(|(it, at)| {
            it.session == token.session
                && it.renewals < token.renewals
                && now.since(at) < SAME_TROUBLE
        });
        self.asks_person
    }

    /// The API took the token of a POST, whatever else it said.
    pub fn post_taken(&mut self) {
        self.refused_for_post = None;
    }

    /// The provider did not answer the session `number`, and is not asked before
    /// `until`. Whether that counts.
    pub fn put_off(&mut self, number: SessionNumber, until: Timestamp) -> bool {
        match &mut self.tokens {
            Some(tokens) if number == self.number => {
                tokens.put_off = Some(until);
                true
            }
            _ => false,
        }
    }

    /// The provider renews the session `number` no more; it is not asked
    /// again. Whether that counts.
    pub fn refused(&mut self, number: SessionNumber) -> bool {
        match &mut self.tokens {
            Some(tokens) if number == self.number && tokens.refresh.is_usable() => {
                tokens.refresh = Refresh::Refused;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn tokens(access: &str) -> Tokens {
        let mut it = Tokens::pasted(access, Timestamp::from_millis(0)).expect("a token");
        it.refresh = Refresh::Kept(1);
        it
    }

    fn access(holder: &Holder) -> Option<&str> {
        holder.tokens().map(|it| it.access.as_str())
    }

    #[test]
    fn a_late_renewal_replaces_nobody_else() {
        let mut it = Holder::new();
        it.begin(tokens("alice"));
        let alices = it.number();
        assert!(it.expire(alices));
        it.begin(tokens("bob"));
        assert!(!it.expire(alices), "a late refusal signs nobody else out");
        let late = it.renewed(alices, tokens("alice2"));
        assert_eq!(late.map(|it| it.access), Some("alice2".into()));
        assert!(!it.refused(alices));
        assert_eq!(access(&it), Some("bob"));
        assert!(it.tokens().is_some_and(|it| it.refresh.is_usable()));
    }

    #[test]
    fn two_tokens_in_a_row_that_are_refused_for_a_post_are_enough() {
        let mut it = Holder::new();
        it.begin(tokens("first"));
        let first = it.token_number();
        assert!(!it.post_refused(first, NOW));
        assert!(
            !it.post_refused(first, NOW),
            "of another batch, at the same time"
        );
        assert_eq!(it.renewed(it.number(), tokens("second")), None);
        assert!(!it.post_refused(first, NOW), "a late answer");
        let second = it.token_number();
        assert!(it.may_renew());
        assert!(it.post_refused(second, NOW));
        assert!(it.post_refused(second, NOW), "of another batch");
        assert!(!it.may_renew(), "nothing but a person goes on");
        assert!(it.renewed(it.number(), tokens("late")).is_some());
        it.begin(tokens("again"));
        assert!(it.may_renew());
        // One that was taken in between begins the count anew.
        assert!(!it.post_refused(it.token_number(), NOW));
        assert_eq!(it.renewed(it.number(), tokens("again2")), None);
        it.post_taken();
        assert!(!it.post_refused(it.token_number(), NOW));
        // A token that was renewed for reads in between was refused all the same.
        it.begin(tokens("short"));
        assert!(!it.post_refused(it.token_number(), NOW));
        for access in ["short2", "short3"] {
            assert_eq!(it.renewed(it.number(), tokens(access)), None);
        }
        assert!(it.post_refused(it.token_number(), NOW));
        // Hours later it is another trouble.
        it.begin(tokens("long"));
        assert!(!it.post_refused(it.token_number(), NOW));
        assert_eq!(it.renewed(it.number(), tokens("long2")), None);
        let later = NOW.after(SAME_TROUBLE);
        assert!(!it.post_refused(it.token_number(), later));
        // Another session begins the count anew, too.
        it.begin(tokens("another"));
        assert_eq!(it.renewed(it.number(), tokens("another2")), None);
        assert!(!it.post_refused(it.token_number(), NOW));
    }

    #[test]
    fn a_late_renewal_does_not_undo_a_sign_out() {
        let mut it = Holder::new();
        it.begin(tokens("alice"));
        let alices = it.number();
        assert!(it.end().is_some());
        assert!(it.renewed(alices, tokens("alice2")).is_some());
        assert_eq!(access(&it), None);
    }

    #[test]
    fn a_good_renewal_saves_a_session_that_expired_meanwhile() {
        let mut it = Holder::new();
        it.begin(tokens("old"));
        let number = it.number();
        assert!(it.expire(number));
        assert!(!it.expire(number), "said once");
        assert_eq!(access(&it), None);
        let latest = it.latest().map(|it| it.access.as_str());
        assert_eq!(latest, Some("old"), "whose it was is known");
        assert_eq!(it.renewed(number, tokens("new")), None);
        assert_eq!(access(&it), Some("new"));
    }

    #[test]
    fn a_new_sign_in_gives_up_what_renewed_the_session_before_once() {
        let refresh = |it: Option<Tokens>| it.map(|it| it.refresh);
        let mut it = Holder::new();
        assert_eq!(refresh(it.give_way()), None);
        it.begin(tokens("first"));
        assert_eq!(refresh(it.give_way()), Some(Refresh::Kept(1)));
        // The token at hand serves on; nothing renews it.
        assert_eq!(access(&it), Some("first"));
        assert_eq!(refresh(it.give_way()), Some(Refresh::GivenUp));
        // Also once the session has expired.
        it.begin(tokens("second"));
        assert!(it.expire(it.number()));
        assert_eq!(refresh(it.give_way()), Some(Refresh::Kept(1)));
        assert_eq!(refresh(it.give_way()), None);
        // One that was saved meanwhile has but its new tokens.
        it.begin(tokens("old"));
        assert!(it.expire(it.number()));
        assert_eq!(it.renewed(it.number(), tokens("new")), None);
        assert_eq!(it.end().map(|it| it.access), Some("new".into()));
        assert_eq!(refresh(it.end()), None);
    }

    #[test]
    fn a_renewal_that_was_under_way_does_not_undo_that() {
        for expired in [false, true] {
            let mut it = Holder::new();
            it.begin(tokens("old"));
            if expired {
                assert!(it.expire(it.number()));
            }
            assert!(it.may_renew(), "a renewal is under way");
            assert!(it.give_way().is_some());
            assert!(!it.may_renew(), "nothing asks for another");
            let late = it.renewed(it.number(), tokens("late"));
            assert_eq!(late.map(|it| it.access), Some("late".into()));
            assert_eq!(access(&it), (!expired).then_some("old"));
            assert!(!it.refused(it.number()), "no news");
        }
    }

    #[test]
    fn a_provider_that_does_not_answer_one_session_is_asked_by_the_next() {
        let until = Timestamp::from_millis(9);
        let mut it = Holder::new();
        it.begin(tokens("alice"));
        let alices = it.number();
        assert!(it.put_off(alices, until));
        assert_eq!(it.tokens().and_then(|it| it.put_off), Some(until));
        it.begin(tokens("bob"));
        assert!(!it.put_off(alices, until));
        assert_eq!(it.tokens().and_then(|it| it.put_off), None);
    }

    #[test]
    fn a_refusal_is_remembered() {
        let mut it = Holder::new();
        it.begin(tokens("t"));
        assert!(it.refused(it.number()));
        assert_eq!(it.tokens().map(|it| &it.refresh), Some(&Refresh::Refused));
        assert!(!it.refused(it.number()), "no news");
    }
}
