//! One sorting program for lists of every kind.
//!
//! Why: the standard library's is compiled anew for each type and each comparison,
//! several kilobytes of the download every time. This one sorts places.

use std::{cmp::Ordering, mem};

/// Sorts by comparison; what is equal keeps its order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &|a, b| compare(&items[a], &items[b]));
    let mut taken: Vec<Option<T>> = mem::take(items).into_iter().map(Some).collect();
    let in_order = places.into_iter().filter_map(|place| taken[place].take());
    *items = in_order.collect();
}

/// Sorts by a key, which is made once for each item; what is equal keeps its order.
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut keyed: Vec<(K, T)> = mem::take(items)
        .into_iter()
        .map(|item| (key(&item), item))
        .collect();
    sort_by(&mut keyed, |a, b| a.0.cmp(&b.0));
    *items = keyed.into_iter().map(|(_, item)| item).collect();
}

#[inline(never)]
fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|a, b| compare(*a, *b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does_and_keeps_the_order_of_equals() {
        let mut items: Vec<(u32, usize)> = (0..500)
            .map(|n| (u32::try_from(n * 7919 % 41).unwrap_or_default(), n))
            .collect();
        let mut wanted = items.clone();
        wanted.sort_by_key(|it| it.0);
        let mut by_key = items.clone();
        sort_by(&mut items, |a, b| a.0.cmp(&b.0));
        sort_by_key(&mut by_key, |it| it.0);
        assert_eq!(items, wanted);
        assert_eq!(by_key, wanted);
        let mut none: Vec<u8> = Vec::new();
        sort_by(&mut none, u8::cmp);
        assert!(none.is_empty());
    }
}
