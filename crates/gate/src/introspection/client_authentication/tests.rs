use std::cell::Cell;

use serde_json::Value;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_millis(1_700_000_000_900);

/// The key of RFC 7515, appendix A.3.
fn key() -> ClientKey {
    let jwk = gate_fixtures::client_jwk();
    ClientKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}

fn with_key() -> ClientAuthentication {
    ClientAuthentication::PrivateKey {
        client_id: "gate".to_owned(),
        audience: "https://issuer.example".to_owned(),
        key: key(),
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn each_method_has_its_parameters() {
    let id = || "gate".to_owned();
    let parameter = |name: &'static str, value: &'static str| (name, Cow::Borrowed(value));
    let basic = Authorization::of_client("gate", "s3cret");
    for (authentication, authorization, parameters) in [
        (
            ClientAuthentication::SecretBasic(basic),
            Some("Basic Z2F0ZTpzM2NyZXQ="),
            vec![],
        ),
        (
            ClientAuthentication::SecretPost {
                client_id: id(),
                secret: "s3cret".to_owned(),
            },
            None,
            vec![
                parameter("client_id", "gate"),
                parameter("client_secret", "s3cret"),
            ],
        ),
        (
            ClientAuthentication::Tls { client_id: id() },
            None,
            vec![parameter("client_id", "gate")],
        ),
    ] {
        let expected = Credentials {
            authorization,
            parameters,
        };
        assert_eq!(authentication.credentials(None, || 0), Ok(expected));
        assert!(!format!("{authentication:?}").contains("s3cret"));
    }
}

#[test]
fn an_assertion_says_who_for_whom_and_until_when() {
    let authentication = with_key();
    let number = Cell::new(0x00ab_u64);
    let random = || number.replace(number.get() + 1);
    let credentials = authentication.credentials(Some(NOW), random).unwrap();
    assert_eq!(credentials.authorization, None);
    let [id, kind, assertion] = credentials.parameters.as_slice() else {
        panic!("three parameters");
    };
    assert_eq!(*id, ("client_id", Cow::Borrowed("gate")));
    assert_eq!(
        *kind,
        (
            "client_assertion_type",
            Cow::Borrowed("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        )
    );
    assert_eq!(assertion.0, "client_assertion");
    let parts: Vec<&str> = assertion.1.split('.').collect();
    assert_eq!(
        decoded(parts[0]),
        json!({"alg": "ES256", "kid": "client", "typ": "JWT"})
    );
    assert_eq!(
        decoded(parts[1]),
        json!({
            "iss": "gate",
            "sub": "gate",
            "aud": "https://issuer.example",
            "jti": "00000000000000ab00000000000000ac",
            "iat": 1_700_000_000,
            "exp": 1_700_000_060,
        })
    );
    let input = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let jwk = gate_fixtures::client_jwk();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, point);
    assert!(public.verify(input.as_bytes(), &signature).is_ok());
}

#[test]
fn no_two_requests_have_the_same_assertion() {
    let authentication = with_key();
    let number = Cell::new(0_u64);
    let random = || number.replace(number.get() + 1);
    let made = || {
        let credentials = authentication.credentials(Some(NOW), random).unwrap();
        credentials.parameters[2].1.clone().into_owned()
    };
    assert_ne!(made(), made());
}

#[test]
fn there_is_no_assertion_without_a_date() {
    let error = with_key().credentials(None, || 0).unwrap_err();
    assert_eq!(error, "the clock of the host is not set");
}
