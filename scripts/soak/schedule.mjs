// What happens in each minute of a soak, besides requests.

import { setTimeout as sleep } from 'node:timers/promises';

import { now } from './clock.mjs';
import { FAILURES } from './flaky-server.mjs';

/** Every so many minutes the outage of the key server outlasts `max_stale`; that of the list. */
const LONG_KEYS = 5;
const LONG_LIST = 10;
/** The time between two revocations, in seconds. */
const REVOCATIONS = 2;

/** The events of a minute as `[second, name, argument]`. */
export function minute(number) {
  const failure = (offset) => FAILURES[(number + offset) % FAILURES.length];
  const keys = number % LONG_KEYS === 0 ? [20, 60] : [20, 32];
  const list = number % LONG_LIST === 0 ? [15, 39] : [44, 54];
  return [
    [10, 'rotate'],
    [15, 'reload', { variant: true }],
    [keys[0], 'fail', ['keys', failure(0)]],
    [keys[1], 'recover', 'keys'],
    [33, 'fail', ['introspection', failure(1)]],
    [41, 'recover', 'introspection'],
    [list[0], 'fail', ['list', failure(2)]],
    [list[1], 'recover', 'list'],
    [50, 'reload', { variant: false }],
    ...Array.from({ length: 60 / REVOCATIONS }, (_, index) => [index * REVOCATIONS + 1, 'revoke']),
  ].sort(([one], [other]) => one - other);
}

/** Calls `events[name](argument)` for all events until the time `end`. Returns how often each came. */
export async function follow(events, end) {
  const begin = now();
  const counts = {};
  for (let number = 0; ; number += 1) {
    for (const [second, name, argument] of minute(number)) {
      const at = begin + number * 60 + second;
      if (at >= end) {
        return counts;
      }
      await sleep(Math.max(0, at - now()) * 1000);
      await events[name](argument);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
}
