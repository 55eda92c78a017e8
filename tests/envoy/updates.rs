//! Updates of the configuration while Envoy serves.
//!
//! Envoy never configures a root context twice. A different configuration gets new root contexts, and
//! the ones it replaces stay as long as a listener or a request uses them. The same configuration keeps
//! its root contexts. The filter logs a line whenever it is configured, which shows how often that
//! happens: once in a VM that only checks the configuration, once on the main thread and once in each
//! worker.

use serde_json::{Value, json};

use crate::support::{
    Answer, Discovery, Door, Envoy, Issuer, Reply, Server, Setup, Token, bootstrap_of, eventually,
    get, in_parallel, in_parallel_while, keys,
};

const WORKERS: u32 = 2;
/// How often the filter is configured with a new configuration: `WORKERS` and two more.
const ALL: usize = 4;

/// The filter with a configuration that admits tokens for this audience.
fn setup(issuer: &Issuer, audience: &str) -> Setup {
    let mut config = Issuer::config();
    config["providers"]["cloud"]["audiences"] = json!([audience]);
    Setup::trusting(issuer).config(config)
}

/// A listener with this name and the filter of `setup`.
fn listener(name: &str, setup: &Setup) -> Value {
    let bootstrap = bootstrap_of(&[(name, setup.filter_chain())], &[]);
    let mut bootstrap: Value = serde_json::from_str(&bootstrap).unwrap();
    let mut listener = bootstrap["static_resources"]["listeners"][0].take();
    listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    listener
}

/// Envoy with these listeners and the clusters of `setup`.
fn start(listeners: &Discovery, setup: &Setup, upstream: &Server) -> Envoy {
    Envoy::start(&bootstrap(listeners, setup, upstream), WORKERS)
}

fn bootstrap(listeners: &Discovery, setup: &Setup, upstream: &Server) -> String {
    let mut bootstrap: Value = serde_json::from_str(&setup.bootstrap(upstream.port)).unwrap();
    let resources = bootstrap["static_resources"].as_object_mut().unwrap();
    resources.remove("listeners");
    bootstrap["dynamic_resources"] = json!({"lds_config": listeners.source()});
    bootstrap.to_string()
}

/// Waits until every worker has added this many listeners since its start.
fn wait_for_listeners(envoy: &Envoy, count: u64) {
    let added = || envoy.stat("listener_manager.listener_create_success");
    eventually("all workers have the listener", || {
        added() == count * u64::from(WORKERS)
    });
}

/// How often the filter has been configured.
fn configured(envoy: &Envoy) -> usize {
    envoy.log().matches("providers: cloud").count()
}

fn status(envoy: &Envoy, audience: &str) -> u16 {
    let token = Token::good().claim("aud", audience).signed();
    envoy.send(&get("/").bearer(token)).status
}

#[test]
fn configurations_that_arrive_later_are_used_or_refused() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let listeners = Discovery::new(&[listener("test", &setup(&issuer, "first"))]);
    let gate = start(&listeners, &setup(&issuer, "first"), &upstream);
    let statuses = || ["first", "second"].map(|audience| status(&gate, audience));
    assert_eq!(statuses(), [200, 401]);

    listeners.publish(&[listener("test", &setup(&issuer, "second"))]);
    wait_for_listeners(&gate, 2);
    assert_eq!(in_parallel(8, |_| statuses()), [[401, 200]; 8]);
    assert_eq!(issuer.server.count(), 1, "the keys are used again");

    listeners.publish(&[listener("test", &setup(&issuer, ""))]);
    let refused = "bearer-gate: configuration: providers.cloud.audiences[0]: must not be empty";
    eventually("the log says what is wrong", || {
        gate.log().contains(refused)
    });
    assert_eq!(in_parallel(8, |_| statuses()), [[401, 200]; 8]);
}

