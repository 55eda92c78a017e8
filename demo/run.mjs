// `make run`: Envoy with the filter, an authorization server, a sample API and an MCP server.
//
//   settings.mjs               reads the environment, checks requirements
//   authorization-server.mjs   issues the tokens           } in this process
//   sample-api.mjs             the API behind the gate     }
//   mcp-server.mjs             the MCP server behind it    }
//   portal.mjs                 serves the console's page   }
//   envoy.mjs                  Envoy with the filter, as a child process
//   walk.mjs                   the first chapter: requests, run by shell.mjs
//   mcp-walk.mjs               the second chapter: an MCP client, mcp-client.mjs
//   bound-walk.mjs             a token that is bound to a key, with proofs by proof.mjs
//   metrics.mjs                Prometheus, with METRICS=1, as a child process
//   ../tools/                  child processes, ports, failures

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { shown } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { LOOPBACK, freePorts } from '../tools/listen.mjs';
import { Processes } from '../tools/processes.mjs';
import {
  makeDirectory, mcpResource, readSettings, requireFreePorts, requireTools,
} from './settings.mjs';
import { Shell } from './shell.mjs';
import { Steps } from './steps.mjs';
import * as terminal from './terminal.mjs';

/** The run must end: because of a signal, or because its output is closed. */
class Interruption extends Error {
  constructor(signal) {
    super(signal);
    this.exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal] ?? 1;
  }
}

/** The directory of this run if no other run uses it. */
let temporaryDirectory = null;

const processes = new Processes();
process.on('exit', () => processes.kill());

/** Rejects when the run is asked to end. The second signal ends it immediately. */
const interrupted = new Promise((_, reject) => {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
    let asked = false;
    process.on(signal, () => {
      const interruption = new Interruption(signal);
      if (asked) {
        process.exit(interruption.exitCode);
      }
      asked = true;
      reject(interruption);
    });
  }
  process.stdout.on('error', () => reject(new Interruption('the output is closed')));
  process.on('uncaughtException', reject);
  process.on('unhandledRejection', reject);
});
interrupted.catch(() => {});

process.exit(await main().catch(report));

