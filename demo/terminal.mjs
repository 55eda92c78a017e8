// How things look on the terminal, and in a file.

const WIDTH = 100;
const INDENT = '  ';

const colourful = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
const paint = (code) => (text) => (colourful ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

export function line(text = '') {
  process.stdout.write(`${text}\n`);
}

export function heading(text) {
  line(`\n${bold(text)}`);
}

/** A command to copy, of one or more lines. */
export function command(text) {
  for (const part of text.split('\n')) {
    line(`${INDENT}${cyan(part)}`);
  }
}

/**
 * A text, indented. Where it is too long it is broken at spaces, those that `at` finds, and goes on
 * `hanging` deeper.
 */
export function paragraph(text, { at = / /, hanging = 0, colour = (part) => part } = {}) {
  const pieces = text.split(at);
  let row = pieces.shift();
  let indent = INDENT;
  for (const piece of pieces) {
    if (indent.length + row.length + 1 + piece.length > WIDTH) {
      line(indent + colour(row));
      indent = INDENT + ' '.repeat(hanging);
      row = piece;
    } else {
      row += ` ${piece}`;
    }
  }
  line(indent + colour(row));
}

/** Like `paragraph`, for a list with commas, broken after these. */
export function list(text, options) {
  paragraph(text, { at: /(?<=,) /, ...options });
}

/** A line that one of the servers has logged. */
export function logged(server, text) {
  line(dim(`${INDENT}${server.padEnd(20)} | ${text}`));
}

export function verdict(differences) {
  if (differences.length === 0) {
    line(`${INDENT}${green('ok')}`);
  }
  for (const difference of differences) {
    line(`${INDENT}${red('FAILED')} ${difference}`);
  }
}
