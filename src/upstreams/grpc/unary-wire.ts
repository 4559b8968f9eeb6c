import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http';
import { constants } from 'node:http2';
import { gunzip, gzipSync, inflate } from 'node:zlib';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { ConnectionLost, StreamReset } from '../transport/http2/http2-faults.ts';
import type { GrpcEnd } from './grpc-faults.ts';

/** Largest message that is accepted, in bytes, also after decompression: the limit of grpc-js. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Flag of one byte and length of four, before every message (gRPC over HTTP/2, Length-Prefixed-Message). */
export const PREFIX_BYTES = 5;

/** What a message is compressed with, as far as it is understood here. */
const DECOMPRESSORS = { gzip: gunzip, deflate: inflate } as const;

/** The header fields that every call has; gzip and deflate are what {@link readMessage} understands. */
export const UNARY_FIELDS: readonly string[] = Object.freeze([
  'content-type', 'application/grpc',
  'te', 'trailers',
  'user-agent', 'gatehouse',
  'grpc-accept-encoding', 'identity,deflate,gzip',
]); // prettier-ignore

/** Puts the prefix of an uncompressed message before its bytes. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Below this, compression makes messages larger. */
const COMPRESSED_FROM_BYTES = 1024;

/** The same, compressed with gzip where that helps; the first byte says whether it is. */
export function framedWithGzip(message: Uint8Array): Buffer {
  if (message.length < COMPRESSED_FROM_BYTES) return framed(message);
  const frame = framed(gzipSync(message));
  frame[0] = 1;
  return frame;
}

/**
 * Reads the one message of an answer.
 *
 * @param done gets the bytes of the message, or what is wrong with it; called at once unless it is compressed.
 */
export function readMessage(
  body: Buffer,
  encoding: string | undefined,
  done: (fault: Error | null, message?: Uint8Array) => void,
): void {
  if (body.length < PREFIX_BYTES || body.readUInt32BE(1) !== body.length - PREFIX_BYTES)
    return done(new PlainFault('the answer is not one message'));
  const message = body.subarray(PREFIX_BYTES);
  if (body[0] === 0) return done(null, message);
  if (encoding !== 'gzip' && encoding !== 'deflate')
    return done(new PlainFault('the message is compressed in a way that was not offered'));
  DECOMPRESSORS[encoding](message, { maxOutputLength: MAX_MESSAGE_BYTES }, done);
}

/** The value of `grpc-timeout`: at most eight digits and a unit. */
export function timeoutText(leftMs: number): string {
  const ms = Math.max(1, Math.ceil(leftMs));
  return ms < 1e8 ? `${ms}m` : `${Math.min(99_999_999, Math.ceil(ms / 1000))}S`;
}

/** A status as it has to be written (gRPC over HTTP/2, Status). */
const STATUS = /^(?:0|[1-9]\d?)$/;

/**
 * Reads how a call ended from its trailers, or from the head when that is all there is. Without a status of gRPC
 * the one of HTTP decides (grpc/grpc doc/http-grpc-status-mapping.md).
 */
export function endOf(httpStatus: number, head: IncomingHttpHeaders, trailers: IncomingHttpHeaders): GrpcEnd {
  const code = trailers['grpc-status'] ?? head['grpc-status'];
  if (typeof code !== 'string') {
    const details = `the answer has no grpc-status, and the HTTP status is ${httpStatus}`;
    return { code: HTTP_STATUS[httpStatus] ?? status.UNKNOWN, details };
  }
  const details = trailers['grpc-message'] ?? head['grpc-message'];
  const typed = trailers['grpc-status-details-bin'] ?? head['grpc-status-details-bin'];
  return {
    // Fails closed: a number is only what looks like one, for an empty text would be the 0 of OK.
    code: STATUS.test(code) ? Number(code) : status.UNKNOWN,
    details: typeof details === 'string' ? decoded(details) : '',
    typed: typeof typed === 'string' ? typed : undefined,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A service that does not encode its percent signs still gets its text into the log.
    return text;
  }
}

const HTTP_STATUS: Readonly<Record<number, status>> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
};

/** Codes of RST_STREAM and what they mean (gRPC over HTTP/2, Errors); others are INTERNAL. */
const STREAM_ERRORS: Readonly<Record<number, status>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: status.UNAVAILABLE,
  [constants.NGHTTP2_CANCEL]: status.CANCELLED,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: status.RESOURCE_EXHAUSTED,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: status.PERMISSION_DENIED,
};

/** Says how a call ended whose connection or stream failed, before its answer began or after it. */
export function endOfError(error: Error, hasBegun = false): GrpcEnd {
  const details = error.message;
  if (error instanceof StreamReset) {
    const wasProcessed = error.http2ErrorCode !== constants.NGHTTP2_REFUSED_STREAM;
    return { code: STREAM_ERRORS[error.http2ErrorCode] ?? status.INTERNAL, details, wasProcessed };
  }
  const wasProcessed = !(error instanceof ConnectionLost) || error.wasOpen;
  return { code: status.UNAVAILABLE, details, wasProcessed, isConnection: !hasBegun };
}
