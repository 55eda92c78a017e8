use std::io;

use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_700_000_000;

/// Runs the command with `file` as the standard input. Returns the status and what is printed.
fn run_with(arguments: &[&str], file: &[u8]) -> (Status, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        environment: &|name| (name == "KEYS").then(gate_fixtures::key_set),
        input: &mut io::Cursor::new(file),
        output: &mut output,
        errors: &mut errors,
    };
    let arguments = arguments.iter().chain(&["-"]).map(OsString::from);
    let status = run(arguments, &mut console, Timestamp::from_unix_secs(NOW)).unwrap();
    output.extend(errors);
    (status, String::from_utf8_lossy(&output).into_owned())
}

fn config(provider: &Value) -> Vec<u8> {
    let mut known = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    for (name, value) in provider.as_object().unwrap() {
        known[name] = value.clone();
    }
    json!({"providers": {"p": known}}).to_string().into_bytes()
}

fn token() -> String {
    let payload = json!({"sub": "somebody", "exp": NOW + 60});
    gate_fixtures::es256(&json!({"alg": "ES256"}), &payload)
}

#[test]
fn the_token_is_put_where_a_provider_reads_it() {
    let token = token();
    for provider in [
        json!({}),
        json!({"from_headers": [{"name": "x-token"}]}),
        json!({"from_headers": [{"name": "x-token", "value_prefix": "JWT "}]}),
        json!({"from_params": ["jwt"]}),
        json!({"from_cookies": ["jwt"]}),
        json!({"from_params": ["jwt"], "from_headers": [
            {"name": "authorization", "value_prefix": "Bearer "},
        ]}),
    ] {
        for path in ["/a", "/a?b=c"] {
            let arguments = ["--token", &token, "--path", path];
            let (status, printed) = run_with(&arguments, &config(&provider));
            assert_eq!(status, Status::Good, "{provider}: {printed}");
            assert!(!printed.contains(&token), "{printed}");
        }
    }
}

#[test]
fn a_forwarded_payload_is_not_printed() {
    let token = token();
    let provider = json!({
        "forward_payload_header": "x-payload",
        "claim_to_headers": [{"header_name": "x-sub", "claim_name": "sub"}],
        "claims_to_filter_state": [{"key": "sub", "claim_name": "sub"}],
        "clear_route_cache": true,
    });
    let arguments = ["--token", &token, "--header", "X-Sub: me"];
    let (status, printed) = run_with(&arguments, &config(&provider));
    assert_eq!(status, Status::Good, "{printed}");
    for line in [
        "x-sub is removed: clients may not send it",
        "sets the header x-payload to the payload",
        "sets the header x-sub to \"somebody\"",
        "sets the filter state wasm.sub to \"somebody\"",
        "makes Envoy select the route again",
    ] {
        assert!(
            printed.contains(line),
            "{printed} does not contain {line:?}"
        );
    }
    assert!(!printed.contains(token.split('.').nth(1).unwrap()));
}

#[test]
fn every_part_of_a_requirement_is_decided() {
    let mut file: Value = serde_json::from_slice(&config(&json!({"issuer": "a"}))).unwrap();
    file["providers"]["q"] = file["providers"]["p"].clone();
    file["providers"]["q"]["issuer"] = Value::Null;
    file["providers"]["q"]["max_lifetime"] = "5s".into();
    file["rules"] = json!([{"match": {"prefix": "/"}, "requires": {"requires_any": {
        "requirements": [
            {"provider_name": "p"},
            {"requires_all": {"requirements": [{"provider_name": "q"}]}},
        ],
    }}}]);
    let arguments = ["--token", &token()];
    let (status, printed) = run_with(&arguments, file.to_string().as_bytes());
    assert_eq!(status, Status::Bad);
    for line in [
        "- rules[0]: needs one of these: refused: lifetime",
        "-   [0]: needs a token of p: refused: issuer: iss: missing, expected \"a\"",
        "-   [1]: needs all of these: refused: lifetime",
        "-     [0]: needs a token of q: refused: lifetime: iat: missing, exp: 2023-11-14",
        "2 usable, from the configuration",
    ] {
        assert!(
            printed.contains(line),
            "{printed} does not contain {line:?}"
        );
    }
}

