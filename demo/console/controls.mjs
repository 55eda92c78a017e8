// Runs actions on events of the page's controls.

import { ServerError } from './servers.mjs';

export class Controls {
  #panel;
  #notice;
  #render;

  /** `panel` is marked as busy while an action runs; then `notice` gets what it says, and `render` is called. */
  constructor(panel, { notice, render }) {
    this.#panel = panel;
    this.#notice = notice;
    this.#render = render;
  }

  /** Runs an action on an event of a control: one action at a time, with errors shown to the user. */
  on(control, event, action) {
    control.addEventListener(event, async (occurrence) => {
      if (event === 'submit') {
        occurrence.preventDefault();
      }
      if (this.#panel.getAttribute('aria-busy') === 'true') {
        return;
      }
      this.#panel.setAttribute('aria-busy', 'true');
      try {
        const said = await action();
        if (said !== undefined) {
          this.#notice(said);
        }
      } catch (error) {
        const problem = error instanceof ServerError
          ? `${error.message}.` : `The console failed: ${error.message}.`;
        this.#notice(problem, true);
      } finally {
        this.#panel.removeAttribute('aria-busy');
        this.#render();
      }
    });
  }
}
