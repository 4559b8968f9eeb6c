import { isUtf8 } from 'node:buffer';
import { isCloseCode, MAX_CONTROL_BYTES, NO_CODE, Opcode, unmask } from './frame.ts';

/** What the frames of one side may be like. */
export interface FrameLimits {
  /** Whether they come from a client, which masks them (RFC 6455 section 5.1). */
  readonly isMasked: boolean;
  /** Whether both ends have agreed on `permessage-deflate`, which uses a reserved bit (RFC 7692 section 6). */
  readonly isCompressed: boolean;
  /** Largest payload of a frame, as it goes over the wire, in bytes. */
  readonly maxFrameBytes: number;
  /** Largest message, the payloads of its frames together, in bytes. */
  readonly maxMessageBytes: number;
}

/** Who hears of what was found. */
export interface FrameSink {
  /** Takes bytes that may travel on; they are only valid until it returns. */
  pass(bytes: Buffer): void;
  /** Hears that a message begins. @returns whether it may travel on now; else the scanner stops before it. */
  message(): boolean;
  /** Hears of a ping or a pong. @returns whether it may travel on. */
  control(opcode: number, payload: Buffer): boolean;
  /** Hears of a goodbye, before it travels on; nothing that follows it is looked at. */
  goodbye(code: number): void;
}

/** Something that no frame may be: what is said to its sender. */
export class FrameFault extends Error {
  /** As a goodbye says it. */
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** The longest head of a frame: two bytes, a length of eight, and a mask of four. */
const MAX_HEAD_BYTES = 14;
const MASK_BYTES = 4;
/** Frames of one message: without a bound, one that never ends costs nobody but who puts it together. */
const MAX_FRAGMENTS = 16_384;
const PROTOCOL_ERROR = 1002;
const INVALID_PAYLOAD = 1007;
const TOO_BIG = 1009;
const [SHORT, LONG] = [126, 127];

/** What becomes of a frame. `stop`: it is looked at again, once it may travel on. */
type Verdict = 'pass' | 'swallow' | 'stop';

/**
 * Reads the heads of frames (RFC 6455 section 5) as they pass, and nothing of what messages say: what comes goes on as it is,
 * in as few pieces as it came in. Only control frames are read as a whole; they are small. Strict where an end could read
 * another frame than we do.
 */
export class FrameScanner {
  readonly #limits: FrameLimits;
  readonly #sink: FrameSink;
  /** The beginning of a frame of which not enough has come; made when the first of them is cut. */
  #held: Buffer | undefined = undefined;
  #heldBytes = 0;
  /** What is left of the payload of a data frame. */
  #left = 0;
  #inMessage = false;
  #messageBytes = 0;
  #fragments = 0;
  #isAdmitted = false;
  #isOver = false;
  #isMuted = false;
  /** What is put in after the frame that is passing. */
  #waiting: Buffer[] = [];
  #mutesNext = false;

