//! Makes nearly right input from right input.

use crate::dice::Dice;

/// The longest input, in bytes.
const LONGEST: usize = 64 * 1024;

/// Words that trouble readers of any kind.
const WORDS: [&str; 56] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "1e309",
    "-0.0",
    "0.5",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e-400",
    "[]",
    "{}",
    "[[]]",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u202e\"",
    "\"\\ufeff\"",
    "\\",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "<script>",
    "\u{1b}[31m",
    "%00",
    "%2e%2e",
    "%zz",
    "%",
    "//",
    "/",
    "\\\\",
    "?",
    "#",
    "&",
    "=",
    "@",
    "..",
    "é",
    "\r\n",
    "\n",
    "\0",
];

/// Bytes that end or begin something.
const ODD: &[u8] = b"\"\\{}[]:,0-.eE+/%&?=#@ \n\t\0\x7f\xff";

/// A mutation of `base`. `other` is another input of the same target, `words`
/// are the target's own.
pub fn mutate(base: &[u8], other: &[u8], words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut it = base.to_vec();
    // Mostly one change: two seldom let each other be reached.
    let changes = [1, 1, 1, 2, 3, 5][dice.below(6)];
    for _ in 0..changes {
        change(&mut it, other, words, dice);
    }
    it.truncate(LONGEST);
    it
}

fn change(it: &mut Vec<u8>, other: &[u8], words: &[&str], dice: &mut Dice) {
    match dice.below(16) {
        0 => flip(it, dice),
        1 => delete(it, dice),
        2 => repeat(it, dice),
        3 => truncate(it, dice),
        4 => splice(it, other, dice),
        5 => lines(it, dice),
        6 => number(it, dice),
        7 => nest(it, dice),
        8 => swap_tokens(it, dice),
        9 => drop_pair(it, dice),
        10 | 11 => insert(it, word(words, dice), dice),
        12 => take_token(it, other, dice),
        _ => replace_token(it, word(words, dice), dice),
    }
}

fn word<'a>(words: &[&'a str], dice: &mut Dice) -> &'a [u8] {
    if words.is_empty() || dice.once_in(3) {
        dice.pick(&WORDS).as_bytes()
    } else {
        dice.pick(words).as_bytes()
    }
}

fn flip(it: &mut [u8], dice: &mut Dice) {
    let at = dice.below(it.len());
    if let Some(byte) = it.get_mut(at) {
        *byte = if dice.once_in(2) {
            *byte ^ (1 << dice.below(8))
        } else {
            ODD[dice.below(ODD.len())]
        };
    }
}

/// A range of `it`, mostly short.
fn range(it: &[u8], dice: &mut Dice) -> std::ops::Range<usize> {
    let from = dice.below(it.len() + 1);
    let most = if dice.once_in(4) { it.len() } else { 16 };
    let to = (from + dice.below(most + 1)).min(it.len());
    from..to
}

fn delete(it: &mut Vec<u8>, dice: &mut Dice) {
    let range = range(it, dice);
    it.drain(range);
}

fn repeat(it: &mut Vec<u8>, dice: &mut Dice) {
    let range = range(it, dice);
    let piece = it[range.clone()].to_vec();
    let times = if dice.once_in(20) {
        300
    } else {
        1 + dice.below(3)
    };
    let times = times.min(LONGEST / piece.len().max(1));
    it.splice(range.end..range.end, piece.repeat(times));
}

fn truncate(it: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(it.len() + 1);
    it.truncate(at);
}

fn splice(it: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (here, there) = (range(it, dice), range(other, dice));
    it.splice(here, other[there].iter().copied());
}

/// Lines are the records of a journal and the head of an answer.
fn lines(it: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = it.split(|c| *c == b'\n').map(<[u8]>::to_vec).collect();
    let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(3) {
        0 => lines.swap(a, b),
        1 => drop(lines.remove(a)),
        _ => lines.insert(a, lines[b].clone()),
    }
    *it = lines.join(&b'\n');
}

fn number(it: &mut Vec<u8>, dice: &mut Dice) {
    let numbers: Vec<_> = tokens(it)
        .into_iter()
        .filter(|range| it[range.start].is_ascii_digit() || it[range.start] == b'-')
        .collect();
    if let Some(range) = numbers.get(dice.below(numbers.len())) {
        let word = &WORDS[3..16][dice.below(13)];
        it.splice(range.clone(), word.bytes());
    }
}

