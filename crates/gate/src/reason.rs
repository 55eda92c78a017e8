//! Why a request is refused: one closed list, in one table.
//!
//! The table gives every reason its class (and so status and error code), its name in metrics, the
//! description that clients get, and the remedy that tools and documents name. A reason without one
//! of these does not compile. Descriptions need no quoting in a header and repeat no part of a token.

use std::time::Duration;

use crate::time::Timestamp;

/// Builds [`Reason`] and [`ReasonKind`] from the table.
macro_rules! reasons {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $( $(#[$field_doc:meta])* $field:ident: $type:ty ),* $(,)? })?:
        $class:ident, $metric:literal, $description:literal, $remedy:literal;
    )*) => {
        /// Why a request is refused, with the facts.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            $( $(#[$doc])* $name $({ $( $(#[$field_doc])* $field: $type ),* })? ),*
        }

        /// A reason without its facts.
        ///
        /// The order is that of the steps of the decision. Of two reasons the greater one was found
        /// later, so a token that several providers refuse is answered with the reason of the
        /// provider that it suited best.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonKind {
            $( $(#[$doc])* $name ),*
        }

        impl Reason {
            /// The reason without its facts.
            #[must_use]
            pub const fn kind(&self) -> ReasonKind {
                match self {
                    $( Self::$name { .. } => ReasonKind::$name ),*
                }
            }
        }

        impl ReasonKind {
            /// All reasons, in order.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// The reason with empty facts, for documents and tests.
            #[must_use]
            pub fn example(self) -> Reason {
                match self {
                    $( Self::$name => Reason::$name $({ $( $field: <$type>::default() ),* })? ),*
                }
            }

            const fn entry(self) -> Entry {
                match self {
                    $( Self::$name => Entry {
                        class: Class::$class,
                        metric: $metric,
                        description: $description,
                        remedy: $remedy,
                    } ),*
                }
            }
        }
    };
}

