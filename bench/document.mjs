// The report of a run, as Markdown and plots, from its raw numbers and nothing else.

import { NOTHING, above, cpu, digits, latency, or, perSecond, ratio, spread } from './figures.mjs';
import { COMPARED, FILTERS } from './filters.mjs';
import { LONG } from './lists.mjs';
import { plot } from './plot.mjs';
import { GROUPS } from './scenarios.mjs';
import { median, summary } from './statistics.mjs';

const CPU = 'Envoy\'s CPU time per request in µs';
const NAMES = Object.keys(FILTERS);
const label = (name) => FILTERS[name].label;
const MIB = 1024 * 1024;

/** The groups that have a plot, with the name of its file. */
const PLOTS = {
  seen: 'seen',
  new: 'new',
  refused: 'refused',
  rich: 'rich',
  providers: 'providers',
  rules: 'rules',
};

/** What a group's figures are about, before its table. */
const TEXTS = {
  seen: `The usual case: a client calls many times with the token that it has. Of many tokens the next
is sent with every request, in turn, and the caches have room for all of them.`,
  new: `The worst case of good requests: no token is sent twice, and every signature is verified. How the
filters compare here depends on the processor more than elsewhere: much of the cost is to come upon code
that has not run for a while, and processors keep more or less of it at hand.`,
  refused: `What a flood of bad requests costs. Tokens are sent by turns, ${digits(2000)} different ones of
each kind. Unknown key ids come with a key set that is fetched, since they make bearer-gate fetch it
again, at most once in ten seconds.`,
  rich: `A scope that the token must have, three claims in headers for the upstream, the payload in another,
and an upstream that reads them. \`jwt_authn\` does not check scopes: behind it stands Envoy's RBAC
filter, which reads the payload from metadata.`,
  upstream: 'The request goes on to another Envoy, on the core of the load generator.',
  workers: 'Two workers on the one core: what they share must cost nothing.',
  providers: 'One rule, which needs the last of the providers.',
  'any-provider': 'One rule, which any of the providers satisfies; the token is of the last.',
  rules: 'Each rule has a prefix of its own; requests are for the last.',
  keys: 'The key that verifies is the last of the set. ES256.',
  cached: 'Tokens are sent by turns, and the caches have room for all of them.',
  revocation: `What \`revocation\` costs a request that passes: bearer-gate without a list, with one of one entry
and with one of ${digits(LONG)}. \`jwt_authn\` has no lists.`,
};

/** The report of a run: `{ markdown, plots }`, the latter texts by file name. */
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

<!-- Made by \`${run.command}\` from what it measured: change bench/, not this file. -->

What bearer-gate costs, beside Envoy's native \`jwt_authn\` without and with its cache, a WebAssembly
filter that does nothing (built with the plain SDK), and no filter at all. All numbers on this page
come from one run of

    ${run.command}

on ${run.at.slice(0, 10)}, on a machine with ${run.machine.cores} cores (${run.machine.processor}),
${digits(run.machine.memory / 1024 / MIB)} GiB of memory and ${run.machine.kernel}; with
${Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(', ')}.

The figure, where nothing else is said, is **${CPU}**: the time that all threads of Envoy ran on a
core, by the kernel's account, divided by the number of requests. It tells how many requests a core
can serve, and a busy machine disturbs it least. Tables give the median of ${run.settings.rounds} rounds and, small, the
quartiles; ratios are those of the same round, and then their median. ${casts(run.settings)}`;
}

function casts({ rounds, casts: count }) {
  return count === 1 ? '' : `Every ${Math.ceil(rounds / count)} rounds
all Envoys are started anew: where in memory a process has its code is worth some µs.`;
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

/** What a reader may miss in a table, and why it is not there. */
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
    note: `${CPU}: less is better. Lines: half of the rounds.`,
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

Microseconds until the answer was there, at 1,000 requests per second (h2load); the medians of three
rounds. It includes the load generator's own part.

${table(['', 'filter', 'median', '90 %', '99 %', '99.9 %'], rows)}`;
}

function throughputPart(run) {
  const rows = run.measured.filter(({ filters, scenario }) => Object.keys(filters).length > 0
    && !scenario.filters.some((name) => FILTERS[name].listed)).map((each) => [
    `${GROUPS[each.scenario.group]}: ${each.scenario.title}`,
    ...COMPARED.map((name) => or(perSecond(each, name), (found) => digits(found.median))),
  ]);
  return rows.length === 0 ? null : `## Throughput

Requests per second that one core answered (wrk, 16 connections), medians. Where little is done for a
request this is as much the load generator's limit.

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
    ['the long one takes', ...more.map(digits)],
  ];
  return `Resident memory of Envoy in MiB with some workers. The table of the long list takes 24 bytes for each
entry, ${digits((24 * LONG) / MIB)} MiB; what the document took while it was read is not given back. Envoy's main
thread takes part as if it were one more worker; each further worker takes ${digits(more[1] - more[0])} MiB for the long list.

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

- Every filter has an Envoy of its own, with one worker where nothing else is said, pinned to one core;
  wrk is pinned to another. All Envoys of a scenario run at once, and in every round each has its turn,
  another first each time, so that what disturbs the machine disturbs all.
- Before a scenario, each Envoy answers a request with the token, and one without, and the status must be
  the expected one. After every turn the statuses of all its answers are counted: if one is not the
  expected, the run fails.
- A turn is ${digits(run.settings.requests.seen)} requests (${digits(run.settings.requests.fresh)} where each token is new), fewer where that takes longer than
  ${run.settings.seconds} s. As many requests went before, uncounted, to warm up.
- The route answers by itself (\`direct_response\`) where no upstream is named.
- Keys are in the configuration (\`local_jwks\`) where nothing else is said. RSA keys have 2048 bits, EC
  keys are P-256, tokens have about ${digits(700)} bytes.
- \`jwt_authn\` and bearer-gate get the same configuration: an issuer, an audience, a key set, a rule.
- \`make bench QUICK=1\` takes about a minute, \`make bench ONLY=cold-es256\` measures one scenario (names are in
  \`bench/scenarios.mjs\`); both write under \`target/bench\` and leave this page alone.`;
}

function plotFile(group) {
  return `performance-${PLOTS[group]}.svg`;
}

function table(head, rows) {
  const lines = [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell || ' ').join(' | ')} |`).join('\n');
}

/** One line for the terminal: the CPU time of each filter in a scenario. */
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

/** One line for the terminal: the CPU time of each filter until Envoy is live. */
export function startSummary(starts) {
  return Object.entries(starts)
    .map(([name, { cpu: used }]) => `${label(name)} ${digits(median(used) / 1000)} ms`)
    .join(', ');
}
