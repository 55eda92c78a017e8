// Tables in Markdown.

const row = (cells) => `| ${cells.map((cell) => ((cell ?? '') === '' ? ' ' : cell)).join(' | ')} |`;

/** A table. With `numbers`, all columns but the first are aligned to the right. */
export function table(head, rows, { numbers = false } = {}) {
  const rule = head.map((_, column) => (numbers && column > 0 ? '--:' : '---'));
  return [head, rule, ...rows].map(row).join('\n');
}
