import { randomFillSync } from 'node:crypto';

/** Opcodes of RFC 6455 section 5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Longest payload of a control frame, in bytes. */
export const MAX_CONTROL_BYTES = 125;
/** The code of a socket that was closed without one, which never goes over the wire (RFC 6455 section 7.4.1). */
export const NO_CODE = 1005;
/** The code of a socket that ended without a word; never goes over the wire either. */
export const ABNORMAL = 1006;

const FIN = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;
const NEVER_SENT: ReadonlySet<number> = new Set([1004, NO_CODE, ABNORMAL]);
const [FIRST_CODE, LAST_CODE, FIRST_FREE_CODE, LAST_FREE_CODE] = [1000, 1014, 3000, 4999];

/** Makes a control frame. @param isMasked whether it goes to a server. */
export function controlFrame(opcode: number, payload: Buffer, isMasked: boolean): Buffer {
  const head = isMasked ? 2 + MASK_BYTES : 2;
  const frame = Buffer.allocUnsafe(head + payload.length);
  frame[0] = FIN | opcode;
  frame[1] = (isMasked ? MASKED : 0) | payload.length;
  payload.copy(frame, head);
  if (!isMasked) return frame;
  // Unpredictable, as RFC 6455 section 5.3 wants it.
  randomFillSync(frame, 2, MASK_BYTES);
  unmask(frame.subarray(head), frame.subarray(2, head));
  return frame;
}

/** Makes a goodbye. @param reason short, of ASCII. */
export function closeFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const payload = Buffer.alloc(2 + Math.min(reason.length, MAX_CONTROL_BYTES - 2));
  payload.writeUInt16BE(code);
  payload.write(reason, 2, 'latin1');
  return controlFrame(Opcode.close, payload, isMasked);
}

/** Takes a mask off, in place, or puts it on. */
export function unmask(payload: Buffer, mask: Buffer): void {
  for (let i = 0; i < payload.length; i += 1)
    payload[i] = (payload[i] as number) ^ (mask[i % MASK_BYTES] as number);
}

/** Whether a code may stand in a goodbye (RFC 6455 section 7.4, and what IANA has registered since). */
export function isCloseCode(code: number): boolean {
  if (code >= FIRST_FREE_CODE && code <= LAST_FREE_CODE) return true;
  return code >= FIRST_CODE && code <= LAST_CODE && !NEVER_SENT.has(code);
}
