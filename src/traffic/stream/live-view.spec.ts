import { describe, expect, it } from '@jest/globals';
import { LiveView, type ViewContent } from './live-view.ts';

function viewOf(contents: readonly (ViewContent | undefined)[]): LiveView {
  let at = 0;
  return new LiveView('key', 1, () => Promise.resolve(contents[Math.min(at++, contents.length - 1)]));
}

const events = (text: string): string[] => [...text.matchAll(/event: (\w+)/g)].map(([, name = '']) => name);

describe(LiveView, () => {
  const dict = [{ id: 'a' }, { id: 'b' }];

  it('sends names once, and of the rows only those that have changed', async () => {
    const first = {
      dict,
      rows: [
        [0, 1],
        [1, 1],
      ],
      total: 2,
    };
    const view = viewOf([
      first,
      {
        ...first,
        rows: [
          [0, 1],
          [1, 2],
        ],
      },
      {
        ...first,
        rows: [
          [0, 1],
          [1, 2],
        ],
      },
    ]);
    await view.refresh();
    expect(events(view.after(0))).toEqual(['dict', 'rows']);
    await view.refresh();
    expect(view.after(1)).toContain('data: [[1,2]]');
    expect(view.after(1)).not.toContain('dict');
    await view.refresh();
    expect(view.after(2)).toBe('');
    expect(view.after(1)).toContain('[[1,2]]');
    expect(view.total).toBe(2);
  });

  it('sends all rows again when the names are others, and every 30th time', async () => {
    const view = viewOf([
      {
        dict,
        rows: [
          [0, 1],
          [1, 1],
        ],
      },
      { dict: [{ id: 'c' }], rows: [[0, 1]] },
    ]);
    await view.refresh();
    await view.refresh();
    expect(events(view.after(1))).toEqual(['dict', 'rows']);
    for (let step = 3; step < 30; step += 1) await view.refresh();
    expect(view.after(28)).toBe('');
    await view.refresh();
    expect(events(view.after(29))).toEqual(['rows']);
  });

  it('takes what differs only in when it was made for the same', async () => {
    const view = viewOf([{ whole: { at: 'now', rps: 1 } }, { whole: { at: 'later', rps: 1 } }]);
    await view.refresh();
    await view.refresh();
    expect(view.after(1)).toBe('');
  });

  it('is made once for all who ask meanwhile, and is as it was when there is nothing to show', async () => {
    let made = 0;
    const view = new LiveView('key', 1, async () => {
      made += 1;
      await Promise.resolve();
      return undefined;
    });
    await Promise.all([view.refresh(), view.refresh(), view.refresh()]);
    expect([made, view.step, view.after(0)]).toEqual([1, 0, '']);
  });

  it('knows its own steps, and those of no other', async () => {
    const view = viewOf([{ whole: { rps: 1 } }]);
    await view.refresh();
    const ids = [`${view.epoch}.1`, `${view.epoch}.2`, `${view.epoch}.x`, 'other.1', '', undefined];
    expect(ids.map((id) => view.stepOf(id))).toEqual([1, 0, 0, 0, 0, 0]);
  });
});