reasons! {
    /// The request carries a header that must be removed, and routes name requirements: Envoy might
    /// send the request by another route than the one that was judged.
    Header {
        /// The name of the header as it was sent.
        name: String,
    }: InvalidRequest, "header",
        "The request carries a header that clients may not send",
        "Do not send headers that the gate sets, in any spelling with - or _; the check tool names the header";

    /// The route names a requirement that the configuration does not have.
    Requirement {
        /// The name.
        name: String,
    }: AccessDenied, "requirement",
        "The route asks for something that is not configured",
        "Define the requirement in requirement_map, or correct the route's metadata";

    /// The request carries no bearer token.
    Missing: NoToken, "missing",
        "The request carries no access token",
        "Send the token as Authorization: Bearer, or where from_headers, from_params and from_cookies say";

    /// No rule matches the request.
    NoRule: NoToken, "no_rule",
        "No rule allows this request",
        "Add a rule for the path, or set unmatched_requests";

    /// Whether a rule matches depends on a pattern and a text that is too long for it.
    TooLong {
        /// The length of the text in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    }: InvalidRequest, "too_long",
        "The path, a header or a query parameter is too long",
        "Let rules match by prefix, suffix or contains where texts are long, or send a shorter one";

    /// The credential is not `Bearer 1*SP b64token` (RFC 6750, section 2.1).
    MalformedCredential: InvalidRequest, "malformed",
        "The credential is not a well-formed bearer token",
        "Send the scheme, one space and the token, and nothing else";

    /// The request carries more than one credential.
    SeveralTokens: InvalidRequest, "several_tokens",
        "The request carries more than one credential",
        "Send one token in one place";

    /// The token is longer than the limit.
    TooLarge {
        /// The length of the token in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    }: InvalidToken, "too_large",
        "The access token is too large",
        "Raise jwt_cache_config.jwt_max_token_size, or let the issuer put less into its tokens";

    /// The payload of the token is longer than Envoy reads from a header to make metadata of it.
    PayloadTooLarge {
        /// The length of the header in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    }: InvalidToken, "too_large",
        "The claims of the access token are too large",
        "Let the issuer put less into its tokens, or leave payload_in_metadata out";

    /// The token is not a JWS in compact serialization with a JSON payload (RFC 7515, RFC 7519).
    MalformedToken: InvalidToken, "malformed",
        "The access token is malformed",
        "Send the token exactly as the authorization server issued it";

    /// The token's `alg` is unknown or not accepted.
    Algorithm {
        /// The algorithm; `None` if its name is unknown.
        alg: Option<&'static str>,
    }: InvalidToken, "algorithm",
        "The access token is signed with an algorithm that is not accepted",
        "List the issuer's algorithm in algorithms, if it can be trusted";

    /// The token's `typ` is not that of an access token.
    Type {
        /// The `typ`; `None` if there is none.
        typ: Option<String>,
    }: InvalidToken, "type",
        "The token is not an access token",
        "Send an access token and no ID token; list other values of typ in types";

    /// The token's header demands an extension (`crit`, `b64`).
    Critical: InvalidToken, "critical",
        "The access token demands an extension that is not supported",
        "Let the issuer sign tokens without critical header parameters";

    /// A registered claim has the wrong JSON type (RFC 7519, section 4.1).
    ClaimType: InvalidToken, "claim_type",
        "A claim of the access token has a value of the wrong type",
        "Let the issuer give registered claims the types of RFC 7519";

    /// The token comes from another issuer.
    Issuer {
        /// The `iss` of the token.
        iss: Option<String>,
    }: InvalidToken, "issuer",
        "The access token comes from another issuer",
        "Compare iss with issuer or issuers of the provider, character by character";

    /// The token is meant for another audience.
    Audience {
        /// The `aud` of the token.
        aud: Vec<String>,
    }: InvalidToken, "audience",
        "The access token is meant for another audience",
        "Request a token for this API, or list its aud in audiences";

    /// The provider does not accept the token's subject.
    Subject: InvalidToken, "subject",
        "The access token is about a subject that is not accepted",
        "Compare sub with the provider's subjects";

    /// The token lacks a claim that the provider's profile demands (RFC 9068, section 2.2).
    ClaimMissing {
        /// The name of the claim.
        claim: &'static str,
    }: InvalidToken, "claim_missing",
        "The access token lacks a required claim",
        "Let the issuer add the claim that the check tool names, or remove profile from the provider";

    /// The token has no `exp`.
    NoExpiration: InvalidToken, "no_expiration",
        "The access token has no expiration time",
        "Set require_expiration to false to accept tokens that never expire";

    /// The token has expired.
    Expired {
        /// Its `exp`.
        exp: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    }: InvalidToken, "expired",
        "The access token expired",
        "Request a new token; if it is new, compare the clocks of gate and issuer";

    /// The token's `nbf` is in the future.
    NotYetValid {
        /// Its `nbf`.
        nbf: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    }: InvalidToken, "not_yet_valid",
        "The access token is not valid yet",
        "Wait until nbf; compare the clocks of gate and issuer";

    /// The token's `iat` is in the future.
    IssuedInFuture {
        /// Its `iat`.
        iat: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    }: InvalidToken, "issued_in_future",
        "The access token was issued in the future",
        "Compare the clocks of gate and issuer";

    /// The token is valid for too long, or does not say for how long.
    Lifetime {
        /// Its `iat`.
        iat: Option<Timestamp>,
        /// Its `exp`.
        exp: Option<Timestamp>,
        /// The provider's `max_lifetime`.
        limit: Duration,
    }: InvalidToken, "lifetime",
        "The access token is valid for longer than is accepted",
        "Let the issuer issue shorter tokens with iat and exp, or raise max_lifetime";

    /// No key of the issuer fits the token.
    UnknownKey {
        /// The token's `kid`.
        kid: Option<String>,
        /// The token's `alg`.
        alg: &'static str,
    }: InvalidToken, "unknown_key",
        "The access token is signed with an unknown key",
        "Compare kid and alg of the token with the issuer's key set";

    /// The signature does not verify.
    Signature {
        /// The token's `kid`.
        kid: Option<String>,
    }: InvalidToken, "signature",
        "The signature of the access token is not valid",
        "Send the token exactly as it was issued; check that the key set is that of its issuer";

    /// The token has been revoked.
    Revoked: InvalidToken, "revoked",
        "The access token has been revoked",
        "Request a new token";

    /// The authorization server says that the token is not active.
    Inactive: InvalidToken, "inactive",
        "The access token is not active",
        "Request a new token";

    /// The introspection response is about another token, subject or client than the JWT.
    Contradiction {
        /// The claim that differs.
        claim: &'static str,
    }: InvalidToken, "contradiction",
        "The authorization server contradicts the access token",
        "Compare the claims of the token with the members of the introspection response";

    /// The token is bound to its sender (`cnf`), and the request does not prove possession.
    SenderConstraint: InvalidToken, "sender_constraint",
        "The access token is bound to a sender that was not proven",
        "Prove possession with the client certificate or a DPoP proof; turn dpop on if tokens have cnf.jkt";

    /// The provider accepts only bound tokens, and this one is bound to nothing, or not to what the
    /// provider asks for.
    Unbound: InvalidToken, "unbound",
        "The access token is bound to no sender",
        "Let the issuer bind the token to the client's certificate or key, or change sender_constraint";

    /// A token that is bound to a key came as a bearer token (RFC 9449, section 7.2).
    Downgrade: InvalidToken, "downgrade",
        "The access token is bound to a key and needs the DPoP scheme",
        "Send Authorization: DPoP and a proof in the DPoP header";

    /// The token is bound to a certificate, and the client has shown none.
    CertificateMissing: InvalidToken, "certificate_missing",
        "The client has shown no certificate",
        "Connect with the client certificate that the token is bound to; let the listener ask for it";

    /// The token is bound to another certificate than the client's (RFC 8705, section 3).
    CertificateMismatch: InvalidToken, "certificate_mismatch",
        "The access token is bound to another client certificate",
        "Use the same certificate to request the token and to call the API";

    /// It is not known which certificate is the client's.
    CertificateAmbiguous: InvalidToken, "certificate_ambiguous",
        "It cannot be told which client certificate is meant",
        "Let the proxy in front set exactly one certificate, in the form that client_certificate names";

    /// A request with the scheme DPoP carries no proof.
    ProofMissing: InvalidProof, "proof_missing",
        "The request carries no DPoP proof",
        "Send a proof in the DPoP header with each request";

    /// The request carries more than one proof.
    SeveralProofs: InvalidProof, "several_proofs",
        "The request carries more than one DPoP proof",
        "Send one DPoP header with one proof";

    /// The proof is not a DPoP proof JWT (RFC 9449, section 4.2).
    ProofMalformed: InvalidProof, "proof_malformed",
        "The DPoP proof is malformed",
        "Make the proof as RFC 9449, section 4.2 says: typ dpop+jwt, and jti, htm, htu, iat, ath";

    /// The proof's `alg` is not accepted.
    ProofAlgorithm: InvalidProof, "proof_algorithm",
        "The DPoP proof is signed with an algorithm that is not accepted",
        "Sign with an algorithm of the challenge, or list the client's in dpop.algorithms";

    /// The proof's `jwk` is no acceptable public key.
    ProofKey: InvalidProof, "proof_key",
        "The key in the DPoP proof is not acceptable",
        "Put the public key that fits alg into jwk, in canonical form and without private members";

    /// The proof is for another method.
    ProofMethod: InvalidProof, "proof_method",
        "The DPoP proof is for another method",
        "Make a proof for each request, with its method in htm";

    /// The proof is for another URI.
    ProofUri: InvalidProof, "proof_uri",
        "The DPoP proof is for another URI",
        "Put the URL that the client calls into htu; add it to public_urls if a proxy in front changes it";

    /// The proof is for another token.
    ProofToken: InvalidProof, "proof_token",
        "The DPoP proof is for another access token",
        "Put the hash of the token that is sent into ath";

    /// The proof is made with another key than the one that the token is bound to.
    ProofBinding: InvalidToken, "proof_binding",
        "The access token is bound to another key than that of the DPoP proof",
        "Sign proofs with the key that was used to request the token";

    /// The proof needs a nonce of this server (RFC 9449, section 9).
    ProofNonce: UseNonce, "proof_nonce",
        "A nonce of this server is needed in the DPoP proof",
        "Make another proof with the nonce of the DPoP-Nonce header";

    /// The proof's time is not near enough.
    ProofTime: InvalidProof, "proof_time",
        "The DPoP proof is too old or from the future",
        "Compare the clocks of client and gate; make a proof for each request; or raise dpop.max_age";

    /// The proof's signature does not verify.
    ProofSignature: InvalidProof, "proof_signature",
        "The signature of the DPoP proof is not valid",
        "Sign the proof with the private key that belongs to jwk";

    /// The proof has been used before.
    ProofReplay: InvalidProof, "proof_replay",
        "The DPoP proof has been used before",
        "Make a proof with another jti for each request; no proxy in front may repeat requests";

    /// The user was not authenticated as the requirement asks for (RFC 9470, section 3).
    UserAuthentication {
        /// The authentication context classes of which one would do; empty if any would.
        acr_values: Vec<String>,
        /// The longest time since the authentication; `None` if any would do.
        max_age: Option<Duration>,
    }: InsufficientAuthentication, "user_authentication",
        "A stronger or a more recent authentication is needed",
        "Send the user to the authorization server with acr_values and max_age of the challenge; the token must have acr and auth_time";

    /// The token lacks a scope that the requirement asks for.
    Scope {
        /// The scopes with which the client should ask for another token, separated by spaces.
        required: String,
    }: InsufficientScope, "scope",
        "The access token lacks a scope that is needed here",
        "Request a token with the scopes of the challenge";

    /// A claim of the token does not meet the requirement.
    Claims {
        /// The path of the claim.
        claim: String,
    }: AccessDenied, "claims",
        "The access token does not give access to this resource",
        "Compare the claims of the token with the conditions of the requirement";

    /// The issuer's keys are unavailable.
    KeysUnavailable {
        /// When to try again.
        retry_after: Duration,
    }: Unavailable, "keys_unavailable",
        "The keys of the issuer cannot be had at the moment",
        "Check that the gate can reach the issuer's key set: cluster, TLS, and the log of the filter";

    /// The revocation list is unavailable.
    RevocationUnavailable {
        /// When to try again.
        retry_after: Duration,
    }: Unavailable, "revocation_unavailable",
        "It cannot be told at the moment which access tokens are revoked",
        "Check that the gate can reach the revocation list; on_unavailable says what happens in the meantime";

    /// The introspection endpoint is unavailable.
    IntrospectionUnavailable {
        /// When to try again.
        retry_after: Duration,
    }: Unavailable, "introspection_unavailable",
        "It cannot be told at the moment whether the access token is active",
        "Check that the gate can reach the introspection endpoint, and its client credentials";

    /// It is not known whether the proof has been used before.
    ReplayUnavailable {
        /// When to try again.
        retry_after: Duration,
    }: Unavailable, "replay_unavailable",
        "It cannot be told at the moment whether the DPoP proof has been used before",
        "Raise dpop.replay_entries, or shorten dpop.max_age";

    /// So many streams are open that must end with their tokens that the worker can watch no more.
    TooManyStreams {
        /// When to try again.
        retry_after: Duration,
    }: Unavailable, "too_many_streams",
        "There are too many open requests at the moment",
        "Spread the requests over more workers or instances, or limit requests in the cluster's circuit_breakers";
}

/// A row of the table.
struct Entry {
    class: Class,
    metric: &'static str,
    description: &'static str,
    remedy: &'static str,
}

/// Reasons that share a status and an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InvalidProof,
    UseNonce,
    InsufficientAuthentication,
    InsufficientScope,
    AccessDenied,
    Unavailable,
}

impl ReasonKind {
    /// The name in metrics: `bearer_gate.denied.<name>`. A malformed credential and a malformed token
    /// share one.
    #[must_use]
    pub const fn metric(self) -> &'static str {
        self.entry().metric
    }

    /// The description for the client.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.entry().description
    }

    /// What a client or an operator can do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.entry().remedy
    }

    /// The HTTP status. Envoy maps it to a gRPC status if the request is gRPC.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self.entry().class {
            Class::NoToken
            | Class::InvalidToken
            | Class::InvalidProof
            | Class::UseNonce
            | Class::InsufficientAuthentication => 401,
            Class::InvalidRequest => 400,
            Class::InsufficientScope | Class::AccessDenied => 403,
            Class::Unavailable => 503,
        }
    }

    /// The error code of the body.
    #[must_use]
    pub const fn error(self) -> &'static str {
        match self.entry().class {
            Class::NoToken => "missing_token",
            Class::InvalidRequest => "invalid_request",
            Class::InvalidToken => "invalid_token",
            Class::InvalidProof => "invalid_dpop_proof",
            Class::UseNonce => "use_dpop_nonce",
            Class::InsufficientAuthentication => "insufficient_user_authentication",
            Class::InsufficientScope => "insufficient_scope",
            Class::AccessDenied => "access_denied",
            Class::Unavailable => "temporarily_unavailable",
        }
    }

    /// The error code of the challenge (RFC 6750, section 3.1). A request without a token has none,
    /// nor has one that none of the registered codes describes.
    #[must_use]
    pub const fn challenge_error(self) -> Option<&'static str> {
        match self.entry().class {
            Class::NoToken | Class::AccessDenied | Class::Unavailable => None,
            Class::InvalidRequest
            | Class::InvalidToken
            | Class::InvalidProof
            | Class::UseNonce
            | Class::InsufficientAuthentication
            | Class::InsufficientScope => Some(self.error()),
        }
    }

    /// Whether a server that the gate needs is unavailable.
    #[must_use]
    pub const fn is_unavailable(self) -> bool {
        matches!(self.entry().class, Class::Unavailable)
    }
}

impl Reason {
    /// When the client should try again; `None` unless a server is unavailable.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable { retry_after }
            | Self::RevocationUnavailable { retry_after }
            | Self::IntrospectionUnavailable { retry_after }
            | Self::ReplayUnavailable { retry_after }
            | Self::TooManyStreams { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
