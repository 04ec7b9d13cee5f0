//! The syntax of nginx' configuration, as its `ngx_conf_read_token` reads it: words between spaces, a directive up to `;` or
//! with a block in braces. Never: what a directive means.
//!
//! The text is a stranger's: whatever it says, reading it takes time in proportion to its length, and memory within the limits
//! below.

/// Longest text, in bytes. Snippets of whole applications have some hundreds.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Most directives, those in blocks included.
const DIRECTIVES_MAX: usize = 256;
/// Deepest block in a block.
const DEPTH_MAX: usize = 8;

/// A directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    /// What stands between its braces, if it has some.
    pub(super) block: Option<Vec<Directive>>,
}

/// Reads a text.
///
/// # Errors
/// If nginx would not read it, or if it is beyond a limit.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("has more than {TEXT_BYTES_MAX} bytes"));
    }
    let mut reader = Reader { rest: text.chars(), directives: 0 };
    reader.block(0)
}

/// What ends a word, or stands in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Space,
    Semicolon,
    Open,
    Close,
    Text,
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    directives: usize,
}

impl Reader<'_> {
    /// The directives up to the brace that closes this block; at depth 0 up to the end of the text.
    fn block(&mut self, depth: usize) -> Result<Vec<Directive>, String> {
        if depth > DEPTH_MAX {
            return Err(format!("has more than {DEPTH_MAX} blocks in each other"));
        }
        let (mut directives, mut words) = (Vec::new(), Vec::new());
        loop {
            let (word, end) = self.word()?;
            let has_word = word.is_some();
            words.extend(word);
            let block = match end {
                End::Space => continue,
                End::Close if words.is_empty() && depth > 0 => return Ok(directives),
                End::Text if words.is_empty() && depth == 0 => return Ok(directives),
                End::Close if !has_word => return Err("has a } that nothing was opened for".into()),
                End::Close | End::Text => return Err("ends within a directive or a block".into()),
                End::Semicolon | End::Open if words.is_empty() => {
                    return Err("has a ; or { without a directive".into());
                }
                End::Semicolon => None,
                End::Open => Some(self.block(depth + 1)?),
            };
            self.directives += 1;
            if self.directives > DIRECTIVES_MAX {
                return Err(format!("has more than {DIRECTIVES_MAX} directives"));
            }
            let mut arguments = std::mem::take(&mut words).into_iter();
            let name = arguments.next().unwrap_or_default();
            directives.push(Directive { name, arguments: arguments.collect(), block });
        }
    }

    /// The next word, if one comes before an end.
    fn word(&mut self) -> Result<(Option<String>, End), String> {
        loop {
            match self.rest.next() {
                None => return Ok((None, End::Text)),
                Some(' ' | '\t' | '\r' | '\n') => {}
                Some('#') => drop(self.rest.by_ref().find(|c| *c == '\n')),
                Some(';') => return Ok((None, End::Semicolon)),
                Some('{') => return Ok((None, End::Open)),
                Some('}') => return Ok((None, End::Close)),
                Some(quote @ ('"' | '\'')) => return self.quoted(quote),
                Some(first) => return self.plain(first),
            }
        }
    }

    /// A word up to its closing quotation mark, behind which only a bracket may begin another at once.
    fn quoted(&mut self, quote: char) -> Result<(Option<String>, End), String> {
        let mut word = String::new();
        loop {
            match self.rest.next() {
                None => return Err("ends within quotation marks".into()),
                Some('\\') => self.escape(&mut word)?,
                Some(c) if c == quote => break,
                Some(c) => word.push(c),
            }
        }
        // It begins the next word: `if ($a = "b")` has five.
        if self.rest.clone().next() == Some(')') {
            return Ok((Some(word), End::Space));
        }
        match self.rest.next() {
            Some(' ' | '\t' | '\r' | '\n') => Ok((Some(word), End::Space)),
            Some(';') => Ok((Some(word), End::Semicolon)),
            Some('{') => Ok((Some(word), End::Open)),
            _ => Err("has a quotation mark with neither a space nor a ; behind it".into()),
        }
    }

    /// A word without quotation marks. A brace behind `$` is that of a variable, and one that closes is like any letter.
    fn plain(&mut self, first: char) -> Result<(Option<String>, End), String> {
        let (mut word, mut next, mut is_variable) = (String::new(), Some(first), false);
        loop {
            let after_dollar = std::mem::replace(&mut is_variable, next == Some('$'));
            match next {
                None => return Err("ends within a directive or a block".into()),
                Some('\\') => self.escape(&mut word)?,
                Some('{') if after_dollar => word.push('{'),
                Some(' ' | '\t' | '\r' | '\n') => return Ok((Some(word), End::Space)),
                Some(';') => return Ok((Some(word), End::Semicolon)),
                Some('{') => return Ok((Some(word), End::Open)),
                Some(c) => word.push(c),
            }
            next = self.rest.next();
        }
    }

    /// What stands for the character behind a backslash; most keep the backslash, as regular expressions need it.
    fn escape(&mut self, word: &mut String) -> Result<(), String> {
        match self.rest.next().ok_or("ends within a directive or a block")? {
            c @ ('"' | '\'' | '\\') => word.push(c),
            't' => word.push('\t'),
            'r' => word.push('\r'),
            'n' => word.push('\n'),
            c => word.extend(['\\', c]),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one would write it again: words in brackets.
    fn shown(directives: &[Directive]) -> String {
        let one = |Directive { name, arguments, block }: &Directive| {
            let words: String = arguments.iter().map(|argument| format!("[{argument}]")).collect();
            let block = block.as_ref().map(|block| format!("{{{}}}", shown(block)));
            format!("{name}{words}{}", block.unwrap_or_else(|| ";".into()))
        };
        directives.iter().map(one).collect()
    }

    #[test]
    fn words_are_what_they_are_to_nginx() {
        for (text, read) in [
            ("", ""),
            (" # nothing; but {words}\n", ""),
            ("deny all;", "deny[all];"),
            ("add_header X-A \"b; c\" always;", "add_header[X-A][b; c][always];"),
            ("a 'b\\'c' \"d\\\"e\" f\\ g;", "a[b'c][d\"e][f\\ g];"),
            ("a b#c;#d;\ne;", "a[b#c];e;"),
            ("a ${b}c $d;", "a[${b}c][$d];"),
            ("if ($a = 'b') {return 403;}", "if[($a][=][b][)]{return[403];}"),
            ("if ($a = b) { return 403; } c;", "if[($a][=][b)]{return[403];}c;"),
            ("a{b{c;}}", "a{b{c;}}"),
            ("rewrite ^/a\\.b(.*)$ /c$1 break;", "rewrite[^/a\\.b(.*)$][/c$1][break];"),
            ("a \"\\n\\t\\x\";", "a[\n\t\\x];"),
        ] {
            let found = parse(text).map(|directives| shown(&directives));
            assert_eq!(found.as_deref(), Ok(read), "{text}");
        }
    }

    #[test]
    fn what_nginx_refuses_and_what_would_leave_the_block_is_refused() {
        for text in
            ["deny all", "}", "a; } location / {", "a {", "a \"b", "a 'b'c;", ";", "{}", "a \\", "a b}"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_beyond_the_limits_is_refused() {
        assert!(parse(&"a;".repeat(DIRECTIVES_MAX)).is_ok());
        assert!(parse(&"a;".repeat(DIRECTIVES_MAX + 1)).is_err());
        let nested = |depth: usize| format!("{}{}", "a{".repeat(depth), "}".repeat(depth));
        assert!(parse(&nested(DEPTH_MAX)).is_ok() && parse(&nested(DEPTH_MAX + 1)).is_err());
        assert!(parse(&" ".repeat(TEXT_BYTES_MAX + 1)).is_err());
    }
}
