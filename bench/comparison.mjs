// The report of a run that compares two modules, as lines for the terminal.

import { digits, ratios } from './figures.mjs';
import { FILTERS, otherOf } from './filters.mjs';
import { median, summary } from '../tools/statistics.mjs';

const NAME_WIDTH = 36;
const FIGURE_WIDTH = 12;

/** What is compared, and the heads of the columns. */
export function comparisonHead({ gate, other }, { rounds }) {
  const size = ({ bytes }) => `${digits(bytes / 1024)} KiB`;
  return [
    `Two modules: ${gate.name} (${size(gate)}) and ${other.name} (${size(other)}).`,
    `Medians of ${rounds} round${rounds === 1 ? '' : 's'}. "ratio" is this / other in the same round: `
    + 'median, quartiles, extremes.',
    columns("µs of Envoy's CPU per request", 'this', 'other', 'ratio'),
  ];
}

/** One line for each pair of filters of a scenario that were measured with both modules. */
export function comparisonLines({ scenario, filters }) {
  return pairs(filters).map(([name, other]) => columns(
    FILTERS[name].listed ? `${scenario.name}, ${FILTERS[name].label}` : scenario.name,
    digits(median(filters[name].cpu)),
    digits(median(filters[other].cpu)),
    spread(ratios({ filters }, other, name)),
  ));
}

/** The lines about start-up; `starts` is what `startUps` returned. */
export function startLines(starts, rounds) {
  return [
    columns(`ms of CPU until live, ${rounds} start${rounds === 1 ? '' : 's'}`, 'this', 'other', 'ratio'),
    ...comparisonLines({ scenario: { name: 'start' }, filters: inMilliseconds(starts) }),
  ];
}

function inMilliseconds(starts) {
  return Object.fromEntries(Object.entries(starts)
    .map(([name, { cpu }]) => [name, { cpu: cpu.map((microseconds) => microseconds / 1000) }]));
}

function pairs(filters) {
  return Object.keys(filters)
    .map((name) => [name, otherOf(name)])
    .filter(([, other]) => filters[other]);
}

function columns(name, one, other, ratio) {
  return `${name.padEnd(NAME_WIDTH)} ${one.padStart(FIGURE_WIDTH)} ${other.padStart(FIGURE_WIDTH)}   ${ratio}`;
}

/** Ratios as their median, quartiles and extremes. */
function spread(values) {
  const { low, median: middle, high } = summary(values);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [m, l, h, min, max] = [middle, low, high, least, most].map((value) => value.toFixed(3));
  return `${m}  ${l}–${h}  ${min}–${max}`;
}
