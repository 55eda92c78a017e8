//! A module that verifies signatures with the filter's engines on a real host.
//!
//! The body of a request is a JSON array of `[jwk, alg, message, signature]`; message and signature
//! are in base64url. The response is an array of `[supported, valid, asked, supported, valid]`. The
//! first three come from the engine that uses the host: whether it supports the key, whether the
//! signature is valid, and whether the host was asked. The last two come from the engine that uses
//! only the module.

use std::cell::Cell;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::keys::{Key, KeyUses, Provenance};
use gate::verify::{Algorithm, Engine};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};
use serde_json::{Value, json};

/// Both engines, and the number of answers from the host.
struct Engines {
    host: Engine,
    module: Engine,
    answers: Rc<Cell<usize>>,
}

impl Engines {
    fn new() -> Self {
        let answers = Rc::new(Cell::new(0_usize));
        let counted = Rc::clone(&answers);
        let call = move |request: &[u8]| {
            let answer =
                hostcalls::call_foreign_function("verify_signature", Some(request)).ok()??;
            counted.set(counted.get().wrapping_add(1));
            Some(answer)
        };
        Self {
            host: Engine::probe(Box::new(call)),
            module: Engine::software(),
            answers,
        }
    }

    fn verify(&self, question: &Value) -> Option<Value> {
        let bytes = |index: usize| URL_SAFE_NO_PAD.decode(question.get(index)?.as_str()?).ok();
        let algorithm = Algorithm::from_name(question.get(1)?.as_str()?)?;
        let (message, signature) = (bytes(2)?, bytes(3)?);
        let Ok(key) = Key::from_jwk(question.get(0)?, Provenance::Server, &KeyUses::default())
        else {
            return Some(json!([false, false, false, false, false]));
        };
        let results = |engine: &Engine| {
            let supported = engine.supports(&key.public, algorithm);
            let by = engine.verify(&key.public, algorithm, &message, &signature);
            (supported, by.is_some())
        };
        let before = self.answers.get();
        let (supported, valid) = results(&self.host);
        let asked = self.answers.get() != before;
        let (module_supported, module_valid) = results(&self.module);
        Some(json!([
            supported,
            valid,
            asked,
            module_supported,
            module_valid
        ]))
    }
}

struct Root {
    engines: Rc<Engines>,
}

impl Context for Root {}

impl RootContext for Root {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            engines: Rc::clone(&self.engines),
        }))
    }
}

struct Stream {
    engines: Rc<Engines>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if end_of_stream {
            let body = self.get_http_request_body(0, size).unwrap_or_default();
            let questions: Vec<Value> = serde_json::from_slice(&body).unwrap_or_default();
            let answers = questions
                .iter()
                .map(|question| self.engines.verify(question));
            let answers: Value = answers.map(Option::unwrap_or_default).collect();
            self.send_http_response(200, Vec::new(), Some(answers.to_string().as_bytes()));
        }
        Action::Pause
    }
}

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| {
            let engines = super::Rc::new(super::Engines::new());
            Box::new(super::Root { engines })
        });
    }}
}
