// One Envoy with several listeners, without TLS. Each has a gate with another configuration in front of the same
// upstream.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { wasmFilter } from '../../../tools/bootstrap.mjs';
import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';
import { INTROSPECTION_CLIENT } from './dpop-server.mjs';

const STATE = join(ROOT, 'target/tmp/bound-tokens');
const TYPES = 'type.googleapis.com/envoy.extensions.filters';

const address = (port) => ({ socket_address: { address: LOOPBACK, port_value: port } });

function cluster(name, port) {
  const endpoint = { address: address(port) };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

function listener({ name, port, configuration }) {
  const route = { match: { prefix: '/' }, route: { cluster: 'upstream', timeout: '0s' } };
  return {
    name,
    address: address(port),
    filter_chains: [{
      filters: [{
        name: 'http',
        typed_config: {
          '@type': `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
          stat_prefix: name,
          route_config: { virtual_hosts: [{ name, domains: ['*'], routes: [route] }] },
          http_filters: [
            wasmFilter('gate', GATE_WASM, configuration, { GATE_SECRET: INTROSPECTION_CLIENT.secret }),
            { name: 'router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } },
          ],
        },
      }],
    }],
  };
}

/** The provider that accepts the tokens of `issuer`, whose endpoints are at the cluster `issuer`. */
export function dpopProvider(issuer) {
  const uri = (path) => ({ uri: `${issuer}${path}`, cluster: 'issuer', timeout: '60s' });
  return {
    issuer,
    sender_constraint: 'dpop',
    remote_jwks: { http_uri: uri('/jwks') },
    introspection: {
      http_uri: uri('/token/introspection'),
      client_id: INTROSPECTION_CLIENT.id,
      client_secret_environment_variable: 'GATE_SECRET',
    },
  };
}

/**
 * Starts Envoy. `gates` is a list of `{ name, port, configuration }`; `issuerPort` and `upstreamPort` are those of the
 * clusters. `name` is for the files of this run. Returns the `Envoy`.
 */
export async function startGates(processes, { name, gates, issuerPort, upstreamPort }) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  await mkdir(STATE, { recursive: true });
  const file = (extension) => join(STATE, `${name}.${extension}`);
  const config = {
    admin: { address: address(0) },
    static_resources: {
      listeners: gates.map(listener),
      clusters: [cluster('issuer', issuerPort), cluster('upstream', upstreamPort)],
    },
  };
  await writeFile(file('json'), JSON.stringify(config, null, 2));
  return Envoy.start(processes, {
    config: file('json'), logFile: file('log'), adminFile: file('admin'),
  });
}
