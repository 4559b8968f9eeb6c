const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What frames a message or concerns one connection or client, and is never stored. */
const NEVER_STORED =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|set-cookie)$/i;
const NO_CONTENT = 204;

/**
 * Whether header fields, a flat list, can be sent as they are with a body of a length: whoever can write to Redis can say
 * anything, and a length that is not that of the body would have one answer taken for two.
 */
export function isSendable(status: number, headers: readonly string[], length: number): boolean {
  if (headers.length % 2 !== 0) return false;
  const lengths: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value) || NEVER_STORED.test(name)) return false;
    if (name.toLowerCase() === 'content-length') lengths.push(value);
  }
  return status === NO_CONTENT
    ? length === 0 && lengths.length === 0
    : lengths.length === 1 && lengths[0] === String(length);
}
