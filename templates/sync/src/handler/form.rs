//! A form of the page as it arrives where scripts are off. Other sites' forms, other lists' names and bodies without an
//! end are refused here, so that no handler has to think of them.

use std::collections::BTreeMap;

use axum::{
    body,
    extract::{FromRequest, FromRequestParts, Path, Request},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use riverrun::prelude::*;

use super::{filter::Filter, page};
use crate::{server::App, service::todo::List};

/// The most bytes of a form: a title of 200 characters is at most 2,400, percent-encoded.
const MAX_BYTES: usize = 16 * 1024;

/// A form about a list, sent by this site's own page.
pub struct TodoForm {
    /// The application.
    pub app: App,
    /// The views, for the answer.
    pub view: View,
    /// The list it is about.
    pub list: List,
    /// What the page showed, and shows again.
    pub filter: Filter,
    /// What was filled in.
    pub fields: Fields,
}

/// Names and values, as forms and queries carry them.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads `a=1&b=2`. Of a name that comes twice, the last value counts; bytes that are no UTF-8 are replaced.
    pub fn read(text: &str) -> Self {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let field = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self(pairs.map(field).collect())
    }

    /// A field's value; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl FromRequest<App> for TodoForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, content) = request.into_parts();
        SameOrigin::from_request_parts(&mut parts, app).await?;
        let Ok(view) = View::from_request_parts(&mut parts, app).await;
        let Path(name) =
            Path::<String>::from_request_parts(&mut parts, app).await.map_err(|error| error.into_response())?;
        let list = List::new(&name).map_err(|_| page::not_found(&view))?;
        let bytes = body::to_bytes(content, MAX_BYTES).await.map_err(|_| page::unreadable(&view))?;
        let fields = Fields::read(&String::from_utf8_lossy(&bytes));
        Ok(Self { app: app.clone(), view, list, filter: Filter::of_query(parts.uri.query()), fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let fields = Fields::read("title=Caf%C3%A9+%2B+tea%21&once=1&empty=&bare&once=2");
        assert_eq!(fields.get("title"), "Café + tea!");
        assert_eq!((fields.get("once"), fields.get("empty"), fields.get("bare")), ("2", "", ""));
        assert_eq!(fields.get("missing"), "");
        assert_eq!(Fields::read("a=%ff%zz&=x").get("a"), "\u{fffd}%zz");
    }
}
