// Parts of SVG images.

/** A text at a point, with the class `name` and the `text-anchor` `anchor`. */
export function text(x, y, content, name = null, anchor = null) {
  const attributes = [
    ` x="${fixed(x)}" y="${fixed(y)}"`,
    name ? ` class="${name}"` : '',
    anchor ? ` text-anchor="${anchor}"` : '',
  ].join('');
  return `<text${attributes}>${escaped(content)}</text>`;
}

/** A coordinate with one decimal. */
export function fixed(value) {
  return String(Math.round(value * 10) / 10);
}

/** A text for content or an attribute. */
export function escaped(content) {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
