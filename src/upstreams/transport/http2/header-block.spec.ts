import { describe, expect, it } from '@jest/globals';
import { HeaderBlocks } from './header-block.ts';

const read = (hex: string): object => ({
  ...new HeaderBlocks().read(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
});

describe(HeaderBlocks.name, () => {
  it.each([
    ['a field of the static table', '88', { ':status': '200' }],
    ['a literal with a name of the table', '0f10 0161', { 'content-type': 'a' }],
    ['a literal with its own name', '00 0178 0179', { x: 'y' }],
    ['a literal that is never kept', '10 0178 0179', { x: 'y' }],
    ['a literal that would be kept if there were a table', '40 0178 0179', { x: 'y' }],
    ['a coded value', '48 82 6402', { ':status': '302' }],
    ['a table of size 0, then a field', '20 88', { ':status': '200' }],
    ['a field that comes twice', '00 0178 0161 00 0178 0162', { x: 'a, b' }],
    ['cookies, which are not joined', '0f28 0161 0f28 0162', { 'set-cookie': ['a', 'b'] }],
    ['the name of a prototype', '00 09 5f5f70726f746f5f5f 0161', Object.fromEntries([['__proto__', 'a']])],
    ['nothing', '', {}],
  ])('reads %s', (_, hex, fields) => expect(read(hex)).toEqual(fields));

  it('reads lengths above 126', () => {
    const value = 'v'.repeat(300);
    const block = Buffer.concat([
      Buffer.from('000178', 'hex'),
      Buffer.of(0x7f, 0xad, 0x01),
      Buffer.from(value),
    ]);
    expect({ ...new HeaderBlocks().read(block) }).toEqual({ x: value });
  });

  it('reads the same block again without reading it', () => {
    const blocks = new HeaderBlocks();
    expect(blocks.read(Buffer.of(0x88))).toBe(blocks.read(Buffer.of(0x88)));
    for (let i = 0; i < 200; i += 1) blocks.read(Buffer.from(`\x00\x01x\x03${100 + i}`, 'latin1'));
    expect({ ...blocks.read(Buffer.of(0x88)) }).toEqual({ ':status': '200' });
  });

  it.each([
    ['a field of a table that there is none of', 'be'],
    ['field 0', '80'],
    ['a larger table', '3f e11f'],
    ['a value that is cut off', '00 0178 05 61'],
    ['a name without a value', '00 0178'],
    ['a length that is cut off', '00 7f'],
    ['a length that never ends', '00 7f ffffffffffffffff'],
  ])('refuses %s', (_, hex) => expect(() => read(hex)).toThrow(/header/));
});
