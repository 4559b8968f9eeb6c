import { describe, expect, it } from '@jest/globals';
import { ReloadTurns, sharedBy } from './reload-turns.ts';

function acts(): { readonly done: string[]; act(name: string): () => Promise<string> } {
  const done: string[] = [];
  const act = (name: string) => async () => {
    done.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    done.push(`${name} ends`);
    return name;
  };
  return { done, act };
}

describe('ReloadTurns', () => {
  it('has one act after the other, in the order in which they were asked for', async () => {
    const turns = new ReloadTurns();
    const { done, act } = acts();
    await Promise.all([turns.take(act('a')), turns.share('x', act('b')), turns.take(act('c'))]);
    expect(done).toEqual(['a', 'b', 'c'].flatMap((one) => [`${one} begins`, `${one} ends`]));
  });

  it('shares what has not begun, and makes it anew for who asks while it is made', async () => {
    const turns = new ReloadTurns();
    const { done, act } = acts();
    const first = turns.share('x', act('a'));
    expect(turns.share('x', act('b'))).toBe(first);
    let later: Promise<string> | undefined = undefined;
    const middle = turns.take(async () => {
      later = turns.share('x', act('c'));
    });
    expect([await first, await middle, await later]).toEqual(['a', undefined, 'c']);
    expect(done.filter((one) => one.endsWith('begins'))).toEqual(['a begins', 'c begins']);
  });

  it('goes on after an act that fails', async () => {
    const turns = new ReloadTurns();
    const failed = turns.share('x', async () => {
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await expect(turns.share('x', async () => 1)).resolves.toBe(1);
  });
});

it('neither a trigger nor somebody is another one', () => {
  const names = [sharedBy('file'), sharedBy('order', 'a'), sharedBy('order', 'b'), sharedBy('SIGHUP')];
  expect(new Set(names).size).toBe(names.length);
});
