//! Texts as strangers type them.

const HTML: [&str; 28] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "'-alert(1)-'",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml version=\"1.0\"?>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&#x202e;x",
    "&nbsp;",
    "&",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "#{7*7}",
    "<%= 7*7 %>",
    "<b>bold</b>",
    "<details open ontoggle=alert(1)>",
];

const FORMULAS: [&str; 18] = [
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=",
    "+",
    "-",
    "@",
    "=1",
    "==",
    "a,b\"c\nd",
    "\"",
    "\"\"",
    ";=1",
];

const SHELL: [&str; 44] = [
    "$(reboot)",
    "`reboot`",
    "; rm -rf ~",
    "' ; reboot #",
    "\" ; reboot #",
    "--help",
    "-",
    "-x",
    "--",
    "!!",
    "!reboot",
    "a!b\u{1}",
    "$HOME",
    "${HOME}",
    "~",
    "~root",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "a b",
    "  a  b  ",
    "\\",
    "\\\\",
    "\\'",
    "a\\",
    "'",
    "''",
    "'''",
    "&& reboot",
    "| reboot",
    "> /etc/passwd",
    "< /etc/passwd",
    "#",
    "a#b",
    "=ls",
    "%s%n%x",
    "%",
    "%\u{1}%d",
    "\\012\u{1}",
    "a\nreboot\n",
    "\n",
    "a\u{0}b",
    "C:\\Windows\\system32",
];

const MARKDOWN: [&str; 46] = [
    "[x](javascript:alert(1))",
    "![x](https://evil.example/a.png)",
    "[x]: https://evil.example",
    "[x][y]",
    "<https://evil.example>",
    "https://evil.example",
    "http://evil.example/a_b_c",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "WWW.evil.example",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "a@evil.example",
    "@everyone",
    "|x|\n|-|",
    "| a | b |",
    "# x",
    "###### x",
    "- x",
    "+ x",
    "* x",
    "1. x",
    "1) x",
    "123456789. x",
    "> x",
    "---",
    "===",
    "***",
    "___",
    "    code",
    "```",
    "~~~",
    "`x`",
    "**x**",
    "__x__",
    "*x*",
    "_x_",
    "~~x~~",
    "- [ ] x",
    "[^1]",
    "[^1]: x",
    "$x$",
    "$$x$$",
    "x^2^",
    "\\",
    "\\*x\\*",
];

const TERMINAL: [&str; 16] = [
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]8;;https://evil.example\u{7}x\u{1b}]8;;\u{7}",
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J",
    "\u{1b}c",
    "\u{1b}P$q\u{1b}\\",
    "\u{9b}31m",
    "\u{8}\u{8}\u{8}x",
    "a\rb",
    "\u{7f}\u{7f}",
    "\u{1b}[200~x\u{1b}[201~",
    "\u{e}x\u{f}",
    "\u{4}",
    "\u{3}",
    "\u{1a}",
    "\u{1b}[?1049h",
];

const ADDRESSES: [&str; 20] = [
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "//evil.example",
    "\\\\evil.example\\share",
    "a/b",
    "a%2Fb",
    "%2e%2e",
    "%00",
    "%zz",
    "?x=y",
    "#x",
    "a&b=c",
    "a+b",
    "a;b",
    ":cancel",
    "javascript:alert(1)",
    "https://user:pw@evil.example/",
    "data:text/html,x",
];

const ODD: [&str; 24] = [
    "",
    " ",
    "   ",
    " x",
    "x ",
    "null",
    "undefined",
    "NaN",
    "true",
    "0",
    "-0",
    "1e309",
    "__proto__",
    "constructor",
    "\\ud800",
    "\\u0000",
    "\u{fffd}",
    "\u{fffe}",
    "\u{10ffff}",
    "é",
    "e\u{301}",
    "試験",
    "👩\u{200d}👩\u{200d}👧",
    "ﷺ",
];

/// Characters that hide, reorder or break.
const MARKS: [char; 40] = [
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2061}',
    '\u{2062}',
    '\u{2063}',
    '\u{2064}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206a}',
    '\u{206f}',
    '\u{feff}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180b}',
    '\u{180e}',
    '\u{2800}',
    '\u{3164}',
    '\u{fe00}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
];

/// Every text.
pub(crate) fn all() -> Vec<String> {
    let mut all: Vec<String> = [
        &HTML[..],
        &FORMULAS,
        &SHELL,
        &MARKDOWN,
        &TERMINAL,
        &ADDRESSES,
        &ODD,
    ]
    .concat()
    .into_iter()
    .map(ToOwned::to_owned)
    .collect();
    let controls = ('\0'..='\u{9f}').filter(|c| c.is_control());
    for c in controls.chain(MARKS) {
        all.push(format!("a{c}b"));
    }
    for mark in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{1b}'] {
        all.push(format!("{mark}cod.exe"));
        all.push(format!("x{mark}"));
        all.push(mark.to_string().repeat(50));
    }
    // A megabyte of each kind of trouble.
    for piece in [
        "x", "\u{202e}", "*", "'", "\\", "<b>", "\n", "e\u{301}", "👧", "$(id)",
    ] {
        all.push(piece.repeat(1_000_000 / piece.len()));
    }
    all
}

/// Every text, of the megabytes two: where a text is written as JSON many times
/// over, ten of them take half a minute and say no more.
pub(crate) fn for_json() -> Vec<String> {
    let mut megabytes = 0;
    let mut all = all();
    all.retain(|it| {
        megabytes += usize::from(it.len() > 100_000);
        it.len() <= 100_000 || megabytes <= 2
    });
    all
}

/// What nobody may see raw, listed apart from the code that it judges: general
/// categories Cc and Cf of Unicode 16, line and paragraph separators, and marks
/// that are blank by design.
pub(crate) fn is_hidden(c: char) -> bool {
    // A megabyte is asked about often.
    if c.is_ascii() {
        return c.is_control();
    }
    c.is_control()
        || MARKS.contains(&c)
        || matches!(u32::from(c),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2064 | 0x2066..=0x206f | 0xfeff
            | 0xfff9..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a | 0xe0001 | 0xe0020..=0xe007f)
}
