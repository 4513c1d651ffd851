//! The names templates go by: which ones are allowed, and which file a page, a layout or a component is.
//! The same rules hold for a folder on disk and for what is embedded. It must never let a name leave the root.

use minijinja::AutoEscape;

/// The endings that make a file a template; everything else in the folder is ignored, an editor's backups among it.
const TEMPLATE_ENDINGS: [&str; 4] = ["html", "svg", "txt", "xml"];

/// The longest name of a template, in bytes: what file systems allow for a path's part, and no page needs more.
const MAX_NAME_BYTES: usize = 255;

/// What a template is for: it decides the folder its name is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Page,
    Layout,
    Component,
}

impl Role {
    /// The file of the template a program calls `name`: `home` is `pages/home.html`, `layouts/main` is
    /// `layouts/main.html`. A name that brings its own ending keeps it. `None` if the name isn't allowed.
    pub(crate) fn file(self, name: &str) -> Option<String> {
        let folder = match self {
            Self::Page => "pages/",
            Self::Component => "components/",
            // A layout is named from the root, as the option that sets the default one does.
            Self::Layout => "",
        };
        let ending = if has_template_ending(name) { "" } else { ".html" };
        let file = format!("{folder}{name}{ending}");
        is_template(&file).then_some(file)
    }

    /// The word for it in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Layout => "layout",
            Self::Component => "component",
        }
    }
}

/// Whether `file`, a path below the root with `/` between its parts, is a template's.
pub(crate) fn is_template(file: &str) -> bool {
    file.len() <= MAX_NAME_BYTES && has_template_ending(file) && file.split('/').all(is_part)
}

fn has_template_ending(name: &str) -> bool {
    ending(name).is_some_and(|ending| TEMPLATE_ENDINGS.contains(&ending))
}

/// What stands after the last dot; in a template's name it is written in small letters.
pub(crate) fn ending(file: &str) -> Option<&str> {
    file.rsplit_once('.').map(|(_, ending)| ending)
}

/// A part that begins with a dot is hidden, or is `.` or `..`; `\` and `:` mean something on Windows.
fn is_part(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && !part.contains(|c: char| c == '\\' || c == ':' || c.is_control())
}

/// How values are escaped in `file`: as HTML everywhere but in plain text.
pub(crate) fn escaping(file: &str) -> AutoEscape {
    if ending(file) == Some("txt") { AutoEscape::None } else { AutoEscape::Html }
}

/// The media type of what `file` renders to.
pub(crate) fn media_type(file: &str) -> &'static str {
    match ending(file) {
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("xml") => "application/xml; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(role: Role, name: &str, file: Option<&str>) {
        assert_eq!(role.file(name).as_deref(), file, "{name:?}");
    }

    #[test]
    fn a_name_leads_to_one_file() {
        check(Role::Page, "home", Some("pages/home.html"));
        check(Role::Page, "todos/show", Some("pages/todos/show.html"));
        check(Role::Page, "sitemap.xml", Some("pages/sitemap.xml"));
        check(Role::Page, "v1.2", Some("pages/v1.2.html"));
        check(Role::Layout, "layouts/main", Some("layouts/main.html"));
        check(Role::Component, "todo", Some("components/todo.html"));
    }

    #[test]
    fn a_name_never_leaves_the_root() {
        for name in [
            "..",
            "../secret",
            "a/../../secret",
            "/etc/passwd",
            ".hidden",
            "a/.hidden",
            "a//b",
            "",
            "a/",
            "a\\b",
            "C:a",
            "a\0b",
            "..%2f\n",
        ] {
            check(Role::Page, name, None);
            check(Role::Layout, name, None);
            check(Role::Component, name, None);
        }
        check(Role::Page, &"a".repeat(300), None);
    }
}
