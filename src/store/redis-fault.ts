import { errorName } from '../telemetry/error-facts.ts';

const REPLY_CODE = /^[A-Z]{2,}(?= )/;
/** Redis before its seventh version puts the code of what failed in a script into a text. */
const IN_SCRIPT = /^ERR Error running script .*?: ([A-Z]{2,}) /;
/** What ioredis says without a connection; it names options of it, which tells an operator nothing. */
const NOT_CONNECTED =
  /enableOfflineQueue|Connection is closed|maxRetriesPerRequest|startup nodes|Cluster is ended|aborted due to connection close/;
const TIMEOUT = /Socket timeout/;
/**
 * Answers to one call that say nothing of those for others: a key of another type or with something else in it, keys that lie
 * apart or are on their way to another node.
 */
const OF_ONE_CALL = /^(?:WRONGTYPE|CROSSSLOT|MOVED|ASK|TRYAGAIN)\b/;
const OF_ONE_KEY = /value is not an? (?:valid )?(?:integer|float)|increment or decrement would overflow/;

/**
 * Says in a word what went wrong with Redis: the code that its error begins with, such as `WRONGPASS`, or that of the
 * connection. The text behind it stays out of the log, because Redis quotes commands and what they were given there.
 */
export function redisFault(error: unknown): string {
  if (!Error.isError(error)) return errorName(error);
  if (isUnsent(error)) return 'there is no connection';
  if (TIMEOUT.test(error.message)) return 'silent for too long';
  return codeOf(error) ?? errorName(error);
}

/** Whether it failed because there is no connection, which costs no time. */
export function isUnsent(error: unknown): boolean {
  return Error.isError(error) && error.name !== 'ReplyError' && NOT_CONNECTED.test(error.message);
}

/** Whether Redis has answered, and has said no to this call alone: others may do well. */
export function isOfOneCall(error: unknown): boolean {
  if (!isReply(error)) return false;
  return OF_ONE_CALL.test(codeOf(error) ?? '') || OF_ONE_KEY.test(error.message);
}

/** Whether Redis has answered, with an error. */
export function isReply(error: unknown): error is Error {
  return Error.isError(error) && error.name === 'ReplyError';
}

function codeOf(error: Error): string | undefined {
  if (!isReply(error)) return undefined;
  return IN_SCRIPT.exec(error.message)?.[1] ?? REPLY_CODE.exec(error.message)?.[0];
}
