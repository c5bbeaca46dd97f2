//! The tokens in hand, and which answer may still replace them.
//!
//! A renewal takes seconds, and much may happen meanwhile: the API refuses the
//! old token, the person signs out, another account signs in. Each sign-in and
//! each sign-out begins a new session with a number of its own; an answer
//! counts only for the session that asked.
//!
//! Invariant: tokens of one session never stand in for another's.

use super::{Refresh, Tokens};

/// Which session of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionNumber(u64);

/// The tokens of the present session.
#[derive(Debug, Default)]
pub struct Holder {
    number: SessionNumber,
    tokens: Option<Tokens>,
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

    /// Somebody signed in.
    pub fn begin(&mut self, tokens: Tokens) {
        self.number.0 += 1;
        self.tokens = Some(tokens);
    }

    /// The person signed out; gives the tokens to make worthless.
    pub fn end(&mut self) -> Option<Tokens> {
        self.number.0 += 1;
        self.tokens.take()
    }

    /// The API takes the token of the session `number` no more. Whether that
    /// counts: it is the present session, and there was a token. The session
    /// keeps its number: a renewal that is under way may still save it.
    pub fn expire(&mut self, number: SessionNumber) -> bool {
        number == self.number && self.tokens.take().is_some()
    }

    /// Takes in renewed tokens of the session `number`. Whether they count.
    pub fn renewed(&mut self, number: SessionNumber, tokens: Tokens) -> bool {
        if number != self.number {
            return false;
        }
        self.tokens = Some(tokens);
        true
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
    use crate::domain::Timestamp;

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
        assert!(!it.renewed(alices, tokens("alice2")));
        assert!(!it.refused(alices));
        assert_eq!(access(&it), Some("bob"));
        assert!(it.tokens().is_some_and(|it| it.refresh.is_usable()));
    }

    #[test]
    fn a_late_renewal_does_not_undo_a_sign_out() {
        let mut it = Holder::new();
        it.begin(tokens("alice"));
        let alices = it.number();
        assert!(it.end().is_some());
        assert!(!it.renewed(alices, tokens("alice2")));
        assert_eq!(access(&it), None);
    }

    #[test]
    fn a_good_renewal_saves_a_session_that_expired_meanwhile() {
        let mut it = Holder::new();
        it.begin(tokens("old"));
        let number = it.number();
        assert!(it.expire(number));
        assert!(!it.expire(number), "said once");
        assert!(it.renewed(number, tokens("new")));
        assert_eq!(access(&it), Some("new"));
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
