/** A call of grpc-js, as far as it can be given up. */
export interface CancellableCall {
  cancel(): void;
}

/**
 * Cancels a call, also one that was made in this very turn. Until its filters have run, a few microtasks after the
 * start, grpc-js reports the cancellation but sends the call all the same, and nobody ever ends it then: the stream
 * would stay open for as long as the connection. So it is told again once they have; twice does no harm.
 */
export function cancelCall(call: CancellableCall): void {
  call.cancel();
  setImmediate(() => call.cancel());
}
