//! What every conversion of a policy changes.

/// What differs for every policy whose tokens the gate checks.
pub(super) const GENERAL: &str = "what every configuration changes (docs/differences.md):\n\
    - a malformed credential, several tokens in one request, or a very long text for a regular expression is answered \
      with 400, not 401; bodies are JSON, and challenges have the error codes of RFC 6750\n\
    - 401 for tokens with a `typ` other than JWT and at+jwt, with `crit`, with `iat` in the future, with `exp: 0`, of \
      more than 16384 bytes, and with `cnf` unless the client proves what they are bound to\n\
    - keys with another `use`, private keys and RSA keys below 2048 bits are skipped; a key verifies only with its own \
      algorithm\n\
    - clients' copies of headers that the gate sets are removed, also if spelled with `_`\n\
    - a path such as `//`, `/../`, `;` or `%2f` never matches what lets requests pass without a token: 401\n\
    - while keys cannot be fetched: 503 with Retry-After, not 401; an unknown `kid` waits for one shared refetch";
