// What a soak has found, as Markdown: for the terminal and for docs/soak.md.

import { DRAIN, KEYS, LIST, ADOPTED_WITHIN, INTROSPECTION, SLACK } from './promises.mjs';
import { hasPassed } from './verdict.mjs';
import { table } from '../../tools/markdown.mjs';

const number = (value) => value.toLocaleString('en-US');
const list = (counts) => Object.entries(counts)
  .sort(([, one], [, other]) => other - one)
  .map(([name, count]) => `\`${name}\` ${number(count)}`)
  .join(', ');

/** The verdict, the figures, and examples of what went wrong. */
export function summary(facts, promises) {
  return [
    `**${hasPassed(promises) ? 'Passed' : 'FAILED'}.** ${overview(facts)}`,
    table(['promise', 'found', ''], promises.map(({ promise, found, isKept }) => (
      [promise, found, isKept ? 'kept' : '**broken**']))),
    table(['requests', 'number', 'answers'], Object.entries(facts.tally).map(([kind, answers]) => (
      [kind, number(sum(answers)), list(answers)]))),
    ...examples(facts),
  ].join('\n\n');
}

/** The whole document. */
export function document(facts, promises, { command }) {
  return `# A soak

The built module runs in an unmodified Envoy with ${facts.workers} workers under steady mixed load, while keys rotate, servers
fail, listeners are replaced and clients disconnect. Every answer is compared with the answers that were possible at that time.

    ${command}

writes this page and the plot if it runs for an hour or more. It ends with exit code 1 if a promise is broken.

![memory over time](soak.svg)

${summary(facts, promises)}

## What happens in each minute

- The issuer publishes a new generation of keys (RS256, ES256 and EdDSA) and withdraws the one before the last.
- Every two seconds one JWT is revoked and one opaque token becomes inactive.
- The listener is replaced twice: once the configuration of the gate changes, once only another part of the listener.
- The key server fails for 12 seconds, and in every fifth minute for 40, which is longer than \`max_stale\`.
- The introspection endpoint fails for 8 seconds, and the server of the revocation list for 10, in every tenth minute for 24.
- A failing server closes connections, does not answer, answers 500, or answers with something else, in turn.

## What is checked

For each request the judge (\`scripts/soak/judge.mjs\`) lists the answers that were possible while it was on its way: status,
error code, description and headers. A request that was refused must not have reached the upstream, and one that was
admitted must have reached it once, with the subject of its own token in \`x-sub\` and without the token. Every client sends a
forged \`x-sub\`. The judge accepts two answers only within these bounds:

| event | bound |
|---|---|
| a key set or list was fetched that differs from the one before | all workers use it ${ADOPTED_WITHIN} s later: one promised, the others for a busy machine |
| a document was published | it is fetched within \`cache_duration\` (${KEYS.refresh} s) or \`refresh_interval\` (${LIST.refresh} s), and ${SLACK} s |
| the last good fetch is \`max_stale\` ago (${KEYS.maxStale} s for keys, ${LIST.maxStale} s for the list) | 503 from then on, ${SLACK} s more or less |
| a server is up again | the document is fetched within \`failed_refetch_duration\` (${KEYS.retry} s; for a list the backoff, ${LIST.retry} s), \`timeout\` and ${SLACK} s |
| an opaque token became inactive | refused after \`cache_duration\` (${INTROSPECTION.active} s) and ${SLACK} s |
| introspection fails | 503 during the outage, the \`timeout\` and ${INTROSPECTION.failure + SLACK} s more, or an earlier answer, because each worker caches its own |
| the listener was replaced | the old configuration ends after \`--drain-time-s\` (${DRAIN} s) and ${ADOPTED_WITHIN} s |
| a token expires | one second more or less |

## What is measured

Resident memory is that of the process. The heap is what Envoy's allocator reports (\`/memory\`): it contains the shared data,
which Envoy does not report separately, but not the VMs. The memory of each VM is the resident part of its WebAssembly
memory, found in \`/proc/<pid>/smaps\`. There are ${facts.vms.atEnd}: one for each worker, one for the main thread, and one from which Envoy clones them.
The size of the documents is that of the key set and revocation list as they are published. Growth compares
the median of the last sixth of the run with that of the second sixth. The bounds are in \`scripts/soak/verdict.mjs\`.

## What it does not show

Everything runs on one machine over the loopback address, without TLS, at a moderate rate. No worker dies and no clock is set: the
simulation does that (\`make simulate\`). If other work stalls Envoy for about as long as the \`timeout\`, introspection fails although
its server is up, which counts as wrong answers: run the soak on a machine that is not overloaded. The verdict itself is tested by \`node --test scripts/soak/*.test.mjs\`: each promise
that is broken makes it fail.
`;
}

function overview(facts) {
  const { samples } = facts;
  const sent = Object.values(facts.tally).reduce((total, answers) => total + sum(answers), 0);
  const mib = (value) => `${Math.round(value / 2 ** 20)} MiB`;
  const { events } = facts;
  return [
    `${(facts.seconds / 60).toFixed(1)} minutes at ${facts.rate} requests a second: ${number(sent)} requests.`,
    `${number(facts.checked)} answers were checked; for ${((100 * facts.exact) / facts.checked).toFixed(1)} % of them exactly one was possible.`,
    `${number(facts.disconnected)} clients disconnected.`,
    `There were ${events.rotate ?? 0} rotations, ${events.fail ?? 0} outages, ${events.reload ?? 0} replaced listeners and ${events.revoke ?? 0} revocations.`,
    `The gate fetched the key set ${facts.fetches.keys} times and the list ${facts.fetches.list} times, and asked about opaque tokens ${number(facts.fetches.introspection)} times; the servers failed ${number(facts.fetches.failed)} requests.`,
    `The slowest answer took ${facts.slowest[0].seconds.toFixed(2)} s, at a \`timeout\` of ${KEYS.timeout} s; the slowest that needed no server ${facts.longestStall.toFixed(2)} s: for so long the machine stalled Envoy or the clients. ${facts.repeated} requests were repeated because Envoy closed their idle connection.`,
    `Resident memory was ${mib(samples[0].resident)} at the start and ${mib(samples.at(-1).resident)} at the end. Module: commit ${facts.commit}.`,
  ].join(' ');
}

function examples({ examples: shown, overdue, premature }) {
  const lines = [
    ...shown,
    ...overdue.map(({ at, late }) => `a fetch at ${at.toFixed(1)} s was ${late.toFixed(1)} s late`),
    ...premature.map(({ at, early }) => `a fetch at ${at.toFixed(1)} s was ${early.toFixed(1)} s early`),
  ];
  return lines.length === 0 ? [] : [`What went wrong, the first:\n\n${lines.map((line) => `- ${line}`).join('\n')}`];
}

function sum(answers) {
  return Object.values(answers).reduce((total, count) => total + count, 0);
}
