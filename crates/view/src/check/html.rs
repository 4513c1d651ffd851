//! Follows the markup between a template's tags closely enough to tell where a value would land: in text, in an
//! attribute, in a script. Both branches of an `if` count as if they stood one after the other. It must never be used to
//! sanitise anything: it knows far less HTML than a browser.

/// Where in the page a template's tag stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spot {
    /// Between elements, in a tag among its attributes, in a comment: HTML escaping is right here, or nothing is at stake.
    Plain,
    /// Within the quotes of an attribute's value.
    Attribute { name: String, quote: char },
    /// An attribute's value that has no quotes.
    Unquoted,
    /// Inside a `<script>` element.
    Script,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// After `<`: the element's name so far.
    Name,
    /// Among the attributes of a tag.
    Inside,
    /// After the `=` of an attribute.
    Equals,
    Quoted(char),
    Unquoted,
    Comment,
    /// In an element whose text is no markup: up to its end tag.
    Raw,
}

/// The markup read so far.
#[derive(Debug, Default)]
pub(crate) struct Html {
    state: State,
    element: String,
    attribute: String,
    /// The last few characters, in lower case, where an end has several: `-->`, `</script`.
    tail: String,
}

/// The longest end looked for in `tail` is `</textarea`.
const TAIL: usize = 10;

impl Html {
    /// Reads markup as it stands in the template.
    pub(crate) fn feed(&mut self, text: &str) {
        text.chars().for_each(|sign| self.step(sign.to_ascii_lowercase()));
    }

    /// Notes that a tag of the template prints something here.
    pub(crate) fn feed_value(&mut self) {
        if matches!(self.state, State::Equals) {
            self.state = State::Unquoted;
        }
    }

    pub(crate) fn spot(&self) -> Spot {
        match self.state {
            State::Quoted(quote) => Spot::Attribute { name: self.attribute.clone(), quote },
            State::Equals | State::Unquoted => Spot::Unquoted,
            State::Raw if self.element == "script" => Spot::Script,
            _ => Spot::Plain,
        }
    }

    fn step(&mut self, sign: char) {
        match self.state {
            State::Text => {
                if sign == '<' {
                    self.state = State::Name;
                    self.element.clear();
                }
            }
            State::Name => self.step_name(sign),
            State::Inside => match sign {
                '>' => self.leave_tag(),
                '=' => self.state = State::Equals,
                _ if sign.is_whitespace() || sign == '/' => self.attribute.clear(),
                _ => self.attribute.push(sign),
            },
            State::Equals => match sign {
                '"' | '\'' => self.state = State::Quoted(sign),
                '>' => self.leave_tag(),
                _ if sign.is_whitespace() => {}
                _ => self.state = State::Unquoted,
            },
            State::Quoted(quote) => {
                if sign == quote {
                    self.attribute.clear();
                    self.state = State::Inside;
                }
            }
            State::Unquoted => match sign {
                '>' => self.leave_tag(),
                _ if sign.is_whitespace() => {
                    self.attribute.clear();
                    self.state = State::Inside;
                }
                _ => {}
            },
            State::Comment => {
                self.remember(sign);
                if self.tail.ends_with("-->") {
                    self.state = State::Text;
                }
            }
            State::Raw => {
                self.remember(sign);
                if self.tail.strip_suffix(self.element.as_str()).is_some_and(|before| before.ends_with("</")) {
                    self.element.clear();
                    self.attribute.clear();
                    self.state = State::Inside;
                }
            }
        }
    }

    fn step_name(&mut self, sign: char) {
        match sign {
            // `a < b` opens no tag.
            _ if self.element.is_empty() && !(sign.is_ascii_alphabetic() || sign == '/' || sign == '!') => {
                self.state = State::Text;
            }
            '>' => self.leave_tag(),
            _ if sign.is_whitespace() => {
                self.attribute.clear();
                self.state = State::Inside;
            }
            _ => {
                self.element.push(sign);
                if self.element == "!--" {
                    self.tail.clear();
                    self.state = State::Comment;
                }
            }
        }
    }

    fn leave_tag(&mut self) {
        self.tail.clear();
        let is_raw = matches!(self.element.as_str(), "script" | "style" | "textarea" | "title");
        self.state = if is_raw { State::Raw } else { State::Text };
    }

    fn remember(&mut self, sign: char) {
        if self.tail.chars().count() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(sign);
    }
}
