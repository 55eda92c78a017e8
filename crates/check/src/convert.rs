//! From `jwt_authn` to the gate: the same file with the gate in it.
//!
//! The text is edited, not written again: what has nothing to do with `jwt_authn` stays byte for byte, comments
//! included. Each change of meaning is marked with REVIEW.

mod aliases;
mod chosen;
mod editor;
mod edits;
mod embedded;
mod filter;
mod layout;
mod local_keys;
mod location;
mod matcher;
mod mesh;
mod native;
mod native_filters;
mod nested;
mod new_value;
mod provider;
mod recognition;
mod regex;
mod remote_keys;
mod requirement;
mod requirement_names;
mod route_choice;
mod surroundings;

use std::path::Path;

use crate::configuration::join;
use crate::source_tree::{self, Entry, Node, line_and_column};
use crate::syntax_hint::hint;
use chosen::RouteChoices;
use editor::Editor;
use editor::Refusal;
pub(crate) use editor::Review;
use filter::WASM;
pub(crate) use matcher::{NOT_LOOKED_AT, template_to_regex};
use native::{Needs, RouteUse};
use native_filters::{ListedFilter, NativeFilters};
use nested::Nested;
use new_value::{NewValue, quoted};
pub(crate) use provider::RESERVED_HEADERS;
use recognition::{is_bare, is_converted, native_of};
use requirement_names::RequirementNames;
use route_choice::RouteConversion;
use surroundings::Surroundings;

/// A file with the gate in it.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) text: String,
    /// Where the meaning changes.
    pub(crate) reviews: Vec<Review>,
    /// What could not be converted, and how it is refused instead.
    pub(crate) unconverted: Vec<Failure>,
}

/// A reason why a file cannot be converted.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Line and column in the file, both from 1.
    pub(crate) place: Option<(usize, usize)>,
    pub(crate) text: String,
}

impl Failure {
    /// A reason that concerns the file as a whole.
    pub(crate) fn for_file(text: impl Into<String>) -> Self {
        Self {
            place: None,
            text: text.into(),
        }
    }
}

/// Converts the text of a file.
///
/// # Errors
///
/// All reasons why it cannot be converted.
pub(crate) fn convert(
    text: &str,
    module: &str,
    directory: &Path,
) -> Result<Converted, Vec<Failure>> {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if let Some(converted) = policies(text, module, is_json) {
        return converted;
    }
    let plain = convert_with(text, module, directory, false)?;
    if is_json {
        return Ok(plain);
    }
    // A comment between lines may be impossible, as inside a text of several lines.
    let commented = convert_with(text, module, directory, true);
    Ok(commented
        .ok()
        .filter(|commented| has_same_content(&commented.text, &plain.text))
        .unwrap_or(plain))
}

/// Whether there are policies of a mesh that look at tokens.
pub(crate) fn has_policies(documents: &[Node]) -> bool {
    mesh::has_policies(documents)
}

/// Whether `node` is a configuration of `jwt_authn`.
pub(crate) fn is_native(node: &Node) -> bool {
    native_of(node).is_some() || is_bare(node)
}

/// Converts the policies of a mesh in the text; `None` if there are none.
fn policies(text: &str, module: &str, is_json: bool) -> Option<Result<Converted, Vec<Failure>>> {
    let documents = source_tree::parse(text).ok()?;
    let failures = |refusals: Vec<Refusal>| {
        let mut failures: Vec<Failure> = refusals
            .iter()
            .map(|refusal| failure(text, refusal))
            .collect();
        failures.sort_by_key(|failure| failure.place);
        failures
    };
    mesh::has_policies(&documents).then(|| {
        let converted = mesh::convert(text, &documents, module, is_json).map_err(failures)?;
        Ok(Converted {
            text: converted.text,
            reviews: converted.reviews,
            unconverted: failures(converted.unconverted),
        })
    })
}

/// What a refusal in `text` says.
fn failure(text: &str, refusal: &Refusal) -> Failure {
    Failure {
        place: Some(line_and_column(text, refusal.position)),
        text: format!("{}: {}", refusal.path, refusal.text),
    }
}

