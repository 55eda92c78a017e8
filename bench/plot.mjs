// Plots as SVG: horizontal bars with labels, readable on light and dark pages.

import { escaped, fixed, text } from '../tools/svg.mjs';

const WIDTH = 760;
const LABELS = 170;
const VALUES = 90;
const BAR = 16;
const STEP = 22;
const GROUP_GAP = 30;
const TOP = 56;

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.note, .label { fill: #57606a; }
.group { font-weight: 600; }
.bar { fill: #8c959f; }
.native { fill: #bf8700; }
.native-cached { fill: #d4a72c; }
.gate { fill: #0969da; }
.spread { stroke: #24292f; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.note, .label { fill: #9198a1; }
.bar { fill: #656c76; }
.native { fill: #bb8009; }
.native-cached { fill: #e3b341; }
.gate { fill: #4493f8; }
.spread { stroke: #e6edf3; }
}`;

/**
 * A plot with a title, a note below it, and groups of bars: `{ title, bars: [{ name, label, low, median,
 * high, text }] }`. The length of a bar is its median; a line across its end goes from `low` to `high`.
 */
export function plot({ title, note, groups }) {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ median }) => median)));
  const length = (value) => Math.min((value / most), 1.02) * (WIDTH - LABELS - VALUES);
  const marks = [];
  let y = TOP;
  for (const group of groups) {
    y += GROUP_GAP;
    marks.push(text(0, y - 9, group.title, 'group'));
    for (const bar of group.bars) {
      const middle = y + BAR / 2;
      const end = LABELS + length(bar.high);
      marks.push(
        text(LABELS - 10, middle + 4.5, bar.label, 'label', 'end'),
        `<rect class="bar ${bar.name}" x="${LABELS}" y="${y}" width="${fixed(length(bar.median))}" height="${BAR}" rx="2"/>`,
        `<path class="spread" d="M${fixed(LABELS + length(bar.low))} ${middle}H${fixed(end)}"/>`,
        text(Math.max(end, LABELS + length(bar.median)) + 8, middle + 4.5, bar.text),
      );
      y += STEP;
    }
  }
  const height = y + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
${text(0, 20, title, 'title')}
${text(0, 42, note, 'note')}
${marks.join('\n')}
</svg>
`;
}
