import { constants } from 'node:http2';
import type { BodySender } from './body-sender.ts';
import { settingsOf } from './control-frames.ts';
import type { Frame } from './frames.ts';
import type { OpenStreams } from './open-streams.ts';

const {
  NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE: INITIAL_WINDOW_SIZE,
  NGHTTP2_SETTINGS_MAX_FRAME_SIZE: MAX_FRAME_SIZE,
  NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS: MAX_CONCURRENT_STREAMS,
} = constants;

/**
 * Goes by what the other side asks for (RFC 9113 section 6.5.2).
 *
 * @returns whether more or fewer streams fit now.
 * @throws {ProtocolFault} for what nobody may ask for.
 */
export function applySettings(frame: Frame, bodies: BodySender, streams: OpenStreams): boolean {
  let hasLimit = false;
  for (const [id, value] of settingsOf(frame)) {
    if (id === INITIAL_WINDOW_SIZE) bodies.setInitialWindow(value, streams.all());
    else if (id === MAX_FRAME_SIZE) bodies.setFrameBytes(value);
    else if (id === MAX_CONCURRENT_STREAMS) {
      streams.limit = value;
      hasLimit = true;
    }
  }
  return hasLimit;
}
