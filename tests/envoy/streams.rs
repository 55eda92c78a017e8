//! Streams that end with their tokens: web sockets, gRPC streams, server-sent events and long downloads, over HTTP/1.1 and
//! HTTP/2.

mod clients;
mod upstreams;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Answer, Envoy, Issuer, NOBODY, Server, Setup, Token, eventually, get, in_parallel_while, keys,
    now, with_time_enough,
};
use clients::KINDS;

/// A gate in front of upstreams whose responses never end by themselves.
struct Streams {
    envoy: Envoy,
    issuer: Issuer,
    lists: Server,
}

impl Streams {
    fn start(ends: bool) -> Self {
        let (issuer, lists) = (
            Issuer::start(),
            Server::start(|_| Answer::new(404, "").into()),
        );
        lists.reply(Answer::new(200, json!({"tokens": []}).to_string()));
        let mut config = Issuer::config();
        config["end_streams_with_token"] = ends.into();
        let provider = &mut config["providers"]["cloud"];
        provider["clock_skew_seconds"] = 0.into();
        provider["remote_jwks"]["cache_duration"] = "1s".into();
        provider["revocation"] = json!({
            "http_uri": {"uri": "http://issuer.example/revoked", "cluster": "lists", "timeout": "60s"},
            "refresh_interval": "1s",
        });
        let mut setup = Setup::trusting(&issuer)
            .config(config)
            .cluster("lists", &lists)
            .cluster_at("websockets", upstreams::websockets())
            .cluster_at("documents", upstreams::documents())
            .cluster_at("grpc", upstreams::grpc());
        let route = |prefix: &str, cluster: &str| json!({"match": {"prefix": prefix}, "route": {"cluster": cluster, "timeout": "0s"}});
        setup.connection_manager = json!({
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            "access_log": [{
                "name": "envoy.access_loggers.stderr",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                    "log_format": {"text_format_source": {"inline_string": "LOG %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% [%FILTER_STATE(wasm.bearer_gate.ended:PLAIN)%]\n"}},
                },
            }],
            "route_config": {"virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [
                    route("/chat", "websockets"),
                    route("/package.Service/", "grpc"),
                    route("/", "documents"),
                ],
            }]},
        });
        let mut bootstrap: Value = serde_json::from_str(&setup.bootstrap(NOBODY)).unwrap();
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
        let grpc = clusters
            .unwrap()
            .iter_mut()
            .find(|one| one["name"] == "grpc");
        grpc.unwrap()["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        });
        Self {
            envoy: Envoy::start(&bootstrap.to_string(), 1),
            issuer,
            lists,
        }
    }

    /// Opens one stream of each kind with this token, does `then` when something has come in on each, and receives until all
    /// have ended. Returns when they ended, in seconds since the epoch.
    fn until_they_end(&self, token: &str, then: impl FnOnce()) -> Vec<u64> {
        let open = AtomicUsize::new(0);
        let run = |index: usize| {
            let (kind, connect) = KINDS[index];
            let mut client = connect(self.envoy.port, token);
            assert!(client.next(), "{kind}");
            open.fetch_add(1, Ordering::SeqCst);
            while client.next() {}
            now()
        };
        in_parallel_while(KINDS.len(), run, || {
            eventually("all streams are open", || {
                open.load(Ordering::SeqCst) == KINDS.len()
            });
            then();
        })
    }

    /// Checks what is counted and logged of streams that ended for this reason.
    fn check(&self, reason: &str) {
        let all = u64::try_from(KINDS.len()).unwrap();
        self.envoy.counts(&format!("ended.{reason}"), all);
        self.envoy.counts("streams", 0);
        self.envoy.counts("allowed", all);
        for line in [
            format!("LOG /chat HTTP/1.1 101 [{reason}]"),
            format!("LOG /package.Service/Stream HTTP/2 200 [{reason}]"),
            format!("LOG /events HTTP/1.1 200 [{reason}]"),
            format!("LOG /events HTTP/2 200 [{reason}]"),
            format!("LOG /download HTTP/1.1 200 [{reason}]"),
            format!("LOG /download HTTP/2 200 [{reason}]"),
        ] {
            eventually(&line, || self.envoy.log().contains(&line));
        }
        // The gate goes on.
        assert_eq!(self.envoy.send(&get("/")).status, 401);
    }
}

#[test]
fn streams_end_when_their_token_expires() {
    with_time_enough(|time| {
        let streams = Streams::start(true);
        let exp = now() + time.as_secs();
        let token = Token::good().claim("exp", exp).signed();
        let mut is_late = false;
        let ended = streams.until_they_end(&token, || is_late = now() >= exp);
        if is_late {
            return false;
        }
        for (end, (kind, _)) in ended.into_iter().zip(KINDS) {
            assert!(end >= exp, "{kind} ended early: {end}, before {exp}");
        }
        streams.check("expired");
        true
    });
}

#[test]
fn streams_end_when_their_token_is_revoked() {
    let streams = Streams::start(true);
    let token = Token::good().claim("jti", "one").signed();
    streams.until_they_end(&token, || {
        let list = json!({"tokens": ["one"]});
        streams.lists.reply(Answer::new(200, list.to_string()));
    });
    streams.check("revoked");
}

#[test]
fn streams_end_when_their_key_is_withdrawn() {
    let streams = Streams::start(true);
    let token = Token::good().signed();
    streams.until_they_end(&token, || streams.issuer.publish(&[&keys::EC]));
    streams.check("unknown_key");
}

#[test]
fn streams_go_on_without_their_token_if_they_may() {
    with_time_enough(|time| {
        let streams = Streams::start(false);
        let exp = now() + time.as_secs();
        let token = Token::good().claim("exp", exp).claim("jti", "one").signed();
        let open = KINDS.map(|(kind, connect)| {
            (now() < exp).then(|| (kind, connect(streams.envoy.port, &token)))
        });
        if open.iter().any(Option::is_none) {
            return false;
        }
        // Each of these would end them.
        let list = json!({"tokens": ["one"]});
        streams.lists.reply(Answer::new(200, list.to_string()));
        streams.issuer.publish(&[&keys::EC]);
        let metric = |name: &str| streams.envoy.metric(name);
        eventually("the worker has the new key set and the list", || {
            (
                metric("revocation.cloud.entries"),
                metric("jwks.cloud.keys"),
            ) == (1, 1)
        });
        let end = exp + 3;
        eventually("the token has expired", || now() > end);
        for (kind, mut client) in open.into_iter().flatten() {
            let before = std::time::Instant::now();
            while before.elapsed() < Duration::from_millis(200) {
                assert!(client.next(), "{kind} ended");
            }
        }
        assert_eq!(streams.envoy.metric("ended.expired"), 0);
        true
    });
}

#[test]
fn a_request_whose_response_has_not_begun_gets_the_reason() {
    with_time_enough(|time| {
        let issuer = Issuer::start();
        let mut config = Issuer::config();
        config["end_streams_with_token"] = true.into();
        config["providers"]["cloud"]["clock_skew_seconds"] = 0.into();
        let gate = Setup::trusting(&issuer).config(config).start();
        gate.upstream.reply(crate::support::Reply::Hang);
        let exp = now() + time.as_secs();
        let token = Token::good().claim("exp", exp).signed();
        let answer = gate.send(&get("/poll").bearer(token));
        if gate.upstream.count() == 0 {
            return false;
        }
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_token")
        );
        assert!(now() >= exp);
        gate.counts("ended.expired", 1);
        true
    });
}
