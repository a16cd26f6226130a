//! The text of a module as V8 takes it: one byte a character where Latin-1 is enough, else two.

/// What is put around a CommonJS module. It has lines of its own, so that the line which is printed with an error is the
/// module's, and so that the function prints itself as one that Node.js has made.
pub const WRAP: (&str, &str) = ("(function (exports, require, module, __filename, __dirname) {\n", "\n})");

/// The same for a module that makes code of strings: V8 tells where that was made by the lines of the text, whatever they are
/// said to begin with. Its first line must be one of which nothing is ever told.
const WRAP_IN_LINE: (&str, &str) = ("(function (exports, require, module, __filename, __dirname) { ", "\n})");

/// What is put around a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// Nothing.
    Bare,
    /// `WRAP`.
    Lines,
    /// The wrapper begins on the source's first line.
    InLine,
}

/// A text and how it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Latin-1, or UTF-16 in the machine's byte order.
    pub bytes: Vec<u8>,
    /// Whether it is UTF-16.
    pub wide: bool,
    /// Whether more braces close than open somewhere: the text might end the function that it is wrapped in.
    pub may_end: bool,
}

/// Braces are counted wherever they stand, so that this is quick: it is no proof.
fn may_end(source: &[u8]) -> bool {
    let mut depth = 0i64;
    source.iter().any(|byte| {
        match byte {
            b'{' => depth = depth.saturating_add(1),
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth < 0
    })
}

impl Text {
    /// The text of a source in UTF-8, with replacement characters for what is none, as a program that reads it would
    /// see it; wrapped as a CommonJS module if asked to. A `#!` in front becomes a comment of the same length then.
    #[must_use]
    pub fn of(source: &[u8], wrap: Wrap) -> Self {
        let (before, after) = match wrap {
            Wrap::Bare => ("", ""),
            Wrap::Lines => WRAP,
            Wrap::InLine => WRAP_IN_LINE,
        };
        let wrap = wrap != Wrap::Bare;
        let may_end = wrap && may_end(source);
        let (comment, from) = if wrap && source.starts_with(b"#!") { ("//", 2) } else { ("", 0) };
        let source = source.get(from..).unwrap_or_default();
        let around = [before, comment, after].map(str::len).into_iter().sum::<usize>();
        if source.is_ascii() {
            let mut bytes = Vec::with_capacity(source.len().saturating_add(around));
            for piece in [before.as_bytes(), comment.as_bytes(), source, after.as_bytes()] {
                bytes.extend_from_slice(piece);
            }
            return Text { bytes, wide: false, may_end };
        }
        let text = String::from_utf8_lossy(source);
        let pieces = [before, comment, &*text, after];
        let room = text.len().saturating_add(around);
        if text.chars().all(|c| u32::from(c) <= 0xff) {
            let mut bytes = Vec::with_capacity(room);
            for piece in pieces {
                bytes.extend(piece.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
            }
            return Text { bytes, wide: false, may_end };
        }
        let mut bytes = Vec::with_capacity(room.saturating_mul(2));
        for unit in pieces.into_iter().flat_map(str::encode_utf16) {
            bytes.extend_from_slice(&unit.to_ne_bytes());
        }
        Text { bytes, wide: true, may_end }
    }
}

#[cfg(test)]
mod tests {
    use super::Wrap::{Bare, InLine, Lines};
    use super::*;

    #[test]
    fn ascii_stays_as_it_is_inside_the_wrapper() {
        let text = Text::of(b"a()", Lines);
        assert_eq!(text.bytes, [WRAP.0.as_bytes(), b"a()", WRAP.1.as_bytes()].concat());
        assert!(!text.wide);
        assert_eq!(Text::of(b"a()", Bare).bytes, b"a()");
        let text = Text::of(b"a()", InLine);
        assert_eq!(text.bytes, [WRAP_IN_LINE.0.as_bytes(), b"a()", WRAP_IN_LINE.1.as_bytes()].concat());
        assert_eq!(WRAP.0.len(), WRAP_IN_LINE.0.len());
    }

    #[test]
    fn a_hash_bang_becomes_a_comment_of_the_same_length() {
        for source in ["#!/usr/bin/env node\nx", "#!/usr/bin/env n\u{f6}de\nx", "#!/usr/bin/env \u{2603}\nx"]
        {
            let text = Text::of(source.as_bytes(), Lines);
            let units = if text.wide { text.bytes.len() / 2 } else { text.bytes.len() };
            assert_eq!(units, WRAP.0.len() + source.chars().count() + WRAP.1.len());
            let from = WRAP.0.len() * if text.wide { 2 } else { 1 };
            assert_eq!(text.bytes[from], b'/');
        }
    }

    #[test]
    fn latin_1_takes_one_byte_and_the_rest_two() {
        assert_eq!(
            Text::of("\u{e9}".as_bytes(), Bare),
            Text { bytes: vec![0xe9], wide: false, may_end: false }
        );
        let wide = Text::of("\u{e9}\u{1f600}".as_bytes(), Bare);
        let units: Vec<u16> = "\u{e9}\u{1f600}".encode_utf16().collect();
        assert_eq!(wide.bytes, units.into_iter().flat_map(u16::to_ne_bytes).collect::<Vec<_>>());
        assert!(wide.wide);
    }

    #[test]
    fn a_text_that_closes_more_than_it_opens_may_end_its_wrapper() {
        for (source, ends) in
            [("{}", false), ("}{", true), ("f(() => {}); {", false), ("}); (function () {", true)]
        {
            assert_eq!(Text::of(source.as_bytes(), Lines).may_end, ends, "{source}");
            assert!(!Text::of(source.as_bytes(), Bare).may_end);
        }
    }

    #[test]
    fn what_is_no_utf_8_is_replaced_as_a_decoder_would() {
        assert_eq!(Text::of(b"a\xff", Bare), Text::of("a\u{fffd}".as_bytes(), Bare));
    }
}
