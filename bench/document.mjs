// The report of a run as Markdown and plots, made only from its raw numbers.

import { NOTHING, above, cpu, digits, latency, or, perSecond, ratio, spread } from './figures.mjs';
import { COMPARED, FILTERS } from './filters.mjs';
import { LONG } from './lists.mjs';
import { plot } from './plot.mjs';
import { GROUPS } from './scenarios.mjs';
import { table as markdownTable } from '../tools/markdown.mjs';
import { median, summary } from '../tools/statistics.mjs';

const CPU = 'Envoy\'s CPU time per request in µs';
const NAMES = Object.keys(FILTERS);
const label = (name) => FILTERS[name].label;
const MIB = 1024 * 1024;

/** The groups with a plot, and the names of the plots' files. */
const PLOTS = {
  seen: 'seen',
  new: 'new',
  refused: 'refused',
  rich: 'rich',
  providers: 'providers',
  rules: 'rules',
};

/** What is measured in a group: the text before its table. */
const TEXTS = {
  seen: `The usual case: a client sends many requests with the same token. With many tokens, each request
carries the next one, in turn, and the caches hold all of them.`,
  new: `The worst case of good requests: every token is new, and every signature is verified. The comparison
depends more on the processor here than elsewhere, because the cost is dominated by instruction-cache
misses.`,
  refused: `The cost of a flood of bad requests. ${digits(2000)} different tokens of each kind are sent in
turn. With unknown key ids, the key set is fetched from a server, because bearer-gate then fetches it
again, at most once in ten seconds.`,
  bound: `The token is known. With DPoP, each request has a new proof, whose signature bearer-gate verifies with the key in the
proof and which it remembers as used. A certificate is named in a header, because the load generator has none. \`jwt_authn\` and
"nothing is checked" accept the same token as a bearer token.`,
  rich: `The rule requires a scope; three claims and the payload are forwarded in headers to an upstream.
\`jwt_authn\` does not check scopes: Envoy's RBAC filter behind it reads the payload from metadata.`,
  upstream: 'Requests are forwarded to another Envoy, on the core of the load generator.',
  workers: 'Two workers on the one core: sharing between them must not cost anything.',
  providers: 'One rule, which requires the last of the providers.',
  'any-provider': 'One rule, which accepts all providers; the token is from the last.',
  rules: 'Each rule has its own prefix; requests match the last.',
  keys: 'The last key of the set verifies the token. ES256.',
  cached: 'Tokens are sent in turn, and the caches hold all of them.',
  revocation: `The cost of \`revocation\` for an admitted request: bearer-gate without a list, with a list of one
entry, and with a list of ${digits(LONG)} entries. \`jwt_authn\` has no revocation lists.`,
  waiting: `Requests arrive at the same time, each over its own connection with its own token, and wait for the
introspection of the token. The figures include connections and calls of the endpoint. With 960 requests at once, a request
must not cost more than 1.5 times what it costs with 60.`,
};

/** The report of a run: `{ markdown, plots }`; `plots` has SVG texts by file name. */
export function report(run) {
  const groups = Object.keys(GROUPS)
    .map((name) => [name, run.measured.filter(({ scenario }) => scenario.group === name)])
    .filter(([, measured]) => measured.some(({ filters }) => Object.keys(filters).length > 0));
  const plots = Object.fromEntries(groups
    .filter(([name]) => PLOTS[name])
    .map(([name, measured]) => [plotFile(name), groupPlot(name, measured)]));
  const parts = [
    head(run),
    ...groups.map(([name, measured]) => groupPart(name, measured)),
    listsPart(run),
    latencyPart(run),
    throughputPart(run),
    startPart(run),
    footprintPart(run),
    method(run),
  ];
  return { markdown: `${parts.filter(Boolean).join('\n\n')}\n`, plots };
}

function head(run) {
  return `# Performance

<!-- Written by \`${run.command}\`: change bench/, not this file. -->

The cost of bearer-gate compared with Envoy's native \`jwt_authn\` without and with its cache, with a
WebAssembly filter that does nothing (built with the plain SDK), and with no filter. All numbers on this
page come from one run of

    ${run.command}

on ${run.at.slice(0, 10)}, on a machine with ${run.machine.cores} cores (${run.machine.processor}),
${digits(run.machine.memory / 1024 / MIB)} GiB of memory and ${run.machine.kernel}, with
${Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(', ')}.

Unless stated otherwise, figures are **${CPU}**: the CPU time of all threads of Envoy, as
reported by the kernel, divided by the number of requests. It determines how many requests a core can
serve, and depends least on what else the machine does. Tables show the median of ${run.settings.rounds} rounds and, in small
print, the quartiles. A ratio is the median of the ratios within each round. ${batches(run.settings)}`;
}

