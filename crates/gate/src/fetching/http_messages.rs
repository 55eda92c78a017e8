//! The HTTP messages of a fetch.

use std::time::Duration;

use super::cache_control;
use super::resource::Resource;
use super::response_body::ResponseBody;

/// A GET request for a document or for metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// The target.
    pub resource: Resource,
    /// The value of `Accept`.
    pub accept: &'static str,
    /// The value of `If-None-Match`.
    pub if_none_match: Option<String>,
    /// How long the response may take.
    pub timeout: Duration,
}

/// The response to a [`FetchRequest`], or that there was none.
#[derive(Clone, Copy)]
pub struct FetchResponse<'a> {
    /// The headers with `:status`; empty if the connection was reset or the request timed out.
    pub headers: &'a [(String, Vec<u8>)],
    /// The body.
    pub body: ResponseBody<'a>,
}

impl<'a> FetchResponse<'a> {
    /// The status, if there is a response.
    pub(super) fn status(&self) -> Option<&'a [u8]> {
        self.values(":status").next()
    }

    /// The values of the header `name`.
    pub(super) fn values(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |header: &&(String, Vec<u8>)| header.0 == name;
        let headers = self.headers.iter().filter(named);
        headers.map(|(_, value)| value.as_slice())
    }

    /// How long the server says that the document will stay the same.
    pub(super) fn fresh_for(&self) -> Option<Duration> {
        cache_control::fresh_for(self.values("cache-control"))
    }
}
