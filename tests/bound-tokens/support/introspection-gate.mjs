// One Envoy with a listener for each gate, and one that ends TLS in front of the authorization server. A gate reaches
// that listener by a cluster that shows a client certificate.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { wasmFilter } from '../../../tools/bootstrap.mjs';
import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';
import { RESOURCE } from './introspection-server.mjs';

const STATE = join(ROOT, 'target/tmp/bound-tokens');
const TYPES = 'type.googleapis.com/envoy.extensions';

const address = (port) => ({ socket_address: { address: LOOPBACK, port_value: port } });

const tlsCertificates = ({ cert, key }) => [{
  certificate_chain: { inline_string: cert }, private_key: { inline_string: key },
}];

function cluster(name, port) {
  const endpoint = { address: address(port) };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/** The cluster of the authorization server by TLS, with this client certificate. */
function tlsCluster(name, port, authority, certificate) {
  return {
    ...cluster(name, port),
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': `${TYPES}.transport_sockets.tls.v3.UpstreamTlsContext`,
        sni: 'localhost',
        common_tls_context: {
          tls_certificates: tlsCertificates(certificate),
          validation_context: {
            trusted_ca: { inline_string: authority.cert },
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'localhost' } }],
          },
        },
      },
    },
  };
}

function listener(name, port, filters, target, more = {}) {
  const route = { match: { prefix: '/' }, route: { cluster: target, timeout: '0s' } };
  return {
    name,
    address: address(port),
    filter_chains: [{
      filters: [{
        name: 'http',
        typed_config: {
          '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
          stat_prefix: name,
          route_config: { virtual_hosts: [{ name, domains: ['*'], routes: [route] }] },
          http_filters: [
            ...filters,
            { name: 'router', typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router` } },
          ],
          ...more,
        },
      }],
    }],
  };
}

function inFrontOfIssuer(port, { authority, localhost }) {
  const inFront = listener('authorization', port, [], 'issuer', {
    forward_client_cert_details: 'SANITIZE_SET',
    set_current_client_cert_details: { cert: true },
  });
  inFront.filter_chains[0].transport_socket = {
    name: 'tls',
    typed_config: {
      '@type': `${TYPES}.transport_sockets.tls.v3.DownstreamTlsContext`,
      common_tls_context: {
        tls_certificates: tlsCertificates(localhost),
        validation_context: { trusted_ca: { inline_string: authority.cert } },
      },
    },
  };
  return inFront;
}

function gateListener({ name, port, client, authentication, environment, certificate }, issuer) {
  const provider = {
    issuer,
    audiences: [RESOURCE],
    introspection: {
      http_uri: { uri: `${issuer}/token/introspection`, cluster: `as-${certificate}`, timeout: '60s' },
      client_id: client,
      ...authentication,
    },
  };
  const filter = wasmFilter(name, GATE_WASM, { providers: { cloud: provider } }, environment);
  return listener(name, port, [filter], 'upstream');
}

/**
 * Starts Envoy. `gates` is a list of `{ name, port, client, authentication, environment, certificate }`; `ports` has those of
 * the listener `authorization`, of the authorization server (`issuer`) and of the `upstream`. Returns `{ log() }`.
 */
export async function startGates(processes, { gates, issuer, ports, certificates }) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  await mkdir(STATE, { recursive: true });
  const file = (extension) => join(STATE, `introspection.${extension}`);
  const names = [...new Set(gates.map(({ certificate }) => certificate))];
  const config = {
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        inFrontOfIssuer(ports.authorization, certificates),
        ...gates.map((gate) => gateListener(gate, issuer)),
      ],
      clusters: [
        cluster('issuer', ports.issuer),
        cluster('upstream', ports.upstream),
        ...names.map((name) => tlsCluster(
          `as-${name}`, ports.authorization, certificates.authority, certificates[name],
        )),
      ],
    },
  };
  await writeFile(file('json'), JSON.stringify(config, null, 2), { mode: 0o600 });
  await Envoy.start(processes, {
    config: file('json'), logFile: file('log'), adminFile: file('admin'),
    options: ['--component-log-level', 'wasm:trace'],
  });
  return { log: () => readFile(file('log'), 'utf8') };
}