  constructor(limits: FrameLimits, sink: FrameSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** Whether its sender has said goodbye. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a frame that is put in goes out at once. */
  get isBetween(): boolean {
    return this.#left === 0;
  }

  /** Puts a frame in between, now or after the frame that is passing. Not after a goodbye. */
  insert(frame: Buffer): void {
    if (this.#isOver || this.#isMuted || this.#mutesNext) return;
    if (this.#left === 0) this.#sink.pass(frame);
    else this.#waiting.push(frame);
  }

  /** Puts a last frame in; nothing of its sender travels on after it. */
  finish(frame: Buffer): void {
    this.insert(frame);
    if (this.#left === 0) this.#isMuted = true;
    else this.#mutesNext = true;
  }

  /** Lets the message that it has stopped before travel on: the bytes that were left are to be read again. */
  admit(): void {
    this.#isAdmitted = true;
  }

  /**
   * Reads what comes.
   *
   * @returns how much of it was read: less than all, or nothing of nothing, when it stops before a message.
   * @throws {FrameFault} for what may not travel on; nothing of that frame does.
   */
  scan(bytes: Buffer): number {
    let at = 0;
    let from = 0;
    while (!this.#isOver) {
      if (this.#left > 0) {
        if (at === bytes.length) break;
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        at = end;
        if (this.#left === 0 && (this.#waiting.length > 0 || this.#mutesNext)) {
          this.#pass(bytes, from, at);
          from = at;
          this.#putIn();
        }
      } else if (this.#heldBytes > 0) {
        from = at = this.#fill(bytes, at);
        const held = this.#held as Buffer;
        if (this.#heldBytes < neededBytes(held, 0, this.#heldBytes)) break;
        const verdict = this.#judge(held, 0);
        if (verdict === 'stop') return at;
        const length = this.#heldBytes;
        this.#heldBytes = 0;
        if (verdict === 'pass') this.#pass(held, 0, length);
      } else {
        if (at === bytes.length) break;
        const needed = neededBytes(bytes, at, bytes.length - at);
        if (bytes.length - at < needed) {
          this.#hold(bytes, at);
          this.#pass(bytes, from, at);
          return bytes.length;
        }
        const verdict = this.#judgeNext(bytes, from, at);
        if (verdict === 'stop') return at;
        if (verdict === 'swallow') {
          this.#pass(bytes, from, at);
          from = at + needed;
        }
        at += needed;
      }
    }
    this.#pass(bytes, from, at);
    return bytes.length;
  }

  // What came before a frame that stops, or that is none, travels on.
  #judgeNext(bytes: Buffer, from: number, at: number): Verdict {
    let verdict: Verdict | undefined;
    try {
      verdict = this.#judge(bytes, at);
      return verdict;
    } finally {
      if (verdict === undefined || verdict === 'stop') this.#pass(bytes, from, at);
    }
  }

  #judge(bytes: Buffer, at: number): Verdict {
    const [first, second] = [bytes[at] as number, bytes[at + 1] as number];
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const isControl = opcode >= Opcode.close;
    if (((second & 0x80) !== 0) !== this.#limits.isMasked)
      throw new FrameFault(PROTOCOL_ERROR, this.#limits.isMasked ? 'Not masked' : 'Masked');
    const isData = opcode === Opcode.text || opcode === Opcode.binary;
    const mayHave = isData && this.#limits.isCompressed ? 0x40 : 0;
    if ((first & 0x70 & ~mayHave) !== 0) throw new FrameFault(PROTOCOL_ERROR, 'Reserved bits');
    if (isControl) return this.#control(bytes, at, opcode, isFinal);
    if (!isData && opcode !== Opcode.continuation) throw new FrameFault(PROTOCOL_ERROR, 'Reserved opcode');
    if (isData === this.#inMessage) throw new FrameFault(PROTOCOL_ERROR, 'Fragments out of order');
    const length = payloadLength(bytes, at);
    this.#checkSize(length, isData);
    if (isData && !this.#isMuted && !this.#isAdmitted && !this.#sink.message()) return 'stop';
    this.#isAdmitted = false;
    this.#left = length;
    this.#messageBytes = isData ? length : this.#messageBytes + length;
    this.#fragments = isData ? 1 : this.#fragments + 1;
    this.#inMessage = !isFinal;
    return 'pass';
  }

  #checkSize(length: number, isFirst: boolean): void {
    const { maxFrameBytes, maxMessageBytes } = this.#limits;
    if (length > maxFrameBytes) throw new FrameFault(TOO_BIG, 'Frame too big');
    if (length + (isFirst ? 0 : this.#messageBytes) > maxMessageBytes)
      throw new FrameFault(TOO_BIG, 'Message too big');
    if (!isFirst && this.#fragments >= MAX_FRAGMENTS) throw new FrameFault(TOO_BIG, 'Too many fragments');
  }

  #control(bytes: Buffer, at: number, opcode: number, isFinal: boolean): Verdict {
    const length = (bytes[at + 1] as number) & 0x7f;
    if (!isFinal || length > MAX_CONTROL_BYTES) throw new FrameFault(PROTOCOL_ERROR, 'Control frame too big');
    if (opcode > Opcode.pong) throw new FrameFault(PROTOCOL_ERROR, 'Reserved opcode');
    const start = at + 2 + (this.#limits.isMasked ? MASK_BYTES : 0);
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (this.#limits.isMasked) unmask(payload, bytes.subarray(at + 2, start));
    if (opcode !== Opcode.close) return this.#sink.control(opcode, payload) ? 'pass' : 'swallow';
    this.#sink.goodbye(codeOf(payload));
    this.#isOver = true;
    return 'pass';
  }

  #putIn(): void {
    for (const frame of this.#waiting) this.#pass(frame, 0, frame.length);
    this.#waiting = [];
    this.#isMuted = this.#mutesNext;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (to > from && !this.#isMuted) this.#sink.pass(bytes.subarray(from, to));
  }

  #hold(bytes: Buffer, at: number): void {
    this.#held ??= Buffer.allocUnsafeSlow(MAX_HEAD_BYTES + MAX_CONTROL_BYTES);
    this.#heldBytes = bytes.copy(this.#held, 0, at);
  }

  /** Adds to what is held, as much as its frame needs. @returns where the rest begins. */
  #fill(bytes: Buffer, at: number): number {
    const held = this.#held as Buffer;
    // Twice: the first two bytes say how many more are needed.
    for (let turn = 0; turn < 2; turn += 1) {
      const missing = neededBytes(held, 0, this.#heldBytes) - this.#heldBytes;
      if (missing <= 0) return at;
      const copied = bytes.copy(held, this.#heldBytes, at, Math.min(bytes.length, at + missing));
      this.#heldBytes += copied;
      at += copied;
    }
    return at;
  }
}

/** How many bytes are needed to judge a frame: its head, and of a control frame all. */
function neededBytes(bytes: Buffer, at: number, available: number): number {
  if (available < 2) return 2;
  const second = bytes[at + 1] as number;
  const length = second & 0x7f;
  const head = 2 + (length === LONG ? 8 : length === SHORT ? 2 : 0) + (second & 0x80 ? MASK_BYTES : 0);
  const isControl = ((bytes[at] as number) & 0x08) !== 0;
  return isControl && length <= MAX_CONTROL_BYTES ? head + length : head;
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] as number) & 0x7f;
  if (length < SHORT) return length;
  if (length === SHORT) {
    const short = bytes.readUInt16BE(at + 2);
    // RFC 6455 section 5.2: one length has one form.
    if (short < SHORT) throw new FrameFault(PROTOCOL_ERROR, 'Length too long');
    return short;
  }
  const high = bytes.readUInt32BE(at + 2);
  const low = bytes.readUInt32BE(at + 6);
  if (high >= 0x8000_0000 || (high === 0 && low <= 0xffff))
    throw new FrameFault(PROTOCOL_ERROR, 'Length too long');
  return high * 0x1_0000_0000 + low;
}

function codeOf(payload: Buffer): number {
  if (payload.length === 0) return NO_CODE;
  const code = payload.length === 1 ? 0 : payload.readUInt16BE();
  if (!isCloseCode(code)) throw new FrameFault(PROTOCOL_ERROR, 'Invalid close code');
  if (!isUtf8(payload.subarray(2))) throw new FrameFault(INVALID_PAYLOAD, 'Invalid close reason');
  return code;
}
