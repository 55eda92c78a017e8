//! Requests.

use fastrand::Rng;
use serde_json::Value;

use super::certificate;
use super::configuration::Plan;
use super::dice::{chance, one_of};
use super::matcher::{AMBIGUOUS, PATHS};
use super::proof::{self, Target};
use super::provider::Provider;
use super::token::Drawn;
use crate::case::Request;

/// A request that is being made.
struct Draft {
    path: String,
    parameters: Vec<String>,
    cookies: Vec<String>,
    headers: Vec<(String, String)>,
    /// Whether the next token comes with a proof.
    with_proof: bool,
}

/// Whether a client sends a token with a proof.
fn presents_proof(rng: &mut Rng, plan: &Plan, provider: &Provider, token: &Drawn) -> bool {
    let ignores = provider.fields["sender_constraint"] == "ignore";
    let percent = match (plan.checks_proofs(), proof::is_bound(token)) {
        (true, true) => 92,
        (true, false) => 6,
        (false, _) if ignores => 15,
        (false, _) => 2,
    };
    chance(rng, percent)
}

/// A request with some of these tokens, or none.
pub(crate) fn draw(rng: &mut Rng, plan: &Plan, tokens: &[Drawn], now: i64) -> Request {
    let path = match rng.u8(0..20) {
        0..=2 => one_of(rng, &AMBIGUOUS).to_owned(),
        3 if chance(rng, 30) => format!("/{}", "a".repeat(one_of(rng, &[4095, 4096, 5000]))),
        _ => one_of(rng, &PATHS).to_owned(),
    };
    let mut draft = Draft {
        path,
        parameters: Vec::new(),
        cookies: Vec::new(),
        headers: Vec::new(),
        with_proof: false,
    };
    let mut proven = None;
    let mut method = one_of(rng, &["GET", "GET", "GET", "POST", "OPTIONS"]);
    draft.surroundings(rng);
    let several = if plan.takes_several { 40 } else { 4 };
    let count = match rng.u8(0..100) {
        0..=7 => 0,
        _ if chance(rng, several) => 2,
        _ => 1,
    };
    for _ in 0..count {
        let token = one_of(rng, tokens);
        let provider = plan
            .providers
            .iter()
            .find(|one| one.name == token.provider && chance(rng, 90));
        let provider = provider
            .cloned()
            .unwrap_or_else(|| one_of(rng, &plan.providers));
        draft.with_proof = presents_proof(rng, plan, &provider, &token);
        draft.present(rng, &provider, &token.text);
        if draft.with_proof || (plan.checks_proofs() && chance(rng, 4)) {
            proven = Some(token);
        }
    }
    if chance(rng, 5) {
        draft
            .headers
            .push(("origin".to_owned(), "https://app.example".to_owned()));
        draft
            .headers
            .push(("access-control-request-method".to_owned(), "PUT".to_owned()));
        if chance(rng, 80) {
            method = "OPTIONS";
        }
    }
    let authority = one_of(
        rng,
        &["api.example", "api.example", "api.example:8443", "a\"b"],
    );
    if let Some(token) = proven {
        let target = Target {
            method,
            scheme: plan.scheme,
            authority,
            path: &draft.path,
            now,
        };
        proof::add(rng, plan, &token, &target, &mut draft.headers);
    }
    let mut headers = vec![
        (":scheme".to_owned(), plan.scheme.to_owned()),
        (":method".to_owned(), method.to_owned()),
        (":path".to_owned(), draft.target(rng)),
        (":authority".to_owned(), authority.to_owned()),
    ];
    headers.extend(draft.headers);
    headers.extend(cookie_headers(rng, &draft.cookies));
    let route_requirement = plan.named.as_ref().and_then(|named| match rng.u8(0..10) {
        0..=5 => Some(one_of(rng, named)),
        6 => Some("unknown".to_owned()),
        _ => None,
    });
    let source = &plan.configuration["client_certificate"];
    if source.is_object() || chance(rng, 3) {
        certificate::add(rng, source, &mut headers);
    }
    let (certificate, peer) = certificate::of_connection(rng);
    Request {
        pause: 0,
        headers,
        route_requirement,
        certificate,
        peer,
    }
}

fn cookie_headers(rng: &mut Rng, cookies: &[String]) -> Vec<(String, String)> {
    let header = |text: String| ("cookie".to_owned(), text);
    if cookies.is_empty() {
        Vec::new()
    } else if chance(rng, 15) {
        cookies.iter().cloned().map(header).collect()
    } else {
        vec![header(cookies.join(one_of(rng, &["; ", ";", " ; "])))]
    }
}

impl Draft {
    /// Adds what has nothing to do with tokens.
    fn surroundings(&mut self, rng: &mut Rng) {
        let mut add =
            |name: &str, value: &str| self.headers.push((name.to_owned(), value.to_owned()));
        if chance(rng, 20) {
            add("x-tier", one_of(rng, &["gold", "GOLD", "silver", "", "go"]));
        }
        if chance(rng, 5) {
            add("x-tier", "gold");
        }
        if chance(rng, 15) {
            add(
                "x-count",
                one_of(rng, &["5", "-5", " 7 ", "10", "ten", "5.0"]),
            );
        }
        if chance(rng, 4) {
            add(
                "content-type",
                one_of(
                    rng,
                    &[
                        "application/grpc",
                        "application/grpc+proto",
                        "application/grpc-web",
                        "text/plain",
                    ],
                ),
            );
        }
        if chance(rng, 10) {
            let names = [
                "x-sub",
                "x_sub",
                "x-payload",
                "x_payload",
                "x_token",
                "x-api-token",
                "x-jwt-signature-verified",
                "x_jwt_signature_verified",
                "x-unverified",
                "x-tenant",
                "x-other",
            ];
            add(one_of(rng, &names), "forged");
        }
        if chance(rng, 15) {
            self.parameters.push(
                one_of(
                    rng,
                    &["debug=1", "debug", "q=a%20b", "", "q=a b", "debug=true"],
                )
                .to_owned(),
            );
        }
        if chance(rng, 10) {
            self.cookies
                .push(one_of(rng, &["theme=dark", "a", "", "b=\"c\""]).to_owned());
        }
    }

