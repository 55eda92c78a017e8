//! Paths as they are written, in code and in the arguments of macros.

use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;

/// A path with the line that it is on.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) segments: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Name {
    /// `None` for a path from outside of the crate.
    pub(crate) fn from_path(path: &syn::Path) -> Option<Self> {
        let first = path.segments.first()?;
        path.leading_colon.is_none().then(|| Self {
            segments: path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
            line: first.ident.span().start().line,
        })
    }
}

/// The paths of at least two segments in the arguments of a macro or an attribute, also in string
/// literals, where serde expects functions.
pub(crate) fn in_tokens(tokens: TokenStream) -> Vec<Name> {
    let mut names = Vec::new();
    let mut open: Option<Name> = None;
    let mut colons = 0_u8;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' && open.is_some() && colons < 2 => {
                colons = colons.saturating_add(1);
                continue;
            }
            TokenTree::Ident(ident) => match &mut open {
                Some(name) if colons == 2 => name.segments.push(ident.to_string()),
                _ => {
                    names.extend(open.replace(Name {
                        segments: vec![ident.to_string()],
                        line: ident.span().start().line,
                    }));
                }
            },
            TokenTree::Group(group) => {
                names.extend(open.take());
                names.extend(in_tokens(group.stream()));
            }
            TokenTree::Literal(literal) => {
                names.extend(open.take());
                if let Lit::Str(text) = Lit::new(literal)
                    && let Ok(path) = text.parse::<syn::Path>()
                {
                    names.extend(Name::from_path(&path));
                }
            }
            TokenTree::Punct(_) => names.extend(open.take()),
        }
        colons = 0;
    }
    names.extend(open);
    names.retain(|name| name.segments.len() > 1);
    names
}
