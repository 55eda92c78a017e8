// Envoy with envoy/certificates.yaml, the configuration that docs/bound-tokens.md teaches, and a second listener in front
// of the authorization server, which hands it the certificates of clients.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';
import { OPAQUE_RESOURCE } from './authorization-server.mjs';

const EXAMPLE = join(ROOT, 'envoy/certificates.yaml');

const address = (port) => ({ socket_address: { address: LOOPBACK, port_value: port } });

function cluster(name, port) {
  const endpoint = { address: address(port) };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/** The connection manager of a listener, without its type. */
const manager = (listener) => listener.filter_chains[0].filters[0].typed_config;

/** The part of the configuration that says what the gate does. */
const gate = (listener) => manager(listener).http_filters[0].typed_config.config;

/** The listener in front of the authorization server: that of the API with another name, and without the gate. */
function inFrontOfIssuer(api, port) {
  const listener = structuredClone(api);
  Object.assign(listener, { name: 'authorization', address: address(port) });
  const config = manager(listener);
  config.http_filters.shift();
  config.route_config.virtual_hosts[0].routes[0].route = { cluster: 'issuer' };
  config.forward_client_cert_details = 'SANITIZE_SET';
  config.set_current_client_cert_details = { cert: true };
  return listener;
}

/** The configuration of envoy/certificates.yaml with the files in `directory` and these ports and names. */
async function configuration({ directory, ports, issuer, introspection }) {
  const text = (await readFile(EXAMPLE, 'utf8'))
    .replaceAll('/etc/envoy/server', join(directory, 'server'))
    .replaceAll('/etc/envoy/clients-ca.crt', join(directory, 'ca.crt'))
    .replaceAll('https://issuer.example', issuer)
    .replace('timeout: 2s', 'timeout: 60s');
  const config = parse(text);
  const [api] = config.static_resources.listeners;
  api.address = address(ports.api);
  const listeners = [api, inFrontOfIssuer(api, ports.authorization)];
  config.admin = { address: address(0) };
  config.static_resources = {
    listeners,
    clusters: [cluster('issuer', ports.issuer), cluster('upstream', ports.upstream)],
  };
  // Besides, opaque tokens.
  gate(api).vm_config.environment_variables = { host_env_keys: ['GATE_SECRET'] };
  const { cloud } = gate(api).configuration.value.providers;
  cloud.audiences.push(OPAQUE_RESOURCE);
  cloud.introspection = {
    http_uri: { uri: `${issuer}/token/introspection`, cluster: 'issuer', timeout: '60s' },
    client_id: introspection.id,
    client_secret_environment_variable: 'GATE_SECRET',
  };
  return config;
}

/**
 * Starts Envoy, with the certificates in `directory`. `ports` has those of the listeners `api` and `authorization`, of the
 * authorization server (`issuer`) and of the `upstream`; the gate asks about opaque tokens as the client `introspection`.
 */
export async function startGate(processes, { directory, introspection, ...settings }) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  const file = (extension) => join(directory, `envoy.${extension}`);
  const config = await configuration({ directory, introspection, ...settings });
  await writeFile(file('json'), JSON.stringify(config, null, 2));
  return Envoy.start(processes, {
    config: file('json'), logFile: file('log'), adminFile: file('admin'),
    environment: { GATE_SECRET: introspection.secret },
  });
}
