//! Traits of a source that decide how it is compiled, found by searching its bytes for words. A word that is only in a
//! string or a comment counts, too: this costs a little time and changes nothing that a program can see.

use memchr::memmem;

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// Whether somewhere more braces have closed than opened: the text might end the function that wraps it.
    pub may_end: bool,
    /// Whether it contains `import`.
    pub imports: bool,
    /// Whether it may give itself a name: it contains `sourceURL=`.
    pub names_itself: bool,
    /// Whether it may be asm.js: it contains `use asm`.
    pub is_asm: bool,
    /// Whether it may make code from strings, or pass on a function that does (`eval`, `Function`).
    pub makes_code: bool,
    /// Whether V8 never reports a position in its first line: that is empty, a comment or a directive.
    pub quiet: bool,
    /// Whether it may access its own function (`arguments.callee`), which strict code cannot.
    pub asks_itself: bool,
}

impl Traits {
    /// The traits of a source. The last two are determined only if it may make code.
    #[must_use]
    pub fn of(source: &[u8]) -> Self {
        let has = |word: &str| memmem::find(source, word.as_bytes()).is_some();
        let makes_code = makes_code(source);
        Traits {
            may_end: may_end(source),
            imports: has("import"),
            names_itself: has("sourceURL="),
            is_asm: has("use asm"),
            makes_code,
            quiet: makes_code && is_quiet(source),
            asks_itself: makes_code && has("callee") && !is_strict(source),
        }
    }
}

/// Number of bytes whose braces are counted at once.
const STEP: usize = 64;
const _: () = assert!(STEP <= u8::MAX as usize);

/// How often a byte occurs in at most `STEP` bytes. The sum fits in a byte, so that the compiler can vectorize the loop.
fn count(bytes: &[u8], wanted: u8) -> usize {
    usize::from(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(u8::from(*byte == wanted))))
}

