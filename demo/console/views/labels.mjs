// Labels for the fields of Swagger UI that it gives none.

const LABELS = [
  ['textarea', 'Request body'],
  ['.examples-select-element', 'Example of a request body'],
];

/** Labels the fields in an element now, and those that Swagger UI puts there later. */
export function label(container) {
  const put = () => {
    for (const [selector, text] of LABELS) {
      container.querySelectorAll(selector).forEach((field) => field.setAttribute('aria-label', text));
    }
  };
  new MutationObserver(put).observe(container, { childList: true, subtree: true });
  put();
}
