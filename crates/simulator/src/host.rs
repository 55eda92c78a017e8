//! The host calls of a simulated virtual machine.

use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate::fetching::body_part;
use gate::request::MetadataName;
use gate::time::{Instant, Timestamp};
use gate_worker::host::{Callout, CalloutId, ContextId, MetricId};
use gate_worker::{Host, OwnData};

use crate::vm::{Deferred, Vm};

/// The time of the monotonic clock when the process starts.
const UPTIME: Duration = Duration::from_hours(3);

/// The host calls of a simulated virtual machine. A dead one makes none.
#[derive(Clone)]
pub struct SimulatedHost(pub(crate) Rc<Vm>);

impl Host for SimulatedHost {
    fn wall_clock(&self) -> Option<Timestamp> {
        let state = &self.0.state;
        state.has_wall_clock.get().then(|| state.now())
    }

    fn monotonic_clock(&self) -> Option<Instant> {
        let state = &self.0.state;
        let has_clock = state.has_monotonic_clock.get();
        has_clock.then(|| Instant::default().plus(UPTIME + state.elapsed.get()))
    }

    fn random(&self) -> u64 {
        self.0.state.random()
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        let state = &self.0.state;
        let has_random_keys = state.has_random_keys.get();
        has_random_keys.then(|| {
            let bytes = std::iter::repeat_with(|| state.random().to_le_bytes());
            let bytes: Vec<u8> = bytes.take(4).flatten().collect();
            bytes.try_into().expect("32 bytes")
        })
    }

    fn hash_state(&self) -> RandomState {
        // Its key decides nothing but the order of hash tables, which has no effect.
        RandomState::new()
    }

    fn configuration(&self) -> Vec<u8> {
        self.0.configuration()
    }

    fn environment_variable(&self, name: &str) -> Option<String> {
        self.0.state.environment.borrow().get(name).cloned()
    }

    fn verify_signature(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        (self.0.state.verify_signature.get())(arguments)
    }

    fn set_tick_period(&self, period: Duration) {
        self.0.set_tick_period(period);
    }

    fn dispatch(&self, callout: &Callout<'_>) -> Option<CalloutId> {
        if !self.0.is_alive() {
            return None;
        }
        let root = self.0.effective_root();
        let mut network = self.0.state.network.borrow_mut();
        let now = self.0.state.elapsed.get();
        let id = network.dispatch(callout, self.0.index, root, now)?;
        Some(CalloutId(id))
    }

    fn callout_headers(&self) -> Vec<(String, Vec<u8>)> {
        let response = self.0.response.borrow();
        let response = response.as_ref().expect("no response is being delivered");
        response.headers.clone()
    }

    fn callout_body(&self, offset: usize, length: usize) -> Vec<u8> {
        let response = self.0.response.borrow();
        let response = response.as_ref().expect("no response is being delivered");
        body_part(&response.body, offset, length)
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.0.state.shared_data.borrow().get(key)
    }

    fn set_shared_data(&self, key: &str, value: &[u8]) {
        if self.0.is_alive() {
            self.0.state.shared_data.borrow_mut().set(key, value);
        }
    }

    fn swap_shared_data(&self, key: &str, value: &[u8], version: u32) -> bool {
        if let Some(first) = self.0.state.before_next_swap.take() {
            first();
        }
        self.0.count_down_to_death();
        let mut data = self.0.state.shared_data.borrow_mut();
        self.0.is_alive() && data.swap(key, value, version)
    }

    fn own_data(&self) -> Rc<OwnData> {
        Rc::clone(&self.0.own_data)
    }

    fn logs_debug(&self) -> bool {
        self.0.state.logs_debug.get()
    }

    fn define_counter(&self, name: &str) -> Option<MetricId> {
        Some(MetricId(self.0.state.metrics.borrow_mut().define(name)))
    }

    fn define_gauge(&self, name: &str) -> Option<MetricId> {
        Some(MetricId(self.0.state.metrics.borrow_mut().define(name)))
    }

    fn increment_metric(&self, metric: MetricId, offset: i64) {
        if self.0.is_alive() {
            let mut metrics = self.0.state.metrics.borrow_mut();
            metrics.increment(metric.0, offset);
        }
    }

    fn record_metric(&self, gauge: MetricId, value: u64) {
        if self.0.is_alive() {
            self.0.state.metrics.borrow_mut().record(gauge.0, value);
        }
    }

    fn remove_request_header(&self, name: &str) {
        let request = self.0.effective_request();
        let mut request = request.borrow_mut();
        request.headers.retain(|(known, _)| known != name);
        request.changes += 1;
    }

    fn set_request_header(&self, name: &str, value: &[u8]) {
        self.remove_request_header(name);
        self.add_request_header(name, value);
    }

    fn add_request_header(&self, name: &str, value: &[u8]) {
        let request = self.0.effective_request();
        let header = (name.to_owned(), value.to_vec());
        request.borrow_mut().headers.push(header);
    }

    fn set_filter_state(&self, key: &str, value: &[u8]) {
        let request = self.0.effective_request();
        let entry = (key.to_owned(), value.to_vec());
        let mut request = request.borrow_mut();
        request.filter_state.push(entry);
        request.changes += 1;
    }

    fn clear_route_cache(&self) {
        let request = self.0.effective_request();
        let mut request = request.borrow_mut();
        request.route_cleared = true;
        request.changes += 1;
    }

    fn route_requirement(&self) -> Option<Vec<u8>> {
        let request = self.0.effective_request();
        let requirement = request.borrow().requirement.clone();
        requirement.map(String::into_bytes)
    }

    fn dynamic_metadata(&self, name: &MetadataName) -> Option<Vec<u8>> {
        let request = self.0.effective_request();
        let mut request = request.borrow_mut();
        request.metadata_reads.push(name.clone());
        let mut metadata = request.dynamic_metadata.iter();
        let found = metadata.find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    fn certificate_digest(&self) -> Option<Vec<u8>> {
        let request = self.0.effective_request();
        let mut request = request.borrow_mut();
        request.certificate_reads += 1;
        request.certificate_digest.clone()
    }

    fn certificate_uri(&self) -> Option<Vec<u8>> {
        let request = self.0.effective_request();
        let mut request = request.borrow_mut();
        request.certificate_reads += 1;
        request.certificate_uri.clone()
    }

    fn send_local_response(&self, answer: &Answer) {
        let stream = self.0.effective_stream();
        self.0.defer(Deferred::Answer(stream, answer.clone()));
    }

    fn resume_request(&self) {
        let stream = self.0.effective_stream();
        self.0.defer(Deferred::Resume(stream));
    }

    fn set_effective_context(&self, context: ContextId) -> bool {
        self.0.set_effective_context(context.0)
    }
}
