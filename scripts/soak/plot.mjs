// The memory over the time of a soak as SVG, readable on light and dark pages.

import { escaped, fixed, text } from '../../tools/svg.mjs';
import { withUsualVms } from './samples.mjs';

const WIDTH = 760;
const [LEFT, RIGHT, TOP] = [70, 120, 56];
const PANEL = 150;
const STEP = PANEL + 60;
const MIB = 2 ** 20;
const KIB = 2 ** 10;
/** Lines across a panel, and about how many marks there are on the axis of time. */
const LINES = 4;
const MARKS = 8;

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.note, .label { fill: #57606a; }
.group { font-weight: 600; }
.grid { stroke: #d0d7de; }
.line { fill: none; stroke-width: 1.5; }
.c0 { stroke: #0969da; } .c1 { stroke: #bf8700; } .c2 { stroke: #8250df; } .c3 { stroke: #1a7f37; }
.t0 { fill: #0969da; } .t1 { fill: #bf8700; } .t2 { fill: #8250df; } .t3 { fill: #1a7f37; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.note, .label { fill: #9198a1; }
.grid { stroke: #3d444d; }
}`;

/** The plot of the samples of a soak. */
export function plot(all, note) {
  const samples = withUsualVms(all);
  const vms = samples[0].modules.map((_, index) => (
    { name: `VM ${index + 1}`, of: ({ modules }) => modules[index] / KIB }));
  const panels = [
    ['Envoy (MiB)', [
      { name: 'resident', of: ({ resident }) => resident / MIB },
      { name: 'heap', of: ({ allocated }) => allocated / MIB },
    ]],
    ['Memory of each VM, resident (KiB)', vms],
    ['Key set and revocation list as published (KiB)', [
      { name: 'documents', of: ({ documents }) => documents / KIB },
    ]],
  ];
  const minutes = samples.at(-1).at / 60;
  const marks = panels.flatMap(([title, series], index) => (
    panel(title, series, { samples, minutes, top: TOP + 30 + index * STEP })));
  const height = TOP + panels.length * STEP;
  const title = `Memory of Envoy and the gate in ${Math.round(minutes)} minutes`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
${text(0, 20, title, 'title')}
${text(0, 42, note, 'note')}
${marks.join('\n')}
</svg>
`;
}

/** One panel: the names of the lines stand at their ends. */
function panel(title, series, { samples, minutes, top }) {
  const bottom = top + PANEL;
  const right = WIDTH - RIGHT;
  const most = Math.max(...series.flatMap(({ of }) => samples.map(of)));
  const unit = niceStep(most / LINES);
  const scale = Math.ceil(most / unit) * unit || 1;
  const x = (at) => LEFT + (at / 60 / minutes) * (right - LEFT);
  const y = (value) => bottom - (value / scale) * PANEL;
  const marks = [text(0, top - 10, title, 'group')];
  for (let value = 0; value <= scale; value += unit) {
    marks.push(`<path class="grid" d="M${LEFT} ${fixed(y(value))}H${right}"/>`);
    marks.push(text(LEFT - 8, y(value) + 4.5, String(Math.round(value * 100) / 100), 'label', 'end'));
  }
  const step = niceStep(minutes / MARKS);
  for (let minute = 0; minute <= minutes; minute += step) {
    marks.push(text(x(minute * 60), bottom + 18, `${Math.round(minute * 100) / 100} min`, 'label', 'middle'));
  }
  const ends = spread(series.map(({ of }) => y(of(samples.at(-1)))));
  series.forEach(({ name, of }, index) => {
    const points = samples.map((sample) => `${fixed(x(sample.at))} ${fixed(y(of(sample)))}`);
    marks.push(`<path class="line c${index % 4}" d="M${points.join('L')}"/>`);
    marks.push(text(right + 8, ends[index] + 4.5, name, `t${index % 4}`));
  });
  return marks;
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least);
}

/** Heights with at least the height of a line between any two of them, in the same order. */
function spread(heights) {
  const gap = 15;
  const order = heights.map((_, index) => index).sort((a, b) => heights[b] - heights[a]);
  const moved = [...heights];
  let last = Infinity;
  for (const index of order) {
    moved[index] = Math.min(heights[index], last - gap);
    last = moved[index];
  }
  return moved;
}
