// The report of a run as Markdown and plots, made only from its raw numbers.

import {
  LATENCIES, MIB, NOTHING, above, cpu, digits, latency, or, perSecond, ratio, spread, workersText,
} from './figures.mjs';
import { COMPARED, FILTERS } from './filters.mjs';
import { CACHED_TOKENS, FIRST_REQUESTS } from './footprint.mjs';
import { LONG } from './lists.mjs';
import { plot } from './plot.mjs';
import { GROUPS } from './scenarios.mjs';
import { table as markdownTable } from '../tools/markdown.mjs';
import { median, summary } from '../tools/statistics.mjs';

const CPU = 'Envoy\'s CPU time per request in µs';
const NAMES = Object.keys(FILTERS);
const label = (name) => FILTERS[name].label;

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
    .map((name) => [name, run.measured.filter(({ scenario }) => scenario.group === name && !scenario.paced)])
    .filter(([, measured]) => measured.some(({ filters }) => Object.keys(filters).length > 0));
  const plots = Object.fromEntries(groups
    .filter(([name]) => PLOTS[name])
    .map(([name, measured]) => [plotFile(name), groupPlot(name, measured)]));
  const parts = [
    head(run),
    ...groups.map(([name, measured]) => groupPart(name, measured)),
    latencyPart(run),
    throughputPart(run),
    startPart(run),
    memoryPart(run),
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
  const measured = run.measured.filter(({ scenario, filters }) => scenario.paced && Object.keys(filters).length > 0);
  const steady = measured.find(({ scenario }) => scenario.name === 'latency-steady');
  const rows = measured.flatMap((each) => NAMES.filter((name) => each.filters[name]).map((name) => {
    const slowest = latency(each, name, 'slowest');
    const usual = latency(steady, name, 'slowest');
    return [
      each.scenario.title,
      label(name),
      digits(each.perSecond),
      ...Object.keys(LATENCIES).map((figure) => digits(latency(each, name, figure))),
      or(each === steady || usual === null ? null : slowest - usual),
    ];
  }));
  return rows.length === 0 ? null : `## Latency

Latency in microseconds with a known token at a fixed rate (h2load): half of the requests per second that the slowest of the
filters can answer. Medians of ${run.settings.paced.rounds} rounds of ${run.settings.paced.seconds} s; "slowest" is the slowest request of each round, and "above" how much longer it takes
than with a key set that is fetched once. The figures include the load generator's own time. The key set has two keys. One of
them signs the tokens; the other is replaced where the key set always differs.

${table(['', 'filter', 'per second', ...Object.values(LATENCIES), 'above'], rows)}`;
}

function throughputPart(run) {
  const rows = run.measured.filter(({ filters, scenario }) => Object.keys(filters).length > 0
    && scenario.waiting === 0 && !scenario.paced
    && !scenario.filters.some((name) => FILTERS[name].listed)).map((each) => [
    `${GROUPS[each.scenario.group]}: ${each.scenario.title}`,
    ...COMPARED.map((name) => or(perSecond(each, name), (found) => digits(found.median))),
  ]);
  return rows.length === 0 ? null : `## Throughput

Requests per second with Envoy on one core (wrk, 16 connections): medians. If requests are cheap, the load
generator limits this number as well.

${table(['', ...COMPARED.map(label)], rows)}`;
}

function startPart({ footprints, modules, settings }) {
  if (!footprints) {
    return null;
  }
  const counts = Object.keys(footprints);
  const [fewest] = counts;
  const milliseconds = ({ cpu: used }) => summary(used.map((microseconds) => microseconds / 1000));
  const rows = Object.keys(footprints[fewest]).map((name) => [
    label(name),
    ...counts.map((count) => spread(milliseconds(footprints[count][name]))),
    spread(summary(footprints[fewest][name].elapsed)),
  ]);
  return `## Start-up

CPU time that Envoy uses until its admin interface reports that it is live, by its number of workers, and the time
that passes with one worker, in milliseconds: medians of ${settings.starts} starts on one core. bearer-gate's module has
${digits(modules.gate.bytes / 1024)} KiB, the empty filter's ${digits(modules.noop.bytes / 1024)} KiB.

${table(['filter', ...counts.map((count) => `ms of CPU time, ${workersText(count)}`), 'ms to live'], rows)}`;
}

