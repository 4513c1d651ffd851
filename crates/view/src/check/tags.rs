//! Cuts a template into its tags: each one's words, and the spot of the page it stands in. It sees only templates that
//! parse; of anything else it makes what it can. It must never decide what is right or wrong.

use super::html::{Html, Spot};

/// Whether a tag prints or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Expression,
    Statement,
}

/// A word, a literal, or a single sign of a tag. Numbers count as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Sign(char),
}

/// One `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) kind: Kind,
    /// The line it begins in, from 1.
    pub(crate) line: usize,
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) spot: Spot,
}

impl Tag<'_> {
    /// The filter the whole expression goes through last.
    pub(crate) fn last_filter(&self) -> Option<&str> {
        let mut depth = 0_usize;
        let mut last = None;
        for pair in self.tokens.windows(2) {
            match pair {
                [Token::Sign('(' | '[' | '{'), _] => depth += 1,
                [Token::Sign(')' | ']' | '}'), _] => depth = depth.saturating_sub(1),
                [Token::Sign('|'), Token::Word(name)] if depth == 0 => last = Some(*name),
                _ => {}
            }
        }
        last
    }

    /// Whether it prints markup that templates made, not a value.
    pub(crate) fn prints_markup(&self) -> bool {
        matches!(self.tokens.first(), Some(Token::Word("caller" | "component" | "content" | "stack" | "super")))
    }
}

/// The tags of `source`, in order.
pub(crate) fn tags(source: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut html = Html::default();
    let mut line = 1;
    let mut rest = source;
    let mut is_raw = false;
    while let Some(open) = rest.find(if is_raw { "{%" } else { "{" }) {
        let (text, tail) = rest.split_at(open);
        html.feed(text);
        line += newlines(text);
        let kind = match tail.as_bytes().get(1) {
            Some(b'{') => Kind::Expression,
            Some(b'%') => Kind::Statement,
            Some(b'#') => {
                let end = tail.find("#}").map_or(tail.len(), |end| end + 2);
                line += newlines(&tail[..end]);
                rest = &tail[end..];
                continue;
            }
            _ => {
                html.feed("{");
                rest = &tail[1..];
                continue;
            }
        };
        let (tokens, length) = tokens(&tail[2..], kind);
        let is_end = matches!(tokens[..], [Token::Word("endraw")]);
        if is_raw && !is_end {
            html.feed("{%");
            rest = &tail[2..];
            continue;
        }
        is_raw = kind == Kind::Statement && matches!(tokens[..], [Token::Word("raw")]);
        tags.push(Tag { kind, line, tokens, spot: html.spot() });
        if kind == Kind::Expression {
            html.feed_value();
        }
        line += newlines(&tail[..2 + length]);
        rest = &tail[2 + length..];
    }
    tags
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The tokens up to the end of the tag, and how many bytes that took, the end included.
fn tokens(body: &str, kind: Kind) -> (Vec<Token<'_>>, usize) {
    let end = if kind == Kind::Expression { "}}" } else { "%}" };
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(sign) = body[at..].chars().next() {
        // `{{ {"a": {}}}}`: a brace that was opened inside closes first.
        if body[at..].starts_with(end) && (kind == Kind::Statement || depth == 0) {
            return (tokens, at + end.len());
        }
        let start = at;
        at += sign.len_utf8();
        match sign {
            '"' | '\'' => {
                at += text_length(&body[at..], sign);
                let closed = body[start + 1..at].strip_suffix(sign).unwrap_or(&body[start + 1..at]);
                tokens.push(Token::Text(closed));
            }
            _ if is_word(sign) => {
                at += body[at..].find(|next| !is_word(next)).unwrap_or(body.len() - at);
                tokens.push(Token::Word(&body[start..at]));
            }
            _ if sign.is_whitespace() => {}
            // The marks of whitespace control belong to the tag's frame, not to what it says.
            '-' | '+' if start == 0 || body[at..].starts_with(end) => {}
            _ => {
                match sign {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                tokens.push(Token::Sign(sign));
            }
        }
    }
    (tokens, body.len())
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// The bytes of a literal that ends at `quote`, the quote included.
fn text_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, sign) in text.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if sign == quote => return at + sign.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
