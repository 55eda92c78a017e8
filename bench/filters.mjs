// The filters that are compared, as Envoy's HTTP filters.

import { wasmFilter } from '../tools/bootstrap.mjs';
import { GATE_WASM } from '../tools/checkout.mjs';
import { PAYLOAD_HEADER, SCOPE, authn } from './authn.mjs';
import { LISTS_CLUSTER, LONG, SHORT } from './lists.mjs';
import { NOOP_WASM } from './settings.mjs';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http';
/** Native's default, 4096, is less than the tokens of some scenarios take. */
const NATIVE_TOKEN_SIZE = 8192;

/**
 * The filters by name: what a reader calls one, and its filters in Envoy for a scenario and keys.
 * `checks` tells whether it refuses tokens that are not good, `listed` of how many entries its
 * revocation list is, if it has one.
 */
export const FILTERS = {
  none: { label: 'no filter', checks: false, chain: () => [] },
  noop: {
    label: 'empty wasm filter',
    checks: false,
    chain: () => [wasmFilter('noop', NOOP_WASM, {})],
  },
  native: {
    label: 'jwt_authn',
    checks: true,
    chain: (scenario, keys) => native(scenario, authn(scenario, keys)),
  },
  'native-cached': {
    label: 'jwt_authn, cached',
    checks: true,
    chain: (scenario, keys) => native(scenario, each(authn(scenario, keys), {
      jwt_cache_config: {
        jwt_cache_size: scenario.cache ?? 4096,
        jwt_max_token_size: NATIVE_TOKEN_SIZE,
      },
    })),
  },
  gate: {
    label: 'bearer-gate',
    checks: true,
    chain: (scenario, keys) => [wasmFilter('bearer-gate', GATE_WASM, gate(scenario, keys))],
  },
  'gate-short-list': listed(SHORT),
  'gate-long-list': listed(LONG),
};

/** Those of them that do the same work, and are compared wherever nothing else is said. */
export const COMPARED = Object.keys(FILTERS).filter((name) => !FILTERS[name].listed);

/** bearer-gate with a revocation list of so many entries, which the native filter has not. */
function listed(entries) {
  const revocation = {
    http_uri: { uri: 'http://lists.example/', cluster: LISTS_CLUSTER, timeout: '20s' },
  };
  return {
    label: `list of ${entries.toLocaleString('en')}`,
    checks: true,
    listed: entries,
    chain: (scenario, keys) => [
      wasmFilter('bearer-gate', GATE_WASM, each(gate(scenario, keys), { revocation })),
    ],
  };
}

function gate(scenario, keys) {
  // Without a word of the cache it has its standard size.
  const cache = scenario.cache
    ? { jwt_cache_config: { jwt_cache_size: scenario.cache, jwt_max_token_size: 8192 } }
    : {};
  const config = each(authn(scenario, keys), cache);
  if (!scenario.features) {
    return config;
  }
  const rules = config.rules.map((rule) => ({
    ...rule,
    requires: { ...rule.requires, scopes: [SCOPE] },
  }));
  return { ...config, rules };
}

function native(scenario, config) {
  if (!scenario.features) {
    return [jwtAuthn(config)];
  }
  // A scope is checked by another filter, on what this one leaves it.
  return [jwtAuthn(each(config, { payload_in_metadata: PAYLOAD_HEADER })), scopeRbac()];
}

/** The configuration with these fields in each of its providers. */
function each(config, fields) {
  const providers = Object.entries(config.providers)
    .map(([name, provider]) => [name, { ...provider, ...fields }]);
  return { ...config, providers: Object.fromEntries(providers) };
}

function jwtAuthn(config) {
  return {
    name: 'jwt_authn',
    typed_config: { '@type': `${TYPE}.jwt_authn.v3.JwtAuthentication`, ...config },
  };
}

function scopeRbac() {
  const scope = {
    metadata: {
      filter: 'envoy.filters.http.jwt_authn',
      path: [{ key: PAYLOAD_HEADER }, { key: 'scope' }],
      value: {
        string_match: { safe_regex: { regex: `(.* )?${SCOPE}( .*)?` } },
      },
    },
  };
  return {
    name: 'rbac',
    typed_config: {
      '@type': `${TYPE}.rbac.v3.RBAC`,
      rules: { action: 'ALLOW', policies: { scope: { permissions: [{ any: true }], principals: [scope] } } },
    },
  };
}
