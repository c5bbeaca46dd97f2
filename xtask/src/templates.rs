//! Finds the static markup that the app was compiled with.
//!
//! Why: Leptos turns static parts of `view!` into elements through `innerHTML`,
//! which Trusted Types forbid unless a policy admits the text. A policy that
//! admits any text would be no protection, so the build collects the texts that
//! exist: the macro writes each as one literal, so each lies in one piece among
//! the constants of the WebAssembly file. Whatever there reads as one whole
//! element is on the list; nothing that comes from outside can be.
//!
//! Elsewhere: the policy itself (`boot.js`), putting the list there (`finish.rs`).

use std::collections::BTreeSet;

use crate::failure::{Outcome, fail};

/// Elements without content, as HTML defines them.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// What no static markup of ours contains: it could run code or would be
/// blocked by the content security policy.
const NEVER: [&str; 6] = ["script", "style", "iframe", "object", "embed", "base"];

/// Every whole element among the constants of a WebAssembly file, in order.
///
/// # Errors
/// When the file cannot be read as WebAssembly, or its markup could run code.
pub(crate) fn collect(wasm: &[u8]) -> Outcome<Vec<String>> {
    let Some(segments) = constants(wasm) else {
        return fail("The compiled app is not a WebAssembly file that can be read.");
    };
    let mut found = BTreeSet::new();
    for bytes in segments {
        for at in 0..bytes.len() {
            if bytes[at] == b'<'
                && let Some(end) = element(&bytes, at)
                && let Ok(text) = std::str::from_utf8(&bytes[at..end])
            {
                found.insert(text.to_owned());
            }
        }
    }
    if let Some(text) = found.iter().find(|text| is_dangerous(text)) {
        return fail(format!(
            "Static markup of the app could run code or carries its own style: {text}"
        ));
    }
    Ok(found.into_iter().collect())
}

/// The constants in the order of their addresses, pieces that touch joined.
fn constants(wasm: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = wasm.strip_prefix(b"\0asm\x01\0\0\0")?;
    let mut pieces: Vec<(u64, &[u8])> = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        let size = usize::try_from(number(&mut rest)?).ok()?;
        let (section, after) = rest.split_at_checked(size)?;
        rest = after;
        if id == 11 {
            data_section(section, &mut pieces)?;
        }
    }
    pieces.sort_by_key(|(address, _)| *address);
    let mut joined: Vec<(u64, Vec<u8>)> = Vec::new();
    for (address, bytes) in pieces {
        match joined.last_mut() {
            Some((start, before)) if *start + before.len() as u64 == address => {
                before.extend(bytes);
            }
            _ => joined.push((address, bytes.to_vec())),
        }
    }
    Some(joined.into_iter().map(|(_, bytes)| bytes).collect())
}

fn data_section<'a>(mut section: &'a [u8], pieces: &mut Vec<(u64, &'a [u8])>) -> Option<()> {
    for passive in 0..number(&mut section)? {
        let kind = number(&mut section)?;
        if kind == 2 {
            number(&mut section)?;
        }
        // A passive piece has no address; it gets one that touches no other.
        let mut address = (1 << 40) + (passive << 20);
        if kind != 1 {
            // i32.const, a number, end: the only address that rustc writes.
            section = section.strip_prefix(&[0x41])?;
            address = number(&mut section)?;
            section = section.strip_prefix(&[0x0b])?;
        }
        let size = usize::try_from(number(&mut section)?).ok()?;
        let (bytes, after) = section.split_at_checked(size)?;
        section = after;
        pieces.push((address, bytes));
    }
    Some(())
}

