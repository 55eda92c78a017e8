/** Something that ends the demo and that one line can say: its message is all that users see. */
export class Failure extends Error {
  constructor(message, { exitCode = 1, details = [] } = {}) {
    super(message);
    this.exitCode = exitCode;
    /** Lines that help to find the cause, such as the end of a log. */
    this.details = details;
  }
}

/** The exit code where nothing was started: a setting is wrong, or something is missing. */
export const NOT_STARTED = 2;
