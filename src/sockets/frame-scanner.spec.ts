import { describe, expect, it } from '@jest/globals';
import { randomFrom } from '../../test/support/random.ts';
import { closeFrame, controlFrame, isCloseCode, Opcode, unmask } from './frame.ts';
import { FrameFault, FrameScanner, type FrameLimits } from './frame-scanner.ts';

const LIMITS: FrameLimits = {
  isMasked: false,
  isCompressed: false,
  maxFrameBytes: 1000,
  maxMessageBytes: 2000,
};

/** A frame, of a client if it is masked. */
function frame(first: number, payload: Buffer | string = '', isMasked = false): Buffer {
  const body = Buffer.from(payload);
  const length = body.length < 126 ? Buffer.from([body.length]) : Buffer.alloc(body.length < 65_536 ? 3 : 9);
  if (length.length === 3) length.writeUInt16BE(body.length, 1);
  if (length.length === 9) length.writeBigUInt64BE(BigInt(body.length), 1);
  if (length.length > 1) length[0] = length.length === 3 ? 126 : 127;
  const mask = Buffer.from(isMasked ? [1, 2, 3, 4] : []);
  if (isMasked) {
    length[0] = (length[0] as number) | 0x80;
    unmask(body, mask);
  }
  return Buffer.concat([Buffer.from([first]), length, mask, body]);
}

class Heard {
  readonly pieces: Buffer[] = [];
  messages = 0;
  controls: string[] = [];
  codes: number[] = [];
  stopsAt = Infinity;
  swallows = '';
  readonly scanner: FrameScanner;

  constructor(limits: Partial<FrameLimits> = {}) {
    this.scanner = new FrameScanner(
      { ...LIMITS, ...limits },
      {
        pass: (bytes) => {
          this.pieces.push(Buffer.from(bytes));
        },
        message: () => {
          this.messages += 1;
          return this.messages < this.stopsAt;
        },
        control: (opcode, payload) => {
          this.controls.push(`${opcode}:${String(payload)}`);
          return this.swallows === '' || String(payload) !== this.swallows;
        },
        goodbye: (code) => void this.codes.push(code),
      },
    );
  }

