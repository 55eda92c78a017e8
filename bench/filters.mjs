// The filters that are compared, as Envoy's HTTP filters.

import { wasmFilter } from '../tools/bootstrap.mjs';
import { PAYLOAD_HEADER, SCOPE, authn } from './authn.mjs';
import { boundFields, constraintOf } from './bound.mjs';
import { ENVIRONMENT } from './introspection.mjs';
import { LISTS_CLUSTER, LONG, SHORT } from './lists.mjs';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http';
/** In bytes. The default of `jwt_authn`, 4096, is too small for the tokens of some scenarios. */
const NATIVE_TOKEN_SIZE = 8192;

/**
 * The filters by name. `label` is what readers see. `chain(scenario, keys, modules)` returns the HTTP
 * filters of Envoy. `checks`: it refuses bad tokens. `listed`: the entries of its revocation list, if
 * it has one. `module`: which of the modules it runs, if any; see modules.mjs.
 */
export const FILTERS = {
  none: { label: 'no filter', checks: false, chain: () => [] },
  noop: {
    label: 'empty wasm filter',
    checks: false,
    module: 'noop',
    chain: (scenario, keys, modules) => [wasmFilter('noop', modules.noop.file, {})],
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
  ...gates('gate'),
  ...gates('other'),
};

/** The filters of an ordinary run: they do the same work, with the module of this checkout. */
export const COMPARED = Object.keys(FILTERS)
  .filter((name) => !FILTERS[name].listed && FILTERS[name].module !== 'other');

/** The filter like this one that runs the other module; `null` if this one does not run bearer-gate. */
export function otherOf(name) {
  return FILTERS[name].module === 'gate' ? name.replace('gate', 'other') : null;
}

/** The filters that run one of the two modules of bearer-gate, without and with revocation lists. */
function gates(module) {
  const suffix = module === 'gate' ? '' : ', other module';
  const filter = (label, listed, fields) => ({
    label: `${label}${suffix}`,
    checks: true,
    listed,
    module,
    chain: (scenario, keys, modules) => [
      wasmFilter('bearer-gate', modules[module].file, each(gate(scenario, keys), fields), ENVIRONMENT),
    ],
  });
  const list = (entries) => filter(`list of ${entries.toLocaleString('en')}`, entries, {
    revocation: {
      http_uri: { uri: 'http://lists.example/', cluster: LISTS_CLUSTER, timeout: '20s' },
    },
  });
  return {
    [module]: filter('bearer-gate', null, {}),
    [`${module}-short-list`]: list(SHORT),
    [`${module}-long-list`]: list(LONG),
  };
}

function gate(scenario, keys) {
  // Otherwise the cache has its default size.
  const cache = scenario.cache
    ? { jwt_cache_config: { jwt_cache_size: scenario.cache, jwt_max_token_size: 8192 } }
    : {};
  const binding = scenario.bound ? { sender_constraint: constraintOf(scenario.bound) } : {};
  const config = {
    ...each(authn(scenario, keys), { ...cache, ...binding }), ...boundFields(scenario.bound),
  };
  if (!scenario.features) {
    return config;
  }
  const rules = config.rules.map((rule) => ({
    ...rule,
    requires: { ...rule.requires, scopes: [SCOPE] },
  }));
  return { ...config, rules };
}

function native(scenario, common) {
  // `jwt_authn` knows no proofs, but finds the token beside them.
  const config = scenario.bound && scenario.fresh
    ? each(common, { from_headers: [{ name: 'authorization', value_prefix: 'DPoP ' }] })
    : common;
  if (!scenario.features) {
    return [jwtAuthn(config)];
  }
  // `jwt_authn` does not check scopes: RBAC does, on the payload that it leaves in metadata.
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
