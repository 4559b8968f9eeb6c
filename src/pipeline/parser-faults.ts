import { METHODS } from 'node:http';
import type { ProblemCode } from '../problems/catalogue.ts';

const NEWLINE = 0x0a;
const METHOD_CODE = 'HPE_INVALID_METHOD';
/** Of methods that belong to other protocols of the same form. */
const METHOD_REASON = 'Invalid method for HTTP/x.x request';

/** A line that only its method keeps from being a request line (RFC 9112 section 3), and what may become one. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/1\.[01]\r?\n$/;
const BEGUN_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: \S*(?: [HTP/1.]*)?)?\r?$/;
/** What cannot be a header field: a method and a target that has not ended. */
const LONG_LINE = new RegExp(`^(?:${METHODS.join('|')}) [^\\s]*$`);

/** What the HTTP parser of Node says about what it cannot read. */
export interface ParserFault extends NodeJS.ErrnoException {
  readonly reason?: string;
  /** What was read last, and how far the parser has come in it. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** What an error of the parser is to the client; whatever is not known is `request-malformed`. */
export function codeOf(fault: ParserFault): ProblemCode {
  if (fault.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  if (fault.code === 'HPE_HEADER_OVERFLOW')
    return LONG_LINE.test(lineOf(fault, 'begun')) ? 'uri-too-long' : 'headers-too-large';
  if (fault.code !== METHOD_CODE && fault.reason !== METHOD_REASON) return 'request-malformed';
  const line = lineOf(fault, 'whole');
  const isHttp = line.endsWith('\n') ? REQUEST_LINE.test(line) : BEGUN_LINE.test(line);
  return isHttp ? 'method-not-implemented' : 'request-malformed';
}

/** The line that the parser has failed at, as far as it has `begun` by then or as a `whole`; {@link LongLines} sees what comes. */
function lineOf({ rawPacket, bytesParsed = 0 }: ParserFault, part: 'begun' | 'whole'): string {
  if (rawPacket === undefined) return '';
  const start = rawPacket.subarray(0, bytesParsed).lastIndexOf(NEWLINE) + 1;
  if (part === 'begun') return rawPacket.toString('latin1', start, bytesParsed);
  const end = rawPacket.indexOf(NEWLINE, start);
  return rawPacket.toString('latin1', start, end < 0 ? rawPacket.length : end + 1);
}
