import { ScalarType } from '@bufbuild/protobuf';

const WHOLE = /^[-+]?\d+$/;
const BITS: Readonly<Partial<Record<ScalarType, readonly [min: bigint, max: bigint]>>> = {
  [ScalarType.INT32]: signed(32n),
  [ScalarType.SINT32]: signed(32n),
  [ScalarType.SFIXED32]: signed(32n),
  [ScalarType.UINT32]: unsigned(32n),
  [ScalarType.FIXED32]: unsigned(32n),
  [ScalarType.INT64]: signed(64n),
  [ScalarType.SINT64]: signed(64n),
  [ScalarType.SFIXED64]: signed(64n),
  [ScalarType.UINT64]: unsigned(64n),
  [ScalarType.FIXED64]: unsigned(64n),
};

/** Whether a name of JSON can be the key of a map with keys of that type. */
export function isMapKey(type: ScalarType, name: string): boolean {
  if (type === ScalarType.STRING) return true;
  if (type === ScalarType.BOOL) return name === 'true' || name === 'false';
  const range = BITS[type];
  if (range === undefined || !isWhole(name)) return false;
  const value = BigInt(name);
  return value >= range[0] && value <= range[1];
}

/** Whether a text is a whole number of decimal digits and nothing else. */
export function isWhole(text: string): boolean {
  return WHOLE.test(text);
}

function signed(bits: bigint): readonly [bigint, bigint] {
  return [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function unsigned(bits: bigint): readonly [bigint, bigint] {
  return [0n, 2n ** bits - 1n];
}
