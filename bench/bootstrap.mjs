// The configuration of an Envoy with some filters in front of one route.

import { LOOPBACK } from '../tools/listen.mjs';

export const KEYS_CLUSTER = 'keys';
export const LISTS_CLUSTER = 'lists';
const UPSTREAM_CLUSTER = 'upstream';
const MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

/**
 * An Envoy whose route answers by itself, or sends requests to `upstreamPort` where there is one.
 * It listens on a free port under the name `http`.
 */
export function bootstrap({
  filters, upstreamPort = null, keysPort = null, listsPort = null,
}) {
  const action = upstreamPort === null
    ? { direct_response: { status: 200, body: { inline_string: 'ok\n' } } }
    : { route: { cluster: UPSTREAM_CLUSTER } };
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
      clusters: [
        ...(upstreamPort === null ? [] : [cluster(UPSTREAM_CLUSTER, upstreamPort)]),
        ...(keysPort === null ? [] : [cluster(KEYS_CLUSTER, keysPort)]),
        ...(listsPort === null ? [] : [cluster(LISTS_CLUSTER, listsPort)]),
      ],
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
