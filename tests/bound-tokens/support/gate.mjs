// One Envoy with two listeners, both with TLS: `authorization` in front of the authorization server, and `api` with the
// gate in front of an upstream.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';

const STATE = join(ROOT, 'target/tmp/bound-tokens');
const TYPES = 'type.googleapis.com/envoy.extensions';

const address = (port) => ({ socket_address: { address: LOOPBACK, port_value: port } });

function cluster(name, port) {
  const endpoint = { address: address(port) };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/** A listener that asks clients for a certificate of `authority`, but does not require one. */
function listener({ name, port, server, authority, to, filters = [], manager = {} }) {
  return {
    name,
    address: address(port),
    filter_chains: [{
      transport_socket: {
        name: 'envoy.transport_sockets.tls',
        typed_config: {
          '@type': `${TYPES}.transport_sockets.tls.v3.DownstreamTlsContext`,
          common_tls_context: {
            tls_certificates: [{
              certificate_chain: { inline_string: server.cert },
              private_key: { inline_string: server.key },
            }],
            validation_context: { trusted_ca: { inline_string: authority.cert } },
          },
        },
      },
      filters: [{
        name: 'envoy.filters.network.http_connection_manager',
        typed_config: {
          '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
          stat_prefix: name,
          route_config: {
            virtual_hosts: [{
              name, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: to } }],
            }],
          },
          http_filters: [...filters, {
            name: 'envoy.filters.http.router',
            typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router` },
          }],
          ...manager,
        },
      }],
    }],
  };
}

function gate(configuration) {
  return {
    name: 'bearer-gate',
    typed_config: {
      '@type': `${TYPES}.filters.http.wasm.v3.Wasm`,
      config: {
        name: 'bearer-gate',
        vm_config: {
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: GATE_WASM } },
          environment_variables: { host_env_keys: ['GATE_SECRET'] },
        },
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.Struct',
          value: configuration,
        },
      },
    },
  };
}

/**
 * Starts Envoy. `ports` has those of both listeners, of the authorization server and of the upstream; `configuration`
 * is that of the gate, and `secret` what it finds in `GATE_SECRET`. Returns the `Envoy`.
 */
export async function startGate(processes, {
  name, ports, server, authority, configuration, secret,
}) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  await mkdir(STATE, { recursive: true });
  const file = (extension) => join(STATE, `${name}.${extension}`);
  const config = {
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        listener({
          name: 'authorization', port: ports.authorization, server, authority, to: 'issuer',
          manager: {
            forward_client_cert_details: 'SANITIZE_SET',
            set_current_client_cert_details: { cert: true },
          },
        }),
        listener({
          name: 'api', port: ports.api, server, authority, to: 'upstream', filters: [gate(configuration)],
        }),
      ],
      clusters: [cluster('issuer', ports.issuer), cluster('upstream', ports.upstream)],
    },
  };
  await writeFile(file('json'), JSON.stringify(config, null, 2));
  return Envoy.start(processes, {
    config: file('json'), logFile: file('log'), adminFile: file('admin'),
    environment: { GATE_SECRET: secret },
  });
}