function memoryPart({ footprints, memory }) {
  if (!footprints || !memory) {
    return null;
  }
  const { tokens, lists } = memory;
  const counts = Object.keys(footprints);
  const [fewest, most] = [counts.at(0), counts.at(-1)];
  const rows = Object.keys(footprints[fewest]).map((name) => {
    const used = (count) => median(footprints[count][name].bytes) / MIB;
    return [
      label(name),
      ...counts.map((count) => digits(used(count))),
      digits((used(most) - used(fewest)) / (most - fewest)),
      or(tokens[name], (bytes) => digits(bytes)),
    ];
  });
  return `## Memory

Resident memory of Envoy in MiB after ${digits(FIRST_REQUESTS)} requests, by its number of workers; what each further worker
adds; bytes that each of ${digits(CACHED_TOKENS)} tokens in the cache adds.

${table(['filter', ...counts.map((count) => `MiB, ${workersText(count)}`), 'MiB per worker', 'bytes per token'], rows)}

${listsTable(lists)}`;
}

function listsTable(lists) {
  const [short, long] = ['gate-short-list', 'gate-long-list'].map((name) => lists[name]);
  const workers = Object.keys(short);
  const more = workers.map((count) => (long[count] - short[count]) / MIB);
  const rows = [
    ...Object.entries(lists).map(([name, memory]) => [
      label(name), ...workers.map((count) => digits(memory[count] / MIB)),
    ]),
    ['difference', ...more.map(digits)],
  ];
  return `With a revocation list: the table of the long one takes 16 bytes per entry, ${digits((16 * LONG) / MIB)} MiB, in each worker, in Envoy's
main thread, which runs the module like a worker, and in the data that they share. Envoy keeps the document in memory while it
is read. Each further worker needs ${digits(more[1] - more[0])} MiB for the long list.

${table(['MiB', ...workers.map(workersText)], rows)}`;
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

/** A scenario in one line for the terminal: the CPU time with each filter, or the latencies. */
export function summaryLine(each) {
  const names = NAMES.filter((name) => each.filters[name]);
  if (each.scenario.paced) {
    const latencies = (name) => Object.keys(LATENCIES).map((figure) => digits(latency(each, name, figure)));
    return names.map((name) => `${label(name)} ${latencies(name).join(' / ')}`).join(', ') || NOTHING;
  }
  const found = names.map((name) => `${label(name)} ${digits(median(each.filters[name].cpu))}`);
  const ratios = [
    ['native', 'of jwt_authn'], ['native-cached', 'of cached'],
  ].map(([name, what]) => [ratio(each, name), what])
    .filter(([value]) => value !== null)
    .map(([value, what]) => `${digits(value)} ${what}`);
  return `${found.join(', ') || NOTHING}${ratios.length > 0 ? ` (${ratios.join(', ')})` : ''}`;
}

/** Start-up and memory in lines for the terminal: the CPU time until Envoy is live, and its resident memory. */
export function startSummary(footprints) {
  const write = ({ cpu: used, bytes }) => `${digits(median(used) / 1000)} ms and ${digits(median(bytes) / MIB)} MiB`;
  return Object.entries(footprints).map(([count, filters]) => `${workersText(count)}: ${Object.entries(filters)
    .map(([name, found]) => `${label(name)} ${write(found)}`).join(', ')}`);
}

/** The memory of cached tokens and revocation lists in lines for the terminal. */
export function memorySummary({ tokens, lists }) {
  return [
    ...Object.entries(tokens).map(([name, bytes]) => `${label(name)}: ${digits(bytes)} bytes per cached token`),
    ...Object.entries(lists).map(([name, memory]) => `${label(name)}: ${Object.entries(memory)
      .map(([count, bytes]) => `${workersText(count)} ${digits(bytes / MIB)} MiB`).join(', ')}`),
  ];
}
