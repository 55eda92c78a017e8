//! The tokens that clients present.

use std::sync::LazyLock;

use gate_fixtures as fixtures;
use serde_json::{Value, json};

/// The keys of an issuer, by their `kid`.
pub(crate) const KIDS: [&str; 3] = ["rsa", "ec", "p384"];

/// How many issuers there are.
pub(crate) const ISSUERS: usize = 2;

/// How many opaque tokens there are.
pub(crate) const OPAQUE_TOKENS: usize = 4;

/// The wall clock at the start of a story, in Unix seconds.
pub(crate) const START: u64 = 1_700_000_000;

/// What a client presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What the story calls it.
    pub(crate) name: String,
    /// The text behind `Bearer`.
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// Whether it is bound to the key of the clients.
    pub(crate) bound: bool,
    /// When its user was authenticated, in Unix seconds. Requests with it ask for something that needs a recent
    /// authentication.
    pub(crate) authenticated: Option<u64>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JWT with a good signature.
    Signed {
        issuer: usize,
        kid: &'static str,
        jti: String,
        /// In Unix seconds.
        expires: u64,
    },
    /// A token that is refused whatever happens.
    Bad,
    /// A token that only its endpoint knows, by its number.
    Opaque(usize),
}

/// The name of an issuer.
pub(crate) fn issuer(index: usize) -> String {
    format!("https://issuer{index}.example")
}

/// The JWK of a key.
pub(crate) fn jwk(kid: &str) -> Value {
    match kid {
        "rsa" => fixtures::rsa_jwk(),
        "ec" => fixtures::ec_jwk(),
        _ => fixtures::p384_jwk(),
    }
}

/// The JWK of the key that clients prove possession of.
pub(crate) fn jwk_of_clients() -> Value {
    let mut jwk = fixtures::ed25519_jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.remove("kid");
    }
    jwk
}

/// All tokens that are bound to nothing. Making them takes a moment, so all stories share them.
pub(crate) static TOKENS: LazyLock<Vec<Token>> = LazyLock::new(|| {
    let mut tokens = Vec::new();
    for issuer in 0..ISSUERS {
        for kid in KIDS {
            for (lifetime, seconds) in [
                ("long", 100_000_000),
                ("longer", 200_000_000),
                ("short", 120),
            ] {
                tokens.push(signed(issuer, kid, lifetime, START + seconds, false));
            }
        }
        tokens.push(signed(issuer, "rsa", "expired", START - 7200, false));
        for (name, time) in [("early", START), ("late", START + 1800)] {
            tokens.push(authenticated(issuer, name, time));
        }
        tokens.push(bad(
            issuer,
            "unknown kid",
            "ES256",
            &json!({"alg": "ES256", "kid": "unknown"}),
        ));
        tokens.push(bad(
            issuer,
            "key of another",
            "ES384",
            &json!({"alg": "ES256", "kid": "ec"}),
        ));
        let unsecured = json!({"alg": "none"});
        tokens.push(bad(issuer, "without algorithm", "ES256", &unsecured));
    }
    let foreign = bad(
        ISSUERS,
        "unknown issuer",
        "ES256",
        &json!({"alg": "ES256", "kid": "ec"}),
    );
    tokens.push(foreign);
    tokens.push(Token {
        name: "garbage".to_owned(),
        text: "e30.e30.e30".to_owned(),
        kind: Kind::Bad,
        bound: false,
        authenticated: None,
    });
    tokens.extend((0..OPAQUE_TOKENS).map(|number| Token {
        name: format!("opaque {number}"),
        text: opaque_text(number),
        kind: Kind::Opaque(number),
        bound: false,
        authenticated: None,
    }));
    tokens
});

/// Tokens that are bound to the key of the clients.
pub(crate) static BOUND_TOKENS: LazyLock<Vec<Token>> = LazyLock::new(|| {
    let mut tokens = Vec::new();
    for issuer in 0..ISSUERS {
        for (lifetime, seconds) in [("bound long", 100_000_000), ("bound short", 120)] {
            tokens.push(signed(issuer, "ec", lifetime, START + seconds, true));
        }
    }
    tokens
});

/// The text of an opaque token.
pub(crate) fn opaque_text(number: usize) -> String {
    format!("opaque-{number}")
}

fn claims(issuer: usize, jti: &str, expires: u64) -> Value {
    json!({"iss": self::issuer(issuer), "sub": "somebody", "exp": expires, "jti": jti})
}

/// A token for requests that need a recent authentication.
fn authenticated(issuer: usize, name: &str, time: u64) -> Token {
    let expires = START + 100_000_000;
    let jti = format!("{issuer}-{name}");
    let mut claims = claims(issuer, &jti, expires);
    claims["auth_time"] = json!(time);
    let header = json!({"alg": "ES256", "kid": "ec", "typ": "at+jwt"});
    Token {
        name: format!("token of issuer {issuer} with the {name} authentication"),
        text: fixtures::signed("ES256", &header, &claims),
        kind: Kind::Signed {
            issuer,
            kid: "ec",
            jti,
            expires,
        },
        bound: false,
        authenticated: Some(time),
    }
}

fn signed(issuer: usize, kid: &'static str, lifetime: &str, expires: u64, bound: bool) -> Token {
    let algorithm = match kid {
        "rsa" => "RS256",
        "ec" => "ES256",
        _ => "ES384",
    };
    let jti = format!("{issuer}-{kid}-{lifetime}");
    let header = json!({"alg": algorithm, "kid": kid, "typ": "at+jwt"});
    let mut claims = claims(issuer, &jti, expires);
    if bound {
        let key = jwk_of_clients().to_string();
        claims["cnf"] = json!({"jkt": fixtures::digest(key.as_bytes())});
    }
    Token {
        name: format!("{lifetime} {kid} token of issuer {issuer}"),
        text: fixtures::signed(algorithm, &header, &claims),
        kind: Kind::Signed {
            issuer,
            kid,
            jti,
            expires,
        },
        bound,
        authenticated: None,
    }
}

fn bad(issuer: usize, what: &str, algorithm: &str, header: &Value) -> Token {
    let claims = claims(issuer, what, START + 100_000_000);
    Token {
        name: format!("bad token ({what}) of issuer {issuer}"),
        text: fixtures::signed(algorithm, header, &claims),
        kind: Kind::Bad,
        bound: false,
        authenticated: None,
    }
}
