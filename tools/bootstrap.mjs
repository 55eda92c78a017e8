// The configuration of an Envoy with some filters in front of one route.

import { LOOPBACK } from './listen.mjs';

/** The cluster that requests go to, if there is one. */
export const UPSTREAM_CLUSTER = 'upstream';

const MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
const WASM = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm';

/**
 * The bootstrap configuration. `clusters` maps names to ports on the loopback address. Without an
 * upstream cluster, the route answers itself (`direct_response`). The listener has the name `http`
 * and a free port.
 */
export function bootstrap({ filters, clusters = {} }) {
  const action = UPSTREAM_CLUSTER in clusters
    ? { route: { cluster: UPSTREAM_CLUSTER } }
    : { direct_response: { status: 200, body: { inline_string: 'ok\n' } } };
  const manager = {
    '@type': MANAGER,
    stat_prefix: 'http',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    route_config: {
      virtual_hosts: [{
        name: 'api',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, ...action }],
      }],
    },
    http_filters: [...filters, { name: 'router', typed_config: { '@type': ROUTER } }],
  };
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [{
        name: 'http',
        address: address(0),
        filter_chains: [{
          filters: [{ name: 'http', typed_config: manager }],
        }],
      }],
      clusters: Object.entries(clusters).map(([name, port]) => cluster(name, port)),
    },
  };
}

/** An HTTP filter that runs the module in `file` with this configuration and these environment variables. */
export function wasmFilter(name, file, configuration, environment = {}) {
  return {
    name,
    typed_config: {
      '@type': WASM,
      config: {
        failure_policy: 'FAIL_RELOAD',
        vm_config: {
          vm_id: name,
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: file } },
          environment_variables: { key_values: environment },
        },
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.StringValue',
          value: JSON.stringify(configuration),
        },
      },
    },
  };
}

function address(port) {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}

function cluster(name, port) {
  return {
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
  };
}
