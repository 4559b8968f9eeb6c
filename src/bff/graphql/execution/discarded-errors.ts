import { GraphQLError } from 'graphql';

/** The part of the process that tells of promises whose rejection nobody handles. */
type Rejections = Pick<NodeJS.EventEmitter, 'on' | 'off' | 'listenerCount'>;

const EVENT = 'unhandledRejection';

/** One listener for all drivers of a process: each would take the others for somebody who decides. */
const shared = new WeakMap<Rejections, { readonly hear: (reason: unknown) => void; users: number }>();

/**
 * Keeps the process alive when graphql-js drops an error. Once an element of a `[T!]` has made its list `null`, it
 * stops there and forgets the elements that are still under way; when one of them fails later, nobody hears of it, and
 * Node ends the process. Any service could cause that with its data. The error itself is of no use: the place that it
 * belongs to is `null` already, with an error that says why.
 *
 * Every other rejection ends the process as it would without this.
 *
 * @returns what ends it; the listener goes with its last user.
 */
export function ignoreDiscardedErrors(events: Rejections = process): () => void {
  const listener = shared.get(events) ?? { hear: hearOf(events), users: 0 };
  shared.set(events, listener);
  if (listener.users === 0) events.on(EVENT, listener.hear);
  listener.users += 1;
  return () => {
    listener.users -= 1;
    if (listener.users === 0) events.off(EVENT, listener.hear);
  };
}

function hearOf(events: Rejections): (reason: unknown) => void {
  return (reason) => {
    // Only graphql-js makes errors with a place in an answer.
    if (reason instanceof GraphQLError && reason.path !== undefined) return;
    // As without a listener; others who listen decide for themselves.
    if (events.listenerCount(EVENT) === 1) throw reason;
  };
}
