import { afterAll, describe, expect, it } from '@jest/globals';
import { blocksOf, claimingBlocks, commandsOf } from './blocks.ts';
import { patternOf } from './likeness.ts';
import { answering } from './shown/answering.ts';
import { asking } from './shown/asking.ts';
import { Desk } from './shown/desk.ts';
import { elsewhere } from './shown/elsewhere.ts';
import { Hall } from './shown/hall.ts';
import { running } from './shown/running.ts';
import { joined, play, type Scene } from './shown/scene.ts';

/** How the blocks of each page are run. */
const SCENES = joined(asking, answering, running, elsewhere);
const BLOCKS = claimingBlocks();

/** What is said about a block; undefined where nothing is. */
function saidOf(page: string, text: string): Scene | string | undefined {
  const scenes = Object.entries(SCENES[page] ?? {});
  return scenes.find(([words]) => text.startsWith(words))?.[1];
}

const RUN = BLOCKS.flatMap((block) => {
  const scene = saidOf(block.page, block.text);
  return typeof scene === 'object' ? [{ ...block, scene }] : [];
});

/** JSON as one layout writes it, in the order of names; a member alone is one of an object. */
function evenJson(text: string): string {
  const value: unknown = JSON.parse(text.startsWith('"') ? `{${text}}` : text);
  const sorted = (_name: string, one: unknown): unknown =>
    isRecord(one) ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1))) : one;
  return JSON.stringify(value, sorted, 1);
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

describe('what the pages show', () => {
  afterAll(() => Promise.all([Desk.close(), Hall.close()]));

  it('is all run, or there is a reason why not', () => {
    expect(
      BLOCKS.filter(({ page, text }) => saidOf(page, text) === undefined).map(({ place }) => place),
    ).toEqual([]);
  });

  it('is there: nothing is said about a block that no page has', () => {
    const words = Object.entries(SCENES).flatMap(([page, scenes]) =>
      Object.keys(scenes).map((first) => [page, first] as const),
    );
    const isShown = ([page, first]: readonly [string, string]): boolean =>
      BLOCKS.some((block) => block.page === page && block.text.startsWith(first));
    expect(words.filter((one) => !isShown(one))).toEqual([]);
  });

  it.each(RUN)('$place comes of it', async ({ scene, ...block }) => {
    const outcomes = await play(block, scene, scene.answer ? [] : commandsOf(block));
    for (const { command, ...outcome } of outcomes) {
      const [output, printed] = [outcome.output, outcome.printed].map((text) =>
        block.language === 'json' ? evenJson(text) : text,
      ) as [string, string];
      if (output === '' || patternOf(output, scene.varies).test(printed)) continue;
      // Shows what differs, with what may.
      expect(`$ ${command}\n${printed}`).toBe(`$ ${command}\n${output}`);
    }
    expect(outcomes.length).toBeGreaterThan(0);
  });

  it('is found', () => {
    const [block] = blocksOf('a.md', 'Text.\n\n```console\n$ one \\\n    two\nprinted\n$ three\n```\n');
    expect(block).toMatchObject({ place: 'a.md:3', language: 'console' });
    expect(commandsOf(block as NonNullable<typeof block>)).toEqual([
      { command: 'one \\\n    two', output: 'printed\n' },
      { command: 'three', output: '' },
    ]);
    expect(RUN.length).toBeGreaterThan(15);
  });
});
