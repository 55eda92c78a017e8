//! The context of one configuration in one virtual machine.

use std::rc::Rc;

use gate::policy::NonceUse;
use gate_build_info::SUMMARY;
use log::{error, info, warn};

use crate::host::{CalloutId, ContextId, Host};
use crate::nonce_key;
use crate::stream::Stream;
use crate::worker::Worker;

/// The context of one configuration in one virtual machine. A virtual machine may have several.
pub struct Root<H: Host> {
    host: H,
    id: ContextId,
    configured: Option<Configured<H>>,
}

struct Configured<H: Host> {
    configuration: Vec<u8>,
    worker: Rc<Worker<H>>,
}

impl<H: Host> Root<H> {
    /// A root without a configuration.
    #[must_use]
    pub const fn new(host: H, id: ContextId) -> Self {
        Self {
            host,
            id,
            configured: None,
        }
    }

    /// Starts the worker. Returns whether the configuration is valid.
    ///
    /// Envoy creates a new root for every other configuration and configures each root once. Should a
    /// host configure a root again, the worker stays, since requests may wait in it: the same
    /// configuration is accepted and any other one is refused.
    pub fn configure(&mut self) -> bool {
        let configuration = self.host.configuration();
        if let Some(configured) = &self.configured {
            let is_same = configured.configuration == configuration;
            if !is_same {
                error!("bearer-gate: configuration: this context has another one");
            }
            return is_same;
        }
        if self.host.monotonic_clock().is_none() {
            error!("bearer-gate: the host does not allow the module to call clock_time_get");
            return false;
        }
        let environment = |name: &str| self.host.environment_variable(name);
        let mut policy = match gate_config::parse(&configuration, &environment) {
            Ok(policy) => policy,
            Err(error) => {
                for problem in error.problems() {
                    error!("bearer-gate: configuration: {problem}");
                }
                return false;
            }
        };
        if let Some(dpop) = policy.options.dpop.as_mut()
            && dpop.nonce != NonceUse::Off
            && dpop.nonce_keys.is_none()
        {
            dpop.nonce_keys = nonce_key::for_process(&self.host);
            if dpop.nonce_keys.is_none() {
                error!(
                    "bearer-gate: configuration: dpop.nonce: the host does not allow the module to call \
                     random_get: set nonce_key_environment_variable"
                );
                return false;
            }
        }
        let providers = policy.providers.iter();
        let names: Vec<&str> = providers.map(|provider| provider.name.as_str()).collect();
        for warning in &policy.warnings {
            warn!("bearer-gate: configuration: {warning}");
        }
        info!("bearer-gate {SUMMARY}: providers: {}", names.join(", "));
        self.configured = Some(Configured {
            worker: Rc::new(Worker::new(self.host.clone(), policy, &configuration)),
            configuration,
        });
        true
    }

    /// Handles a tick.
    pub fn tick(&self) {
        if let Some(Configured { worker, .. }) = &self.configured {
            worker.tick(self.id);
        }
    }

    /// Handles the response to a callout. `size` is that of the body; without headers there is no
    /// response.
    pub fn callout_response(&self, callout: CalloutId, has_headers: bool, size: usize) {
        if let Some(Configured { worker, .. }) = &self.configured {
            worker.received(self.id, callout, has_headers, size);
        }
    }

    /// The context of a new request.
    #[must_use]
    pub fn stream(&self, id: ContextId) -> Stream<H> {
        let configured = self.configured.as_ref();
        let worker = configured.map(|configured| Rc::clone(&configured.worker));
        Stream::new(self.host.clone(), id, worker)
    }
}
