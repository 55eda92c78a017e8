// Measures when eight Envoys that start at the same time fetch from one key server, for about eighty
// seconds. Draws docs/herd.svg and writes the figures into docs/key-sets.md. `make herd`.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bootstrap, wasmFilter } from '../tools/bootstrap.mjs';
import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../tools/checkout.mjs';
import { serveDocument } from '../tools/document-server.mjs';
import { Envoy } from '../tools/envoy.mjs';
import { Failure } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';

const ENVOYS = 8;
const CACHE_SECONDS = 10;
const SECONDS = 82;
const KEYS_CLUSTER = 'keys';

await runProgram('herd', async (processes) => {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  process.stdout.write(`${ENVOYS} Envoys fetch for ${SECONDS} seconds ...\n`);
  const fetches = await measure(processes);
  const figures = table(rounds(fetches));
  await writeFile(join(ROOT, 'docs/herd.svg'), svg(fetches));
  await publish(figures);
  process.stdout.write(`${figures}\n`);
  return 0;
});

/** The fetches as `{ envoy, at }`, in seconds since the first one. */
async function measure(processes) {
  const fetches = [];
  const server = await serveDocument(keySet(), {
    onRequest({ url }) {
      fetches.push({ envoy: Number(url.split('/')[1]), at: performance.now() });
    },
  });
  const directory = await mkdtemp(join(tmpdir(), 'herd-'));
  try {
    const starts = Array.from({ length: ENVOYS }, (_, envoy) => (
      start(processes, directory, envoy, server.port)));
    await Promise.all([...starts, sleep(SECONDS * 1000)]);
  } finally {
    processes.kill();
    await processes.stop();
    await server.stop();
    await rm(directory, { recursive: true });
  }
  const first = Math.min(...fetches.map(({ at }) => at));
  return fetches.map(({ envoy, at }) => ({ envoy, at: (at - first) / 1000 }));
}

function keySet() {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
}

/** Starts an Envoy that fetches its key set from a path with its number. */
async function start(processes, directory, envoy, port) {
  const filter = wasmFilter('bearer-gate', GATE_WASM, {
    providers: {
      cloud: {
        remote_jwks: {
          http_uri: { uri: `http://127.0.0.1/${envoy}/jwks`, cluster: KEYS_CLUSTER, timeout: '2s' },
          cache_duration: `${CACHE_SECONDS}s`,
        },
      },
    },
  });
  const config = join(directory, `${envoy}.json`);
  await writeFile(config, JSON.stringify(bootstrap({
    filters: [filter], clusters: { [KEYS_CLUSTER]: port },
  })));
  return Envoy.start(processes, {
    config,
    logFile: join(directory, `${envoy}.log`),
    adminFile: join(directory, `${envoy}.admin`),
  });
}

/** For each n that all Envoys have reached: the times of their n-th fetches, sorted. */
function rounds(fetches) {
  const byEnvoy = Array.from({ length: ENVOYS }, (_, envoy) =>
    fetches.filter((fetch) => fetch.envoy === envoy).map(({ at }) => at),
  );
  const count = Math.min(...byEnvoy.map((times) => times.length));
  if (count < 2) {
    throw new Failure('not every Envoy has fetched twice');
  }
  return Array.from({ length: count }, (_, round) =>
    byEnvoy.map((times) => times[round]).sort((a, b) => a - b),
  );
}

/** The largest number of `times` that lie within `seconds`. */
function crowd(times, seconds) {
  const within = (first) => times.filter((at) => at >= first && at < first + seconds).length;
  return Math.max(...times.map(within));
}

function table(all) {
  const rows = all.map((times, round) => {
    const spread = (times.at(-1) - times[0]).toFixed(2);
    return `| ${round === 0 ? 'first' : round} | ${times[0].toFixed(2)} | ${spread} | ${crowd(times, 0.25)} |`;
  });
  return [
    '| refresh | begins at (s) | spread over (s) | most within 0.25 s |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function svg(fetches) {
  const [left, top, row, width] = [80, 40, 24, 860];
  const bottom = top + ENVOYS * row;
  const x = (at) => (left + (at / SECONDS) * width).toFixed(1);
  const y = (envoy) => top + envoy * row + row / 2;
  const text = (at, height, anchor, what) =>
    `<text x="${at}" y="${height}" text-anchor="${anchor}">${what}</text>`;
  const lines = [];
  for (let at = 0; at <= SECONDS; at += CACHE_SECONDS) {
    lines.push(`<path d="M${x(at)} ${top}V${bottom}" stroke="#ddd"/>`);
    lines.push(text(x(at), bottom + 18, 'middle', at));
  }
  for (let envoy = 0; envoy < ENVOYS; envoy += 1) {
    lines.push(text(left - 10, y(envoy) + 4, 'end', `Envoy ${envoy + 1}`));
  }
  for (const { envoy, at } of fetches) {
    lines.push(`<circle cx="${x(at)}" cy="${y(envoy)}" r="4" fill="#2166ac"/>`);
  }
  const title = `Fetches of ${ENVOYS} Envoys started at once, cache_duration ${CACHE_SECONDS} s`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 30}" height="${bottom + 45}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(left, 22, 'start', title),
    ...lines,
    text(left + width / 2, bottom + 38, 'middle', 'seconds since the first fetch'),
    '</svg>',
    '',
  ].join('\n');
}

/** Writes the figures between the two marks of docs/key-sets.md. */
async function publish(figures) {
  const path = join(ROOT, 'docs/key-sets.md');
  const document = await readFile(path, 'utf8');
  const marked = /(<!-- herd: begin -->\n)[^]*(<!-- herd: end -->)/;
  if (!marked.test(document)) {
    throw new Failure(`${path} lacks the marks "herd: begin" and "herd: end"`);
  }
  await writeFile(path, document.replace(marked, (_, begin, end) => `${begin}${figures}\n${end}`));
}
