//! Renders one template, and a page into its layout. It must never decide what happens when that fails.

use minijinja::{Environment, Error, Template, Value};

use crate::stacks::Stacks;

/// What a template came to.
pub(crate) struct Rendered {
    pub(crate) output: String,
    pub(crate) stacks: Stacks,
    /// The variables it set at its top level.
    pub(crate) set: Vec<(String, Value)>,
}

/// Renders `template` alone; its pushes are handed on, its slots stay open.
pub(crate) fn render(template: &Template<'_, '_>, values: Value) -> Result<Rendered, Error> {
    let mut captured = template.render_captured(values)?;
    let stacks = captured.with_state_mut(Stacks::take);
    let state = captured.state();
    let set =
        state.exports().into_iter().filter_map(|name| Some((name.to_owned(), state.lookup(name)?))).collect::<Vec<_>>();
    Ok(Rendered { output: captured.into_output(), stacks, set })
}

/// Renders the template `file`, and puts it into `layout` if there is one. The layout sees the page's values, what the
/// page set at its top level, and the page itself as `content`.
pub(crate) fn render_into(
    env: &Environment<'static>,
    file: &str,
    layout: Option<&str>,
    mut values: Vec<(String, Value)>,
) -> Result<String, Error> {
    let page = render(&env.get_template(file)?, Value::from_pairs(values.iter().cloned()))?;
    let Some(layout) = layout else { return Ok(page.stacks.fill(page.output)) };
    values.extend(page.set);
    values.push(("content".to_owned(), Value::from_safe_string(page.output)));
    let framed = render(&env.get_template(layout)?, Value::from_pairs(values))?;
    let mut stacks = page.stacks;
    stacks.append(framed.stacks);
    Ok(stacks.fill(framed.output))
}
