// Eight Envoys that start at once, one key server: when do the fetches come? Measures for some
// eighty seconds, draws docs/herd.svg and writes the figures into docs/key-sets.md. `make herd`.

import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ENVOYS = 8;
const CACHE_SECONDS = 10;
const SECONDS = 82;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENVOY = join(ROOT, '.tools/envoy/bin/envoy');
const WASM = join(ROOT, 'target/wasm32-wasip1/release/bearer_gate.wasm');

/** A key server that notes which Envoy asked when, in milliseconds. */
async function keyServer(fetches) {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const body = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
  const server = createServer((request, response) => {
    const envoy = Number(request.url.split('/')[1]);
    fetches.push({ envoy, at: performance.now() });
    response.setHeader('content-type', 'application/json');
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function bootstrap(envoy, port) {
  const address = (value) => ({ socket_address: { address: '127.0.0.1', port_value: value } });
  const filter = {
    providers: {
      cloud: {
        remote_jwks: {
          http_uri: { uri: `http://127.0.0.1/${envoy}/jwks`, cluster: 'keys', timeout: '2s' },
          cache_duration: `${CACHE_SECONDS}s`,
        },
      },
    },
  };
  const wasm = {
    name: 'bearer-gate',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm',
      config: {
        failure_policy: 'FAIL_RELOAD',
        vm_config: {
          vm_id: 'bearer-gate',
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: WASM } },
        },
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.StringValue',
          value: JSON.stringify(filter),
        },
      },
    },
  };
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
    },
  };
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'herd',
    http_filters: [wasm, router],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    },
  };
  const chain = {
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
  };
  const cluster = {
    name: 'keys',
    load_assignment: {
      cluster_name: 'keys',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
  };
  return JSON.stringify({
    static_resources: {
      listeners: [{ name: 'herd', address: address(0), filter_chains: [chain] }],
      clusters: [cluster],
    },
  });
}

async function measure() {
  const fetches = [];
  const server = await keyServer(fetches);
  const directory = await mkdtemp(join(tmpdir(), 'herd-'));
  const running = [];
  try {
    for (let envoy = 0; envoy < ENVOYS; envoy += 1) {
      const file = join(directory, `${envoy}.json`);
      await writeFile(file, bootstrap(envoy, server.address().port));
      const options = ['--use-dynamic-base-id', '--concurrency', '1', '-l', 'error', '-c', file];
      running.push(spawn(ENVOY, options, { stdio: ['ignore', 'ignore', 'inherit'] }));
    }
    await sleep(SECONDS * 1000);
  } finally {
    running.forEach((child) => child.kill('SIGKILL'));
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  }
  const start = Math.min(...fetches.map(({ at }) => at));
  return fetches.map(({ envoy, at }) => ({ envoy, at: (at - start) / 1000 }));
}

/** The n-th fetch of every Envoy, for every n that all of them have reached. */
function rounds(fetches) {
  const byEnvoy = Array.from({ length: ENVOYS }, (_, envoy) =>
    fetches.filter((fetch) => fetch.envoy === envoy).map(({ at }) => at),
  );
  const count = Math.min(...byEnvoy.map((times) => times.length));
  if (count < 2) {
    throw new Error('not every Envoy has fetched twice');
  }
  return Array.from({ length: count }, (_, round) =>
    byEnvoy.map((times) => times[round]).sort((a, b) => a - b),
  );
}

/** The most of `times`, which are sorted, that lie within `seconds`. */
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

/** Puts the figures between the two marks of the document. */
async function publish(figures) {
  const path = join(ROOT, 'docs/key-sets.md');
  const document = await readFile(path, 'utf8');
  const marked = /(<!-- herd: begin -->\n)[^]*(<!-- herd: end -->)/;
  if (!marked.test(document)) {
    throw new Error(`${path} has no marks to put the figures between`);
  }
  await writeFile(path, document.replace(marked, (_, begin, end) => `${begin}${figures}\n${end}`));
}

console.log(`Eight Envoys fetch for ${SECONDS} seconds ...`);
const fetches = await measure();
const figures = table(rounds(fetches));
await writeFile(join(ROOT, 'docs/herd.svg'), svg(fetches));
await publish(figures);
console.log(figures);
