//! Which todos of a list are shown. The script on the page filters by the same words.

use serde::Serialize;

use super::form::Fields;

/// A choice of todos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// What is still to be done.
    Active,
    /// What is done.
    Completed,
}

/// A link to a choice, as the view shows it.
#[derive(Debug, Serialize)]
pub struct Link {
    name: &'static str,
    title: &'static str,
    href: String,
    current: bool,
}

impl Filter {
    const ALL: [Self; 3] = [Self::All, Self::Active, Self::Completed];

    /// The choice an address makes: `?filter=active`. One that isn't known is no choice.
    pub fn of_query(query: Option<&str>) -> Self {
        let fields = Fields::read(query.unwrap_or_default());
        let wanted = fields.get("filter");
        Self::ALL.into_iter().find(|filter| filter.name() == wanted).unwrap_or_default()
    }

    /// Its word in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Completed => "completed",
        }
    }

    /// What an address ends with to make this choice.
    pub fn query(self) -> String {
        if self == Self::All { String::new() } else { format!("?filter={}", self.name()) }
    }

    /// Whether it shows a todo.
    pub fn shows(self, completed: bool) -> bool {
        match self {
            Self::All => true,
            Self::Active => !completed,
            Self::Completed => completed,
        }
    }

    /// The links to all choices, on the page at `path`.
    pub fn links(self, path: &str) -> Vec<Link> {
        let title = |filter| match filter {
            Self::All => "All",
            Self::Active => "Active",
            Self::Completed => "Completed",
        };
        let link = |filter: Self| Link {
            name: filter.name(),
            title: title(filter),
            href: format!("{path}{}", filter.query()),
            current: filter == self,
        };
        Self::ALL.map(link).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_makes_a_choice_and_an_unknown_one_makes_none() {
        for filter in Filter::ALL {
            assert_eq!(Filter::of_query(filter.query().strip_prefix('?')), filter);
        }
        assert_eq!(Filter::of_query(Some("a=b&filter=completed")), Filter::Completed);
        assert_eq!(Filter::of_query(Some("filter=%3Cscript%3E")), Filter::All);
    }
}
