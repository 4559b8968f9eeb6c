const BYTE_ORDER_MARK = 0xfeff;

/**
 * A text of JSON without the byte order mark that it may begin with: nobody should write one, and a reader may pass over it
 * (RFC 8259 section 8.1). `JSON.parse` does not.
 */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}
