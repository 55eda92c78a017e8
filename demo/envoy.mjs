// The demo's Envoy: its configuration for this run, and starting it.

import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { ROOT } from '../tools/checkout.mjs';
import { Envoy } from '../tools/envoy.mjs';
import { Failure } from '../tools/failure.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { ENVOY_CONFIG, PORTS, RUN_DIRECTORY, mcpResource } from './settings.mjs';

const WORKERS = 2;

/** Strings of envoy/demo.yaml, and what replaces them in this run. */
function replacements(ports, directory) {
  const port = (name) => [`port_value: ${PORTS[name]} }`, `port_value: ${ports[name]} }`];
  return new Map([
    ...Object.keys(PORTS).map(port),
    ...['http', 'https'].map((scheme) => [
      `"${scheme}://${LOOPBACK}:${PORTS.CONSOLE_PORT}"`,
      `"${scheme}://${LOOPBACK}:${ports.CONSOLE_PORT}"`,
    ]),
    [`"${mcpResource(PORTS.HTTP_PORT)}"`, `"${mcpResource(ports.HTTP_PORT)}"`],
    [`"http://${LOOPBACK}:${PORTS.AUTH_PORT}`, `"http://${LOOPBACK}:${ports.AUTH_PORT}`],
    ...['tls.crt', 'tls.key'].map((file) => [
      `filename: ${relative(ROOT, join(RUN_DIRECTORY, file))} }`,
      `filename: ${JSON.stringify(join(directory, file))} }`,
    ]),
  ]);
}

/**
 * Replaces strings in a text in one pass, so that replacements are not replaced again. Throws if a
 * string is missing: the text was changed, but not `replacements`.
 */
function replaceAll(text, table) {
  for (const string of table.keys()) {
    if (!text.includes(string)) {
      throw new Failure(`${relative(ROOT, ENVOY_CONFIG)} does not contain \`${string}\``);
    }
  }
  const escaped = [...table.keys()].map((key) => key.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return text.replace(new RegExp(escaped.join('|'), 'g'), (string) => table.get(string));
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
  await writeFile(file, replaceAll(text, replacements(ports, directory)));
  return file;
}

/**
 * Starts Envoy and waits until it is live. Ports that are 0 in `ports` are chosen by Envoy.
 * `environment` has variables for the filter. Returns all ports, and a promise that rejects if Envoy
 * ends.
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
  return { config, logFile, died, ports: { ...ports, ...chosen } };
}
