//! Which rows of a long list are on screen. Pure arithmetic on pixels.

use std::ops::Range;

/// Rows drawn above and below the screen, so that a fast scroll shows no hole.
const OVERSCAN: usize = 6;
/// The window starts at a multiple of this, so that small scrolls draw nothing.
const STEP: usize = 4;

/// The rows to draw of `total` rows of `row_height` pixels, when the list is
/// scrolled by `top` pixels and `height` pixels of it are seen.
pub fn visible_rows(top: f64, height: f64, row_height: f64, total: usize) -> Range<usize> {
    if row_height.is_nan() || row_height < 1.0 || total == 0 {
        return 0..0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped at zero before"
    )]
    let rows = |pixels: f64| (pixels.max(0.0) / row_height) as usize;
    // A list that became shorter may still be scrolled to where it was long.
    let lowest = (total as f64 * row_height - height).max(0.0);
    let first = rows(top.min(lowest)).min(total - 1);
    let start = first.saturating_sub(OVERSCAN) / STEP * STEP;
    // Everywhere as many, so that scrolling neither makes nor removes elements.
    let drawn = rows(height).saturating_add(2 + 2 * OVERSCAN + STEP);
    let drawn = (drawn.div_ceil(STEP) * STEP).min(total);
    let start = start.min(total - drawn);
    start..start + drawn
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

/// Which row of the list each drawn element stands for.
///
/// An element keeps its row while that is drawn; one whose row was scrolled away
/// takes up a row that came into view. So scrolling makes no elements, and takes no
/// test away from the one with the keyboard's focus. (An order that is made anew
/// does: rows are places.)
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots(Vec<Option<usize>>);

impl Slots {
    /// Draws `rows`, and `keep` wherever it is.
    #[must_use]
    pub fn showing(mut self, rows: Range<usize>, keep: Option<usize>) -> Self {
        let mut missing = vec![true; rows.len()];
        let mut is_kept = false;
        for slot in &mut self.0 {
            let Some(row) = *slot else { continue };
            is_kept |= keep == Some(row);
            if rows.contains(&row) {
                missing[row - rows.start] = false;
            } else if keep != Some(row) {
                *slot = None;
            }
        }
        let start = rows.start;
        let missing = missing.into_iter().enumerate();
        let mut wanted = missing.filter_map(|(n, is_missing)| is_missing.then_some(start + n));
        for slot in &mut self.0 {
            if slot.is_none() {
                *slot = wanted.next();
            }
        }
        self.0.extend(wanted.map(Some));
        let comes = keep.filter(|row| !is_kept && !rows.contains(row));
        if let Some(row) = comes {
            match self.0.iter_mut().find(|slot| slot.is_none()) {
                Some(free) => *free = Some(row),
                None => self.0.push(Some(row)),
            }
        }
        self
    }

    /// The elements that there are.
    pub fn elements(&self) -> Vec<usize> {
        let rows = self.0.iter().enumerate();
        rows.filter_map(|(slot, row)| row.map(|_| slot)).collect()
    }

    /// The row of an element; `None`: it is gone.
    pub fn row(&self, slot: usize) -> Option<usize> {
        self.0.get(slot).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(slots: &Slots) -> Vec<Option<usize>> {
        slots.0.clone()
    }

    #[test]
    fn an_element_keeps_its_row_and_a_free_one_takes_up_what_comes() {
        let slots = Slots::default().showing(0..4, None);
        assert_eq!(rows(&slots), [0, 1, 2, 3].map(Some));
        let slots = slots.showing(2..6, None);
        assert_eq!(rows(&slots), [4, 5, 2, 3].map(Some));
        // A shorter list takes elements away, a longer one brings them back.
        let slots = slots.showing(4..6, None);
        assert_eq!(rows(&slots), [Some(4), Some(5), None, None]);
        assert_eq!(slots.elements(), [0, 1]);
        assert_eq!(rows(&slots.showing(3..8, None)).iter().flatten().count(), 5);
    }

    #[test]
    fn the_row_with_the_focus_keeps_its_element_wherever_the_list_is() {
        let mut slots = Slots::default().showing(0..40, None);
        let focused = 17;
        for start in [3, 40, 99_960, 500, 10] {
            slots = slots.showing(start..start + 40, Some(focused));
            assert_eq!(slots.row(focused), Some(focused), "at {start}");
            let shown: std::collections::BTreeSet<usize> =
                rows(&slots).into_iter().flatten().collect();
            assert!((start..start + 40).all(|row| shown.contains(&row)));
            assert!(slots.0.len() <= 41, "{slots:?}");
        }
        // A row that is gone to before it is drawn gets an element, too.
        let slots = slots.showing(0..40, Some(70));
        assert!(rows(&slots).contains(&Some(70)));
    }

    #[test]
    fn no_row_is_drawn_twice() {
        let mut slots = Slots::default();
        for (start, keep) in [
            (0, None),
            (5, Some(2)),
            (2, Some(2)),
            (30, Some(31)),
            (0, None),
        ] {
            slots = slots.showing(start..start + 12, keep);
            let mut shown: Vec<usize> = rows(&slots).into_iter().flatten().collect();
            let all = shown.len();
            shown.sort_unstable();
            shown.dedup();
            assert_eq!(shown.len(), all);
        }
    }

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
    fn as_many_rows_are_drawn_wherever_a_long_list_is() {
        let drawn = visible_rows(0.0, 700.0, 36.0, 1000).len();
        for top in 0..1000 {
            let top = f64::from(top) * 36.0;
            assert_eq!(visible_rows(top, 700.0, 36.0, 1000).len(), drawn, "{top}");
        }
        assert_eq!(visible_rows(0.0, 700.0, 36.0, 20), 0..20);
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
