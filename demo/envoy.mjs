// Envoy: its configuration for this run, starting it, and knowing when it is ready.

import { existsSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../tools/failure.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { ENVOY, ENVOY_CONFIG, PORTS, ROOT, RUN_DIRECTORY } from './settings.mjs';
import { shown } from './terminal.mjs';

const READY_WITHIN_MS = 30_000;

/** What stands in envoy/demo.yaml, and what stands there instead in this run. */
function replacements(ports, directory) {
  const port = (name) => [`port_value: ${PORTS[name]} }`, `port_value: ${ports[name]} }`];
  return new Map([
    ...Object.keys(PORTS).map(port),
    ...['http', 'https'].map((scheme) => [
      `"${scheme}://${LOOPBACK}:${PORTS.CONSOLE_PORT}"`,
      `"${scheme}://${LOOPBACK}:${ports.CONSOLE_PORT}"`,
    ]),
    [`"http://${LOOPBACK}:${PORTS.AUTH_PORT}`, `"http://${LOOPBACK}:${ports.AUTH_PORT}`],
    ...['tls.crt', 'tls.key'].map((file) => [
      `filename: ${relative(ROOT, join(RUN_DIRECTORY, file))} }`,
      `filename: ${JSON.stringify(join(directory, file))} }`,
    ]),
  ]);
}

/**
 * Replaces strings in a text, all at once, so that what was put in is not replaced again. A string
 * that is not there is an error: the text has changed, and this has not followed.
 */
export function replaceAll(text, table) {
  for (const string of table.keys()) {
    if (!text.includes(string)) {
      throw new Failure(`${relative(ROOT, ENVOY_CONFIG)} does not contain \`${string}\``);
    }
  }
  const escaped = [...table.keys()].map((key) => key.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return text.replace(new RegExp(escaped.join('|'), 'g'), (string) => table.get(string));
}

/**
 * The configuration to start Envoy with: envoy/demo.yaml itself where nothing differs from it, or
 * else a copy with this run's ports and files in the run's directory.
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
 * Starts Envoy and waits until it serves. Ports that are 0 in `ports` are free ones that Envoy
 * chooses. `environment` has variables for the filter. Answers with all ports and with a promise that rejects if Envoy ends.
 */
export async function startEnvoy({ processes, ports, directory, environment }) {
  const logFile = join(directory, 'envoy.log');
  const adminFile = join(directory, 'envoy-admin.txt');
  const config = await configure(ports, directory);
  await rm(adminFile, { force: true });

  const log = openSync(logFile, 'w');
  const child = processes.start(ENVOY, [
    '--config-path', config,
    '--use-dynamic-base-id',
    '--log-level', 'warning',
    '--admin-address-path', adminFile,
    '--concurrency', '2',
  ], { cwd: ROOT, stdio: ['ignore', log, log], env: { ...process.env, ...environment } });
  const died = new Promise((_, reject) => {
    const fail = async (how) => reject(await failure(how, logFile));
    child.once('error', (error) => fail(`could not be started (${error.code})`));
    child.once('exit', (code, by) => fail(by ? `was ended by ${by}` : `ended with code ${code}`));
  });
  // Whoever waits for Envoy gets to know; before that, it is no unhandled rejection.
  died.catch(() => {});

  const serving = await Promise.race([ready(adminFile, logFile), died]);
  return { config, logFile, died, ports: { ...ports, ...serving } };
}

/** Waits until Envoy serves; answers with the ports that it listens on. */
async function ready(adminFile, logFile) {
  const end = Date.now() + READY_WITHIN_MS;
  let waitingFor = 'its admin interface';
  while (Date.now() < end) {
    const admin = existsSync(adminFile) ? (await readFile(adminFile, 'utf8')).trim() : '';
    if (admin) {
      waitingFor = `http://${admin}/ready to say LIVE`;
      if ((await get(`http://${admin}/ready`))?.trim() === 'LIVE') {
        const { listener_statuses: listeners } = JSON.parse(
          await get(`http://${admin}/listeners?format=json`),
        );
        const port = (name) => listeners
          .find((listener) => listener.name === name).local_address.socket_address.port_value;
        return {
          HTTP_PORT: port('http'),
          HTTPS_PORT: port('https'),
          ADMIN_PORT: Number(admin.split(':').pop()),
        };
      }
    }
    await sleep(50);
  }
  const seconds = READY_WITHIN_MS / 1000;
  throw await failure(`was not ready within ${seconds} s (waited for ${waitingFor})`, logFile);
}

/** The body of an answer with status 200, or `null`. */
async function get(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    const body = await response.text();
    return response.ok ? body : null;
  } catch {
    return null;
  }
}

/** What went wrong with Envoy, with the end of its log. */
async function failure(how, logFile) {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  if (!log.trim()) {
    return new Failure(`Envoy ${how}.`);
  }
  const details = log.trimEnd().split('\n').slice(-10);
  return new Failure(`Envoy ${how}. The end of its log, ${shown(logFile)}:`, { details });
}