/// A number in LEB128. Addresses are signed there, but below 2^31.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The end of the whole element that begins at `at`, written as the macro does.
fn element(bytes: &[u8], at: usize) -> Option<usize> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut now = at;
    loop {
        let rest = &bytes[now..];
        if let Some(closing) = rest.strip_prefix(b"</") {
            let name = open.pop()?;
            let after = closing.strip_prefix(name)?.strip_prefix(b">")?;
            now = bytes.len() - after.len();
        } else if rest.starts_with(b"<") {
            let (name, after) = opening(&rest[1..])?;
            now = bytes.len() - after.len();
            if !VOID.iter().any(|void| void.as_bytes() == name) {
                open.push(name);
            }
        } else {
            // Text goes on to the next tag; a zero byte belongs to no text.
            let next = rest.iter().position(|byte| *byte == b'<' || *byte == 0)?;
            if rest[next] == 0 {
                return None;
            }
            now += next;
        }
        if open.is_empty() {
            return Some(now);
        }
    }
}

/// Name of an opening tag, and what follows the tag.
fn opening(mut rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = word(&mut rest)?;
    loop {
        if let Some(after) = rest.strip_prefix(b">") {
            return Some((name, after));
        }
        rest = rest.strip_prefix(b" ")?;
        word(&mut rest)?;
        if let Some(value) = rest.strip_prefix(b"=\"") {
            let end = value
                .iter()
                .position(|byte| matches!(byte, b'"' | b'<' | 0))?;
            rest = value[end..].strip_prefix(b"\"")?;
        }
    }
}

fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':');
    let end = rest.iter().position(|byte| !is_letter(byte))?;
    if end == 0 || !rest[0].is_ascii_lowercase() {
        return None;
    }
    let (word, after) = rest.split_at(end);
    *rest = after;
    Some(word)
}

fn is_dangerous(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    // A value holds no quote of its own, so what stands before `="` is a name.
    let has_handler = lower.match_indices("=\"").any(|(at, _)| {
        let name = lower[..at].rsplit(' ').next();
        name.is_some_and(|name| name.starts_with("on"))
    });
    let has_element = NEVER
        .iter()
        .any(|name| lower.contains(&format!("<{name} ")) || lower.contains(&format!("<{name}>")));
    lower.contains("javascript:") || lower.contains(" style=\"") || has_handler || has_element
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WebAssembly file that consists of constants at 1024.
    fn wasm(constants: &[u8]) -> Vec<u8> {
        let mut data = vec![1, 0, 0x41, 0x80, 0x08, 0x0b];
        let size = u8::try_from(constants.len()).unwrap();
        assert!(size < 0x80, "one byte of LEB128");
        data.push(size);
        data.extend(constants);
        let mut file = b"\0asm\x01\0\0\0".to_vec();
        file.extend([11, u8::try_from(data.len()).unwrap()]);
        file.extend(data);
        file
    }

    #[test]
    fn whole_elements_are_found_between_other_constants() {
        let found = collect(&wasm(
            b"panicked<p>Hello <b>you</b></p>/src/a.rs<img src=\"/x.svg\" alt=\"\">0<1",
        ))
        .unwrap();
        assert_eq!(
            found,
            [
                "<b>you</b>",
                "<img src=\"/x.svg\" alt=\"\">",
                "<p>Hello <b>you</b></p>"
            ]
        );
    }

    #[test]
    fn broken_markup_is_no_markup() {
        for text in [
            &b"<p>no end"[..],
            b"<p></b></p>",
            b"<p>\0</p>",
            b"<a href=x>y</a>",
            b"<T>generic</T>",
            b"</p>",
        ] {
            let found = collect(&wasm(text)).unwrap();
            assert!(found.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn markup_that_could_run_code_stops_the_build() {
        for text in [
            &b"<p onclick=\"x()\">a</p>"[..],
            b"<a href=\"javascript:x()\">a</a>",
            b"<p><script>x()</script></p>",
            b"<p style=\"color:red\">a</p>",
        ] {
            assert!(collect(&wasm(text)).is_err());
        }
        assert!(collect(&wasm(b"<p title=\"only one=two\">on a=b</p>")).is_ok());
    }

    #[test]
    fn what_is_no_webassembly_is_said() {
        assert!(collect(b"<html>").is_err());
    }
}