#[test]
fn a_demand_for_another_authentication_is_explained() {
    let mut file: Value = serde_json::from_slice(&config(&json!({}))).unwrap();
    let demand = json!({
        "provider_name": "p", "acr_values": ["gold", "mfa"], "max_authentication_age": "300s",
    });
    file["rules"] = json!([{"match": {"prefix": "/"}, "requires": demand}]);
    let payload = json!({"exp": NOW + 60, "acr": "silver", "auth_time": NOW - 3600});
    let token = gate_fixtures::es256(&json!({"alg": "ES256"}), &payload);
    let (status, printed) = run_with(&["--token", &token], file.to_string().as_bytes());
    assert_eq!(status, Status::Bad);
    for line in [
        "rules[0]: needs a token of p with one of the authentication classes gold mfa with an authentication at \
         most 5m ago: refused: user_authentication: acr: \"silver\"; required: one of gold mfa; auth_time: \
         2023-11-14T21:13:20Z; now: 2023-11-14T22:13:20Z; required: at most 5m ago; accepted clock skew: 1m",
        "decision: 401, counted as bearer_gate.denied.user_authentication",
        "acr_values=\"gold mfa\", max_age=\"300\"",
    ] {
        assert!(
            printed.contains(line),
            "{printed} does not contain {line:?}"
        );
    }
}

#[test]
fn the_claim_that_a_profile_demands_is_named() {
    let provider = json!({"profile": "rfc9068", "issuer": "a", "audiences": ["b"]});
    let payload = json!({"iss": "a", "aud": "b", "sub": "c", "exp": NOW + 60, "iat": NOW});
    let header = json!({"alg": "ES256", "typ": "at+jwt"});
    let token = gate_fixtures::es256(&header, &payload);
    let (status, printed) = run_with(&["--token", &token], &config(&provider));
    assert_eq!(status, Status::Bad);
    for line in [
        "refused: claim_missing: client_id: missing, and the profile demands it",
        "decision: 401, counted as bearer_gate.denied.claim_missing",
    ] {
        assert!(
            printed.contains(line),
            "{printed} does not contain {line:?}"
        );
    }
}

/// An RSA key whose exponent is 3, and a token that it signed (`openssl genpkey`, `openssl dgst -sign`). Envoy
/// verifies with such keys, and the module does not.
const SMALL_EXPONENT: &str = r#"{"keys": [{"kty": "RSA", "kid": "three", "e": "Aw", "n": "0m-v7m5stklGXn2iu1Sii5oWSltvI321-7FQKVgXvBZezJpKc5Sjb-ZDRaBoe_RrHWbc_xsdUFT0HAt7qekeZBNnnP-R1L3OoDlyjpc0MC7ufzSAZeXTTlwmsPXucqxUZv42CGLH7olkxHjGbVSl3gnZRuL_sXIgBBRcFooeWr0VUWVaPJDnT7X8EKkbRkIXsf5zXUS3s0b-D96ctdtlyLvkEb8cn4t7_UnY734Bk20prl4IyjDVB_kT-2SvfAUlNWkorL3cCcTq4v7nuK1OBGnYhnuQ3XdDy07eMxA1ucdto6flHlNcKvdtfwGrIqrsHZ213fcgphv1wdfm6jNAMw"}]}"#;
const OF_SMALL_EXPONENT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InRocmVlIn0.eyJpc3MiOiJhIiwiZXhwIjo0MTAyNDQ0ODAwfQ.EGQB9JptX9dQZ95_1xyMLO2SbF_gb1PIZfCxzO50o2ebQgkLNHHzdWSagmUj0DAItUg14ThFwIpC_atuHNWkXKujjmiiRbLv3X8DyZLXP-N4FlyRqRVZxljFrioLBzjtuNVcbaS2Ty9wYrdv9W4i2xn_gpSkbiog0K3uSu21J53t35Ig2k-l9mYN7RRFb0APKtgAT15wTUn016FLUa1zdi3IeUKijOuZHi1RohgPXXfngU6ms1XY5xLBSWhpoEmte44nc-0H-9C7VgTsmHQNo3gm3ptFK5zl9VzzzUdDBT3m4n2xN2pauO_3bpwmYt1C-6CC2ddfkwi-5C-Xc785Zw";

