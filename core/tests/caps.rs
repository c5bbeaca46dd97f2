//! Where a listing is stopped that a server never ends (`reliability.md` §8, #22).

use retake_core::api::{ApiError, Page, Paging};

/// How many pages of this size are taken in before the walk is stopped, and why.
fn walk(bytes: usize) -> (usize, ApiError) {
    let mut paging = Paging::default();
    for page in 1.. {
        let answer: Page<()> = Page {
            items: Vec::new(),
            next: Some(format!("page {page}")),
            total: None,
            bytes,
        };
        if let Err(error) = paging.turn("list the tests", &answer) {
            return (page, error);
        }
    }
    unreachable!("the pages have no end")
}

#[test]
fn a_list_without_end_is_stopped_by_its_pages() {
    let (pages, error) = walk(1);
    assert!((500..=1_000).contains(&pages), "{pages}: {error}");
    println!("{pages} pages of a list without end");
}

#[test]
fn a_list_without_end_is_stopped_by_its_bytes() {
    const MEGABYTE: usize = 1024 * 1024;
    // The last page is what was too much.
    let (pages, error) = walk(MEGABYTE);
    let taken = pages - 1;
    assert!((64..=256).contains(&taken), "{taken}: {error}");
    println!("{taken} MB of a list without end");
}
