import { constants } from 'node:http2';

const CODES: Readonly<Record<number, string>> = {
  [constants.NGHTTP2_NO_ERROR]: 'NO_ERROR',
  [constants.NGHTTP2_PROTOCOL_ERROR]: 'PROTOCOL_ERROR',
  [constants.NGHTTP2_INTERNAL_ERROR]: 'INTERNAL_ERROR',
  [constants.NGHTTP2_FLOW_CONTROL_ERROR]: 'FLOW_CONTROL_ERROR',
  [constants.NGHTTP2_SETTINGS_TIMEOUT]: 'SETTINGS_TIMEOUT',
  [constants.NGHTTP2_STREAM_CLOSED]: 'STREAM_CLOSED',
  [constants.NGHTTP2_FRAME_SIZE_ERROR]: 'FRAME_SIZE_ERROR',
  [constants.NGHTTP2_REFUSED_STREAM]: 'REFUSED_STREAM',
  [constants.NGHTTP2_CANCEL]: 'CANCEL',
  [constants.NGHTTP2_COMPRESSION_ERROR]: 'COMPRESSION_ERROR',
  [constants.NGHTTP2_CONNECT_ERROR]: 'CONNECT_ERROR',
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: 'ENHANCE_YOUR_CALM',
  [constants.NGHTTP2_INADEQUATE_SECURITY]: 'INADEQUATE_SECURITY',
  [constants.NGHTTP2_HTTP_1_1_REQUIRED]: 'HTTP_1_1_REQUIRED',
};

/** A stream that ended before its answer did, by its own side or the other's (RFC 9113 section 7). */
export class StreamReset extends Error {
  readonly http2ErrorCode: number;

  constructor(http2ErrorCode: number, why = 'the target reset the stream') {
    super(`${why}: ${CODES[http2ErrorCode] ?? http2ErrorCode}`);
    this.http2ErrorCode = http2ErrorCode;
  }
}

/** A connection that ended under its streams, or never was. */
export class ConnectionLost extends Error {
  /** Whether the target can have begun with what was asked. */
  readonly wasOpen: boolean;
  /** Of the error of the socket, for the log. */
  readonly code: string | undefined;

  constructor(wasOpen: boolean, why: string, cause?: NodeJS.ErrnoException) {
    super(cause === undefined ? why : `${why}: ${reasonOf(cause)}`, { cause });
    this.wasOpen = wasOpen;
    this.code = cause?.code;
  }
}

/** What the other side must not send: ends the connection with a code. */
export class ProtocolFault extends Error {
  readonly http2ErrorCode: number;

  constructor(http2ErrorCode: number, why: string) {
    super(why);
    this.http2ErrorCode = http2ErrorCode;
  }
}

// Errors of several addresses have a code and no message.
function reasonOf({ message, code, name }: NodeJS.ErrnoException): string {
  return message || (code ?? name);
}
