//! The root context: configuration, timer and callouts.

use std::rc::Rc;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::host::{self, CalloutId};
use super::stream::Stream;
use super::worker::Worker;
use crate::config::Config;

pub(super) struct Root {
    id: u32,
    configuration: Vec<u8>,
    worker: Option<Rc<Worker>>,
    /// Whose configuration is another's now, and for whom requests still wait.
    retired: Vec<Rc<Worker>>,
}

impl Root {
    pub(super) fn new(id: u32) -> Self {
        Self {
            id,
            configuration: Vec::new(),
            worker: None,
            retired: Vec::new(),
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = host::configuration();
        // The host configures a root context anew when a listener is updated and the filter is not.
        // The keys are good and requests may be waiting: go on.
        if self.worker.is_some() && configuration == self.configuration {
            return true;
        }
        match Config::from_host(&configuration, &host::environment_variable) {
            Ok(config) => {
                info!(
                    "bearer-gate {}: providers: {}",
                    env!("CARGO_PKG_VERSION"),
                    config
                        .providers
                        .iter()
                        .map(|provider| provider.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", "),
                );
                let retired = self.worker.replace(Rc::new(Worker::new(config)));
                self.retired.extend(retired);
                self.configuration = configuration;
                true
            }
            Err(problem) => {
                error!("bearer-gate: configuration: {problem}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.tick(self.id);
            self.retired.retain(|retired| retired.wind_up(self.id));
            if !self.retired.is_empty() {
                worker.hurry();
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.worker.clone())))
    }
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        id: u32,
        headers: usize,
        body_size: usize,
        _trailers: usize,
    ) {
        if let Some(worker) = &self.worker {
            worker.answered(self.id, CalloutId(id), headers > 0, body_size);
        }
    }
}
