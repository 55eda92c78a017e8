// `make run METRICS=1`: a Prometheus that scrapes the demo's Envoy, with the rules of deploy/observability.

import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse, stringify } from 'yaml';

import { ROOT } from '../tools/checkout.mjs';
import { Failure } from '../tools/failure.mjs';
import { LOOPBACK, freePorts } from '../tools/listen.mjs';

const DIRECTORY = join(ROOT, 'deploy/observability');
/** Short, so that the walk can be seen; 15 s is usual. */
const INTERVAL = '1s';
const READY_WITHIN_MS = 60_000;

/** deploy/observability/prometheus.yml for this Envoy, with absolute paths. */
async function configuration(adminPort) {
  const config = parse(await readFile(join(DIRECTORY, 'prometheus.yml'), 'utf8'));
  config.global = { scrape_interval: INTERVAL, evaluation_interval: INTERVAL };
  config.rule_files = config.rule_files.map((file) => join(DIRECTORY, file));
  config.scrape_configs[0].static_configs = [{ targets: [`${LOOPBACK}:${adminPort}`] }];
  return stringify(config);
}

/**
 * Starts Prometheus and waits until it is ready. `program` is its path; the port 0 means a free one. Its data, its
 * configuration and its log are in `directory`. Returns its URL, and a promise that rejects if it ends.
 */
export async function startPrometheus({ processes, directory, program, port, adminPort }) {
  const config = join(directory, 'prometheus.yml');
  await writeFile(config, await configuration(adminPort));
  const address = `${LOOPBACK}:${port || (await freePorts(1))[0]}`;
  const logFile = join(directory, 'prometheus.log');
  const log = openSync(logFile, 'w');
  const child = processes.start(program, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'prometheus')}`,
    `--web.listen-address=${address}`,
  ], { cwd: ROOT, stdio: ['ignore', log, log] });
  closeSync(log);
  const died = new Promise((_, reject) => {
    const fail = (how) => reject(new Failure(`Prometheus ${how}. Its log is ${logFile}.`));
    child.once('error', (error) => fail(`could not be started (${error.code})`));
    child.once('close', (code) => fail(`ended with code ${code}`));
  });
  // A rejection before anything awaits the promise must not count as unhandled.
  died.catch(() => {});
  const url = `http://${address}`;
  await Promise.race([ready(url), died]);
  return { url, died };
}

async function ready(url) {
  const end = performance.now() + READY_WITHIN_MS;
  while (performance.now() < end) {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.ok) {
      return;
    }
    await sleep(100);
  }
  throw new Failure(`Prometheus was not ready within ${READY_WITHIN_MS / 1000} s.`);
}
