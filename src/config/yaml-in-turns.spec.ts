import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readConfig } from './config-reader.ts';
import { readConfigInTurns } from './yaml-in-turns.ts';

const COUNT = 1500;
const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().default('none'),
  items: z.array(z.strictObject({ id: z.string(), tags: z.array(z.string()).default([]) })),
  after: z.record(z.string(), z.number()).default({}),
});

const item = (i: number): string =>
  `  # item ${i}\n  - id: "${i}"\n    tags:\n      - 'a tag that is long enough'\n`;
const long = (
  items: (i: number) => string = item,
  head = 'version: 1\n',
  tail = 'after:\n  one: 1\n',
): string => `${head}items:\n${Array.from({ length: COUNT }, (_, i) => items(i)).join('')}${tail}`;

describe('reading in turns', () => {
  it('reads what reading at once does, and finds the same places', async () => {
    const text = long();
    const [slow, quick] = [
      await readConfigInTurns(schema, text, 'x.yaml'),
      readConfig(schema, text, 'x.yaml'),
    ];
    expect(slow?.value).toEqual(quick.value);
    expect(slow?.document).toMatchObject({ file: 'x.yaml', text, digest: quick.document.digest });
    expect(slow?.document.value).toEqual(quick.document.value);
    for (const path of [
      ['version'], ['items', 0], ['items', 24, 'id'], ['items', 25], ['items', 777, 'tags', 0], ['items', COUNT - 1],
      ['items', 3, 'nothing'], ['after'], ['after', 'one'],
    ]) expect([path, slow?.document.locate(path)]).toEqual([path, quick.document.locate(path)]); // prettier-ignore
  });

  it('lets others have their turn', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await readConfigInTurns(schema, long(), 'x.yaml');
    clearImmediate(timer);
    // A piece of at most 40 items has no turn within; some of them together are 5 ms.
    expect(turns).toBeGreaterThan(1);
  });

  it.each([
    ['is short', 'version: 1\nitems: []\n'],
    ['has a fault within', long((i) => (i === 700 ? '  - id: 7\n' : item(i)))],
    ['has a fault around', long(item, 'version: 2\n')],
    ['is no YAML', long((i) => (i === 700 ? '  - id: [\n' : item(i)))],
    ['goes on with what was named before', long((i) => (i === 0 ? '  - &one { id: "0" }\n' : i === 700 ? '  - *one\n' : item(i)))], // prettier-ignore
    [
      'has its list within a text',
      long(item, 'version: 1\nname: |\n  a\n', '').replace('items:', '  items:'),
    ],
  ])('leaves a file that %s to whoever reads it at once', async (_what, text) => {
    expect(await readConfigInTurns(schema, text, 'x.yaml')).toBeUndefined();
  });
});
