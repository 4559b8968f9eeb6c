/** Whether the gateway is on its way out. Written once by the process's shutdown, read by readiness and `open`. */
export class Draining {
  active = false;
}