/// To be quick, this also counts braces in strings and comments. So the answer is not exact in either direction.
fn may_end(source: &[u8]) -> bool {
    let mut depth = 0usize;
    let (steps, rest) = source.as_chunks::<STEP>();
    for step in steps.iter().map(<[u8; STEP]>::as_slice).chain([rest]) {
        let closing = count(step, b'}');
        if closing <= depth {
            depth = depth.saturating_sub(closing).saturating_add(count(step, b'{'));
            continue;
        }
        for byte in step {
            match byte {
                b'{' => depth = depth.saturating_add(1),
                b'}' if depth == 0 => return true,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    false
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn is_quote(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether the line ends here, apart from spaces.
fn ends_line(after: &[u8]) -> bool {
    matches!(after.iter().find(|byte| !matches!(byte, b' ' | b'\t')), None | Some(b'\n' | b'\r'))
}

fn makes_code(source: &[u8]) -> bool {
    let any = |word: &str, is: fn(&[u8], &[u8]) -> bool| {
        memmem::find_iter(source, word.as_bytes()).any(|at| {
            let (before, rest) = source.split_at(at);
            is(before, rest.get(word.len()..).unwrap_or_default())
        })
    };
    any("eval", is_eval) || any("Function", is_function) || any("constructor", is_constructor)
}

/// Called or passed on: `eval(`, `eval;`, `[eval]`. Not a word of a text.
fn is_eval(before: &[u8], after: &[u8]) -> bool {
    if is_word(before.last()) || is_word(after.first()) {
        return false;
    }
    let next = after.trim_ascii_start().first();
    ends_line(after) || next.is_some_and(|byte| !is_quote(byte) && *byte != b'-' && !is_word(Some(byte)))
}

/// Called or passed on: `Function(`, `AsyncFunction (`, `= Function;`. Not a type in a comment, not `instanceof Function`.
fn is_function(before: &[u8], after: &[u8]) -> bool {
    let next = after.trim_ascii_start().first();
    let kind = before.strip_suffix(b"Generator").unwrap_or(before);
    let kind = kind.strip_suffix(b"Async").unwrap_or(kind);
    if next == Some(&b'(') && !is_word(kind.last()) {
        return true;
    }
    // `x instanceof Function`, `'[object Function]'`.
    let compared = [&b"instanceof "[..], b"object "].iter().any(|words| before.ends_with(words));
    !compared
        && !is_word(before.last())
        && (ends_line(after) || matches!(next, Some(b')' | b',' | b';' | b']' | b'?' | b':')))
}

/// Called as a member: `f.constructor('…')`, `f['constructor'](…)`.
fn is_constructor(before: &[u8], after: &[u8]) -> bool {
    let own = before.strip_suffix(b"'").or(before.strip_suffix(b"\"")).or(before.strip_suffix(b"`"));
    let called = after
        .iter()
        .find(|byte| !is_quote(byte) && !byte.is_ascii_whitespace() && !matches!(byte, b']' | b')'));
    matches!(own.unwrap_or(before).trim_ascii_end().last(), Some(b'.' | b'[')) && called == Some(&b'(')
}

/// The first line and the rest. `None` if V8 sees more than one line in it, because a carriage return, U+2028 and U+2029
/// end a line, too.
fn first_line(source: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, behind) = source.split_at_checked(memchr::memchr(b'\n', source)?)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.contains(&b'\r') && memmem::find(line, b"\xe2\x80").is_none()).then_some((line, behind))
}

fn is_quiet(source: &[u8]) -> bool {
    let Some((line, _)) = first_line(source) else { return false };
    if line.starts_with(b"#!") {
        return true;
    }
    let line = line.trim_ascii();
    match line.strip_prefix(b"/*").map(|comment| memmem::find(comment, b"*/").map(|at| (comment, at))) {
        Some(None) => true,
        Some(Some((comment, at))) => comment.get(at..) == Some(b"*/"),
        None => {
            let directive = line.strip_suffix(b";").unwrap_or(line);
            line.is_empty()
                || line.starts_with(b"//")
                || matches!(directive, b"'use strict'" | b"\"use strict\"")
        }
    }
}

/// Whether the whole source is certainly strict: after comments it starts with the directive and a semicolon.
fn is_strict(source: &[u8]) -> bool {
    let mut rest = source.trim_ascii_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix(b"/*") {
            memmem::find(comment, b"*/").and_then(|at| comment.get(at.saturating_add(2)..))
        } else if rest.starts_with(b"//") || rest.starts_with(b"#!") {
            first_line(rest).map(|(_, behind)| behind)
        } else {
            break;
        };
        let Some(behind) = behind else { return false };
        rest = behind.trim_ascii_start();
    }
    let directive = rest.strip_prefix(b"'use strict'").or(rest.strip_prefix(b"\"use strict\""));
    directive.is_some_and(|behind| behind.trim_ascii_start().starts_with(b";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_code_cannot_access_its_own_function() {
        let asks = |source: &str| Traits::of(format!("{source}\neval(x); y.callee").as_bytes()).asks_itself;
        for strict in [
            "'use strict';",
            "\"use strict\" ; a()",
            "#!/usr/bin/env node\n// a\r\n/* b\n c */\n\n  \"use strict\";",
        ] {
            assert!(!asks(strict), "{strict}");
        }
        for sloppy in [
            "",
            "'use strict'",
            "'use strict'.length;",
            "a(); 'use strict';",
            "// 'use strict';",
            "// a\rb()\n'use strict';",
            "// a\u{2028}b()\n'use strict';",
            "/* 'use strict';",
            "`use strict`;",
            "'use client'; 'use strict';",
        ] {
            assert!(asks(sloppy), "{sloppy}");
        }
    }

    #[test]
    fn a_text_that_closes_more_braces_than_it_opens_may_end_its_wrapper() {
        let long = "x".repeat(STEP);
        for (source, ends) in [
            ("{}".to_owned(), false),
            ("}{".to_owned(), true),
            ("f(() => {}); {".to_owned(), false),
            ("}); (function () {".to_owned(), true),
            (format!("{{{long}}}"), false),
            (format!("{{{long}}}}}"), true),
            (format!("{{{long}}}{{{long}}}}}{{"), true),
        ] {
            assert_eq!(may_end(source.as_bytes()), ends, "{source}");
        }
    }

    #[test]
    fn code_from_strings_is_recognised_and_words_about_it_are_not() {
        for source in [
            "eval('1')",
            "(0, eval)(x)",
            "const e = eval;",
            "late =\n eval\n;",
            "[eval][0]",
            "global.eval (x)",
            "$eval(x)",
            "new Function('a', b)",
            "Function (x)",
            "AsyncGeneratorFunction(x)",
            "var $Function = Function;",
            "f(Function)",
            "f(Function,\n1)",
            "const made = Function\n",
            "f.constructor('x')",
            "f\n.constructor ( 'x')",
            "f['constructor'](x)",
            "(f.constructor)(x)",
        ] {
            assert!(makes_code(source.as_bytes()), "{source}");
        }
        for source in [
            "x === \"eval\"",
            "'eval arguments'",
            "evaluate(x)",
            "medieval;",
            "no-eval is a rule",
            "x instanceof Function)",
            "/** {Function} f */",
            "@param {Function=} f",
            "isFunction(x)",
            "Function.prototype.call",
            "'[object Function]'",
            "class A { constructor(x) {} }",
            "x.constructor === y",
            "x.constructor.name(y)",
        ] {
            assert!(!makes_code(source.as_bytes()), "{source}");
        }
    }

    #[test]
    fn quiet_lines_are_recognised() {
        for source in [
            "\n",
            "\r\nx",
            "  \nx",
            "// a\nx",
            "/* a */ \nx",
            "/** a\n */x",
            "'use strict';\nx",
            "\"use strict\"\r\nx",
            "#!/usr/bin/env node\nx",
        ] {
            assert!(is_quiet(source.as_bytes()), "{source}");
        }
        for source in [
            "",
            "// a",
            "x\n",
            "/* a */ x\n",
            "/* a */ /* b */\n",
            "'use strict'; x\n",
            "'use strict\";\n",
            "// a\rx\n",
            "// a\u{2028}x\n",
        ] {
            assert!(!is_quiet(source.as_bytes()), "{source}");
        }
    }
}
