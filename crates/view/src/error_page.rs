//! The page that shows a template's problem to its author: file, line, the source around it and the way that led there.
//! It needs no script and no other file. It must never be sent outside development: it shows source.

use std::fmt::Write as _;

use crate::escape::Escaped;
use crate::problem::{Line, Problem, SHOWN_NEAR};

const STYLE: &str = include_str!("error_page.css");

/// How many lines of source are shown on each side of the bad one: enough for the tag it is in, short enough to fit.
const AROUND: usize = 6;

/// The page for `problem`. `request` is what was asked for, `nonce` what the content security policy lets styles have;
/// without one a strict policy leaves the page plain, but readable.
pub(crate) fn render(problem: &Problem, request: Option<&str>, nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" nonce=\"{}\"", Escaped(nonce))).unwrap_or_default();
    let message = Escaped(problem.message());
    let place = problem.place().map(ToString::to_string).unwrap_or_default();
    let place = Escaped(&place);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{message}</title>\n<style{nonce}>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"where\">{place}</p>\n<h1>{message}</h1>\n"
    );
    write_excerpt(&mut page, &problem.excerpt(AROUND));
    write_trail(&mut page, problem);
    if let Some(request) = request {
        writeln!(page, "<p class=\"request\">{}</p>", Escaped(request)).unwrap_or_default();
    }
    page.push_str("<p class=\"note\">Shown in development only. Save the template: under `riverrun dev` the page comes back by itself, otherwise load it again.</p>\n");
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn write_excerpt(page: &mut String, lines: &[Line<'_>]) {
    if lines.is_empty() {
        return;
    }
    page.push_str("<pre><code>");
    for line in lines {
        let (open, close) = if line.is_place { ("<strong>", "</strong>") } else { ("", "") };
        write!(page, "{open}<span>{:>4}</span> ", line.number).unwrap_or_default();
        match &line.marked {
            Some(marked) => {
                let (before, rest) = line.text.split_at(marked.start);
                let (blamed, after) = rest.split_at(marked.end - marked.start);
                write!(page, "{}<mark>{}</mark>{}", Escaped(before), Escaped(blamed), Escaped(after))
            }
            None => write!(page, "{}", Escaped(line.text)),
        }
        .unwrap_or_default();
        page.push_str(close);
        page.push('\n');
    }
    page.push_str("</code></pre>\n");
}

/// Only where there is a way to show: a problem in the page itself has none.
fn write_trail(page: &mut String, problem: &Problem) {
    if problem.trail().len() < 2 {
        return;
    }
    page.push_str("<h2>How it got there</h2>\n<ol>\n");
    let near = problem.trail().len().saturating_sub(SHOWN_NEAR + 1);
    for (at, place) in problem.trail().iter().enumerate() {
        if at == 1 && near > 1 {
            writeln!(page, "<li value=\"{near}\">… {} more</li>", near - 1).unwrap_or_default();
        }
        if at == 0 || at >= near {
            writeln!(page, "<li value=\"{}\">{}</li>", at + 1, Escaped(&place.to_string())).unwrap_or_default();
        }
    }
    page.push_str("</ol>\n");
}
