//! The text of a module as V8 stores it: one byte per character if it is Latin-1, otherwise UTF-16.

use super::traits::Traits;
use std::borrow::Cow;
use std::sync::Arc;

/// The wrapper of a CommonJS module. It has lines of its own, so that the source line which is printed with an error is
/// the module's, and so that `toString()` of the function returns the same text as for one that Node.js has made.
pub const WRAP: (&str, &str) = ("(function (exports, require, module, __filename, __dirname) {\n", "\n})");

/// Room that is left in front of a source for the wrapper.
pub const ROOM_AHEAD: usize = WRAP.0.len();
const _: () = assert!(WRAP_IN_LINE.0.len() == ROOM_AHEAD);

/// The wrapper of a module that makes code from strings (`eval`). For such code V8 reports the line of the text where it was
/// made, and ignores the script's line offset, so there must be no additional line. Since columns of the first line are
/// shifted instead, that line must be one that V8 never reports (`Traits::quiet`).
const WRAP_IN_LINE: (&str, &str) = ("(function (exports, require, module, __filename, __dirname) { ", "\n})");

/// How to wrap a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// Not at all.
    Bare,
    /// Not at all, because the parameters are passed to V8 separately. The traits are determined all the same.
    Apart,
    /// With `WRAP`.
    Lines,
    /// As its traits require, so that V8 reports the same positions as without a wrapper. Not at all if that is
    /// impossible.
    Fitting,
}

/// A text and how it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Latin-1, or UTF-16 in the machine's byte order.
    pub bytes: Arc<Vec<u8>>,
    /// Whether it is UTF-16.
    pub wide: bool,
    /// Whether it has no wrapper.
    pub bare: bool,
    /// The traits of its source, unless it was read as `Wrap::Bare`.
    pub traits: Traits,
}

impl Text {
    /// The text of a source in UTF-8, with replacement characters for invalid bytes, as `fs.readFileSync` would return
    /// it. If it is wrapped, a `#!` at its start becomes a comment of the same length.
    #[must_use]
    pub fn of(source: &[u8], wrap: Wrap) -> Self {
        let mut buffer = vec![0; ROOM_AHEAD];
        buffer.extend_from_slice(source);
        Text::within(buffer, wrap)
    }

    /// The same for a source in a buffer with `ROOM_AHEAD` bytes in front of it, so that ASCII is not copied.
    #[must_use]
    pub fn within(mut buffer: Vec<u8>, wrap: Wrap) -> Self {
        let source = buffer.get_mut(ROOM_AHEAD..).unwrap_or_default();
        let traits = if wrap == Wrap::Bare { Traits::default() } else { Traits::of(source) };
        let around = match wrap {
            Wrap::Lines => Some(WRAP),
            Wrap::Fitting if !traits.makes_code => Some(WRAP),
            Wrap::Fitting if traits.quiet && !traits.asks_itself => Some(WRAP_IN_LINE),
            _ => None,
        };
        let (before, after) = around.unwrap_or_default();
        if around.is_some()
            && let [b'#', b'!', ..] = source
        {
            source.iter_mut().take(2).for_each(|byte| *byte = b'/');
        }
        let (wide, bare) = (false, around.is_none());
        if source.is_ascii() {
            buffer.extend_from_slice(after.as_bytes());
            buffer.drain(..ROOM_AHEAD.saturating_sub(before.len()));
            for (to, from) in buffer.iter_mut().zip(before.bytes()) {
                *to = from;
            }
            return Text { bytes: Arc::new(buffer), wide, bare, traits };
        }
        // Valid text is checked faster by `from_utf8`.
        let text = str::from_utf8(source).map_or_else(|_| String::from_utf8_lossy(source), Cow::Borrowed);
        let pieces = [before, &*text, after];
        let room = text.len().saturating_add(before.len()).saturating_add(after.len());
        if is_latin_1(&text) {
            let mut bytes = Vec::with_capacity(room);
            for (plain, other) in pieces.into_iter().flat_map(runs) {
                bytes.extend_from_slice(plain.as_bytes());
                bytes.extend(other.map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
            }
            return Text { bytes: Arc::new(bytes), wide, bare, traits };
        }
        let mut bytes = Vec::with_capacity(room.saturating_mul(2));
        for (plain, other) in pieces.into_iter().flat_map(runs) {
            bytes.extend(plain.bytes().flat_map(|byte| u16::from(byte).to_ne_bytes()));
            if let Some(other) = other {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    bytes.extend_from_slice(&unit.to_ne_bytes());
                }
            }
        }
        Text { bytes: Arc::new(bytes), wide: true, bare, traits }
    }
}

