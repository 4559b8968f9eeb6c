/** An answer that is not what HTTP/1.1 allows. */
export class MalformedAnswer extends Error {
  readonly code = 'MALFORMED_ANSWER';

  constructor(why: string) {
    super(`the answer cannot be read: ${why}`);
  }
}

/** A connection that ended before its answer did. */
export class ConnectionEnded extends Error {
  readonly code: string;

  /** @param cause what the system says, if anything. */
  constructor(why: string, cause?: NodeJS.ErrnoException) {
    super(cause === undefined ? why : `${why}: ${cause.message || (cause.code ?? cause.name)}`, { cause });
    this.code = cause?.code ?? 'CONNECTION_ENDED';
  }
}

/** A service that was silent for too long. */
export class SilentService extends Error {
  readonly code = 'SILENT_SERVICE';

  /** @param where what it was silent before, or in. */
  constructor(where: string) {
    super(`the service was silent for too long ${where}`);
  }
}
