// One soak: starts everything, lets it run, and collects the facts for the verdict.

import { monitorEventLoopDelay } from 'node:perf_hooks';

import { now } from './clock.mjs';
import { DRAIN, LOST_AFTER } from './promises.mjs';
import { statistics } from './samples.mjs';
import { follow } from './schedule.mjs';
import { Setup, WORKERS } from './setup.mjs';

/** Requests a second: moderate, since memory and answers are measured, and not speed. */
const RATE = 150;

const WAITING = 'wasmcustom.bearer_gate.waiting';
const OPEN = 'http.http.downstream_rq_active';
const VMS = 'wasm.wasm_vm_count';
const VM_FAILURES = ['wasm.vm_reload', 'wasm.vm_reload_failure', 'wasm.vm_reload_backoff'];
const ACCEPTED = 'listener_manager.lds.update_success';
const REFUSED = 'listener_manager.lds.update_rejected';

/** Time between two lines about the progress, in milliseconds. */
const PROGRESS_MS = 60_000;

/** Runs for some seconds. Returns the facts. */
export async function run(processes, seconds) {
  const setup = await Setup.start(processes);
  const atStart = await statistics(setup.envoy, VMS);
  const begin = now();
  const end = begin + seconds;
  const delay = monitorEventLoopDelay();
  delay.enable();
  const progress = setInterval(() => report(setup, now() - begin), PROGRESS_MS);
  const work = Promise.all([
    follow(setup.events, end),
    setup.traffic.run(RATE, end),
    setup.samples.run(end),
  ]);
  // Envoy must not end before the work does.
  const ended = setup.envoy.ended.then((failure) => { throw failure; });
  ended.catch(() => {});
  const [events] = await Promise.race([work, ended]).finally(() => clearInterval(progress));
  delay.disable();
  const { keys, list } = setup.documents;
  const servers = [keys.server, list.server, setup.endpoint.server];
  servers.forEach((server) => server.recover());
  keys.noteMissing();
  list.noteMissing();
  const settled = await setup.settled(
    `^(${[WAITING, OPEN, VMS, ...VM_FAILURES, ACCEPTED, REFUSED].join('|')})$`,
    (found) => found[WAITING] === 0 && found[OPEN] === 0 && found[VMS] === atStart[VMS],
    DRAIN + LOST_AFTER,
  );
  const log = await setup.log();
  await setup.stop();
  const { traffic, client, upstream, samples } = setup;
  return {
    seconds,
    rate: RATE,
    workers: WORKERS,
    events,
    tally: traffic.tally,
    faults: traffic.faults,
    examples: traffic.examples,
    checked: traffic.checked,
    exact: traffic.exact,
    disconnected: traffic.disconnected,
    slowest: traffic.slowest,
    mostInFlight: traffic.mostInFlight,
    longestStall: traffic.longestStall,
    /** By how many seconds this program itself was late at most, for lack of CPU time. */
    ownDelay: delay.max / 1e9,
    repeated: client.repeated,
    strays: upstream.strays,
    overdue: fromStart([...keys.overdue, ...list.overdue], begin),
    premature: fromStart([...keys.premature, ...list.premature], begin),
    fetches: {
      keys: keys.fetches,
      list: list.fetches,
      introspection: setup.endpoint.answers,
      failed: servers.reduce((total, { failed }) => total + failed, 0),
    },
    ended: { waiting: settled[WAITING], open: settled[OPEN] },
    vms: {
      atStart: atStart[VMS],
      atEnd: settled[VMS],
      failures: VM_FAILURES.reduce((total, name) => total + settled[name], 0),
    },
    reloads: {
      // The first listener counts as well.
      published: setup.configuration.reloads + 1,
      accepted: settled[ACCEPTED] - settled[REFUSED],
    },
    samples: samples.all,
    log,
  };
}

/** Prints a line about the progress. */
function report({ traffic: { checked, faults }, samples }, seconds) {
  const found = Object.entries(faults).map(([fault, count]) => `${count} ${fault}`).join(', ');
  const resident = Math.round((samples.all.at(-1)?.resident ?? 0) / 2 ** 20);
  process.stdout.write(
    `${Math.round(seconds / 60)} min: ${checked} answers checked, ${found}; ${resident} MiB resident\n`);
}

/** Events with times from the start of the soak. */
function fromStart(events, begin) {
  return events.map((event) => ({ ...event, at: event.at - begin }));
}
