//! Whether a provider accepts a token.

use serde_json::{Map, Value};

use super::credential::Credential;
use super::date::millis;
use super::endpoint;
use super::fields::Fields;
use super::issuer;
use super::key;
use super::matching::{self, Truth};
use super::profile;
use super::proof::Proof;
use super::reason::Reason;
use super::revocation;
use super::sender;
use super::surroundings::Surroundings;
use super::token::{self, Token};
use crate::case::World;

/// Why a provider does not accept a token.
pub(crate) enum Unaccepted {
    Refused(Reason),
    /// The endpoint must be asked first.
    Later,
}

impl From<Reason> for Unaccepted {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// What an accepted token says.
pub(crate) struct Content {
    pub(crate) payload: Map<String, Value>,
    /// The payload in base64url.
    pub(crate) encoded: String,
    /// The proof that came with it.
    pub(crate) proof: Option<Proof>,
}

/// The longest token that is accepted.
pub(crate) fn longest_token(configuration: Fields<'_>) -> usize {
    let providers = configuration.entries("providers").into_iter();
    let sizes = providers.filter_map(|(_, provider)| {
        let cache = provider.object("jwt_cache_config")?;
        usize::try_from(cache.integer("jwt_max_token_size")?).ok()
    });
    sizes.fold(16_384, usize::max)
}

/// What a token says, if the provider accepts it. `audiences` are those of the requirement, if it has any.
pub(crate) fn accept(
    provider: Fields<'_>,
    audiences: Option<Vec<&str>>,
    credential: &Credential,
    surroundings: &Surroundings<'_>,
) -> Result<Content, Unaccepted> {
    let text = credential.text.as_str();
    let Surroundings { world, now, .. } = *surroundings;
    let audiences = audiences.unwrap_or_else(|| provider.texts("audiences"));
    let parsed = Token::parse(text, longest_token(Fields(&world.configuration)));
    let endpoint = provider.object("introspection");
    let is_opaque = parsed.is_err()
        && parsed.as_ref().err() != Some(&Reason::TooLarge)
        && token::is_opaque(text);
    if is_opaque && let Some(endpoint) = endpoint {
        let answer = ask(provider, &audiences, endpoint, text, surroundings)?;
        let proof = sender::check(provider, &answer, None, credential, surroundings)?;
        return Ok(Content::of_answer(answer, proof));
    }
    let token = parsed?;
    let for_all = endpoint.filter(|endpoint| endpoint.text("for") == Some("all"));
    let has_keys = provider.has("local_jwks") || provider.has("remote_jwks");
    if has_keys || for_all.is_none() {
        check_algorithm(provider, &token)?;
        check_type(provider, &token)?;
        check_claims(provider, &audiences, &token.payload, now, Lacking::Refused)?;
        check_signature(provider, world, &token)?;
    } else {
        check_type(provider, &token)?;
        // A profile is about the token itself, whatever the answer says.
        let lacking = if profile::applies(provider) {
            Lacking::Refused
        } else {
            Lacking::Accepted
        };
        check_claims(provider, &audiences, &token.payload, now, lacking)?;
    }
    revocation::check(provider, world, &token.payload, Some(&token))?;
    let answer = match for_all {
        None => None,
        Some(endpoint) => {
            let answer = ask(provider, &audiences, endpoint, text, surroundings)?;
            if endpoint::contradicts(&token.payload, &answer)
                || issuer::are_of_other_tenants(provider, &token.payload, &answer)
            {
                return Err(Reason::Contradiction.into());
            }
            Some(answer)
        }
    };
    let (payload, answered) = (&token.payload, answer.as_ref());
    let proof = sender::check(provider, payload, answered, credential, surroundings)?;
    Ok(match answer {
        Some(answer) => Content::of_answer(answer, proof),
        None => Content {
            payload: token.payload,
            encoded: token.payload_text,
            proof,
        },
    })
}

/// Whether the provider may not know what it needs for a token when the request arrives: the endpoint must be
/// asked, or the filter may just be trying again to fetch the list, without which tokens are accepted later.
pub(crate) fn is_late(
    provider: Fields<'_>,
    credential: &Credential,
    surroundings: &Surroundings<'_>,
) -> bool {
    let accepted = accept(provider, None, credential, surroundings);
    matches!(accepted, Err(Unaccepted::Later))
        || revocation::is_dispensable(provider, surroundings.world)
}

impl Content {
    fn of_answer(payload: Map<String, Value>, proof: Option<Proof>) -> Self {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let encoded = URL_SAFE_NO_PAD.encode(Value::Object(payload.clone()).to_string());
        Self {
            payload,
            encoded,
            proof,
        }
    }
}

/// What the endpoint says about a token that the provider accepts.
fn ask(
    provider: Fields<'_>,
    audiences: &[&str],
    endpoint: Fields<'_>,
    text: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Map<String, Value>, Unaccepted> {
    let Surroundings { world, now, .. } = *surroundings;
    if !(surroundings.asked)(endpoint::cluster(endpoint), text) {
        return Err(Unaccepted::Later);
    }
    let answer = endpoint::members(endpoint, world, text)?;
    check_claims(provider, audiences, &answer, now, Lacking::OfAnswer)?;
    revocation::check(provider, world, &answer, None)?;
    Ok(answer)
}

fn check_algorithm(provider: Fields<'_>, token: &Token) -> Result<(), Reason> {
    let algorithms = provider.texts("algorithms");
    let accepted = if algorithms.is_empty() {
        !token.alg.starts_with("HS")
    } else {
        algorithms
            .iter()
            .any(|alg| token::canonical(alg) == token.alg)
    };
    if accepted {
        Ok(())
    } else {
        Err(Reason::Algorithm)
    }
}

fn check_type(provider: Fields<'_>, token: &Token) -> Result<(), Reason> {
    let short = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
    };
    let mut types = provider.texts("types");
    if profile::applies(provider) {
        types = vec!["at+jwt"];
    }
    if types.is_empty() {
        types = vec!["at+jwt", "jwt", ""];
    }
    let accepted = match &token.typ {
        None => types.contains(&""),
        Some(typ) => !short(typ).is_empty() && types.iter().any(|one| short(one) == short(typ)),
    };
    if accepted { Ok(()) } else { Err(Reason::Type) }
}

/// What becomes of claims that lack what the provider asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lacking {
    /// A JWT must have them.
    Refused,
    /// The answer about a JWT may have them.
    Accepted,
    /// An answer may lack `iss` and `exp`.
    OfAnswer,
}

