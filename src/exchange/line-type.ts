const LINES_TYPE = /^application\/(?:x-ndjson|ndjson|jsonl)\s*(?:;|$)/i;

/** Whether a media type says that a body is a value of JSON on each line. */
export function comesInLines(type: string | undefined): boolean {
  return type !== undefined && LINES_TYPE.test(type);
}
