/** Media types of answers that go on for as long as somebody listens: events, records, pictures in place of each other, calls of gRPC. */
const STREAM_TYPE =
  /^\s*(?:text\/event-stream|multipart\/x-mixed-replace|application\/(?:x-ndjson|ndjson|jsonl|json-seq|stream\+json|grpc(?:[-+][\w.+-]+)?|connect\+[\w.-]+))\s*(?:;|$)/i;
/** Subscriptions of GraphQL over multipart. */
const SUBSCRIPTION = /^\s*multipart\/mixed\s*;.*\bsubscriptionspec=/i;

/** Whether a media type says that an answer is a stream, which need not have an end. */
export function isStreamType(type: string | undefined): boolean {
  return type !== undefined && (STREAM_TYPE.test(type) || SUBSCRIPTION.test(type));
}
