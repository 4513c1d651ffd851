//! The check every template passes before it is used: it parses, every filter, test and template it names exists, and no
//! value is printed where escaping can't protect the page. It must never run a template: it knows no values.

mod html;
mod tags;

use minijinja::{AutoEscape, Environment, Value};

use crate::name::{self, Role};
use crate::problem::{Place, Problem};
use crate::source::{SourceError, Templates};
use html::Spot;
use tags::{Kind, Tag, Token};

/// What templates are checked against.
#[derive(Clone)]
pub(crate) struct Rules {
    /// Knows the filters and tests; holds no template.
    pub(crate) env: Environment<'static>,
    pub(crate) templates: Templates,
}

impl Rules {
    /// What is wrong with any template, and with the default layout.
    pub(crate) fn check_all(&self, layout: Option<&str>) -> Result<Vec<Problem>, SourceError> {
        let mut problems = Vec::new();
        for file in self.templates.list()? {
            if let Some(source) = self.templates.read(&file)? {
                problems.extend(self.check(&file, &source));
            }
        }
        if let Some(layout) = layout
            && !Role::Layout.file(layout).is_some_and(|file| self.templates.has(&file))
        {
            problems.push(Problem::new(format!("the default layout `{layout}` does not exist")));
        }
        Ok(problems)
    }

    /// What is wrong with the template `file`. A template that doesn't parse has that one problem.
    pub(crate) fn check(&self, file: &str, source: &str) -> Vec<Problem> {
        let env: &Environment<'_> = &self.env;
        if let Err(error) = env.template_from_named_str(file, source) {
            return vec![Problem::from_engine(&error)];
        }
        let mut problems = Vec::new();
        for tag in tags::tags(source) {
            let mut tell = |message: String| {
                let place = Place { file: file.to_owned(), line: tag.line };
                problems.push(Problem::at(place, message, source));
            };
            self.check_names(&tag, &mut tell);
            self.check_references(&tag, &mut tell);
            if tag.kind == Kind::Expression
                && name::escaping(file) == AutoEscape::Html
                && let Some(message) = misplaced(&tag)
            {
                tell(message.to_owned());
            }
        }
        problems
    }

    /// Filters and tests that don't exist: the engine finds out only when it gets there.
    fn check_names(&self, tag: &Tag<'_>, tell: &mut impl FnMut(String)) {
        let tokens = &tag.tokens;
        for (at, token) in tokens.iter().enumerate() {
            let next = |n: usize| match tokens.get(at + n) {
                Some(Token::Word(word)) => Some(*word),
                _ => None,
            };
            let is_filter_block = tag.kind == Kind::Statement && at == 0 && *token == Token::Word("filter");
            if (*token == Token::Sign('|') || is_filter_block)
                && let Some(name) = next(1)
                && !self.knows("filter", name)
            {
                tell(format!("there is no filter `{name}`"));
            }
            let is_attribute = at > 0 && tokens[at - 1] == Token::Sign('.');
            if *token == Token::Word("is") && !is_attribute {
                let name = if next(1) == Some("not") { next(2) } else { next(1) };
                if let Some(name) = name
                    && !self.knows("test", name)
                {
                    tell(format!("there is no test `{name}`"));
                }
            }
        }
    }

    /// Whether the engine has a `kind` (`filter` or `test`) of that name.
    fn knows(&self, kind: &str, name: &str) -> bool {
        let Ok(blank) = self.env.template_from_str("") else { return true };
        blank.new_state().perform_test(kind, &[Value::from(name)]).unwrap_or(true)
    }

    /// Templates named by a literal that don't exist. A name that is computed shows only when it is rendered.
    fn check_references(&self, tag: &Tag<'_>, tell: &mut impl FnMut(String)) {
        let tokens = &tag.tokens;
        if tag.kind == Kind::Statement
            && let [Token::Word("include" | "extends" | "import" | "from"), Token::Text(file), rest @ ..] = &tokens[..]
            && matches!(rest.first(), None | Some(Token::Word("import" | "as" | "with" | "without")))
            && !self.templates.has(file)
        {
            tell(format!("there is no template `{file}`"));
        }
        for window in tokens.windows(4) {
            if let [Token::Word("component"), Token::Sign('('), Token::Text(name), Token::Sign(',' | ')')] = window
                && !Role::Component.file(name).is_some_and(|file| self.templates.has(&file))
            {
                tell(format!("there is no component `{name}`"));
            }
        }
    }
}

/// Why the expression must not stand where it stands, if so.
fn misplaced(tag: &Tag<'_>) -> Option<&'static str> {
    let filter = tag.last_filter();
    if filter == Some("safe") {
        return None;
    }
    let is_json = matches!(filter, Some("json" | "tojson"));
    match &tag.spot {
        Spot::Unquoted => Some("the value of an attribute must be quoted: outside quotes escaping does not protect it"),
        Spot::Attribute { quote: '"', .. } if is_json => {
            Some("`json` would end this attribute at its first `\"`: use `json_attr`")
        }
        Spot::Attribute { name, .. } if name.starts_with("on") && !is_json && filter != Some("json_attr") => {
            Some("in an event handler a value is script, which HTML escaping does not protect: use `json_attr`")
        }
        Spot::Script if !is_json && !tag.prints_markup() => {
            Some("inside <script> HTML escaping does not protect a value: use `json`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