/// Whether two texts are the same but for their layout and comments.
fn has_same_content(one: &str, other: &str) -> bool {
    let content = |text| {
        let documents = source_tree::parse(text).ok()?;
        Some(documents.iter().map(Node::to_json).collect::<Vec<_>>())
    };
    content(one).is_some_and(|one| content(other) == Some(one))
}

/// Converts the text, with comments for reviews or without.
fn convert_with(
    text: &str,
    module: &str,
    directory: &Path,
    has_comments: bool,
) -> Result<Converted, Vec<Failure>> {
    let documents = source_tree::parse(text).map_err(|error| {
        vec![Failure {
            place: Some(line_and_column(text, error.position)),
            text: format!("is neither JSON nor YAML: {}{}", error.text, hint(text)),
        }]
    })?;
    if let Some(text) = aliases::written_out(text, &documents, &is_converted) {
        return convert_with(&text, module, directory, has_comments);
    }
    let whole = |error: String| vec![Failure::for_file(error)];
    let mut conversion = Conversion {
        editor: Editor::new(text, has_comments),
        surroundings: Surroundings {
            documents: &documents,
            directory,
        },
        module,
        choices: RouteChoices::default(),
        native: NativeFilters::default(),
        nested: Vec::new(),
        filters: 0,
    };
    conversion.run(&documents).map_err(whole)?;
    let Conversion { mut editor, .. } = conversion;
    if !editor.refusals.is_empty() {
        editor.refusals.sort_by_key(|refusal| refusal.position);
        let refusals = editor.refusals.iter();
        let failures = refusals.map(|refusal| failure(text, refusal));
        return Err(failures.collect());
    }
    let converted = editor.edits.take(text, 0..text.len());
    Ok(Converted {
        text: converted.map_err(whole)?,
        reviews: editor.reviews,
        unconverted: Vec::new(),
    })
}

/// The conversion of a file.
struct Conversion<'c> {
    editor: Editor<'c>,
    surroundings: Surroundings<'c>,
    module: &'c str,
    choices: RouteChoices,
    native: NativeFilters,
    /// What is inside the filter that is visited.
    nested: Vec<Nested>,
    /// How many configurations have been converted.
    filters: usize,
}

/// Where the conversion is.
#[derive(Clone, Copy, Default)]
struct Scope<'n> {
    /// The filter whose configuration is visited.
    filter: Option<&'n Node>,
    /// The filter in a list of filters that this is part of.
    listed: Option<ListedFilter<'n>>,
    /// The outermost such filter. Routes choose by its name.
    outermost: Option<ListedFilter<'n>>,
}

