const LONGEST_NAME = 80;
const CODE = /^[A-Z][A-Z0-9_]*$/;
const PROBLEM_CODE = /^[a-z-]+$/;
/** How an error with a number for a code begins when that is a status of gRPC; what follows is the service's. */
const GRPC_STATUS = /^(?:\d{1,2} )?([A-Z_]{2,20}): /;
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const FRAME = /^ {4}at /;
const MAX_FRAMES = 20;
const MAX_CAUSES = 5;

/**
 * An error whose message holds nothing but names of the configuration and of schemas, words of ours and numbers. Log lines show it;
 * of any other error they show what {@link errorName} and {@link errorFacts} let through.
 */
export class PlainFault extends Error {
  override readonly name = 'PlainFault';
}

/** What log lines show of an error that nobody foresaw. */
export interface ErrorFacts {
  /** Its class. */
  readonly type: string;
  readonly code?: string;
  /** Only of an error that was made for the log, or where the operator asked for messages. */
  readonly message?: string;
  /** Where it was thrown, without the message that stacks begin with. */
  readonly stack?: string;
  readonly cause?: ErrorFacts;
}

/**
 * Names an error in one short word: its code, else its class. Never its message: libraries quote there what they could
 * not read, and that is a token, a body or an upstream's text.
 */
export function errorName(error: unknown): string {
  if (error instanceof PlainFault) return error.message;
  if (!Error.isError(error)) return typeof error;
  return codeOf(error) ?? classOf(error);
}

/**
 * What a log line may hold of an error: class, code, and the places of the code that threw it, also of its causes.
 * Other fields of the error are left out (fail closed): clients of HTTP and of databases keep whole requests there.
 *
 * @param withMessages whether the operator asked for messages, which may quote what clients sent.
 */
export function errorFacts(error: unknown, withMessages = false, depth = 0): ErrorFacts {
  if (!Error.isError(error)) return { type: typeof error, ...(withMessages && { message: String(error) }) };
  const { cause } = error;
  const [code, stack] = [codeOf(error), framesOf(error)];
  const shown = withMessages || error instanceof PlainFault;
  return {
    type: classOf(error),
    ...(code === undefined ? {} : { code }),
    ...(shown ? { message: error.message } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: errorFacts(cause, withMessages, depth + 1) }),
  };
}

/**
 * The lines of a stack that say where. A message that has lines of its own could look like them, so that what is not
 * certainly below the message is left out (fail closed).
 */
function framesOf({ stack = '', message }: Error): string | undefined {
  const at = stack.indexOf(message);
  if (at < 0) return undefined;
  const lines = stack.slice(at + message.length).split('\n');
  return (
    lines
      .filter((line) => FRAME.test(line))
      .slice(0, MAX_FRAMES)
      .join('\n') || undefined
  );
}

function codeOf(error: Error & { readonly code?: unknown }): string | undefined {
  // Theirs is a number that has been out of use for long; the name says more.
  if (Object.prototype.toString.call(error) === '[object DOMException]') return undefined;
  const { code, message } = error;
  if (typeof code === 'number' && Number.isSafeInteger(code))
    return GRPC_STATUS.exec(message)?.[1] ?? String(code);
  const allowed = error.name === 'Problem' ? PROBLEM_CODE : CODE;
  return typeof code === 'string' && code.length <= LONGEST_NAME && allowed.test(code) ? code : undefined;
}

function classOf({ name, constructor }: Error): string {
  return [name, constructor?.name].find((one) => one?.length <= LONGEST_NAME && NAME.test(one)) ?? 'Error';
}
