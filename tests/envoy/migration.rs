//! The configurations and the table of docs/migrating-from-jwt_authn.md work as the page says.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Envoy, Issuer, Request, Response, Server, Token, get, root};

fn page() -> String {
    fs::read_to_string(root().join("docs/migrating-from-jwt_authn.md")).unwrap()
}

/// The YAML blocks of the page.
fn snippets(page: &str) -> Vec<&str> {
    let starts = page.split("```yaml\n").skip(1);
    starts
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The rows of the table: the description of a request, and the two statuses.
fn rows(page: &str) -> Vec<(&str, u16, u16)> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = lines.skip(1).map(|line| {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let status = |index: usize| cells[index].parse().unwrap();
        (cells[0], status(1), status(2))
    });
    rows.collect()
}

/// Envoy with an HTTP filter from the page. A busy key server may take longer than its timeout.
fn start(filter: &str, issuer: &Issuer, upstream: &Server) -> Envoy {
    assert!(filter.contains("timeout: 2s"), "{filter}");
    let filter = filter.replace("timeout: 2s", "timeout: 60s");
    let filter = filter.replace('\n', "\n          ");
    let cluster = |name: &str, port: u16| {
        format!(
            "  - name: {name}
    load_assignment:
      cluster_name: {name}
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, \
             port_value: {port}}}}}}}}}]}}]
"
        )
    };
    let bootstrap = format!(
        "admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners:
  - name: test
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: test
          route_config: {{virtual_hosts: [{{name: all, domains: ['*'], routes: [{{match: {{prefix: /}}, route: {{cluster: upstream}}}}]}}]}}
          http_filters:
          {filter}
          - name: envoy.filters.http.router
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
{}{}",
        cluster("login", issuer.server.port),
        cluster("upstream", upstream.port),
    );
    Envoy::start(&bootstrap, 1)
}

/// The request that a row of the table describes.
fn request(words: &str) -> Request {
    let customer = Token::good().claim("iss", "https://login.example");
    let partner = Token::good()
        .claim("iss", "https://partners.example")
        .signed();
    let good = customer.signed();
    let bearing = |token: Token| get("/orders").bearer(token.signed());
    match words {
        "`/health` without a token" => get("/health"),
        "`/orders` without a token" => get("/orders"),
        "`/orders` with a customer's token" => get("/orders").bearer(good),
        "`/orders` with a customer's token in `access_token`" => {
            get(format!("/orders?access_token={good}"))
        }
        "`/orders` with a partner's token" => get("/orders").header("x-partner-token", partner),
        "`/orders` with an expired token" => bearing(customer.claim("exp", 1)),
        "`/account` with a token for accounts" => {
            get("/account").bearer(customer.claim("aud", "https://account.example").signed())
        }
        "`/account` with a token for the API" => get("/account").bearer(good),
        "`/logo.png`, which no rule matches" => get("/logo.png"),
        "`/health/../orders` without a token" => get("/health/../orders"),
        "`/orders` with a token without `exp`" => bearing(customer.claim("exp", None::<u64>)),
        "`/orders` with a customer's and a partner's token" => get("/orders")
            .bearer(good)
            .header("x-partner-token", partner),
        "a preflight" => get("/orders")
            .method("OPTIONS")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET"),
        _ => panic!("unknown row in the table: {words}"),
    }
}

#[test]
fn the_table_of_the_migration_page_is_right() {
    let page = page();
    let [native, here] = snippets(&page)[..] else {
        panic!("the page does not have two configurations");
    };
    let (issuer, upstream) = (Issuer::start(), Server::echo());
    let (native, here) = (
        start(native, &issuer, &upstream),
        start(here, &issuer, &upstream),
    );
    let rows = rows(&page);
    assert_eq!(rows.len(), 13);
    for (words, before, after) in rows {
        let request = request(words);
        let answers = [&native, &here].map(|envoy| envoy.send(&request));
        let statuses = answers.each_ref().map(|answer| answer.status);
        assert_eq!(statuses, [before, after], "{words}");
        if statuses == [200, 200] {
            let [native, here] = answers.each_ref().map(upstream_headers);
            assert_eq!(native, here, "{words}");
        }
    }
}

/// The headers that the upstream got, except the one that always differs.
fn upstream_headers(answer: &Response) -> Value {
    let mut headers = answer.json()["headers"].take();
    headers.as_object_mut().unwrap().remove("x-request-id");
    headers
}

#[test]
fn the_migration_page_quotes_the_refusal() {
    let mut customers = Issuer::provider();
    customers["payload_in_metadata"] = "customer".into();
    let config = json!({"providers": {"customers": customers}});
    let error = gate_config::parse_json(config.to_string().as_bytes()).unwrap_err();
    let quoted = format!("\n    {error}\n");
    assert!(page().contains(&quoted), "the page does not quote {error}");
}