impl Conversion<'_> {
    fn run(&mut self, documents: &[Node]) -> Result<(), String> {
        for document in documents {
            self.native.collect(document);
        }
        for document in documents {
            self.choices.collect(document, &self.native);
        }
        for (index, document) in documents.iter().enumerate() {
            let path = match documents.len() {
                1 => String::new(),
                _ => format!("document {}", index.saturating_add(1)),
            };
            if is_bare(document) {
                self.bare(document, &path);
            } else {
                self.visit(document, &path, Scope::default())?;
            }
            let names = RequirementNames {
                filters: &self.native,
                choices: &self.choices,
            };
            let routes = RouteConversion { names };
            routes.convert(&mut self.editor, document, &path);
        }
        if self.filters == 0 && self.editor.refusals.is_empty() {
            if !self.choices.any {
                return Err(recognition::nothing_to_convert(self.editor.text, documents).to_owned());
            }
            if let Some(first) = documents.first() {
                self.editor.review(
                    first.range.start,
                    "",
                    &format!(
                        "the gate that serves these routes needs `per_route_requirements: true`, a requirement of \
                         each name, and `{}: {{allow: {{}}}}` in its requirement_map where a route was disabled. If it is \
                         off by default, its name must be the one by which the routes switch it on",
                        requirement::DISABLED
                    ),
                );
            }
        }
        Ok(())
    }

    /// Converts what is in `node`.
    fn visit(&mut self, node: &Node, path: &str, scope: Scope<'_>) -> Result<(), String> {
        if let Some(native) = native_of(node) {
            return self.filter(node, native, path, scope);
        }
        if let Some(kind) = node.type_url()
            && kind.contains("jwt_authn.v2alpha")
        {
            let text = "is of version 2 of Envoy's API, which no supported Envoy reads: write it for version 3 first";
            self.editor.refuse(node.range.start, path, text);
        }
        if node.text_of("name") == Some("envoy.filters.http.jwt_authn")
            && let Some(config) = node.entry("config")
        {
            let text = "`config` without a type is of an old Envoy: write it as `typed_config` with `@type` first";
            self.editor.refuse(config.key_range.start, path, text);
        }
        if node.entry("typed_config").is_some() && recognition::lacks_type(node) {
            self.editor
                .refuse(node.range.start, path, recognition::LACKS_TYPE);
        }
        for entry in node.entries() {
            let path = join(path, &entry.key);
            if entry.is_named("http_filters") {
                self.only_names(&entry.value, &path);
            }
            if entry.is_named("type_urls") {
                self.type_urls(entry);
            }
            if embedded::has_native(&entry.value) {
                self.embedded(entry, &path)?;
            }
            // A resource has a name and a configuration, too, and its type.
            let is_filter = entry.is_named("typed_config")
                && node.text_of("name").is_some()
                && node.type_url().is_none();
            let scope = Scope {
                filter: is_filter.then_some(node),
                ..scope
            };
            self.visit(&entry.value, &path, scope)?;
        }
        for (index, item) in node.items().iter().enumerate() {
            let path = format!("{path}[{index}]");
            let own = ListedFilter::parse(node, index);
            let inner = Scope {
                filter: None,
                listed: own.or(scope.listed),
                outermost: scope.outermost.or(own),
            };
            self.visit(item, &path, inner)?;
            if let Some(own) = own {
                self.payloads_inside(own, &path);
            }
        }
        Ok(())
    }

    /// Refuses filters in the list `filters` that have the name of `jwt_authn` and no configuration.
    fn only_names(&mut self, filters: &Node, path: &str) {
        for (index, filter) in filters.items().iter().enumerate() {
            if filter.entry("typed_config").is_none() && recognition::lacks_type(filter) {
                let path = format!("{path}[{index}]");
                self.editor
                    .refuse(filter.range.start, &path, recognition::LACKS_TYPE);
            }
        }
    }

    /// Converts the types of filters that are discovered.
    fn type_urls(&mut self, entry: &Entry) {
        for item in entry.value.items() {
            if item.text().is_some_and(recognition::is_native) {
                self.filters = self.filters.saturating_add(1);
                let value = NewValue::text(WASM);
                self.editor.replace(item, &entry.key, &value);
            }
        }
    }

    /// Converts a text inside the file, such as a file in a `ConfigMap`.
    fn embedded(&mut self, entry: &Entry, path: &str) -> Result<(), String> {
        let inner = embedded::content(&entry.value);
        let converted = convert(inner, self.module, self.surroundings.directory);
        let converted = converted.map_err(|errors| {
            let errors = errors.iter().map(|error| format!("{path}: {}", error.text));
            errors.collect::<Vec<_>>().join("\n")
        })?;
        self.filters = self.filters.saturating_add(1);
        let reviews = converted.reviews.into_iter().map(|review| Review {
            path: join(path, &review.path),
            ..review
        });
        self.editor.reviews.extend(reviews);
        let (range, text) = embedded::replacement(self.editor.text, &entry.value, &converted.text);
        self.editor.edits.replace(range, text);
        Ok(())
    }

    /// How routes of this file use the filter `name`.
    fn route_use(&self, name: Option<&str>) -> RouteUse {
        let is_used = |filters: &[String]| match name {
            Some(name) => filters.iter().any(|filter| filter == name),
            None => !filters.is_empty(),
        };
        let names = RequirementNames {
            filters: &self.native,
            choices: &self.choices,
        };
        RouteUse {
            names: is_used(&self.choices.named),
            disables: is_used(&self.choices.disabled),
            elsewhere: self.choices.elsewhere,
            common_names: name
                .map(|name| names.common_names(name))
                .unwrap_or_default(),
        }
    }

    /// Converts a configuration that is not in a filter.
    fn bare(&mut self, node: &Node, path: &str) {
        self.filters = self.filters.saturating_add(1);
        let routes = self.route_use(None);
        let needs = native::convert(&mut self.editor, node, path, &self.surroundings, &routes);
        let mut general = needs.general.clone();
        if !needs.payloads.is_empty() {
            general.push_str(&payload_hint(&needs));
        }
        self.editor.review(node.range.start, path, &general);
    }

    /// Converts the filter whose configuration is `native`, in the message `outer`.
    fn filter(
        &mut self,
        outer: &Node,
        native: &Node,
        path: &str,
        scope: Scope<'_>,
    ) -> Result<(), String> {
        self.filters = self.filters.saturating_add(1);
        if !self.editor.is_editable(outer, path) {
            return Ok(());
        }
        let name = scope.filter.and_then(|filter| filter.entry("name"));
        let old = name.and_then(|name| name.value.text());
        let for_routes = scope
            .outermost
            .and_then(|outermost| outermost.message.text_of("name"));
        let routes = self.route_use(for_routes.or(old));
        let mut needs =
            native::convert(&mut self.editor, native, path, &self.surroundings, &routes);
        if !needs.payloads.is_empty() && scope.listed.is_none() {
            needs.general.push_str(&payload_hint(&needs));
        }
        filter::wrap(&mut self.editor, outer, native, path, self.module, &needs)?;
        let (Some(filter), Some(name), Some(old)) = (scope.filter, name, old) else {
            return Ok(());
        };
        let new = filter::new_name(old);
        if new != old {
            let range = name.value.range.clone();
            let source = self.editor.text.get(range.clone()).unwrap_or_default();
            let is_quoted = source.starts_with(['"', '\'']);
            let text = if is_quoted { quoted(&new) } else { new.clone() };
            self.editor.edits.replace(range, text);
        }
        match scope.listed {
            Some(listed) if listed.message.range == filter.range => {
                if !needs.payloads.is_empty() {
                    let disabled = filter.get("disabled").is_some_and(Node::is_true);
                    let value = filter::payload_filter(&new, &needs.payloads, disabled);
                    let path = path.rsplit_once('.').map_or(path, |(path, _)| path);
                    self.insert_behind(listed, path, &value);
                }
            }
            _ => self.nested.push(Nested {
                message: filter.range.clone(),
                name: old.to_owned(),
                payloads: needs.payloads,
            }),
        }
        Ok(())
    }

    /// Inserts the filter for the payloads of the gates inside `listed`, which have been converted.
    fn payloads_inside(&mut self, listed: ListedFilter<'_>, path: &str) {
        let nested = std::mem::take(&mut self.nested);
        let name = listed.message.text_of("name").unwrap_or_default();
        if nested.iter().any(|gate| !gate.payloads.is_empty()) {
            let value = nested::payload_filter(listed.message, name, &nested);
            self.insert_behind(listed, path, &value);
        }
    }

    /// Inserts the filter for payloads behind the gate `listed`.
    fn insert_behind(&mut self, listed: ListedFilter<'_>, path: &str, value: &NewValue) {
        self.editor.insert_after(
            listed.list,
            listed.index,
            path,
            value,
            "this filter moves the payload from the gate's header into dynamic metadata; it must stay right behind the \
             gate",
        );
    }
}

/// What to add where the conversion cannot add the filter for payloads.
fn payload_hint(needs: &Needs) -> String {
    let filter = filter::payload_filter("bearer-gate", &needs.payloads, false).flow();
    format!(
        "\n- the payload gets into dynamic metadata only with this filter right behind the gate: {filter}"
    )
}
