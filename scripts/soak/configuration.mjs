// The configuration of the gate and of Envoy. The listener comes from a file that Envoy watches, in two
// variants that accept different audiences.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bootstrap, wasmFilter } from '../../tools/bootstrap.mjs';
import { now } from './clock.mjs';
import {
  ADOPTED_WITHIN, CLOCK_SKEW, DRAIN, INTROSPECTION, KEYS, LIST,
} from './promises.mjs';

export const ISSUER = 'https://issuer.example';
/** Both variants accept this audience. */
export const AUDIENCE = 'https://api.example';
/** The audience that one variant accepts in addition. */
export const AUDIENCES = ['https://one.example', 'https://two.example'];
export const SCOPE = 'orders:write';
/** The verified tokens that a worker remembers: few, so that the cache is soon full. */
const CACHED_TOKENS = 1000;

/** The paths, by what they require. */
export const PATHS = {
  jwt: '/orders', scope: '/scope/orders', opaque: '/opaque/orders', open: '/open',
};

const seconds = (number) => `${number}s`;
const uri = (path, cluster, { timeout }) => (
  { uri: `http://issuer.example${path}`, cluster, timeout: seconds(timeout) });

/** The configuration of the gate that accepts `AUDIENCE` and another audience. */
function gate(audience) {
  const subject = [{ header_name: 'x-sub', claim_name: 'sub' }];
  const prefix = (path) => ({ path_separated_prefix: `/${path.split('/')[1]}` });
  return {
    providers: {
      jwt: {
        issuer: ISSUER,
        audiences: [AUDIENCE, audience],
        clock_skew_seconds: CLOCK_SKEW,
        claim_to_headers: subject,
        jwt_cache_config: { jwt_cache_size: CACHED_TOKENS },
        remote_jwks: {
          http_uri: uri('/keys', 'keys', KEYS),
          cache_duration: seconds(KEYS.refresh),
          max_stale: seconds(KEYS.maxStale),
          refetch_cooldown: seconds(KEYS.cooldown),
          async_fetch: { failed_refetch_duration: seconds(KEYS.retry) },
        },
        revocation: {
          http_uri: uri('/revoked', 'list', LIST),
          refresh_interval: seconds(LIST.refresh),
          max_stale: seconds(LIST.maxStale),
        },
      },
      opaque: {
        audiences: [AUDIENCE],
        claim_to_headers: subject,
        introspection: {
          http_uri: uri('/introspect', 'introspection', INTROSPECTION),
          client_id: 'gate',
          client_secret_environment_variable: 'SECRET',
          cache_duration: seconds(INTROSPECTION.active),
          negative_cache_duration: seconds(INTROSPECTION.inactive),
        },
      },
    },
    rules: [
      { match: prefix(PATHS.open), requires: { allow: {} } },
      { match: prefix(PATHS.opaque), requires: { provider_name: 'opaque' } },
      { match: prefix(PATHS.scope), requires: { provider_name: 'jwt', scopes: [SCOPE] } },
      { match: prefix(PATHS.jwt), requires: { provider_name: 'jwt' } },
    ],
  };
}

export class Configuration {
  #module;
  #clusters;
  #directory;
  #reloads = 0;
  /** The variants that were published as `{ at, audience }`, oldest first. */
  #published = [];

  /** `clusters` maps names to ports. */
  constructor({ module, directory, clusters }) {
    this.#module = module;
    this.#directory = directory;
    this.#clusters = clusters;
  }

  /** How often the listener was replaced. */
  get reloads() {
    return this.#reloads;
  }

  /** Writes the configuration of Envoy, and returns its path. */
  async start() {
    await this.#write(AUDIENCES[0]);
    const { admin, static_resources: { clusters } } = this.#envoy(AUDIENCES[0]);
    const lds = { path_config_source: { path: this.#file('listeners') }, resource_api_version: 'V3' };
    const config = {
      node: { id: 'soak', cluster: 'soak' },
      admin,
      static_resources: { clusters },
      dynamic_resources: { lds_config: lds },
    };
    await writeFile(this.#file('envoy'), JSON.stringify(config, null, 1));
    return this.#file('envoy');
  }

  /** Replaces the listener by one with the other variant, or else by one that differs elsewhere only. */
  async reload({ variant }) {
    this.#reloads += 1;
    const last = this.#published.at(-1).audience;
    await this.#write(variant ? AUDIENCES.find((audience) => audience !== last) : last);
  }

  /** The additional audiences that a worker may have accepted between `from` and `to`. */
  possible(from, to) {
    const published = this.#published.filter(({ at }, index) => {
      const replaced = this.#published[index + 1]?.at ?? Infinity;
      return at <= to && from <= replaced + DRAIN + ADOPTED_WITHIN;
    });
    return new Set(published.map(({ audience }) => audience));
  }

  async #write(audience) {
    const [listener] = this.#envoy(audience).static_resources.listeners;
    const resource = { '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', ...listener };
    const version = String(this.#reloads);
    this.#published = [...this.#published.slice(-9), { at: now(), audience }];
    // Envoy reads the file when another one is moved into its place.
    await writeFile(this.#file('next'), JSON.stringify({ version_info: version, resources: [resource] }));
    await rename(this.#file('next'), this.#file('listeners'));
  }

  #envoy(audience) {
    const filter = wasmFilter('bearer-gate', this.#module, gate(audience), { SECRET: 'secret' });
    const config = bootstrap({ filters: [filter], clusters: this.#clusters });
    const [{ filters: [{ typed_config: manager }] }] = config.static_resources.listeners[0].filter_chains;
    manager.server_name = `soak-${this.#reloads}`;
    return config;
  }

  #file(name) {
    return join(this.#directory, `${name}.json`);
  }
}
