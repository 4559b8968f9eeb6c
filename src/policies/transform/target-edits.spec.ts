import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import { TargetEdits } from './target-edits.ts';

const edits = new TargetEdits(
  [
    { labels: {}, request: { setHeaders: { 'x-zone': '{target.label.zone}' } } },
    {
      labels: { track: 'canary', zone: 'b' },
      request: { setHeaders: { 'x-track': 'canary' }, renameHeaders: { a: 'b' }, removeHeaders: ['x-gone'] },
      response: { addHeaders: { 'x-by': '{target.label.track}' } },
    },
  ],
  [],
);

function at(labels: Record<string, string> | undefined) {
  const exchange = createExchange();
  exchange.targetLabels = labels;
  const sent = ['a', '1', 'x-gone', '2'];
  const head = { status: 200, headers: ['x-by', 'theirs'] };
  const fields = edits.requestFields(sent, exchange);
  edits.editResponse(exchange, head);
  // The next attempt may be at another target.
  expect(sent).toEqual(['a', '1', 'x-gone', '2']);
  return { fields, answered: head.headers };
}

describe('edits by target', () => {
  it('hold for targets with all labels', () => {
    expect(at({ track: 'canary', zone: 'b', more: 'x' })).toEqual({
      fields: ['b', '1', 'x-zone', 'b', 'x-track', 'canary'],
      answered: ['x-by', 'theirs', 'x-by', 'canary'],
    });
  });

  it.each([{ track: 'canary' }, { track: 'stable', zone: 'b' }])('hold not for %j', (labels) => {
    expect(at(labels).fields).toEqual([
      'a',
      '1',
      'x-gone',
      '2',
      ...('zone' in labels ? ['x-zone', 'b'] : []),
    ]);
    expect(at(labels).answered).toEqual(['x-by', 'theirs']);
  });

  it('leave alone what no target has answered', () => {
    expect(at(undefined)).toEqual({ fields: ['a', '1', 'x-gone', '2'], answered: ['x-by', 'theirs'] });
  });

  it('name what is no client to say, whichever target is asked', () => {
    expect(edits.folded).toEqual(new Set(['xzone', 'xtrack', 'b']));
  });
});
