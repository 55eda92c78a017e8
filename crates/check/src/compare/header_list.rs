//! The headers of a request, as filters see them.

use gate::request::Request;

/// Headers with names in lower case, pseudo-headers included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderList(pub(crate) Vec<(String, String)>);

impl HeaderList {
    /// The first value of a header; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let matching = self.0.iter().filter(move |(known, _)| known == name);
        matching.map(|(_, value)| value.as_str())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Sets the only value of a header.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Envoy joins the values of a repeated `Authorization` before filters see them.
    pub(crate) fn joined(&self) -> Self {
        let mut joined = self.clone();
        let values: Vec<&str> = self.all("authorization").collect();
        if values.len() > 1 {
            joined.set("authorization", &values.join(","));
        }
        joined
    }

    /// The headers in an order that makes them comparable.
    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort();
        self
    }

    /// The request with these headers.
    pub(crate) fn request(&self) -> Request<'static> {
        let headers = self.0.iter();
        Request::from_headers(
            headers.map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes())),
        )
    }
}
