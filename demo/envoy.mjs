// The demo's Envoy: its configuration for this run, and starting it.

import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { parseDocument, visit } from 'yaml';

import { ROOT } from '../tools/checkout.mjs';
import { Envoy } from '../tools/envoy.mjs';
import { Failure } from '../tools/failure.mjs';
import { ENVOY_CONFIG, PORTS, RUN_DIRECTORY } from './settings.mjs';

const WORKERS = 2;

/** The names of the ports by their defaults, which are those in envoy/demo.yaml. */
const NAMES = new Map(Object.entries(PORTS).map(([name, port]) => [port, name]));

/** A string of envoy/demo.yaml for this run: URLs get its ports, and files its directory. */
function adapted(string, ports, directory) {
  const url = /^(https?:\/\/127\.0\.0\.1:)(\d+)(\/.*)?$/.exec(string);
  if (url && NAMES.has(Number(url[2]))) {
    return `${url[1]}${ports[NAMES.get(Number(url[2]))]}${url[3] ?? ''}`;
  }
  const prefix = `${relative(ROOT, RUN_DIRECTORY)}/`;
  return string.startsWith(prefix) ? join(directory, string.slice(prefix.length)) : string;
}

/**
 * envoy/demo.yaml with the ports and the directory of this run. The configuration of the filter is a string
 * of JSON in it. Throws if a port is not in the file: it was changed, but not `PORTS`.
 */
function rewritten(text, ports, directory) {
  const document = parseDocument(text);
  const missing = new Set(Object.keys(PORTS));
  visit(document, {
    Pair(_, { key, value }) {
      const name = key.value === 'port_value' ? NAMES.get(value.value) : undefined;
      if (name) {
        missing.delete(name);
        value.value = ports[name];
        return visit.SKIP;
      }
      return undefined;
    },
    Scalar(_, scalar) {
      if (typeof scalar.value !== 'string') {
        return;
      }
      const adapt = (value) => (typeof value === 'string' ? adapted(value, ports, directory) : value);
      scalar.value = scalar.value.trimStart().startsWith('{')
        ? JSON.stringify(JSON.parse(scalar.value, (_name, value) => adapt(value)), null, 2)
        : adapt(scalar.value);
    },
  });
  if (missing.size > 0) {
    throw new Failure(`${relative(ROOT, ENVOY_CONFIG)} lacks the default ports of ${[...missing].join(', ')}`);
  }
  return document.toString();
}

/** The rules of the filter in a configuration of Envoy: what each matches, in order. */
export function ruleMatches(text) {
  let matches = [];
  visit(parseDocument(text), {
    Scalar(_, { value }) {
      if (typeof value === 'string' && value.trimStart().startsWith('{')) {
        matches = JSON.parse(value).rules.map(({ match }) => match);
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return matches;
}

/**
 * The configuration to start Envoy with: envoy/demo.yaml itself if this run uses its ports and files,
 * otherwise a changed copy in the run's directory.
 */
async function configure(ports, directory) {
  const standard = Object.keys(PORTS).every((name) => ports[name] === PORTS[name]);
  if (standard && directory === RUN_DIRECTORY) {
    return ENVOY_CONFIG;
  }
  const file = join(directory, 'envoy.yaml');
  const text = await readFile(ENVOY_CONFIG, 'utf8');
  await writeFile(file, rewritten(text, ports, directory));
  return file;
}

/**
 * Starts Envoy and waits until it is live. Ports that are 0 in `ports` are chosen by Envoy.
 * `environment` has variables for the filter. Returns all ports, what the filter's rules match, and a
 * promise that rejects if Envoy ends.
 */
export async function startEnvoy({ processes, ports, directory, environment }) {
  const logFile = join(directory, 'envoy.log');
  const config = await configure(ports, directory);
  const envoy = await Envoy.start(processes, {
    config, logFile, adminFile: join(directory, 'envoy-admin.txt'), workers: WORKERS, environment,
  });
  const { http, https } = await envoy.ports();
  const died = envoy.ended.then((failure) => { throw failure; });
  // A rejection before anything awaits the promise must not count as unhandled.
  died.catch(() => {});
  const chosen = { HTTP_PORT: http, HTTPS_PORT: https, ADMIN_PORT: envoy.adminPort };
  const rules = ruleMatches(await readFile(config, 'utf8'));
  return { config, logFile, died, rules, ports: { ...ports, ...chosen } };
}