  get passed(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** What is said of the bytes: in one piece, or byte by byte. */
  fault(bytes: Buffer, size = bytes.length): string {
    try {
      for (let at = 0; at < bytes.length; at += size) this.scanner.scan(bytes.subarray(at, at + size));
      return '';
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      return `${error.code} ${error.message}`;
    }
  }
}

const text = (payload: string, fin = true): Buffer => frame(fin ? 0x81 : 0x01, payload);
const more = (payload: string, fin = true): Buffer => frame(fin ? 0x80 : 0x00, payload);
const close = (payload: Buffer | string = ''): Buffer => frame(0x88, payload);
const code = (value: number, reason = ''): Buffer =>
  Buffer.concat([Buffer.from([value >> 8, value & 255]), Buffer.from(reason, 'latin1')]);

describe(FrameScanner, () => {
  const good: readonly [string, Buffer, Partial<FrameLimits>?][] = [
    ['a text', text('hello')],
    ['an empty text', text('')],
    ['a text of 125 bytes', text('x'.repeat(125))],
    ['a text of 126 bytes', text('x'.repeat(126))],
    ['a frame of the largest size', text('x'.repeat(1000))],
    ['a message of the largest size', Buffer.concat([text('x'.repeat(1000), false), more('x'.repeat(1000))])],
    [
      'a frame with a length of 64 bits',
      text('x'.repeat(70_000)),
      { maxFrameBytes: 1e6, maxMessageBytes: 1e6 },
    ],
    [
      'fragments with a ping and a pong between',
      Buffer.concat([text('a', false), frame(0x89, 'p'), more('b', false), frame(0x8a, 'q'), more('c')]),
    ],
    ['a binary message after a text', Buffer.concat([text('a'), frame(0x82, 'b')])],
    ['a ping of 125 bytes', frame(0x89, 'x'.repeat(125))],
    [
      'masked frames of a client',
      Buffer.concat([frame(0x81, 'hi', true), frame(0x89, 'p', true), frame(0x88, code(1000, 'bye'), true)]),
      { isMasked: true },
    ],
    ['a compressed message', Buffer.concat([frame(0x41, 'a'), more('b')]), { isCompressed: true }],
    ['a goodbye without a code', close()],
    ['a goodbye of an application', close(code(4999, 'x'))],
    ['a goodbye of 125 bytes', close(code(1000, 'x'.repeat(123)))],
  ];
  it.each(good)('passes %s, however it is cut', (_, bytes, limits = {}) => {
    for (const size of [bytes.length, 1, 2, 3, 7]) {
      const heard = new Heard(limits);
      expect(heard.fault(bytes, size)).toBe('');
      expect(heard.passed.equals(bytes)).toBe(true);
    }
  });

  const bad: readonly [string, Buffer, string, Partial<FrameLimits>?][] = [
    ['a client that does not mask', text('a'), '1002 Not masked', { isMasked: true }],
    ['a service that masks', frame(0x81, 'a', true), '1002 Masked'],
    ['a reserved bit', frame(0xc1, 'a'), '1002 Reserved bits'],
    ['the second reserved bit, compressed', frame(0xa1, 'a'), '1002 Reserved bits', { isCompressed: true }],
    [
      'a compressed continuation',
      Buffer.concat([frame(0x41, 'a'), frame(0xc0, 'b')]),
      '1002 Reserved bits',
      { isCompressed: true },
    ],
    ['a compressed ping', frame(0xc9, 'a'), '1002 Reserved bits', { isCompressed: true }],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer, string] => [
      `opcode ${opcode}`,
      frame(0x80 | opcode),
      '1002 Reserved opcode',
    ]),
    ['a continuation of nothing', more('a'), '1002 Fragments out of order'],
    ['a continuation after the end', Buffer.concat([text('a'), more('b')]), '1002 Fragments out of order'],
    [
      'a message within a message',
      Buffer.concat([text('a', false), text('b')]),
      '1002 Fragments out of order',
    ],
    ['a fragment of a ping', frame(0x09, 'a'), '1002 Control frame too big'],
    ['a ping of 126 bytes', frame(0x89, 'x'.repeat(126)), '1002 Control frame too big'],
    ['a goodbye of a byte', close('x'), '1002 Invalid close code'],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((value): [string, Buffer, string] => [
      `goodbye ${value}`,
      close(code(value)),
      '1002 Invalid close code',
    ]),
    ['a goodbye of no UTF-8', close(code(1000, '\xff')), '1007 Invalid close reason'],
    ['a frame one byte too big', text('x'.repeat(1001)), '1009 Frame too big'],
    [
      'a message one byte too big',
      Buffer.concat([text('x'.repeat(1000), false), more('x'.repeat(1000), false), more('x')]),
      '1009 Message too big',
    ],
    ['a length of 16 bits for 125', Buffer.from([0x81, 126, 0, 125]), '1002 Length too long'],
    [
      'a length of 64 bits for 65535',
      Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255]),
      '1002 Length too long',
    ],
    [
      'a length with its first bit set',
      Buffer.from([0x81, 127, 128, 0, 0, 0, 0, 0, 0, 0]),
      '1002 Length too long',
    ],
    [
      'the largest length',
      Buffer.from([0x81, 127, 127, 255, 255, 255, 255, 255, 255, 255]),
      '1009 Frame too big',
    ],
    [
      'fragments without an end',
      Buffer.concat([text('', false), ...Array.from({ length: 16_384 }, () => more('', false))]),
      '1009 Too many fragments',
    ],
  ];
  it.each(bad)('stops at %s, and passes nothing of it', (_, bytes, fault, limits = {}) => {
    for (const size of [bytes.length, 1, 3]) {
      const [before, heard] = [text('before'), new Heard(limits)];
      const isMasked = limits.isMasked === true;
      if (!isMasked) expect(heard.fault(before)).toBe('');
      expect(heard.fault(bytes, size)).toBe(fault);
      expect(heard.passed.length).toBeLessThan((isMasked ? 0 : before.length) + bytes.length);
    }
  });

  it('looks at nothing after a goodbye, and passes nothing', () => {
    const heard = new Heard();
    expect(heard.fault(Buffer.concat([close(code(4321, 'why')), text('x'), frame(0xff)]))).toBe('');
    expect(heard.passed.equals(close(code(4321, 'why')))).toBe(true);
    expect([heard.codes, heard.messages, heard.scanner.isOver]).toEqual([[4321], 0, true]);
  });

  it('stops before a message that has to wait, and goes on where it stopped', () => {
    for (const size of [100, 1]) {
      const heard = new Heard();
      heard.stopsAt = 2;
      const bytes = Buffer.concat([text('one'), frame(0x89, 'p'), text('two'), text('three')]);
      let at = 0;
      while (at < bytes.length && heard.messages < 2) at += heard.scanner.scan(bytes.subarray(at, at + size));
      expect(heard.passed.equals(Buffer.concat([text('one'), frame(0x89, 'p')]))).toBe(true);
      heard.stopsAt = Infinity;
      heard.scanner.admit();
      heard.scanner.scan(bytes.subarray(at));
      expect([heard.passed.equals(bytes), heard.messages]).toEqual([true, 3]);
    }
  });

  it('puts frames in between, and after the one that is passing', () => {
    const heard = new Heard();
    const [whole, ping] = [text('abcdef'), controlFrame(Opcode.ping, Buffer.from('x'), false)];
    heard.scanner.insert(ping);
    heard.scanner.scan(whole.subarray(0, 4));
    heard.scanner.insert(ping);
    heard.scanner.scan(Buffer.concat([whole.subarray(4), whole]));
    expect(heard.passed.equals(Buffer.concat([ping, whole, ping, whole]))).toBe(true);
  });

  it('says a last word after the frame that is passing, and still hears a goodbye', () => {
    const heard = new Heard();
    const whole = text('abcdef');
    heard.scanner.scan(whole.subarray(0, 4));
    heard.scanner.finish(closeFrame(1012, 'Service restart', false));
    heard.scanner.scan(Buffer.concat([whole.subarray(4), whole, close(code(1012))]));
    expect(heard.passed.equals(Buffer.concat([whole, close(code(1012, 'Service restart'))]))).toBe(true);
    expect(heard.codes).toEqual([1012]);
  });

  it('keeps a pong to itself', () => {
    const heard = new Heard();
    heard.swallows = 'ours';
    heard.fault(Buffer.concat([frame(0x8a, 'ours'), text('a'), frame(0x8a, 'ours'), frame(0x8a, 'theirs')]));
    expect(heard.passed.equals(Buffer.concat([text('a'), frame(0x8a, 'theirs')]))).toBe(true);
  });

  it('passes whatever is sound and nothing else, of random frames in random pieces', () => {
    const random = randomFrom(6455);
    const some = (most: number): number => Math.floor(random() * most);
    for (let turn = 0; turn < 1000; turn += 1) {
      const isMasked = turn % 2 === 0;
      const heard = new Heard({ isMasked, isCompressed: some(2) === 0 });
      const bytes = Buffer.concat(
        Array.from({ length: 1 + some(6) }, () => {
          const first =
            some(8) === 0 ? some(256) : ([0x81, 0x82, 0x01, 0x80, 0x00, 0x89, 0x8a, 0x88][some(8)] as number);
          const one = frame(first, Buffer.alloc(some(9) === 0 ? some(1200) : some(20), some(256)), isMasked);
          if (some(10) === 0) one[some(one.length)] = some(256);
          return one;
        }),
      );
      const fault = heard.fault(bytes, 1 + some(40));
      expect(bytes.subarray(0, heard.passed.length).equals(heard.passed)).toBe(true);
      expect(fault === '' || /^10(02|07|09) /.test(fault)).toBe(true);
      // However it is cut, the same is said, and the same has passed.
      const again = new Heard({ isMasked, isCompressed: false });
      const other = new Heard({ isMasked, isCompressed: false });
      expect(again.fault(bytes)).toBe(other.fault(bytes, 1));
      expect(again.passed.equals(other.passed)).toBe(true);
    }
  });
});

it.each([
  [1000, true],
  [1003, true],
  [1004, false],
  [1005, false],
  [1006, false],
  [1007, true],
  [1014, true],
  [1015, false],
  [2999, false],
  [3000, true],
  [4999, true],
  [5000, false],
])('code %s may be said: %s', (value, may) => {
  expect(isCloseCode(value)).toBe(may);
});
