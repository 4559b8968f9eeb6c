/** Neither yes nor no: one of two configurations, or contracts, is faulty or not there. */
export class Incomparable extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}
