//! The rules of signing in: OAuth 2 authorization code with PKCE (RFC 7636),
//! by values. No request is sent and no random number drawn here.
//!
//! - [`pkce`]: verifier and challenge.
//! - [`transaction`]: one sign-in under way, and the answer that must fit it.
//! - [`provider`]: what the provider's discovery document says.
//! - [`device`]: signing in with a code on another device (RFC 8628).
//! - [`token`]: tokens, their expiry, and what they claim.
//! - [`renewal`]: what renews them, when, and how that is said.
//! - [`holder`]: the tokens in hand, and which answer may still replace them.
//! - [`farewell`]: what a sign-out could not do.
//! - [`identity`]: whose a thing is that outlives a page.
//! - [`route`]: where to go back to; a route, never a URL.

pub mod device;
pub mod farewell;
pub mod holder;
pub mod identity;
pub mod pkce;
pub mod provider;
pub mod renewal;
pub mod route;
pub mod token;
pub mod transaction;

pub use device::DeviceCode;
pub use farewell::Farewell;
pub use holder::Holder;
pub use identity::Identity;
pub use provider::Provider;
pub use renewal::{Lasting, Need, Refresh};
pub use token::{Claims, Expectation, TokenError, Tokens};
pub use transaction::{CallbackError, Transaction};
