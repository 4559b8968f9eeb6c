import { constants } from 'node:http2';
import type { FrameWriter } from './frame-writer.ts';
import { FRAME } from './frames.ts';
import { MAX_HEADER_BYTES } from './header-assembly.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** More than any answer that is accepted: each body has its own bound, and windows bound nothing here. */
export const STREAM_WINDOW = 8 * 1024 * 1024;
/** The window of a whole connection. */
export const CONNECTION_WINDOW = 64 * 1024 * 1024;
const DEFAULT_WINDOW = 65_535;

/**
 * Says first what a client has to say, and what it asks for (RFC 9113 section 3.4).
 *
 * @param streamWindow how much of an answer may be under way that nobody has taken.
 */
export function greet(writer: FrameWriter, streamWindow: number): void {
  writer.raw(PREFACE);
  writer.settings([
    [constants.NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0],
    [constants.NGHTTP2_SETTINGS_ENABLE_PUSH, 0],
    [constants.NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, streamWindow],
    [constants.NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
  ]);
  writer.numbers(FRAME.windowUpdate, 0, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
}