fn nest(it: &mut Vec<u8>, dice: &mut Dice) {
    let depth = if dice.once_in(3) { 200 } else { 1 };
    let (open, close): (&[u8], &[u8]) = if dice.once_in(2) {
        (b"[", b"]")
    } else {
        (b"{\"a\":", b"}")
    };
    let tokens = tokens(it);
    let range = tokens
        .get(dice.below(tokens.len()))
        .map_or(0..it.len(), Clone::clone);
    it.splice(range.end..range.end, close.repeat(depth));
    it.splice(range.start..range.start, open.repeat(depth));
}

fn swap_tokens(it: &mut Vec<u8>, dice: &mut Dice) {
    let tokens = tokens(it);
    if tokens.len() < 2 {
        return;
    }
    let (a, b) = (dice.below(tokens.len()), dice.below(tokens.len()));
    let (a, b) = (a.min(b), a.max(b));
    if a == b {
        return;
    }
    let (first, second) = (
        it[tokens[a].clone()].to_vec(),
        it[tokens[b].clone()].to_vec(),
    );
    it.splice(tokens[b].clone(), first);
    it.splice(tokens[a].clone(), second);
}

/// Takes a key with its value out, as an older deployment does.
fn drop_pair(it: &mut Vec<u8>, dice: &mut Dice) {
    let tokens = tokens(it);
    let keys: Vec<usize> = (0..tokens.len().saturating_sub(1))
        .filter(|n| it[tokens[*n].end..].trim_ascii_start().starts_with(b":"))
        .collect();
    let Some(key) = keys.get(dice.below(keys.len())) else {
        return;
    };
    let mut end = tokens[key + 1].end;
    if it[end..].starts_with(b",") {
        end += 1;
    }
    it.drain(tokens[*key].start..end);
}

fn insert(it: &mut Vec<u8>, word: &[u8], dice: &mut Dice) {
    let at = dice.below(it.len() + 1);
    it.splice(at..at, word.iter().copied());
}

fn replace_token(it: &mut Vec<u8>, word: &[u8], dice: &mut Dice) {
    let tokens = tokens(it);
    let Some(range) = tokens.get(dice.below(tokens.len())) else {
        return it.extend_from_slice(word);
    };
    // A word that is bare stays a string where one was.
    let was_string = it[range.start] == b'"';
    let is_bare = word.first().is_some_and(u8::is_ascii_alphabetic);
    let new = if was_string && is_bare && !dice.once_in(8) {
        [b"\"", word, b"\""].concat()
    } else {
        word.to_vec()
    };
    it.splice(range.clone(), new);
}

fn take_token(it: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (here, there) = (tokens(it), tokens(other));
    let (Some(here), Some(there)) = (
        here.get(dice.below(here.len())),
        there.get(dice.below(there.len())),
    ) else {
        return;
    };
    it.splice(here.clone(), other[there.clone()].iter().copied());
}

/// Strings with their quotes, and runs of letters and digits.
fn tokens(it: &[u8]) -> Vec<std::ops::Range<usize>> {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || b"_-+.%".contains(&c) || c >= 0x80;
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < it.len() {
        let start = at;
        if it[at] == b'"' {
            at += 1;
            while at < it.len() && it[at] != b'"' {
                at += if it[at] == b'\\' { 2 } else { 1 };
            }
            at = (at + 1).min(it.len());
            tokens.push(start..at);
        } else if is_word(it[at]) {
            while at < it.len() && is_word(it[at]) {
                at += 1;
            }
            tokens.push(start..at);
        } else {
            at += 1;
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_strings_and_words() {
        let text = br#"{"a\"b": -12.5, x:["y"}"#;
        let found: Vec<&[u8]> = tokens(text).into_iter().map(|it| &text[it]).collect();
        let wanted: [&[u8]; 4] = [b"\"a\\\"b\"", b"-12.5", b"x", b"\"y\""];
        assert_eq!(found, wanted);
        assert_eq!(tokens(b"\"open\\").first(), Some(&(0..6)));
    }

    #[test]
    fn the_same_seed_makes_the_same_input_and_no_input_is_too_long() {
        let base = br#"{"jobs":[{"jobID":"x","n":1}],"nextPageToken":""}"#;
        let run = |seed| {
            let mut dice = Dice::new(seed, "t");
            let mut it = base.to_vec();
            for _ in 0..500 {
                it = mutate(&it, base, &["jobs"], &mut dice);
                assert!(it.len() <= LONGEST);
            }
            it
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
