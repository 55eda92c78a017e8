//! What one of the two does with a request.

use super::header_list::HeaderList;

/// What one of the two does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    /// The status of the answer; 200 if the request reaches the upstream.
    pub(crate) status: u16,
    /// The headers that the upstream gets, sorted.
    pub(crate) upstream: Option<HeaderList>,
    /// Whether the answer has a challenge.
    pub(crate) challenge: bool,
    /// Why, in a word.
    pub(crate) why: String,
}

impl Side {
    /// The request passes; without a route Envoy answers it with 404.
    pub(crate) fn passes(upstream: HeaderList, has_route: bool) -> Self {
        Self {
            status: if has_route { 200 } else { 404 },
            upstream: has_route.then(|| upstream.sorted()),
            challenge: false,
            why: if has_route { "passes" } else { "no route" }.to_owned(),
        }
    }

    /// What the two differ in: names of headers that the upstream gets.
    pub(crate) fn different_headers(&self, other: &Self) -> Vec<String> {
        let (Some(one), Some(other)) = (&self.upstream, &other.upstream) else {
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        for (name, _) in one.0.iter().chain(&other.0) {
            if !names.contains(name) && !one.all(name).eq(other.all(name)) {
                names.push(name.clone());
            }
        }
        names
    }
}