/** Runs the demo and stops its processes. Returns the exit code. */
async function main() {
  let exitCode;
  let keep = true;
  try {
    exitCode = await demo();
    keep = exitCode !== 0;
  } catch (error) {
    exitCode = report(error);
    keep = !(error instanceof Interruption);
  }
  await processes.stop();
  // After a failure, the files of the run may help to find the cause.
  if (temporaryDirectory && !keep) {
    // A process that was just being started may still write a file, hence the retries.
    await rm(temporaryDirectory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  return exitCode;
}

/** The demo from start to end. Returns the exit code. */
async function demo() {
  const settings = readSettings(process.env);
  requireTools();
  const { metrics } = settings;
  await requireFreePorts({ ...settings.ports, ...(metrics && { PROMETHEUS_PORT: metrics.port }) });
  const directory = await makeDirectory(settings);
  temporaryDirectory = directory.temporary ? directory.path : null;

  terminal.line(terminal.bold('bearer-gate: an Envoy with the filter, in front of sample APIs'));
  const started = start(settings.ports, directory.path).catch(async (error) => {
    if (error.exitCode === NOT_STARTED) {
      // Another program has taken a port in the meantime. This names all such ports, and free ones.
      await requireFreePorts(settings.ports);
    }
    throw error;
  });
  const running = await Promise.race([started, interrupted]);
  if (metrics) {
    await watch(running, metrics);
  }

  const { problems } = await Promise.race([walks(running), running.died, interrupted]);
  conclude(problems, running);

  if (!settings.once) {
    describe(running);
    await Promise.race([running.died, interrupted]).catch(expectInterruption);
    terminal.line('\nStopped.');
  }
  return problems.length === 0 ? 0 : 1;
}

/** Starts Prometheus. If it ends, the demo ends. */
async function watch(running, { program, port }) {
  const { startPrometheus } = await import('./metrics.mjs');
  terminal.line('Starting Prometheus ...');
  const adminPort = Number(new URL(running.admin).port);
  const prometheus = await Promise.race([
    startPrometheus({ processes, directory: running.directory, program, port, adminPort }), running.died, interrupted,
  ]);
  running.prometheus = prometheus.url;
  running.died = Promise.race([running.died, prometheus.died]);
  running.died.catch(() => {});
}

/** Runs the chapters of the walk. Returns their steps. */
async function walks(running) {
  const { walk } = await import('./walk.mjs');
  const { mcpWalk } = await import('./mcp-walk.mjs');
  const { boundWalk } = await import('./bound-walk.mjs');
  const steps = new Steps();
  await walk(running, steps);
  await mcpWalk(running, steps);
  await boundWalk(running, steps);
  return steps;
}

/** After the walk, an interruption is the normal end. */
function expectInterruption(error) {
  if (!(error instanceof Interruption)) {
    throw error;
  }
}

/** Starts the servers and Envoy. Returns what the walk and the user need to know about them. */
async function start(wanted, directory) {
  // Imported here, since `requireTools` has now checked that their npm packages are installed.
  const { startAuthorizationServer } = await import('./authorization-server.mjs');
  const { startSampleApi } = await import('./sample-api.mjs');
  const { startMcpServer } = await import('./mcp-server.mjs');
  const { startPortal } = await import('./portal.mjs');
  const { startEnvoy } = await import('./envoy.mjs');
  const { writeCertificate } = await import('./certificate.mjs');

  // The first server listens before any file is written: of two runs that start at the same time, one ends
  // here, and must not overwrite the files of the other.
  let requests = 0;
  const api = await startSampleApi({
    port: wanted.API_PORT,
    log(text) {
      requests += 1;
      terminal.logged('sample API', text);
    },
  });
  let calls = 0;
  const mcpServer = await startMcpServer({
    port: wanted.MCP_PORT,
    log(text) {
      calls += 1;
      terminal.logged('MCP server', text);
    },
  });
  // The servers need the console's origin, tokens for the MCP server have its URL, and proofs of possession
  // that of the API. So these ports are chosen before Envoy listens on them.
  const [freeHttp, freeHttps, freeConsole] = await freePorts(3);
  const httpPort = wanted.HTTP_PORT || freeHttp;
  const consolePort = wanted.CONSOLE_PORT || freeConsole;
  const consoleHost = `${LOOPBACK}:${consolePort}`;
  const resource = mcpResource(httpPort);
  const notices = [];
  const authorization = await startAuthorizationServer({
    port: wanted.AUTH_PORT,
    consoleHost,
    mcpResource: resource,
    log: (text) => terminal.logged('authorization server', text),
    notice: (text) => notices.push(`${text}\n`),
  });
  await writeFile(join(directory, 'authorization-server.log'), notices.join(''));
  const certificate = join(directory, 'tls.crt');
  await writeCertificate({ certificateFile: certificate, keyFile: join(directory, 'tls.key') });
  const portal = await startPortal({
    port: wanted.PORTAL_PORT,
    host: consoleHost,
    register: authorization.register,
    log: (text) => terminal.logged('portal', text),
  });

  terminal.line('Starting Envoy with the filter ...');
  const envoy = await startEnvoy({
    processes,
    directory,
    environment: { GATE_SECRET: authorization.gateSecret },
    ports: {
      ...wanted,
      HTTP_PORT: httpPort,
      HTTPS_PORT: wanted.HTTPS_PORT || freeHttps,
      CONSOLE_PORT: consolePort,
      API_PORT: api.port,
      MCP_PORT: mcpServer.port,
      AUTH_PORT: authorization.port,
      PORTAL_PORT: portal.port,
    },
  });

  const running = {
    directory,
    http: `http://${LOOPBACK}:${envoy.ports.HTTP_PORT}`,
    https: `https://${LOOPBACK}:${envoy.ports.HTTPS_PORT}`,
    admin: `http://${LOOPBACK}:${envoy.ports.ADMIN_PORT}`,
    console: `http://${consoleHost}/`,
    api: `http://${LOOPBACK}:${api.port}`,
    issuer: authorization.issuer,
    clients: authorization.clients,
    certificate: shown(certificate),
    rules: envoy.rules,
    config: envoy.config,
    logFile: envoy.logFile,
    shell: new Shell(processes),
    seen: () => requests,
    mcp: {
      resource,
      document: resource.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'),
      credentials: authorization.assistant,
      seen: () => calls,
    },
    died: Promise.race([envoy.died, lost(api.server, 'The sample API'),
      lost(mcpServer.server, 'The MCP server'),
      lost(authorization.server, 'The authorization server'), lost(portal.server, 'The portal')]),
  };
  portal.publish(running);
  return running;
}

/** Rejects when a server stops serving. */
function lost(server, name) {
  return new Promise((_, reject) => {
    server.once('error', (error) => reject(new Failure(`${name} failed: ${error.message}`)));
    server.once('close', () => reject(new Failure(`${name} is closed.`)));
  });
}

/** Prints the result of the walk. */
function conclude(problems, running) {
  terminal.line();
  if (problems.length === 0) {
    terminal.line(terminal.green('All answers were the expected ones.'));
    return;
  }
  terminal.line(terminal.red('Some answers were not as expected:'));
  problems.forEach((problem) => terminal.paragraph(problem, { hanging: 2 }));
  terminal.line(`Envoy's log is ${shown(running.logFile)}.`);
}

/** Prints the addresses of what stays up. */
function describe(running) {
  terminal.heading('The demo runs until you press Ctrl-C. Open the console, or repeat the commands above:');
  const rows = [
    ['the API console', running.console],
    ['the gated API', `${running.http}/phoneverify/1.0.0/CheckPhoneNumber`],
    ['the same over TLS', `${running.https}/phoneverify/1.0.0/CheckPhoneNumber`],
    ['the MCP server', running.mcp.resource],
    ['its metadata', running.mcp.document],
    ['the API directly', `${running.api}/phoneverify/1.0.0/CheckPhoneNumber`],
    ['tokens', `${running.issuer}/token`],
    ['the key set', `${running.issuer}/jwks`],
    ['Envoy', running.admin],
    ['metrics', `${running.admin}/stats?filter=bearer_gate`],
    ...(running.prometheus ? [['Prometheus', running.prometheus]] : []),
    ['configuration', shown(running.config)],
    ["Envoy's log", shown(running.logFile)],
  ];
  for (const [name, value] of rows) {
    terminal.line(`  ${name.padEnd(17)} ${value}`);
  }
}

/** Prints why the run ends early. Returns the exit code. */
function report(error) {
  if (error instanceof Interruption) {
    process.stderr.write(`\nbearer-gate: stopped (${error.message})\n`);
    return error.exitCode;
  }
  process.stderr.write(`bearer-gate: ${error.message}\n`);
  for (const detail of error.details ?? []) {
    process.stderr.write(`  ${detail}\n`);
  }
  return error.exitCode ?? 1;
}
