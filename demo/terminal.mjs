// Formatting for the terminal.

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

/** A command for copying, of one or more lines. */
export function command(text) {
  for (const part of text.split('\n')) {
    line(`${INDENT}${cyan(part)}`);
  }
}

/**
 * An indented text. Long text is broken at the spaces that match `at`; further lines are indented by
 * `hanging` more.
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

/** Like `paragraph`, broken only after commas. */
export function list(text, options) {
  paragraph(text, { at: /(?<=,) /, ...options });
}

/** A value as JSON, with spaces between its members; a text unchanged. */
function spaced(value) {
  return typeof value === 'string'
    ? value.trim()
    : JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
}

/** The body of an answer: a JSON value, or a text. */
export function value(body) {
  list(spaced(body), { hanging: 2 });
}

/** The challenge of a refusal. */
export function challenge(text) {
  list(`www-authenticate: ${text}`, { hanging: 18 });
}

/** The header and the claims of a token. */
export function jwt({ header, claims }) {
  list(`header ${spaced(header)}`, { hanging: 9, colour: dim });
  list(`claims ${spaced(claims)}`, { hanging: 9, colour: dim });
}

/** A line of a server's log. */
export function logged(server, text) {
  line(dim(`${INDENT}${server.padEnd(20)} | ${text}`));
}

/** The result of a step: ok, or each difference. */
export function verdict(differences) {
  if (differences.length === 0) {
    line(`${INDENT}${green('ok')}`);
  }
  for (const difference of differences) {
    line(`${INDENT}${red('FAILED')} ${difference}`);
  }
}
