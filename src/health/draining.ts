/** Whether the gateway is on its way out. Written by the process's shutdown, read by readiness, `open` and `close`. */
export class Draining {
  /** Answers still come, and tell their connections to go. */
  active = false;
  /** Time is up: what is still open is cut off. */
  isCutOff = false;
}