function batches({ rounds, batches: count }) {
  return count === 1 ? '' : `All Envoys are
restarted every ${Math.ceil(rounds / count)} rounds, because the position of a process's code in memory changes the result by some µs.`;
}

function groupPart(name, measured) {
  return [
    `## ${GROUPS[name]}`,
    TEXTS[name],
    ...(PLOTS[name] ? [`![${GROUPS[name]}: ${CPU}](${plotFile(name)})`] : []),
    cpuTable(measured),
    skips(measured),
  ].filter(Boolean).join('\n\n');
}

function cpuTable(measured) {
  const shown = NAMES.filter((name) => measured.some(({ filters }) => filters[name]));
  const has = (name) => shown.includes(name) && shown.includes('gate');
  const comparisons = [
    ['native', 'ratio to jwt_authn', (each) => or(ratio(each, 'native'))],
    ['native-cached', 'ratio to cached', (each) => or(ratio(each, 'native-cached'))],
    ['noop', 'above empty filter', (each) => or(above(each, 'noop'))],
    ['gate-short-list', 'long above short', (each) => or(above(each, 'gate-short-list', 'gate-long-list'))],
  ].filter(([name]) => has(name));
  return table(
    ['µs per request', ...shown.map(label), ...comparisons.map(([, title]) => title)],
    measured.map((each) => [
      each.scenario.title,
      ...shown.map((name) => or(cpu(each, name), spread)),
      ...comparisons.map(([, , write]) => write(each)),
    ]),
  );
}

/** The filters that are missing in a table, with the reason. */
function skips(measured) {
  const lines = measured.flatMap(({ scenario, skipped, wrong }) => Object
    .entries({ ...skipped, ...wrong })
    .map(([name, reason]) => `- ${scenario.title}, ${FILTERS[name]?.label ?? name}: not measured: ${reason}`));
  return lines.join('\n');
}

function groupPlot(name, measured) {
  const groups = measured.map((each) => ({
    title: each.scenario.title,
    bars: NAMES.filter((filter) => each.filters[filter]).map((filter) => {
      const figure = cpu(each, filter);
      return { name: filter, label: label(filter), text: `${digits(figure.median)} µs`, ...figure };
    }),
  }));
  return plot({
    title: GROUPS[name],
    note: `${CPU}: less is better. Lines span the quartiles.`,
    groups: groups.filter(({ bars }) => bars.length > 0),
  });
}

function latencyPart(run) {
  const shares = [0.5, 0.9, 0.99, 0.999];
  const rows = run.measured.flatMap((each) => NAMES
    .map((name) => [name, latency(each, name, shares)])
    .filter(([, found]) => found)
    .map(([name, found]) => [`${GROUPS[each.scenario.group]}: ${each.scenario.title}`, label(name), ...found.map(digits)]));
  return rows.length === 0 ? null : `## Latency

Latency in microseconds at 1,000 requests per second (h2load): medians of three rounds. It includes the
load generator's own time.

${table(['', 'filter', 'median', '90 %', '99 %', '99.9 %'], rows)}`;
}

function throughputPart(run) {
  const rows = run.measured.filter(({ filters, scenario }) => Object.keys(filters).length > 0
    && scenario.waiting === 0
    && !scenario.filters.some((name) => FILTERS[name].listed)).map((each) => [
    `${GROUPS[each.scenario.group]}: ${each.scenario.title}`,
    ...COMPARED.map((name) => or(perSecond(each, name), (found) => digits(found.median))),
  ]);
  return rows.length === 0 ? null : `## Throughput

Requests per second with Envoy on one core (wrk, 16 connections): medians. If requests are cheap, the load
generator limits this number as well.

${table(['', ...COMPARED.map(label)], rows)}`;
}

function listsPart({ lists }) {
  if (!lists) {
    return null;
  }
  const [short, long] = ['gate-short-list', 'gate-long-list'].map((name) => lists[name]);
  const workers = Object.keys(short);
  const more = workers.map((count) => (long[count] - short[count]) / MIB);
  const rows = [
    ...Object.entries(lists).map(([name, memory]) => [
      label(name), ...workers.map((count) => digits(memory[count] / MIB)),
    ]),
    ['difference', ...more.map(digits)],
  ];
  return `Resident memory of Envoy in MiB, by its number of workers. The table of the long list takes 24 bytes per
entry, ${digits((24 * LONG) / MIB)} MiB; the memory used while the document is read is not returned. Envoy's main thread runs
the module like a worker. Each further worker needs ${digits(more[1] - more[0])} MiB for the long list.

${table(['MiB', ...workers.map((count) => `${count} worker${count === '1' ? '' : 's'}`)], rows)}`;
}

