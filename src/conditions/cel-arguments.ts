import { isIPv4 } from 'node:net';
import { AddressBlocks } from '../exchange/address-blocks.ts';
import { addressBlockText } from '../config/address-block.ts';
import { compileLinear, type LinearPattern } from '../config/linear-pattern.ts';
import { MAX_TEXT, Untold } from './bounded-value.ts';

/** Longest text that a pattern of a condition is matched with, in UTF-16 units. */
const MAX_MATCHED = 256;
/** Longest text that is looked for in another one where it is not known beforehand. */
const MAX_NEEDLE = 64;

/** A pattern that stands in a condition, compiled. */
export class CelPattern {
  readonly #pattern: LinearPattern;
  /** How large the program is that matches it. */
  readonly size: number;

  /** @throws {Error} for the operator. */
  constructor(source: string) {
    this.#pattern = compileLinear(source);
    this.size = this.#pattern.programSize;
  }

  /** Whether a part of a text is one that it describes, as `matches` of CEL means it. */
  finds(text: string): boolean {
    if (text.length > MAX_MATCHED) throw new Untold(`\`matches\` takes at most ${MAX_MATCHED} characters`);
    return this.#pattern.finds(text);
  }
}

const IPV4_BLOCK = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/;
const IPV4_BITS = 32;

/** A block of addresses that stands in a condition. */
export class CelBlock {
  readonly #blocks: AddressBlocks;
  /** Of a block of IPv4: how many addresses it has, and which of those of that size it is. */
  readonly #size: number = 0;
  readonly #index: number = 0;

  /** @throws {Error} for the operator. */
  constructor(source: string) {
    const read = addressBlockText.safeParse(source);
    if (!read.success) throw new Error(read.error.issues[0]?.message ?? 'expected a CIDR block');
    this.#blocks = new AddressBlocks([read.data]);
    const [, address, bits = String(IPV4_BITS)] = IPV4_BLOCK.exec(read.data) ?? [];
    if (address === undefined) return;
    this.#size = 2 ** (IPV4_BITS - Number(bits));
    this.#index = Math.floor(numberOf(address) / this.#size);
  }

  has(address: string): boolean {
    // The list of Node takes ten times as long.
    if (this.#size > 0 && isIPv4(address)) return Math.floor(numberOf(address) / this.#size) === this.#index;
    return this.#blocks.has(address);
  }
}

/** An address of IPv4 as a number. */
function numberOf(address: string): number {
  let [value, byte] = [0, 0];
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code !== DOT) byte = byte * 10 + code - ZERO;
    else [value, byte] = [value * 256 + byte, 0];
  }
  return value * 256 + byte;
}

const DOT = 0x2e;
const ZERO = 0x30;

/** A time zone that stands in a condition. */
export class CelZone {
  readonly #format: Intl.DateTimeFormat;

  /** @throws {Error} for the operator. */
  constructor(timeZone: string) {
    const numbers = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const; // prettier-ignore
    try {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...numbers });
    } catch {
      throw new Error(`there is no time zone "${timeZone}"; expected one such as "Europe/Berlin"`);
    }
  }

  /** A moment whose parts in UTC are those of another one in this zone. */
  shift(moment: Date): Date {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(moment)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return new Date(Date.UTC(year, month - 1, day, hour, minute, second, moment.getUTCMilliseconds()));
  }
}

/** Checks what a search would have to go through. @throws {Untold} for what could take long. */
export function searchable(text: string, needle: string): void {
  const isShort = text.length <= MAX_TEXT && needle.length <= MAX_NEEDLE;
  if (!isShort && text.length > needle.length) throw new Untold('a text is too long to be searched');
}
