// The figures of a measured scenario, and how they are formatted.

import { median, sideBySide, summary } from '../tools/statistics.mjs';

export const MIB = 1024 * 1024;

/** A number of workers in words. */
export function workersText(count) {
  return `${count} worker${Number(count) === 1 ? '' : 's'}`;
}

/** Envoy's CPU time per request with a filter; `null` if it was not measured. */
export function cpu(measured, filter) {
  const found = measured.filters[filter];
  return found ? summary(found.cpu) : null;
}

/** The requests per second with a filter; `null` if it was not measured. */
export function perSecond(measured, filter) {
  const found = measured.filters[filter];
  return found ? summary(found.perSecond) : null;
}

/** bearer-gate's CPU time divided by another filter's: the median of the ratios of all rounds. */
export function ratio(measured, other) {
  return medianOf(ratios(measured, other));
}

/** A filter's CPU time divided by another one's, round by round; `null` if one was not measured. */
export function ratios(measured, other, filter = 'gate') {
  return byRound(measured, other, filter, (one, its) => one / its);
}

/** A filter's CPU time minus another one's: the median of the differences of all rounds. */
export function above(measured, other, filter = 'gate') {
  return medianOf(byRound(measured, other, filter, (one, its) => one - its));
}

/** What is shown of the latency of the requests of a round, in microseconds. */
export const LATENCIES = { p50: 'median', p99: '99 %', 'p99.9': '99.9 %', slowest: 'slowest' };

/** One of `LATENCIES` with a filter: the median over rounds, or `null` if it was not measured. */
export function latency(measured, filter, name) {
  const rounds = measured?.filters[filter]?.latency ?? [];
  return rounds.length === 0 ? null : median(rounds.map((round) => round[name]));
}

function byRound(measured, other, filter, combine) {
  const one = measured.filters[filter];
  const its = measured.filters[other];
  return one && its ? sideBySide(one.cpu, its.cpu, combine) : null;
}

function medianOf(values) {
  return values === null ? null : median(values);
}

/** A number with about three digits: 1,234, 123, 12.3, 1.23. */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 100) {
    return Math.round(value).toLocaleString('en');
  }
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** What tables show instead of a missing value. */
export const NOTHING = '–';

/** `write(value)`, or a dash without a value. */
export function or(value, write = digits) {
  return value === null || value === undefined ? NOTHING : write(value);
}

/** A median with its quartiles, as Markdown. */
export function spread({ low, median, high }) {
  return `${digits(median)} <sub>${digits(low)}–${digits(high)}</sub>`;
}
