// The report of a run that compares two modules, as lines for the terminal.

import {
  LATENCIES, MIB, digits, workersText,
} from './figures.mjs';
import { FILTERS, otherOf } from './filters.mjs';
import { median, sideBySide, summary } from '../tools/statistics.mjs';

const NAME_WIDTH = 44;
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

/** The lines of a scenario, for each pair of filters that were measured with both modules. */
export function comparisonLines({ scenario, filters }) {
  return pairs(filters).flatMap(([name, other]) => {
    const title = FILTERS[name].listed ? `${scenario.name}, ${FILTERS[name].label}` : scenario.name;
    const [one, its] = [filters[name], filters[other]];
    return scenario.paced
      ? Object.entries(LATENCIES).map(([figure, what]) => {
        const figures = ({ latency }) => latency.map((round) => round[figure]);
        return line(`${title}, ${what}`, figures(one), figures(its));
      })
      : [line(title, one.cpu, its.cpu)];
  });
}

/** The lines about start-up and memory; `found` is what `footprints` returned. */
export function startLines(found, rounds) {
  const milliseconds = ({ cpu }) => cpu.map((microseconds) => microseconds / 1000);
  const mebibytes = ({ bytes }) => bytes.map((each) => each / MIB);
  return [
    columns(`ms of CPU until live, ${rounds} start${rounds === 1 ? '' : 's'}`, 'this', 'other', 'ratio'),
    ...workerLines('start', found, milliseconds),
    columns('MiB of resident memory', 'this', 'other', 'ratio'),
    ...workerLines('memory', found, mebibytes),
  ];
}

/** The lines about the memory of cached tokens and revocation lists, as footprint.mjs returned it. */
export function memoryLines({ tokens, lists }) {
  return [
    columns('MiB of resident memory', 'this', 'other', 'ratio'),
    ...pairs(lists).flatMap(([name, other]) => Object.keys(lists[name]).map((count) => line(
      `memory, ${FILTERS[name].label}, ${workersText(count)}`,
      [lists[name][count] / MIB],
      [lists[other][count] / MIB],
    ))),
    ...pairs(tokens).map(([name, other]) => line('bytes per cached token', [tokens[name]], [tokens[other]])),
  ];
}

function workerLines(title, byWorkers, values) {
  return Object.entries(byWorkers).flatMap(([count, filters]) => pairs(filters).map(([name, other]) => (
    line(`${title}, ${workersText(count)}`, values(filters[name]), values(filters[other])))));
}

/** A line about two lists of values of the same rounds. */
function line(title, one, other) {
  const inRounds = sideBySide(one, other, (mine, its) => mine / its);
  return columns(title, digits(median(one)), digits(median(other)), spread(inRounds));
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
