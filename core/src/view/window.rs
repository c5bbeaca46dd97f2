//! Which rows of a long list are on screen. Pure arithmetic on pixels.

use std::ops::Range;

/// Rows drawn above and below the screen, so that a fast scroll shows no hole.
const OVERSCAN: usize = 12;
/// The window starts at a multiple of this, so that small scrolls draw nothing.
const STEP: usize = 8;

/// The rows to draw of `total` rows of `row_height` pixels, when the list is
/// scrolled by `top` pixels and `height` pixels of it are seen.
pub fn visible_rows(top: f64, height: f64, row_height: f64, total: usize) -> Range<usize> {
    if row_height.is_nan() || row_height < 1.0 || total == 0 {
        return 0..0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped at zero before
    let rows = |pixels: f64| (pixels.max(0.0) / row_height) as usize;
    // A list that became shorter may still be scrolled to where it was long.
    let lowest = (total as f64 * row_height - height).max(0.0);
    let first = rows(top.min(lowest)).min(total - 1);
    let last = first
        .saturating_add(rows(height))
        .saturating_add(2)
        .min(total);
    let start = first.saturating_sub(OVERSCAN) / STEP * STEP;
    let end = (last + OVERSCAN).div_ceil(STEP) * STEP;
    start..end.min(total)
}

/// The scroll position that brings a row into view with the least movement.
pub fn scroll_to_row(row: usize, top: f64, height: f64, row_height: f64) -> f64 {
    let row_top = row as f64 * row_height;
    let row_bottom = row_top + row_height;
    if row_top < top {
        row_top
    } else if row_bottom > top + height {
        row_bottom - height
    } else {
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_always_drawn() {
        for total in [1, 5, 40, 1000, 100_000] {
            for top in [0.0, 1.0, 17.5, 360.0, 35_999.0, 3_599_640.0] {
                let window = visible_rows(top, 700.0, 36.0, total);
                let highest = (total as f64 * 36.0 - 700.0).max(0.0);
                let top = top.min(highest);
                let window_top = window.start as f64 * 36.0;
                let window_bottom = window.end as f64 * 36.0;
                assert!(window_top <= top, "{total} {top} {window:?}");
                let seen_bottom = (top + 700.0).min(total as f64 * 36.0);
                assert!(window_bottom >= seen_bottom, "{total} {top} {window:?}");
                assert!(window.len() <= 64, "{window:?}");
            }
        }
    }

    #[test]
    fn a_small_scroll_draws_nothing_new() {
        let window = visible_rows(3600.0, 700.0, 36.0, 1000);
        assert_eq!(window, visible_rows(3610.0, 700.0, 36.0, 1000));
    }

    #[test]
    fn nonsense_measures_draw_nothing() {
        for height in [0.0, -3.0, f64::NAN] {
            assert_eq!(visible_rows(0.0, 700.0, height, 10), 0..0);
        }
        assert_eq!(visible_rows(f64::NAN, 700.0, 36.0, 10).start, 0);
        assert_eq!(visible_rows(-50.0, 700.0, 36.0, 10), 0..10);
    }

    #[test]
    fn a_row_comes_into_view_with_the_least_movement() {
        for (row, wanted) in [(0, 0.0), (12, 360.0), (10, 360.0), (40, 776.0)] {
            let top = scroll_to_row(row, 360.0, 700.0, 36.0);
            assert!((top - wanted).abs() < 0.01, "{row}: {top}");
        }
    }
}