#[test]
fn an_update_elsewhere_in_the_listener_leaves_the_filter_as_it_is() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let mut setup = setup(&issuer, "first");
    let listeners = Discovery::new(&[listener("test", &setup)]);
    let gate = start(&listeners, &setup, &upstream);
    assert_eq!(status(&gate, "first"), 200);
    assert_eq!(configured(&gate), ALL);
    setup.connection_manager = json!({"server_name": "other"});
    listeners.publish(&[listener("test", &setup)]);
    wait_for_listeners(&gate, 2);
    let token = Token::good().claim("aud", "first").signed();
    let answer = gate.send(&get("/").bearer(token));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("server"), Some("other"));
    // A second listener with the same filter shares it as well.
    listeners.publish(&[listener("test", &setup), listener("another", &setup)]);
    wait_for_listeners(&gate, 3);
    assert_eq!(configured(&gate), ALL);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn every_listener_of_a_vm_has_its_own_configuration() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let [first, second, third] = ["first", "second", "third"].map(|name| setup(&issuer, name));
    let listeners = Discovery::new(&[listener("a", &first), listener("b", &second)]);
    let gate = start(&listeners, &first, &upstream);
    let statuses = |name: &str| {
        ["first", "second", "third"].map(|audience| {
            let token = Token::good().claim("aud", audience).signed();
            gate.send_to(name, &get("/").bearer(token)).status
        })
    };
    let all = |name: &str, expected: [u16; 3]| {
        assert_eq!(in_parallel(8, |_| statuses(name)), [expected; 8], "{name}");
    };
    wait_for_listeners(&gate, 2);
    all("a", [200, 401, 401]);
    all("b", [401, 200, 401]);
    assert_eq!(configured(&gate), 2 * ALL);
    // Replacing one leaves the other as it is.
    listeners.publish(&[listener("a", &first), listener("b", &third)]);
    wait_for_listeners(&gate, 3);
    all("a", [200, 401, 401]);
    all("b", [401, 401, 200]);
    assert_eq!(configured(&gate), 3 * ALL);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn requests_that_wait_during_an_update_are_decided_by_their_own_configuration() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let door = Door::new();
    let reply = Reply::behind(&door, Issuer::published(&[&keys::RSA]));
    issuer.server.reply(reply);
    let [first, second] = ["first", "second"].map(|name| {
        let mut setup = setup(&issuer, name);
        let jwks = &mut setup.config["providers"]["cloud"]["remote_jwks"];
        // No request waits this long here.
        jwks["http_uri"]["timeout"] = "3600s".into();
        setup
    });
    let listeners = Discovery::new(&[listener("test", &first)]);
    let gate = start(&listeners, &first, &upstream);
    let send = |number: usize| status(&gate, ["first", "second"][number % 2]);
    let mut after = Vec::new();
    let before = in_parallel_while(8, send, || {
        // A token for another audience is refused without a key.
        eventually("4 requests wait", || gate.metric("waiting") == 4);
        listeners.publish(&[listener("test", &second)]);
        wait_for_listeners(&gate, 2);
        after = in_parallel_while(8, send, || {
            eventually("4 more requests wait", || gate.metric("waiting") == 8);
            assert_eq!(upstream.count(), 0);
            door.open();
        });
    });
    assert_eq!(before, [200, 401].repeat(4));
    assert_eq!(after, [401, 200].repeat(4));
    assert_eq!(configured(&gate), 2 * ALL);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn a_filter_from_ecds_is_replaced_in_the_same_way() {
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let filter = |audience: &str| {
        let filter = setup(&issuer, audience).filter();
        json!({
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": "gate",
            "typed_config": filter["typed_config"],
        })
    };
    let filters = Discovery::new(&[filter("first")]);
    let mut setup = setup(&issuer, "first");
    setup.instead = Some(vec![json!({
        "name": "gate",
        "config_discovery": {
            "config_source": filters.source(),
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    })]);
    let gate = Envoy::start(&setup.bootstrap(upstream.port), WORKERS);
    let statuses = || ["first", "second"].map(|audience| status(&gate, audience));
    assert_eq!(statuses(), [200, 401]);
    assert_eq!(configured(&gate), ALL);
    // The workers apply an update one after the other.
    let replaced = |expected: [u16; 2]| {
        eventually("all workers have the filter", || {
            in_parallel(8, |_| statuses()) == [expected; 8]
        });
    };
    filters.publish(&[filter("second")]);
    replaced([401, 200]);
    eventually("every new root context is configured once", || {
        configured(&gate) == 2 * ALL
    });
    // Whether the first root contexts are still there or not: their configuration counts again.
    filters.publish(&[filter("first")]);
    replaced([200, 401]);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn a_document_that_no_configuration_uses_leaves_the_memory_of_envoy() {
    /// The size of a list in bytes. Envoy limits responses to 32 MiB.
    const SIZE: u64 = 20_000_000;
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let names: Vec<String> = (0..SIZE / 103)
        .map(|number| format!("{number:>100}"))
        .collect();
    let lists = Server::start(|_| Answer::new(404, "").into());
    lists.reply(Answer::new(200, json!({"tokens": names}).to_string()));
    let setup = |name: &str| {
        let mut config = Issuer::config();
        config["providers"]["cloud"]["revocation"] = json!({
            "http_uri": {
                "uri": format!("http://lists.example/{name}"), "cluster": "lists", "timeout": "60s",
            },
            "refresh_interval": "3600s",
        });
        let setup = Setup::trusting(&issuer).config(config);
        setup.cluster("lists", &lists)
    };
    let listeners = Discovery::new(&[listener("test", &setup("0"))]);
    let gate = bootstrap(&listeners, &setup("0"), &upstream);
    let gate = Envoy::try_start_draining(&gate, WORKERS, 1).unwrap();
    let token = Token::good().signed();
    let in_use = |number: u64| {
        eventually("the list is in use", || {
            gate.metric("revocation.cloud.fetch_success") == number + 1
                && gate.send(&get("/").bearer(&*token)).status == 200
        });
    };
    in_use(0);
    let before = gate.allocated();
    for number in 1..5 {
        listeners.publish(&[listener("test", &setup(&number.to_string()))]);
        in_use(number);
    }
    let grown = || gate.allocated().saturating_sub(before);
    eventually("the replaced lists are gone", || grown() < SIZE / 2);
    println!(
        "Envoy grew by {} bytes after {} lists",
        grown(),
        lists.count()
    );
}
