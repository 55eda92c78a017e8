// The configuration of a scenario, which native `jwt_authn` and bearer-gate share.

import { INTROSPECTION } from './introspection.mjs';
import { keySet } from './keys.mjs';
import { AUDIENCE, ISSUER } from './tokens.mjs';

/** The cluster that serves the key set. */
export const KEYS_CLUSTER = 'keys';
/** What the scenarios with more features require of a token and send to the upstream. */
export const SCOPE = 'orders:read';
export const PAYLOAD_HEADER = 'x-jwt-payload';
const CLAIM_HEADERS = [
  { header_name: 'x-user', claim_name: 'sub' },
  { header_name: 'x-client', claim_name: 'client_id' },
  { header_name: 'x-tenant', claim_name: 'tenant' },
];

/**
 * The `providers` and `rules` of a scenario. The provider and the rule that its requests use come last,
 * after all others.
 */
export function authn({ alg, providers, anyProvider, rules, keys: size, remote, features, waiting }, keys) {
  const verified = remote
    ? {
      remote_jwks: {
        http_uri: { uri: 'http://keys.example/jwks', cluster: KEYS_CLUSTER, timeout: '2s' },
        cache_duration: remote === 'once' ? '600s' : '1s',
        // Native fetches in the background, too.
        async_fetch: {},
      },
    }
    : { local_jwks: { inline_string: keySet(alg, keys, size) } };
  const jwks = waiting > 0 ? { introspection: INTROSPECTION } : verified;
  const provider = (issuer) => ({
    issuer,
    audiences: [AUDIENCE],
    ...jwks,
    ...(features
      ? { forward_payload_header: PAYLOAD_HEADER, claim_to_headers: CLAIM_HEADERS }
      : {}),
  });
  const others = Array.from({ length: providers - 1 }, (_, index) => index + 1);
  const names = [...others.map((number) => `other-${number}`), 'bench'];
  const requires = anyProvider
    ? { requires_any: { requirements: names.map((name) => ({ provider_name: name })) } }
    : { provider_name: 'bench' };
  return {
    providers: Object.fromEntries([
      ...others.map((number) => [`other-${number}`, provider(`https://${number}.issuer.example`)]),
      ['bench', provider(ISSUER)],
    ]),
    rules: Array.from({ length: rules }, (_, index) => ({
      match: { prefix: prefixOf(rules, index) },
      requires,
    })),
  };
}

/** The path of requests: only the last of `rules` rules matches it. */
export function pathOf(rules) {
  return `${prefixOf(rules, rules - 1)}orders/1`;
}

function prefixOf(rules, index) {
  return rules === 1 ? '/' : `/api-${index + 1}/`;
}
