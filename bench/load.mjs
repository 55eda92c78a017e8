// Sends requests: as fast as they are answered (wrk), or at a fixed rate (h2load).

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from '../tools/failure.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { CONNECTIONS, LOAD_CORE, WORK } from './settings.mjs';

const WALK = fileURLToPath(new URL('walk.lua', import.meta.url));
const WRK_WITHIN_S = 120;

/**
 * Sends `count` requests, each with the next token of `walk` (`{ file, first, size }`, or `null` for no
 * token). Returns how long it took, in seconds. Throws if an answer does not have `status`.
 */
export async function send(processes, { port, path, count, walk, status }) {
  const { stdout, stderr } = await run(processes, 'wrk', [
    '--threads', '1',
    '--connections', String(CONNECTIONS),
    '--duration', `${WRK_WITHIN_S}s`,
    '--script', WALK,
    `http://${LOOPBACK}:${port}${path}`,
    '--', String(count),
    ...(walk ? [walk.file, String(walk.first), String(walk.size)] : []),
  ]);
  const line = stdout.trimEnd().split('\n').pop();
  if (!line.startsWith('{')) {
    throw new Failure(`wrk did not get ${count} answers within ${WRK_WITHIN_S} s:`, {
      details: `${stdout}${stderr}`.trimEnd().split('\n'),
    });
  }
  const { seconds, statuses } = JSON.parse(line);
  if (statuses[status] !== count) {
    throw new Failure(`not all of ${count} answers had status ${status}: ${JSON.stringify(statuses)}`);
  }
  return seconds;
}

/**
 * Sends `perSecond` requests per second for some seconds, evenly spaced. Returns the latency of each
 * request in microseconds.
 */
export async function pace(processes, { port, path, token, perSecond, seconds, status }) {
  // h2load checks its clock every 10 ms per connection; connections start one after the other.
  const connections = Math.ceil(perSecond / 100);
  const log = join(WORK, 'latency.tsv');
  // h2load appends to an existing file.
  await rm(log, { force: true });
  const { stdout } = await run(processes, 'h2load', [
    '--h1',
    '--clients', String(connections),
    '--rate', '1', '--rate-period', '1ms',
    '--rps', String(perSecond / connections),
    '--requests', String(perSecond * seconds),
    '--log-file', log,
    ...(token === null ? [] : ['--header', `authorization: Bearer ${token}`]),
    `http://${LOOPBACK}:${port}${path}`,
  ]);
  const rows = (await readFile(log, 'utf8')).trimEnd().split('\n').map((row) => row.split('\t'));
  if (rows.length !== perSecond * seconds || rows.some((row) => row[1] !== String(status))) {
    throw new Failure(`h2load did not get ${perSecond * seconds} answers with status ${status}:`, {
      details: stdout.trimEnd().split('\n'),
    });
  }
  return rows.map((row) => Number(row[2]));
}

/** Runs a program on the core of the load generator. */
function run(processes, program, args) {
  return processes.run('taskset', ['-c', LOAD_CORE, program, ...args]);
}
