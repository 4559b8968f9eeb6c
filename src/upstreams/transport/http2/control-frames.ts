import { constants } from 'node:http2';
import { FLAG, MAX_31_BITS, type Frame } from './frames.ts';
import { ProtocolFault } from './http2-faults.ts';

const {
  NGHTTP2_PROTOCOL_ERROR: PROTOCOL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR: FRAME_SIZE_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM: ENHANCE_YOUR_CALM,
} = constants;

/** Settings of one frame: several times as many as there are. Each may move the windows of all streams. */
const MAX_SETTINGS = 32;

/** Whether a frame confirms one of ours. */
export function isAck({ flags }: Frame): boolean {
  return (flags & FLAG.ack) !== 0;
}

/** Reads settings, identifiers and values in turn (RFC 9113 section 6.5). @throws {ProtocolFault} */
export function settingsOf(frame: Frame): readonly (readonly [id: number, value: number])[] {
  const { payload } = frame;
  refuseStream(frame, 'settings');
  if (payload.length % 6 !== 0 || (isAck(frame) && payload.length > 0)) throw sizeFault(frame, 'settings');
  if (payload.length > MAX_SETTINGS * 6)
    throw new ProtocolFault(ENHANCE_YOUR_CALM, `${payload.length / 6} settings at once`);
  const settings: [number, number][] = [];
  for (let at = 0; at < payload.length; at += 6)
    settings.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]);
  return settings;
}

/** Reads the eight bytes of a ping (RFC 9113 section 6.7). @throws {ProtocolFault} */
export function pingOf(frame: Frame): Buffer {
  refuseStream(frame, 'a ping');
  if (frame.payload.length !== 8) throw sizeFault(frame, 'a ping');
  return frame.payload;
}

/** Reads the last stream that the other side will answer (RFC 9113 section 6.8). @throws {ProtocolFault} */
export function lastStreamOf(frame: Frame): number {
  refuseStream(frame, 'a farewell');
  if (frame.payload.length < 8) throw sizeFault(frame, 'a farewell');
  return frame.payload.readUInt32BE(0) & MAX_31_BITS;
}

/** Reads the one number of a reset or a window update (RFC 9113 sections 6.4 and 6.9). @throws {ProtocolFault} */
export function numberOf(frame: Frame): number {
  if (frame.payload.length !== 4) throw sizeFault(frame, 'a number');
  return frame.payload.readUInt32BE(0);
}

function refuseStream({ stream }: Frame, what: string): void {
  if (stream !== 0) throw new ProtocolFault(PROTOCOL_ERROR, `${what} of one stream`);
}

function sizeFault({ payload }: Frame, what: string): ProtocolFault {
  return new ProtocolFault(FRAME_SIZE_ERROR, `${what} of ${payload.length} bytes`);
}
