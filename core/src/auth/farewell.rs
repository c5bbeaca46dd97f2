//! What a sign-out could not do, told to the person who signed out.

/// What became of a sign-out at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// The provider knows that what renews the tokens is to be worthless, or
    /// there was nothing to know.
    pub told: bool,
    /// A provider may have a session of this browser that does not end now.
    pub leaves_open: bool,
}

impl Farewell {
    /// What may still be open; `None` if nothing is.
    pub fn words(self) -> Option<String> {
        let untold = (!self.told).then_some(
            "The provider could not be told of the sign-out: what it gave this tab may be good \
             there until it ends by itself.",
        );
        let open = self.leaves_open.then_some(
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
        let words = |told, leaves_open| {
            let it = Farewell { told, leaves_open };
            it.words().unwrap_or_default()
        };
        assert_eq!(words(true, false), "");
        assert!(words(false, false).starts_with("The provider could not be told"));
        assert!(!words(false, false).contains("session at the provider"));
        assert!(words(true, true).starts_with("Your session at the provider"));
        let both = words(false, true);
        assert!(both.contains("be told") && both.contains("Sign out there"));
    }
}
