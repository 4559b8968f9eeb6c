import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { kindsMessage } from './kinds-server.ts';

/** How deep messages are nested before fields of messages stay empty. */
const MAX_DEPTH = 4;

const TEXTS = [
  '',
  'a',
  'grüße',
  '👋🏽',
  '"\\/\b\f\n\r\t',
  '\u0000\u001f\u007f',
  '\u2028\u2029',
  '__proto__',
  'a.b/c~d',
];
const PATHS = ['a', 'snake_case', 'a.b_c', 'deep.er.path_x'];
const TYPES = ['Deep', 'Nested', 'AllKinds', 'google.protobuf.Duration', 'google.protobuf.Value', 'google.protobuf.Any', 'google.protobuf.Empty', 'google.protobuf.Int64Value', 'google.protobuf.Struct']; // prettier-ignore
const DOUBLES = [
  NaN,
  Infinity,
  -Infinity,
  5e-324,
  1.7976931348623157e308,
  0.1,
  1e21,
  1e-7,
  123456789012345680,
];
const FLOATS = [NaN, Infinity, -Infinity, 1.401298464324817e-45, 3.4028234663852886e38, 0.1, 16777216, 1e10];
const INT32 = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const INT64 = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const UINT32 = [0, 1, 2 ** 31, 2 ** 32 - 1];
const UINT64 = [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n];

/**
 * Makes messages in their binary form, of every kind of field that their type has; the same ones for the same seed.
 * Written field by field, without the library that the gateway reads them with. Zeros have no sign, which JSON of
 * JavaScript does not keep.
 */
export class RandomMessages {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** One message. */
  message(type: DescMessage, depth = 0): Uint8Array {
    const writer = new BinaryWriter();
    const special = this.#special(type, writer, depth);
    if (special) return writer.finish();
    // A few fields of the many, so that messages stay readable when a test fails.
    const share = Math.min(1, 6 / type.members.length);
    for (const member of type.members) {
      if (!this.#chance(share)) continue;
      this.#field(writer, member.kind === 'oneof' ? this.#one(member.fields) : member, depth);
    }
    return writer.finish();
  }

  #field(writer: BinaryWriter, field: DescField, depth: number): void {
    if (field.fieldKind === 'list') {
      for (let left = this.#below(4); left > 0; left -= 1) this.#value(writer, field, field.number, depth);
    } else if (field.fieldKind === 'map') {
      for (let left = this.#below(4); left > 0; left -= 1) this.#entry(writer, field, depth);
    } else this.#value(writer, field, field.number, depth);
  }

  #entry(writer: BinaryWriter, field: DescField & { fieldKind: 'map' }, depth: number): void {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    this.#scalar(writer, field.mapKey, 1);
    this.#value(writer, field, 2, depth);
    writer.join();
  }

  #value(writer: BinaryWriter, field: DescField, number: number, depth: number): void {
    if (field.scalar !== undefined) return this.#scalar(writer, field.scalar, number);
    if (field.enum !== undefined) {
      const known = field.enum.values.map((value) => value.number);
      const numbers = field.enum.typeName === 'google.protobuf.NullValue' ? known : [...known, 77, -1];
      return void writer.tag(number, WireType.Varint).int32(this.#one(numbers));
    }
    const type = field.message as DescMessage;
    const bytes = depth < MAX_DEPTH || mustBeFilled(type) ? this.message(type, depth + 1) : new Uint8Array();
    writer.tag(number, WireType.LengthDelimited).bytes(bytes);
  }

  #scalar(writer: BinaryWriter, type: ScalarType, number: number): void {
    const [wire, write] = this.#writing(type);
    write(writer.tag(number, wire));
  }

