//! One timer. Dropping it stops it.

use std::time::Duration;

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