    /// Adds a token at one of the places where the provider reads it, or elsewhere.
    fn present(&mut self, rng: &mut Rng, provider: &Provider, token: &str) {
        let list = |name: &str| {
            provider.fields[name]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let headers = list("from_headers")
            .into_iter()
            .map(|header| ("header", header));
        let parameters = list("from_params")
            .into_iter()
            .map(|name| ("parameter", name));
        let cookies = list("from_cookies")
            .into_iter()
            .map(|name| ("cookie", name));
        let places: Vec<(&str, Value)> = headers.chain(parameters).chain(cookies).collect();
        let elsewhere = [
            ("parameter", Value::from("access_token")),
            ("cookie", Value::from("other")),
        ];
        let (kind, place) = if chance(rng, 4) {
            one_of(rng, &elsewhere)
        } else if places.is_empty() || chance(rng, 5) {
            ("authorization", Value::Null)
        } else {
            one_of(rng, &places)
        };
        let name = place.as_str().unwrap_or_default();
        match kind {
            "authorization" => self.authorization(rng, token),
            "parameter" => self.parameter(rng, name, token),
            "cookie" => self.cookie(rng, name, token),
            _ => {
                let name = place["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                let prefix = place["value_prefix"]
                    .as_str()
                    .unwrap_or_default()
                    .trim_end();
                if prefix.eq_ignore_ascii_case("bearer") {
                    return self.authorization(rng, token);
                }
                let value = match rng.u8(0..20) {
                    0 => format!("{prefix}{token}"),
                    1 => format!("{prefix}   {token}"),
                    2 => token.to_owned(),
                    3 => format!("{prefix} {token} x"),
                    4 => prefix.to_owned(),
                    _ if prefix.is_empty() => token.to_owned(),
                    _ => format!("{prefix} {token}"),
                };
                self.headers.push((name, value));
            }
        }
    }

    fn authorization(&mut self, rng: &mut Rng, token: &str) {
        let value = match rng.u8(0..60) {
            0 => format!("bearer {token}"),
            1 => format!("BEARER   {token}"),
            2 => format!("Bearer{token}"),
            3 => format!("Bearer\t{token}"),
            4 => format!("Basic {token}"),
            5 => format!("Bearer {token}, Bearer {token}"),
            6 => format!("Basic YTpi, Bearer {token}"),
            7 => format!("Bearer {token},x"),
            8 => "Bearer".to_owned(),
            9 => "Bearer ".to_owned(),
            10 => format!("Bearer \"{token}\""),
            11 => format!("Bearer {token} "),
            12 => r#"Digest realm="a, b", nonce="c""#.to_owned(),
            13 => format!("Digest realm=\"a, Bearer {token}"),
            14 => format!("Bearer Bearer {token}"),
            15 => String::new(),
            16 => format!("Token {token}"),
            17 => format!("Bearer {token}~=="),
            18 => format!("Negotiate a, b=c, Bearer\t{token}"),
            _ => format!("Bearer {token}"),
        };
        let value = if self.with_proof {
            let value = value.replacen("Bearer", one_of(rng, &["DPoP", "DPoP", "dpop"]), 1);
            value
                .replacen("BEARER", "DPOP", 1)
                .replacen("bearer", "dpoP", 1)
        } else {
            value
        };
        self.headers.push(("authorization".to_owned(), value));
    }

    fn parameter(&mut self, rng: &mut Rng, name: &str, token: &str) {
        let plain = name.replace(' ', "%20");
        let escaped: Vec<String> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let escaped = escaped.concat();
        let name = match rng.u8(0..8) {
            0 => escaped,
            1 => escaped.to_uppercase(),
            _ => plain,
        };
        let token = match rng.u8(0..10) {
            0 => token.replace('.', "%2E"),
            1 => format!("{token}%20"),
            2 => token.replace('=', "%3d"),
            _ => token.to_owned(),
        };
        self.parameters.push(format!("{name}={token}"));
        if chance(rng, 4) {
            self.parameters.push(format!("{name}={token}"));
        }
    }

    fn cookie(&mut self, rng: &mut Rng, name: &str, token: &str) {
        let cookie = match rng.u8(0..12) {
            0 => format!("{name} = {token}"),
            1 => format!("{name}=\"{token}\""),
            2 => format!("{name}="),
            3 => name.to_owned(),
            4 => format!("{name}={token}; {name}={token}"),
            _ => format!("{name}={token}"),
        };
        self.cookies.push(cookie);
    }

    fn target(&self, rng: &mut Rng) -> String {
        let mut target = self.path.clone();
        if !self.parameters.is_empty() || chance(rng, 3) {
            target += "?";
        }
        target += &self.parameters.join("&");
        if chance(rng, 2) {
            target += "#fragment?x=1";
        }
        target
    }
}