/// Whether all characters of a text are in Latin-1: in UTF-8 these have no byte above 0xC3.
fn is_latin_1(text: &str) -> bool {
    text.as_bytes().chunks(RUN).all(|chunk| chunk.is_ascii() || chunk.iter().all(|byte| *byte <= 0xc3))
}

/// Bytes that are checked for ASCII at once.
const RUN: usize = 64;

/// Splits a text into runs of ASCII, each with the character that follows it. Most sources contain few other characters,
/// and a run is converted as a whole.
fn runs(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let ahead = bytes.chunks(RUN).take_while(|chunk| chunk.is_ascii()).count().saturating_mul(RUN);
        let within = bytes.get(ahead..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii()).count();
        let (plain, behind) = rest.split_at_checked(ahead.saturating_add(within)).unwrap_or((rest, ""));
        let mut others = behind.chars();
        let other = others.next();
        rest = others.as_str();
        Some((plain, other))
    })
}

#[cfg(test)]
mod tests {
    use super::Wrap::{Bare, Fitting, Lines};
    use super::*;

    #[test]
    fn ascii_stays_as_it_is_inside_the_wrapper() {
        let text = Text::of(b"a()", Lines);
        assert_eq!(*text.bytes, [WRAP.0.as_bytes(), b"a()", WRAP.1.as_bytes()].concat());
        assert!(!text.wide);
        assert_eq!(*Text::of(b"a()", Bare).bytes, b"a()");
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
        let narrow = Text::of("\u{e9}".as_bytes(), Bare);
        assert_eq!((&**narrow.bytes, narrow.wide), (&[0xe9][..], false));
        let wide = Text::of("\u{e9}\u{1f600}".as_bytes(), Bare);
        let units: Vec<u16> = "\u{e9}\u{1f600}".encode_utf16().collect();
        assert_eq!(*wide.bytes, units.into_iter().flat_map(u16::to_ne_bytes).collect::<Vec<_>>());
        assert!(wide.wide);
    }

    #[test]
    fn the_wrapper_of_a_module_that_makes_code_adds_no_line() {
        let begins = |source: &str, before: &str| {
            let text = Text::of(source.as_bytes(), Fitting);
            assert!(text.bytes.starts_with(before.as_bytes()), "{source}");
            assert_eq!(text.bare, before.is_empty(), "{source}");
            assert_eq!(text.bytes.ends_with(b"\n})"), !text.bare, "{source}");
        };
        let apart = Text::of(b"#!/usr/bin/env node\neval(1)", Wrap::Apart);
        assert_eq!(*apart.bytes, b"#!/usr/bin/env node\neval(1)");
        assert!(apart.bare && apart.traits.makes_code);
        begins("// a\nx(1)", WRAP.0);
        begins("// a\neval(1)", WRAP_IN_LINE.0);
        begins("#!/usr/bin/env node\neval(1)", WRAP_IN_LINE.0);
        begins("eval(1)", "");
        begins("// a\neval(arguments.callee)", "");
        begins("'use strict';\neval(node.callee)", WRAP_IN_LINE.0);
        assert_eq!(*Text::of(b"eval(1)", Fitting).bytes, b"eval(1)");
    }

    #[test]
    fn runs_of_ascii_of_every_length_are_converted() {
        for ahead in [0, 1, RUN - 1, RUN, RUN + 1, 3 * RUN] {
            for other in
                ["\u{7f}", "\u{80}", "\u{e9}", "\u{ff}", "\u{100}", "\u{1f600}", "\u{e9}\u{e9}\u{1f600}"]
            {
                for behind in [0, 1, RUN] {
                    let source = ["x".repeat(ahead), other.into(), "y".repeat(behind)].concat();
                    let text = Text::of(source.as_bytes(), Bare);
                    let wide = source.chars().any(|c| u32::from(c) > 0xff);
                    let expected: Vec<u8> = if wide {
                        source.encode_utf16().flat_map(u16::to_ne_bytes).collect()
                    } else {
                        source.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
                    };
                    assert_eq!((&*text.bytes, text.wide), (&expected, wide), "{ahead} {other} {behind}");
                }
            }
        }
    }

    #[test]
    fn invalid_utf_8_is_replaced_as_a_decoder_would() {
        assert_eq!(Text::of(b"a\xff", Bare), Text::of("a\u{fffd}".as_bytes(), Bare));
    }
}
