import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { transformPolicy } from '../policies/transform/transform.policy.ts';
import { createCompiler, defineRoute } from '../../test/support/routes.ts';
import type { ResponseHead, Stage } from '../policies/stage.ts';
import type { Exchange } from './exchange.ts';
import type { HeadKind } from './response-head.ts';

type Edit = NonNullable<Stage['head']>;

/** An exchange whose route has these edits, in the order of the way in. */
function exchangeWith(...stages: (readonly [heads: Stage['heads'], head: Edit])[]): Exchange {
  const factories = stages.map(([heads, head]) => ({
    policy: transformPolicy,
    compile: (): Stage => ({ heads, head }),
  }));
  const exchange = createExchange();
  exchange.route = createCompiler(factories).compile(defineRoute({ path: '/*' }));
  return exchange;
}

function finished(exchange: Exchange, kind: HeadKind, status = 200, headers: string[] = []): ResponseHead {
  const head = { status, headers };
  exchange.finishHead(head, kind);
  return head;
}

const adds =
  (name: string): Edit =>
  (_, head) =>
    void head.headers.push(name, 'x');
const fails: Edit = () => {
  throw new Error('of a stage');
};
const ID = ['x-request-id', 'exchange-1'];

describe('finishHead', () => {
  it('adds what stages left and the request id, without a route too', () => {
    const exchange = createExchange();
    exchange.responseHeaders.push('RateLimit', 'r=1');
    for (const kind of ['answer', 'problem', 'handshake'] as const)
      expect(finished(exchange, kind, 200, ['a', '1']).headers).toEqual([
        'a',
        '1',
        'RateLimit',
        'r=1',
        ...ID,
      ]);
  });

  it('has stages edit all of it, the last one of the way in first', () => {
    const exchange = exchangeWith([undefined, adds('x-first')], [undefined, adds('x-second')]);
    exchange.responseHeaders.push('RateLimit', 'r=1');
    expect(finished(exchange, 'answer').headers).toEqual([
      'RateLimit',
      'r=1',
      'x-second',
      'x',
      'x-first',
      'x',
      ...ID,
    ]);
  });

  it.each<[HeadKind, string[]]>([
    ['answer', ['x-all', 'x', 'x-answers', 'x', 'x-default', 'x']],
    ['problem', ['x-all', 'x']],
    ['handshake', ['x-all', 'x']],
  ])('has the head of a %s edited by those who declare it', (kind, headers) => {
    const exchange = exchangeWith(
      [undefined, adds('x-default')],
      ['answers', adds('x-answers')],
      ['all', adds('x-all')],
    );
    expect(finished(exchange, kind).headers).toEqual([...headers, ...ID]);
  });

  it('leaves out of a problem what was said of the answer that it replaces', () => {
    const exchange = createExchange();
    exchange.responseHeaders.push('etag', '"a"', 'cache-control', 'max-age=60', 'server-timing', 'a;dur=1');
    expect(finished(exchange, 'problem', 504).headers).toEqual(['server-timing', 'a;dur=1', ...ID]);
  });

  it('lets a stage change the status, and take the length of what has no content any more', () => {
    const exchange = exchangeWith([undefined, (_, head) => void (head.status = 204)]);
    expect(finished(exchange, 'answer', 200, ['Content-Length', '2', 'x-request-idx', '1'])).toEqual({
      status: 204,
      headers: ['x-request-idx', '1', ...ID],
    });
  });

  it.each<[string, Edit]>([
    ['throws', fails],
    ['makes an interim answer of it', (_, head) => void (head.status = 199)],
    ['makes a status of it that there is not', (_, head) => void (head.status = 600)],
    ['says what no field can', (_, head) => void head.headers.push('x-a', 'a\r\nb: c')],
    ['names what no field is called', (_, head) => void head.headers.push('x a', 'a')],
    ['forgets a value', (_, head) => void head.headers.push('x-a')],
  ])('throws for an answer when a stage %s, and leaves it out of a problem', (_, broken) => {
    const half: Edit = (exchange, head) => {
      adds('x-half')(exchange, head);
      broken(exchange, head);
    };
    const exchange = exchangeWith(['all', adds('x-good')], ['all', half]);
    expect(() => finished(exchange, 'answer')).toThrow();
    expect(exchange.headFault).toBeUndefined();
    expect(finished(exchange, 'problem', 401)).toEqual({ status: 401, headers: ['x-good', 'x', ...ID] });
    expect(exchange.headFault).toBeDefined();
  });
});
