//! A worker of the process, and its listeners.

use std::rc::Rc;

use gate::request::MetadataName;

use crate::module::Module;
use crate::request::Request;
use crate::request_state::RequestState;

/// A worker of the process: a thread with a virtual machine.
pub struct Worker(pub(crate) Rc<Module>);

impl Worker {
    /// Adds a listener with this configuration of the filter, and so a root. `None` if the filter
    /// refuses the configuration.
    #[must_use]
    pub fn listen(&self, configuration: &str) -> Option<Listener> {
        let root = self.0.create_root(configuration.as_bytes())?;
        let module = Rc::clone(&self.0);
        Some(Listener { module, root })
    }

    /// The virtual machine traps: the roots, streams and callouts of the worker vanish.
    pub fn kill(&self) {
        self.0.kill();
    }

    /// Whether the virtual machine has not trapped.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.vm.is_alive()
    }

    /// Keeps the thread of the worker from running, or lets it run again: ticks and responses come late.
    pub fn set_stalled(&self, stalled: bool) {
        self.0.vm.stalled.set(stalled);
    }

    /// How often the module turned to a waiting request, which costs a decision each time.
    #[must_use]
    pub fn waiters_decided(&self) -> usize {
        self.0.vm.streams_entered.get()
    }

    /// How deep calls into the module have nested.
    #[must_use]
    pub fn deepest_nesting(&self) -> usize {
        self.0.deepest_nesting()
    }
}

/// What the host says about the certificate of a client.
#[derive(Clone, Copy, Debug)]
pub struct ClientCertificate<'c> {
    /// Its SHA-256 in hexadecimal digits.
    pub digest: &'c str,
    /// The first URI among its alternative names.
    pub uri: Option<&'c str>,
}

/// A listener of one worker, with the filter.
#[derive(Clone)]
pub struct Listener {
    module: Rc<Module>,
    root: u32,
}

impl Listener {
    /// A request with these headers, pseudo-headers included, arrives.
    #[must_use]
    pub fn request(&self, headers: &[(&str, &str)]) -> Request {
        self.request_on_route(headers, None)
    }

    /// The same, on a route whose metadata name a requirement.
    #[must_use]
    pub fn request_on_route(&self, headers: &[(&str, &str)], requirement: Option<&str>) -> Request {
        self.send(RequestState {
            requirement: requirement.map(str::to_owned),
            ..RequestState::new(headers)
        })
    }

    /// The same as [`Listener::request`], with dynamic metadata that a filter before this one has written.
    #[must_use]
    pub fn request_with_metadata(
        &self,
        headers: &[(&str, &str)],
        metadata: Vec<(MetadataName, Vec<u8>)>,
    ) -> Request {
        self.send(RequestState {
            dynamic_metadata: metadata,
            ..RequestState::new(headers)
        })
    }

    /// The same as [`Listener::request_on_route`], on a connection whose client has shown this certificate.
    #[must_use]
    pub fn request_with_certificate(
        &self,
        headers: &[(&str, &str)],
        requirement: Option<&str>,
        certificate: &ClientCertificate<'_>,
    ) -> Request {
        self.send(RequestState {
            requirement: requirement.map(str::to_owned),
            certificate_digest: Some(certificate.digest.as_bytes().to_vec()),
            certificate_uri: certificate.uri.map(|uri| uri.as_bytes().to_vec()),
            ..RequestState::new(headers)
        })
    }

    fn send(&self, request: RequestState) -> Request {
        let (id, state) = self.module.create_stream(self.root, request);
        let module = Rc::clone(&self.module);
        Request { module, id, state }
    }

    /// A GET request for `path` arrives, with this bearer token if there is one.
    #[must_use]
    pub fn get(&self, path: &str, token: Option<&str>) -> Request {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![
            (":method", "GET"),
            (":path", path),
            (":authority", "api.example"),
        ];
        headers.extend(
            authorization
                .as_deref()
                .map(|value| ("authorization", value)),
        );
        self.request(&headers)
    }

    /// Configures the root again, which Envoy does not do. Returns whether it accepts that.
    #[must_use]
    pub fn configure_again(&self, configuration: &str) -> bool {
        self.module.configure(self.root, configuration.as_bytes())
    }

    /// Removes the root, as Envoy does when nothing uses it any more.
    pub fn remove(self) {
        self.module.delete_root(self.root);
    }
}