/// Checks issuer, audience, subject and times.
fn check_claims(
    provider: Fields<'_>,
    audiences: &[&str],
    claims: &Map<String, Value>,
    now: i128,
    lacking: Lacking,
) -> Result<(), Reason> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(millis);
    let check = |holds: bool, reason: Reason| if holds { Ok(()) } else { Err(reason) };
    let is_excused =
        |claim: &str, by: &[Lacking]| !claims.contains_key(claim) && by.contains(&lacking);
    let (accepted, answer) = (Lacking::Accepted, Lacking::OfAnswer);

    let has_profile = profile::applies(provider) && lacking != Lacking::OfAnswer;
    let present = |claim: &str| {
        if has_profile {
            profile::check_present(claims, claim)
        } else {
            Ok(())
        }
    };
    present("iss")?;
    if !issuer::accepts_any(provider) {
        let same = issuer::is_named(provider, claims) || is_excused("iss", &[accepted, answer]);
        check(same, Reason::Issuer)?;
    }
    present("aud")?;
    if !audiences.is_empty() {
        let named: Vec<&str> = match claims.get("aud") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            single => single.and_then(Value::as_str).into_iter().collect(),
        };
        let meant = named.iter().any(|one| audiences.contains(one));
        let none = lacking == accepted && named.is_empty();
        check(meant || none, Reason::Audience)?;
    }
    present("sub")?;
    if let Some(subjects) = provider.object("subjects") {
        let fits = text("sub").is_some_and(|sub| matching::string(subjects, sub) == Truth::Yes);
        check(fits || is_excused("sub", &[accepted]), Reason::Subject)?;
    }
    if has_profile {
        profile::check(claims)?;
    }
    let skew = i128::from(provider.integer("clock_skew_seconds").unwrap_or(60)) * 1000;
    if provider.flag_or("require_expiration", true) && lacking == Lacking::Refused {
        check(time("exp").is_some(), Reason::NoExpiration)?;
    }
    check(
        time("exp").is_none_or(|exp| now < exp + skew),
        Reason::Expired,
    )?;
    check(
        time("nbf").is_none_or(|nbf| nbf <= now + skew),
        Reason::NotYetValid,
    )?;
    check(
        time("iat").is_none_or(|iat| iat <= now + skew),
        Reason::IssuedInFuture,
    )?;
    if let Some(longest) = provider.millis("max_lifetime") {
        let fits = match (time("iat"), time("exp")) {
            (Some(iat), Some(exp)) => exp - iat <= longest,
            _ => lacking == accepted,
        };
        check(fits, Reason::Lifetime)?;
    }
    Ok(())
}

fn check_signature(provider: Fields<'_>, world: &World, token: &Token) -> Result<(), Reason> {
    let keys = keys(provider, world)?;
    let candidates = key::candidates(&keys, token);
    if candidates.is_empty() {
        return Err(Reason::UnknownKey);
    }
    if candidates.iter().any(|key| key.verifies(token)) {
        Ok(())
    } else {
        Err(Reason::Signature)
    }
}

/// The keys of a provider.
fn keys(provider: Fields<'_>, world: &World) -> Result<Vec<key::Key>, Reason> {
    let uses = |source: Fields<'_>| {
        let uses = source.texts("key_uses");
        let uses = if uses.is_empty() { vec!["sig"] } else { uses };
        uses.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let usable = |document: &str, is_local: bool, source: Fields<'_>| {
        let uses = uses(source);
        let uses: Vec<&str> = uses.iter().map(String::as_str).collect();
        key::usable(document, is_local, &uses)
    };
    if let Some(local) = provider.object("local_jwks") {
        let document = local_document(local, world);
        return Ok(usable(&document, true, local).expect("the configuration is valid"));
    }
    let Some(remote) = provider.object("remote_jwks") else {
        return Ok(Vec::new());
    };
    let cluster = remote
        .object("http_uri")
        .and_then(|uri| uri.text("cluster"));
    let served = world.documents.get(cluster.unwrap_or_default());
    let served = served.filter(|served| served.status == 200);
    let keys = served.and_then(|served| usable(&served.body, false, remote));
    keys.ok_or(Reason::KeysUnavailable)
}

fn local_document(local: Fields<'_>, world: &World) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    if let Some(text) = local.text("inline_string") {
        return text.to_owned();
    }
    if let Some(bytes) = local.text("inline_bytes") {
        let bytes = STANDARD.decode(bytes).unwrap_or_default();
        return String::from_utf8(bytes).unwrap_or_default();
    }
    let name = local.text("environment_variable").unwrap_or_default();
    world.environment.get(name).cloned().unwrap_or_default()
}
