//! A list by its name: where it is shown, and which scope holds it. It never lets a name through that is not one, so what
//! stands in an address can't reach any other scope.

use riverrun::prelude::*;

/// The longest name, in characters: it has to fit into an address that people tell each other.
const MAX_NAME: usize = 40;

/// The name of the list at `/`.
const HOME: &str = "home";

/// What the names of the lists' scopes begin with.
const PREFIX: &str = "list:";

/// A list's name: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List(String);

/// It can't be a list's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list's name has 1 to {MAX_NAME} small letters, digits and hyphens")]
pub struct NotAList;

impl List {
    /// The list at `/`.
    pub fn home() -> Self {
        Self(HOME.into())
    }

    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, NotAList> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
            return Err(NotAList);
        }
        Ok(Self(name.into()))
    }

    /// The name somebody typed, written as names are: `Movie night` is `movie-night`.
    pub fn typed(text: &str) -> Result<Self, NotAList> {
        let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        Self::new(&words.join("-").to_ascii_lowercase())
    }

    /// The list a scope holds.
    pub fn of(scope: &Scope) -> Option<Self> {
        Self::new(scope.as_str().strip_prefix(PREFIX)?).ok()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its name for people.
    pub fn title(&self) -> String {
        if self.is_home() {
            return "Todos".into();
        }
        let mut title = self.0.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        title
    }

    /// The scope that holds it.
    pub fn scope(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// Where it is shown.
    pub fn path(&self) -> String {
        if self.is_home() { "/".into() } else { format!("/lists/{}", self.0) }
    }

    /// Whether it is the list at `/`.
    pub fn is_home(&self) -> bool {
        self.0 == HOME
    }
}

/// Everybody may read and write every list, and nothing else. Where there are users, ask here whose list it is.
#[derive(Debug, Clone, Copy)]
pub struct ListsOnly;

impl Authorize for ListsOnly {
    async fn authorize(&self, _: &Principal, scope: &Scope, _: Action) -> Result<bool, AccessFailed> {
        Ok(List::of(scope).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_small_letters_digits_and_hyphens() {
        for name in ["home", "a", "movie-night-2", &"x".repeat(MAX_NAME)] {
            let list = List::new(name).unwrap();
            assert_eq!(List::of(&Scope::new(list.scope()).unwrap()), Some(list));
        }
        for name in ["", "A", "ä", "a b", "a/b", "a_b", "<script>", "..", &"x".repeat(MAX_NAME + 1)] {
            assert_eq!(List::new(name), Err(NotAList), "{name}");
        }
        assert_eq!(List::of(&Scope::new("todos").unwrap()), None);
        assert_eq!(List::of(&Scope::new("list:A").unwrap()), None);
    }

    #[test]
    fn what_is_typed_becomes_a_name() {
        assert_eq!(List::typed("  Movie night! "), List::new("movie-night"));
        assert_eq!(List::typed("!"), Err(NotAList));
    }

    #[test]
    fn a_list_has_a_title_and_a_path() {
        let list = List::new("movie-night").unwrap();
        assert_eq!((list.title().as_str(), list.path().as_str()), ("Movie night", "/lists/movie-night"));
        assert_eq!((List::home().title().as_str(), List::home().path().as_str()), ("Todos", "/"));
    }
}
