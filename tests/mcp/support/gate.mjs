// Envoy with envoy/mcp.yaml, the configuration that docs/mcp.md teaches. Only names and addresses are replaced.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';

const EXAMPLE = join(ROOT, 'envoy/mcp.yaml');
const STATE = join(ROOT, 'target/tmp/mcp');

/** `value` with every string changed by `change`. */
function mapStrings(value, change) {
  if (typeof value === 'string') {
    return change(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => mapStrings(item, change));
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, mapStrings(item, change)]),
    );
  }
  return value;
}

const address = (port) => ({ socket_address: { address: LOOPBACK, port_value: port } });

/** A cluster with one endpoint on the loopback address. */
function cluster(name, port) {
  const endpoint = { address: address(port) };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/** A listener that adds `headers` to every request and sends it to the gate. */
function adding(headers, port) {
  const route = {
    match: { prefix: '/' },
    route: { cluster: 'gate', timeout: '0s' },
    request_headers_to_add: Object.entries(headers).map(([key, value]) => ({ header: { key, value } })),
  };
  return {
    name: 'adding',
    address: address(port),
    filter_chains: [{
      filters: [{
        name: 'http',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
          stat_prefix: 'adding',
          route_config: { virtual_hosts: [{ name: 'gate', domains: ['*'], routes: [route] }] },
          http_filters: [{
            name: 'router',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
          }],
        },
      }],
    }],
  };
}

/** The configuration of envoy/mcp.yaml with these ports and names. */
async function configuration({ port, issuer, issuerPort, upstreamPort, pageOrigin, front }) {
  const replaced = [
    ['https://issuer.example', issuer],
    ['https://api.example', `http://${LOOPBACK}:${port}`],
    ['https://app.example', pageOrigin],
  ];
  const config = mapStrings(
    parse(await readFile(EXAMPLE, 'utf8')),
    (text) => replaced.reduce((result, [from, to]) => result.replaceAll(from, to), text),
  );
  const { listeners } = config.static_resources;
  listeners[0].address = address(port);
  config.admin = { address: address(0) };
  config.static_resources.clusters = [cluster('issuer', issuerPort), cluster('upstream', upstreamPort)];
  if (front) {
    listeners.push(adding(front.headers, front.port));
    config.static_resources.clusters.push(cluster('gate', port));
  }
  return config;
}

/**
 * Starts Envoy with envoy/mcp.yaml on `port`. `front` is a second listener, `{ port, headers }`, which adds headers to
 * the requests and hands them to the first one. `name` is for the files of this run. Returns the `Envoy`.
 */
export async function startGate(processes, { name, ...settings }) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  await mkdir(STATE, { recursive: true });
  const file = (extension) => join(STATE, `${name}.${extension}`);
  await writeFile(file('json'), JSON.stringify(await configuration(settings), null, 2));
  return Envoy.start(processes, {
    config: file('json'), logFile: file('log'), adminFile: file('admin'),
  });
}
