// Labels for the fields of Swagger UI, which gives them none, or replaces them by a message if a value is
// invalid.

const LABELS = [
  ['textarea', () => 'Request body'],
  ['.examples-select-element', () => 'Example of a request body'],
  ['[data-param-name] input', (field) => field.closest('[data-param-name]').dataset.paramName],
];

function put(container) {
  for (const [selector, text] of LABELS) {
    for (const field of container.querySelectorAll(selector)) {
      set(field, 'aria-label', text(field));
      set(field, 'aria-invalid', String(field.classList.contains('invalid')));
    }
  }
}

/** Sets an attribute, unless it is set already: the observer would run without end. */
function set(element, name, value) {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/** Labels the fields in an element now, and whenever Swagger UI changes them. */
export function label(container) {
  new MutationObserver(() => put(container)).observe(container, {
    childList: true, subtree: true, attributes: true, attributeFilter: ['class'],
  });
  put(container);
}
