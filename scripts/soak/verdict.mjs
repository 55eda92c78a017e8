// Whether a soak has passed: each promise with what was found.

import { median } from '../../tools/statistics.mjs';
import { withUsualVms } from './samples.mjs';

/**
 * By how many bytes the median of the last sixth of the run may exceed that of the second sixth. The first
 * sixth is the warm-up: caches fill. In an hour a worker decides 180,000 requests between the two, so a leak of
 * 12 bytes in each of them is found.
 */
export const GROWTH = { resident: 16 * 2 ** 20, allocated: 4 * 2 ** 20, module: 2 * 2 ** 20 };

/** Lines of Envoy's log that must not be there: what failed in Envoy or trapped in the module. */
const BAD_LINES = /\]\[(error|critical)\]\[|panic|trap|abort|RuntimeError|Segmentation/;

/** Each promise as `{ promise, found, isKept }`. `facts` are those that `run` in run.mjs returns. */
export function verdict(facts) {
  const none = (promise, count) => ({ promise, found: String(count), isKept: count === 0 });
  const { faults, overdue, premature, strays, log, vms, ended, reloads, samples, tally } = facts;
  const missing = Object.entries(tally).filter(([, answers]) => Object.keys(answers).length === 0);
  return [
    none('wrong answers', faults.wrong),
    none('requests without an answer', faults.lost),
    none('answers later than `timeout` and the allowance', faults.late),
    none('refused requests that reached the upstream, or admitted ones that did not', faults.leaked + strays),
    none('fetches of the key set or the revocation list later than promised', overdue.length),
    none('fetches sooner than the whole process may make them', premature.length),
    none('requests still waiting at the end', ended.waiting),
    none('requests still open in Envoy at the end', ended.open),
    none('lines about errors, panics or traps in the log of Envoy', badLines(log).length),
    none('VMs that failed or were reloaded', vms.failures),
    {
      promise: 'VMs at the end as many as at the start',
      found: `${vms.atEnd} and ${vms.atStart}`,
      isKept: vms.atEnd === vms.atStart,
    },
    none('listeners that Envoy refused or did not take', reloads.published - reloads.accepted),
    none('kinds of requests that were not sent', missing.length),
    ...growth(samples),
  ];
}

/** Whether all promises were kept. */
export function hasPassed(promises) {
  return promises.every(({ isKept }) => isKept);
}

/** Lines of the log that must not be there. */
export function badLines(log) {
  return log.split('\n').filter((line) => BAD_LINES.test(line));
}

function growth(samples) {
  const usual = withUsualVms(samples);
  return [
    grown('the resident memory of Envoy', samples.map(({ resident }) => resident), GROWTH.resident),
    grown('the heap of Envoy', samples.map(({ allocated }) => allocated), GROWTH.allocated),
    ...(usual[0]?.modules ?? []).map((_, index) => grown(
      `the memory of VM ${index + 1}`,
      usual.map(({ modules }) => modules[index]),
      GROWTH.module,
    )),
  ];
}

/** How much larger the median of the last sixth is than that of the second. */
function grown(what, values, bound) {
  const sixth = (number) => values.slice(
    Math.floor((values.length * number) / 6), Math.floor((values.length * (number + 1)) / 6));
  const growth = median(sixth(5)) - median(sixth(1));
  return {
    promise: `growth of ${what} after the warm-up, at most ${bound / 1024} KiB`,
    found: `${Math.round(growth / 1024)} KiB`,
    isKept: growth <= bound,
  };
}