function startPart({ starts, modules, settings }) {
  if (!starts) {
    return null;
  }
  const rows = Object.entries(starts).map(([name, { cpu: used, elapsed }]) => [
    label(name),
    spread(summary(used.map((microseconds) => microseconds / 1000))),
    spread(summary(elapsed)),
  ]);
  return `## Start

CPU time that Envoy with one worker uses until its admin interface reports that it is live, and the time
that passes, in milliseconds: medians of ${settings.starts} starts on one core. bearer-gate's module has
${digits(modules.gate.bytes / 1024)} KiB, the empty filter's ${digits(modules.noop.bytes / 1024)} KiB.

${table(['filter', 'ms of CPU time', 'ms to live'], rows)}`;
}

function footprintPart({ footprint }) {
  if (!footprint) {
    return null;
  }
  const rows = COMPARED.map((name) => {
    const memory = footprint.workers[name];
    const counts = Object.keys(memory).map(Number);
    const most = Math.max(...counts);
    return [
      label(name),
      ...counts.map((count) => digits(memory[count] / MIB)),
      digits((memory[most] - memory[1]) / (most - 1) / MIB),
      or(footprint.tokens[name], (bytes) => digits(bytes)),
    ];
  });
  const counts = Object.keys(footprint.workers.none);
  return `## Memory

Resident memory of Envoy in MiB after ${digits(2000)} requests, by its number of workers; what each worker
adds; bytes that each of ${digits(50_000)} tokens in the cache adds.

${table([
    'filter', ...counts.map((count) => `MiB, ${count} worker${count === '1' ? '' : 's'}`),
    'MiB per worker', 'bytes per token',
  ], rows)}`;
}

function method(run) {
  return `## How it is measured

- Every filter has its own Envoy, with one worker unless stated otherwise. All Envoys are pinned to one core,
  wrk to another. All Envoys of a scenario run at the same time and take turns in every round, each round in
  another order, so that disturbances of the machine affect all of them.
- Before a scenario, each Envoy must answer a request with the token and a request without one with the
  expected status. After every turn, the statuses of all answers are counted: the run fails if one is
  unexpected.
- A turn has ${digits(run.settings.requests.seen)} requests (${digits(run.settings.requests.fresh)} if every token is new), fewer if they would take longer than
  ${run.settings.seconds} s. The same number of requests is sent before the first turn to warm up.
- Without an upstream, the route itself answers (\`direct_response\`).
- Unless stated otherwise, keys are in the configuration (\`local_jwks\`). RSA keys have 2048 bits, EC keys are
  P-256, tokens have about ${digits(700)} bytes.
- \`jwt_authn\` and bearer-gate have the same configuration: an issuer, an audience, a key set, a rule.
- \`make bench QUICK=1\` takes about a minute; \`make bench ONLY=cold-es256\` measures one scenario of
  \`bench/scenarios.mjs\`. Both write to \`target/bench\` and leave this page unchanged.`;
}

function plotFile(group) {
  return `performance-${PLOTS[group]}.svg`;
}

const table = (head, rows) => markdownTable(head, rows, { numbers: true });

/** A scenario in one line for the terminal: the CPU time with each filter. */
export function summaryLine(each) {
  const found = NAMES.filter((name) => each.filters[name])
    .map((name) => `${label(name)} ${digits(median(each.filters[name].cpu))}`);
  const ratios = [
    ['native', 'of jwt_authn'], ['native-cached', 'of cached'],
  ].map(([name, what]) => [ratio(each, name), what])
    .filter(([value]) => value !== null)
    .map(([value, what]) => `${digits(value)} ${what}`);
  return `${found.join(', ') || NOTHING}${ratios.length > 0 ? ` (${ratios.join(', ')})` : ''}`;
}

/** Start-up in one line for the terminal: the CPU time with each filter until Envoy is live. */
export function startSummary(starts) {
  return Object.entries(starts)
    .map(([name, { cpu: used }]) => `${label(name)} ${digits(median(used) / 1000)} ms`)
    .join(', ');
}
