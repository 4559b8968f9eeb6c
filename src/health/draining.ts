/** Whether the gateway is on its way out. Written by the process's shutdown, read by readiness, `open` and `close`. */
export class Draining {
  /** Answers still come, and tell their connections to go. */
  active = false;
  /** Other processes serve on in its place: readiness, which speaks for all of them, does not say no. */
  othersServe = false;
  /** Time is up: what is still open is cut off. */
  isCutOff = false;
}
