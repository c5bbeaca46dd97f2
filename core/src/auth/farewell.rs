//! What a sign-out could not do, told to the person who signed out.

/// What became of a sign-out at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// The provider knows that what renews the tokens is to be worthless, or
    /// there was nothing to know.
    pub told: bool,
    /// The browser goes on to where the provider ends its session.
    pub ends_session: bool,
    /// Signed in by a code on another device: the provider's session, if there
    /// is one, is that one's.
    pub by_device: bool,
}

impl Farewell {
    /// What may still be open; `None` if nothing is.
    pub fn words(self) -> Option<String> {
        let untold = (!self.told).then_some(
            "The provider could not be told of the sign-out: what it gave this tab may be good \
             there until it ends by itself.",
        );
        let open = (!self.ends_session && !self.by_device).then_some(
            "Your session at the provider may still be open: the next sign-in in this browser may \
             ask for no password. Sign out there as well.",
        );
        let all: Vec<&str> = untold.into_iter().chain(open).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_still_be_open_is_said_and_nothing_else() {
        let words = |told, ends_session, by_device| {
            let it = Farewell {
                told,
                ends_session,
                by_device,
            };
            it.words().unwrap_or_default()
        };
        assert_eq!(words(true, true, false), "");
        assert_eq!(words(true, false, true), "");
        assert!(words(false, true, false).starts_with("The provider could not be told"));
        assert!(!words(false, true, false).contains("session at the provider"));
        assert!(words(true, false, false).starts_with("Your session at the provider"));
        let both = words(false, false, false);
        assert!(both.contains("be told") && both.contains("Sign out there"));
    }
}
