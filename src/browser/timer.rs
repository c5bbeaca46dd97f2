//! One timer. Dropping it stops it.

use std::time::Duration;

use futures::future::{Either, select};
use gloo_timers::callback::Timeout;

/// A timer that is under way.
#[derive(Debug)]
pub struct Timer {
    _timeout: Timeout,
}

impl Timer {
    /// Calls `act` once, after `delay`. A browser may be late, in a hidden tab
    /// by a minute; delays above 24 days come early.
    pub fn after(delay: Duration, act: impl FnOnce() + 'static) -> Self {
        // Browsers keep the delay in 31 bits.
        let millis = u32::try_from(delay.as_millis())
            .unwrap_or(u32::MAX)
            .min(0x7FFF_FFFF);
        Self {
            _timeout: Timeout::new(millis, act),
        }
    }
}

/// Waits for `delay`.
pub async fn sleep(delay: Duration) {
    let millis = u32::try_from(delay.as_millis())
        .unwrap_or(u32::MAX)
        .min(0x7FFF_FFFF);
    gloo_timers::future::TimeoutFuture::new(millis).await;
}

/// What `work` gives, if it does so within `limit`; nothing more is done for it then, but
/// a request that it has sent is not called back (`fetch` has limits of its own for that).
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(Box::pin(work), Box::pin(sleep(limit))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
