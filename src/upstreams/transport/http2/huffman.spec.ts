import { describe, expect, it } from '@jest/globals';
import { huffmanText } from './huffman.ts';

const read = (hex: string): string => huffmanText(Buffer.from(hex, 'hex'));

describe(huffmanText.name, () => {
  // RFC 7541 appendix C.4 and C.6.
  it.each([
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['25a849e95ba97d7f', 'custom-key'],
    ['25a849e95bb8e8b4bf', 'custom-value'],
    ['6402', '302'],
    ['aec3771a4b', 'private'],
    ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29ad171863c78f0b97c8e9ae82ae43d3', 'https://www.example.com'],
    ['640eff', '307'],
    ['94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
    ['', ''],
  ])('reads %s', (hex, text) => expect(read(hex)).toBe(text)); // prettier-ignore

  it.each([
    ['padding of more than seven bits', 'f1e3c2e5f23a6ba0ab90f4ffff'],
    ['padding that is not all ones', 'f1e3c2e5f23a6ba0ab90f4fe'],
    ['the end of its text', 'fffffffc'],
    ['nothing but ones', 'ffffffffffffffff'],
  ])('refuses %s', (_, hex) => expect(() => read(hex)).toThrow(/a header field/));
});
