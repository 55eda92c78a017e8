// The settings of a run, and whether the machine meets its needs.

import crypto from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { LOOPBACK, whyNot } from '../tools/listen.mjs';

export const ENVOY_CONFIG = join(ROOT, 'envoy/demo.yaml');
export const RUN_DIRECTORY = join(ROOT, 'demo/.run');

/** The default ports, by the variables that override them. 0 means any free port. */
export const PORTS = {
  HTTP_PORT: 8080,
  HTTPS_PORT: 8443,
  CONSOLE_PORT: 8090,
  ADMIN_PORT: 9901,
  AUTH_PORT: 9000,
  API_PORT: 9001,
  PORTAL_PORT: 9002,
  MCP_PORT: 9003,
};

/** The default port of Prometheus, which `METRICS=1` starts. */
const PROMETHEUS_PORT = 9090;

const NEEDED = [
  [GATE_WASM, 'make build'],
  [ENVOY, 'make envoy'],
  ...['@modelcontextprotocol/client', '@modelcontextprotocol/server', 'jose', 'oidc-provider',
    'selfsigned', 'sirv', 'swagger-ui-dist', 'yaml']
    .map((name) => [join(ROOT, 'demo/node_modules', name), 'make demo']),
];

/**
 * The URL of the MCP server as its clients see it, which is also its resource identifier (RFC 9728) and
 * the `aud` of tokens for it. `port` is that of the gate's plain HTTP.
 */
export function mcpResource(port) {
  return `http://${LOOPBACK}:${port}/mcp`;
}

/** The settings of a run. Throws a `Failure` that names a wrong one. */
export function readSettings(environment) {
  const ports = {};
  for (const [name, standard] of Object.entries(PORTS)) {
    ports[name] = readPort(environment, name, standard);
  }
  return {
    once: isOn(environment.ONCE),
    ports,
    metrics: isOn(environment.METRICS) ? {
      program: findPrometheus(environment),
      port: readPort(environment, 'PROMETHEUS_PORT', PROMETHEUS_PORT),
    } : null,
    directory: environment.DEMO_DIR ? resolve(environment.DEMO_DIR) : null,
  };
}

function isOn(value) {
  return ['1', 'true', 'yes'].includes(value);
}

function readPort(environment, name, standard) {
  const text = environment[name] || String(standard);
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new Failure(`${name}=${text} is not a port (0 to 65535)`, { exitCode: NOT_STARTED });
  }
  return Number(text);
}

/** The path of Prometheus: the variable PROMETHEUS names it, or it is in the PATH. */
function findPrometheus(environment) {
  const places = (environment.PATH ?? '').split(delimiter).map((place) => join(place, 'prometheus'));
  const found = (environment.PROMETHEUS ? [environment.PROMETHEUS] : places).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) {
    throw new Failure(
      'Prometheus is missing: install it (Debian: apt-get install prometheus), or name it in PROMETHEUS',
      { exitCode: NOT_STARTED },
    );
  }
  return found;
}

/** Throws a `Failure` that says what is missing and how to get it. */
export function requireTools() {
  // Both came after Node.js 20.0; the authorization server needs them.
  if (typeof URL.parse !== 'function' || typeof crypto.hash !== 'function') {
    throw new Failure(`Node.js ${process.version} is too old; 20.19 or newer is needed`, {
      exitCode: NOT_STARTED,
    });
  }
  requireFiles(NEEDED);
}

/** Throws a `Failure` that names the unusable ports and free ones to use instead. */
export async function requireFreePorts(ports) {
  const given = Object.entries(ports).filter(([, port]) => port !== 0);
  const problems = [];
  const remedies = [];
  const taken = new Set(given.map(([, port]) => port));
  const seen = new Map();
  for (const [name, port] of given) {
    const problem = seen.has(port) ? `is the same as ${seen.get(port)}` : await whyNot(port);
    seen.set(port, name);
    if (problem) {
      problems.push(`port ${port} (${name}) ${problem}`);
      remedies.push(`${name}=${await nextFree(port, taken)}`);
    }
  }
  if (problems.length > 0) {
    const what = problems.length === 1 ? 'choose another port' : 'choose other ports';
    throw new Failure(`${problems.join(', ')}; ${what}: make run ${remedies.join(' ')}`, {
      exitCode: NOT_STARTED,
    });
  }
}

/** The first free port above `port` that is not in `taken`, and adds it there; 0 if there is none. */
async function nextFree(port, taken) {
  for (let next = Math.max(port + 1, 1024); next <= Math.min(port + 1100, 65535); next += 1) {
    if (!taken.has(next) && (await whyNot(next)) === null) {
      taken.add(next);
      return next;
    }
  }
  return 0;
}

/**
 * Makes the directory for the files of a run. Only one run at a time can have all the default ports. Each
 * other run gets its own `temporary` directory, so that it overwrites no file of the first one.
 */
export async function makeDirectory({ directory, ports }) {
  const standard = Object.keys(PORTS).every((name) => ports[name] === PORTS[name]);
  const temporary = !directory && !standard;
  const path = directory ?? RUN_DIRECTORY;
  await mkdir(path, { recursive: true });
  return temporary
    ? { path: await mkdtemp(join(RUN_DIRECTORY, 'run-')), temporary }
    : { path, temporary };
}
