// Measures requests that arrive at the same time and wait for the introspection of their tokens.

import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';

import { Failure } from '../tools/failure.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { cpuTime } from './cpu.mjs';
import { rotated } from './rounds.mjs';
import { CROWD } from './scenarios.mjs';
import { Setup } from './setup.mjs';

/**
 * Measures a scenario in which `waiting` requests arrive at once, as often as it takes for `CROWD` requests.
 * Every request has a token of its own. Returns the same as `measure` of rounds.mjs.
 */
export async function measureWaiting(context, scenario, settings) {
  const file = await context.tokens.file(scenario.tokens, CROWD);
  const tokens = (await readFile(file, 'utf8')).trimEnd().split('\n').slice(0, CROWD);
  const setup = await Setup.start(context, scenario, file);
  const { skipped, wrong } = setup;
  const filters = {};
  try {
    const names = [...setup.envoys.keys()];
    for (const name of names) {
      // The first round warms up.
      await turn(setup, name, { tokens, scenario });
      filters[name] = { cpu: [], perSecond: [] };
    }
    for (let round = 0; round < settings.rounds; round += 1) {
      for (const name of rotated(names, round)) {
        const { cpu, perSecond } = await turn(setup, name, { tokens, scenario });
        filters[name].cpu.push(cpu);
        filters[name].perSecond.push(perSecond);
      }
    }
  } finally {
    await setup.stop();
  }
  return { scenario, filters, skipped, wrong };
}

/** Sends all tokens to a filter, so many at once. */
async function turn(setup, name, { tokens, scenario: { waiting } }) {
  const { pid, port } = setup.envoys.get(name);
  const [before, begun] = [await cpuTime(pid), performance.now()];
  for (let first = 0; first < tokens.length; first += waiting) {
    const crowd = tokens.slice(first, first + waiting);
    const statuses = await Promise.all(crowd.map((token) => status(port, setup.path, token)));
    const other = statuses.find((found) => found !== setup.status(name));
    if (other !== undefined) {
      throw new Failure(`a request that waited has status ${other}`);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  return {
    cpu: ((await cpuTime(pid)) - before) / tokens.length,
    perSecond: tokens.length / seconds,
  };
}

/** The status of the answer to a request over a connection of its own. */
function status(port, path, token) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, LOOPBACK);
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)));
    socket.write(`GET ${path} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n`
      + `authorization: Bearer ${token}\r\n\r\n`);
  });
}
