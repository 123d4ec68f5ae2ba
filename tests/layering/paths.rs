//! Finds every path that a Rust source names, without a compiler: comments and
//! literals are dropped, `use` trees unfolded, `self` and `super` resolved
//! against the module that the text stands in, inline modules included.

/// A path as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Line number from 1.
    pub line: usize,
    /// Segments from the root: the first is `crate` for this crate, else the
    /// name of another (or of something local).
    pub segments: Vec<String>,
    /// Whether a `use` names it, which can rename or unfold it.
    pub imported: bool,
    /// Whether that `use` hands it on: `pub use`, `pub(…) use`.
    pub handed_on: bool,
}

impl Named {
    /// The path in Rust's notation.
    pub fn text(&self) -> String {
        self.segments.join("::")
    }

    /// What of this crate it names; `None` if it names something else.
    pub fn in_crate(&self) -> Option<&[String]> {
        self.segments.split_first().filter(|(root, _)| *root == "crate").map(|(_, rest)| rest)
    }
}

/// Every path in `source`, the text of module `module` (segments from the
/// root of the crate).
pub fn named(module: &[String], source: &str) -> Vec<Named> {
    let tokens = tokens(source);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        module: module.to_vec(),
        open: Vec::new(),
        hands_on: false,
        found: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.item();
    }
    reader.found
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lexeme {
    Ident(String),
    /// `::`
    Separator,
    Other(char),
}

struct Token {
    line: usize,
    lexeme: Lexeme,
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    module: Vec<String>,
    /// One entry an open brace: whether it opened an inline module.
    open: Vec<bool>,
    /// Whether the `use` that is being read hands on.
    hands_on: bool,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn item(&mut self) {
        match self.peek(0) {
            Some(Lexeme::Ident(word)) if word == "use" && self.peek(1) != Some(&Lexeme::Other('<')) => {
                let before = self.at.checked_sub(1).map(|at| &self.tokens[at].lexeme);
                self.hands_on = match before {
                    Some(Lexeme::Ident(word)) => word == "pub",
                    Some(lexeme) => *lexeme == Lexeme::Other(')'),
                    None => false,
                };
                self.at += 1;
                self.tree(Vec::new());
            }
            Some(Lexeme::Ident(word)) if word == "mod" => self.module_head(),
            Some(Lexeme::Ident(_)) => self.path(),
            Some(Lexeme::Other('{')) => self.enter(None),
            Some(Lexeme::Other('}')) => self.leave(),
            _ => self.at += 1,
        }
    }

    fn peek(&self, ahead: usize) -> Option<&Lexeme> {
        self.tokens.get(self.at + ahead).map(|token| &token.lexeme)
    }

    fn enter(&mut self, module: Option<String>) {
        self.open.push(module.is_some());
        self.module.extend(module);
        self.at += 1;
    }

    fn leave(&mut self) {
        if self.open.pop() == Some(true) {
            self.module.pop();
        }
        self.at += 1;
    }

    /// `mod name {` opens an inline module; `mod name;` names nothing.
    fn module_head(&mut self) {
        self.at += 1;
        if let (Some(Lexeme::Ident(name)), Some(Lexeme::Other('{'))) = (self.peek(0), self.peek(1)) {
            let name = name.clone();
            self.at += 1;
            self.enter(Some(name));
        }
    }

    /// A path in an expression, a type or an attribute.
    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut segments = Vec::new();
        while let Some(Lexeme::Ident(word)) = self.peek(0) {
            segments.push(word.clone());
            self.at += 1;
            if !(self.peek(0) == Some(&Lexeme::Separator) && matches!(self.peek(1), Some(Lexeme::Ident(_)))) {
                break;
            }
            self.at += 1;
        }
        self.note(line, segments, false);
    }

    /// One tree of a `use` declaration below `prefix`.
    fn tree(&mut self, mut segments: Vec<String>) {
        if self.peek(0) == Some(&Lexeme::Separator) {
            self.at += 1;
        }
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match &token.lexeme {
                Lexeme::Ident(word) => segments.push(word.clone()),
                Lexeme::Other('{') => return self.group(&segments),
                // A glob names all of the module before it.
                _ => return self.note(token.line, segments, true),
            }
            if self.peek(0) != Some(&Lexeme::Separator) {
                return self.note(token.line, segments, true);
            }
            self.at += 1;
        }
    }

    fn group(&mut self, prefix: &[String]) {
        while let Some(lexeme) = self.peek(0) {
            match lexeme {
                Lexeme::Other('}') => {
                    self.at += 1;
                    return;
                }
                Lexeme::Other(',') => self.at += 1,
                Lexeme::Ident(word) if word == "as" => self.at += 2,
                _ => self.tree(prefix.to_vec()),
            }
        }
    }

    fn note(&mut self, line: usize, segments: Vec<String>, imported: bool) {
        let segments = resolve(&self.module, segments);
        self.found.push(Named { line, segments, imported, handed_on: imported && self.hands_on });
    }
}

/// Turns a path as written in `module` into one from the root.
fn resolve(module: &[String], mut segments: Vec<String>) -> Vec<String> {
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    let relative = segments.iter().take_while(|word| *word == "self" || *word == "super").count();
    if relative == 0 {
        if segments.first().is_some_and(|root| root == "mxray") {
            segments[0] = "crate".to_owned();
        }
        return segments;
    }
    let up = segments[..relative].iter().filter(|word| *word == "super").count();
    let base = &module[..module.len().saturating_sub(up)];
    std::iter::once("crate".to_owned())
        .chain(base.iter().cloned())
        .chain(segments.drain(relative..))
        .collect()
}

/// Cuts a source into identifiers, `::` and single characters; comments,
/// strings, characters, lifetimes and blanks are dropped.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let length = skipped(&chars[at..]);
        if length > 0 {
            line += chars[at..at + length].iter().filter(|c| **c == '\n').count();
            at += length;
            continue;
        }
        let word: String = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
        let (lexeme, length) = if !word.is_empty() {
            let length = word.chars().count();
            (Lexeme::Ident(word), length)
        } else if chars[at..].starts_with(&[':', ':']) {
            (Lexeme::Separator, 2)
        } else {
            (Lexeme::Other(chars[at]), 1)
        };
        tokens.push(Token { line, lexeme });
        at += length;
    }
    tokens
}

/// How many characters to drop at the head of `rest`.
fn skipped(rest: &[char]) -> usize {
    match rest {
        [c, ..] if c.is_whitespace() => 1,
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest),
        ['\'', ..] => character(rest),
        ['b' | 'c', '"', ..] => 1 + quoted(&rest[1..]),
        ['b', '\'', ..] => 1 + character(&rest[1..]),
        ['b' | 'c', 'r', '"' | '#', ..] => raw(rest, 2),
        ['r', '"' | '#', ..] => raw(rest, 1),
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A literal in the quote that `rest` begins with.
fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != rest[0] {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `'x'`, or the lifetime `'x`.
fn character(rest: &[char]) -> usize {
    match rest {
        [_, '\\', ..] | [_, _, '\'', ..] => quoted(rest),
        _ => 1 + rest[1..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count(),
    }
}

/// `r"…"`, `r##"…"##`; a raw identifier loses its `r#` alone.
fn raw(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let body = prefix + hashes + 1;
    if rest.get(body - 1) != Some(&'"') {
        return prefix + hashes;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = rest[body..].windows(end.len()).position(|window| window == end);
    length.map_or(rest.len(), |length| body + length + end.len())
}