  #writing(type: ScalarType): [WireType, (writer: BinaryWriter) => void] {
    const [int32, uint32, int64, uint64] = [
      this.#one(INT32),
      this.#one(UINT32),
      this.#one(INT64),
      this.#one(UINT64),
    ];
    const kinds: Record<ScalarType, [WireType, (writer: BinaryWriter) => void]> = {
      [ScalarType.DOUBLE]: [WireType.Bit64, (w) => w.double(this.#number(DOUBLES))],
      [ScalarType.FLOAT]: [WireType.Bit32, (w) => w.float(Math.fround(this.#number(FLOATS)))],
      [ScalarType.INT64]: [WireType.Varint, (w) => w.int64(int64)],
      [ScalarType.UINT64]: [WireType.Varint, (w) => w.uint64(uint64)],
      [ScalarType.INT32]: [WireType.Varint, (w) => w.int32(int32)],
      [ScalarType.FIXED64]: [WireType.Bit64, (w) => w.fixed64(uint64)],
      [ScalarType.FIXED32]: [WireType.Bit32, (w) => w.fixed32(uint32)],
      [ScalarType.BOOL]: [WireType.Varint, (w) => w.bool(this.#chance(0.5))],
      [ScalarType.STRING]: [WireType.LengthDelimited, (w) => w.string(this.#one(TEXTS))],
      [ScalarType.BYTES]: [WireType.LengthDelimited, (w) => w.bytes(this.#bytes())],
      [ScalarType.UINT32]: [WireType.Varint, (w) => w.uint32(uint32)],
      [ScalarType.SFIXED32]: [WireType.Bit32, (w) => w.sfixed32(int32)],
      [ScalarType.SFIXED64]: [WireType.Bit64, (w) => w.sfixed64(int64)],
      [ScalarType.SINT32]: [WireType.Varint, (w) => w.sint32(int32)],
      [ScalarType.SINT64]: [WireType.Varint, (w) => w.sint64(int64)],
    };
    return kinds[type];
  }

  /** Types whose fields cannot hold just anything. */
  #special(type: DescMessage, writer: BinaryWriter, depth: number): boolean {
    switch (type.typeName) {
      case 'google.protobuf.Timestamp':
        this.#time(writer, this.#one([0n, -1n, 1767323045n, -62135596800n, 253402300799n]), 1);
        return true;
      case 'google.protobuf.Duration': {
        const seconds = this.#one([0n, 1n, -1n, 315_576_000_000n, -315_576_000_000n]);
        this.#time(writer, seconds, seconds < 0n ? -1 : 1);
        return true;
      }
      case 'google.protobuf.FieldMask':
        for (let left = this.#below(3); left > 0; left -= 1)
          writer.tag(1, WireType.LengthDelimited).string(this.#one(PATHS));
        return true;
      case 'google.protobuf.Value':
        this.#freeValue(writer, type, depth);
        return true;
      case 'google.protobuf.Any': {
        const packed = kindsMessage(this.#one(TYPES));
        const bytes =
          depth < MAX_DEPTH || mustBeFilled(packed) ? this.message(packed, depth + 1) : new Uint8Array();
        writer.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/${packed.typeName}`);
        writer.tag(2, WireType.LengthDelimited).bytes(bytes);
        return true;
      }
      default:
        return false;
    }
  }

  #time(writer: BinaryWriter, seconds: bigint, sign: 1 | -1): void {
    writer.tag(1, WireType.Varint).int64(seconds);
    const isLimit = seconds === 315_576_000_000n || seconds === -315_576_000_000n;
    const nanos = isLimit ? 0 : this.#one([0, 1, 999_999_999, 6_000_000, 5_000, 500_000_000]);
    writer.tag(2, WireType.Varint).int32(nanos * sign);
  }

  #freeValue(writer: BinaryWriter, type: DescMessage, depth: number): void {
    // Null, number, text, boolean; then object and list, while there is room for them.
    const number = 1 + this.#below(depth < MAX_DEPTH ? 6 : 4);
    if (number === 2) writer.tag(2, WireType.Bit64).double(this.#one([0, 1, -1.5, 1e300, 0.1]));
    else if (number === 1) writer.tag(1, WireType.Varint).int32(0);
    else this.#field(writer, type.fields.find((field) => field.number === number) as DescField, depth);
  }

  #number(special: readonly number[]): number {
    return this.#chance(0.5) ? this.#one(special) : (this.next() - 0.5) * 10 ** this.#below(12);
  }

  #bytes(): Uint8Array {
    return Uint8Array.from({ length: this.#below(6) }, () => this.#below(256));
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #chance(probability: number): boolean {
    return this.next() < probability;
  }

  #below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** The next number of the sequence, in [0, 1); by Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Whether an empty message of the type means nothing in JSON. */
function mustBeFilled(type: DescMessage): boolean {
  return type.typeName === 'google.protobuf.Value';
}