#[test]
fn a_key_that_only_envoy_can_use_is_named_as_such_and_verifies() {
    let file = config(&json!({"local_jwks": {"inline_string": SMALL_EXPONENT}}));
    let (status, printed) = run_with(&["--token", OF_SMALL_EXPONENT], &file);
    let text = "1 usable; keys[0] has more than 4096 bits or an exponent other than 65537, so it works \
                only on a host with verify_signature, such as Envoy, from the configuration";
    assert!(printed.contains(text), "{printed}");
    assert_eq!(status, Status::Good, "{printed}");
}

#[test]
fn the_problem_of_every_key_of_an_unusable_set_is_named() {
    let keys = json!({"keys": [{"kty": "RSA", "use": "enc"}, {}]}).to_string();
    let file = config(&json!({"local_jwks": {"inline_string": keys}}));
    let (status, printed) = run_with(&[], &file);
    assert_eq!(status, Status::Bad);
    let text = "the key set has no usable key: keys[0]: `use` is not one of key_uses; keys[1]: `kty` is missing";
    assert!(printed.contains(text), "{printed}");
}

#[test]
fn a_route_may_name_a_requirement() {
    let mut file: Value = serde_json::from_slice(&config(&json!({}))).unwrap();
    file["requirement_map"] = json!({"open": {"allow": {}}});
    file["rules"] = json!([
        {"match": {"path": "/never"}, "requirement_name": "open"},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "p"}},
    ]);
    for (per_route, name, status, text) in [
        (
            true,
            "open",
            Status::Good,
            "requirement of the route: needs nothing",
        ),
        (
            true,
            "shut",
            Status::Bad,
            "\"shut\" is not in requirement_map",
        ),
        (
            false,
            "open",
            Status::Bad,
            "per_route_requirements is not set",
        ),
    ] {
        file["per_route_requirements"] = per_route.into();
        let (found, printed) = run_with(&["--requirement", name], file.to_string().as_bytes());
        assert_eq!(found, status, "{printed}");
        assert!(
            printed.contains(text),
            "{printed} does not contain {text:?}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_file_panics(file: Vec<u8>, text: String) {
        run_with(&["--json"], &file);
        run_with(&[], text.as_bytes());
    }

    #[test]
    fn no_token_panics_or_is_printed(token in "[A-Za-z0-9._~+/-]{24,60}") {
        let (_, printed) = run_with(&["--token", &token], &config(&json!({})));
        proptest::prop_assert!(!printed.contains(&token));
    }

    #[test]
    fn no_claims_panic(payload in "[{\\[\"a-z0-9:,.e-]{0,40}", exp: i64) {
        for payload in [payload, format!("{{\"exp\":{exp},\"nbf\":{exp}e300,\"iat\":{exp}}}")] {
            let encode = |text: &str| {
                use base64::Engine;
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
            };
            let token = format!("{}.{}.AAAA", encode(r#"{"alg":"RS256"}"#), encode(&payload));
            run_with(&["--token", &token], &config(&json!({"max_lifetime": "5s"})));
        }
    }
}

#[test]
fn environment_variables_are_those_that_the_filter_sees() {
    let provider = json!({"local_jwks": {"environment_variable": "KEYS"}});
    let configuration = json!({"@type": "a/google.protobuf.Struct", "value": {
        "providers": {"p": provider},
    }});
    let plugin = |variables: Value| {
        json!({"config": {
            "vm_config": {"environment_variables": variables},
            "configuration": configuration,
        }})
    };
    let given = gate_fixtures::key_set();
    for (file, status) in [
        (configuration["value"].clone(), Status::Good),
        (plugin(json!({"host_env_keys": ["KEYS"]})), Status::Good),
        (plugin(json!({"key_values": {"KEYS": given}})), Status::Good),
        (plugin(json!({"host_env_keys": ["OTHER"]})), Status::Bad),
        (plugin(Value::Null), Status::Bad),
    ] {
        let (found, printed) = run_with(&[], file.to_string().as_bytes());
        assert_eq!(found, status, "{file}: {printed}");
    }
}

#[test]
fn headers_are_parsed() {
    let arguments = ["--header", ":Authority: a", "--header", "X-A:b:c", "f"].map(OsString::from);
    let Ok(Command::Check(parsed)) = Arguments::parse(arguments) else {
        panic!("the arguments are valid");
    };
    let expected = [(":authority", "a"), ("x-a", "b:c")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    assert_eq!(parsed.headers, expected);
    assert!(parsed.describe_request());
}
