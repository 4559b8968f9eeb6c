import { afterEach, describe, expect, it, jest } from '@jest/globals';
import Fastify from 'fastify';
import { pino } from 'pino';
import { LogLevel } from '../telemetry/log-level.ts';
import { LOG_LEVEL_PATH, serveLogLevel } from './log-level-orders.ts';

afterEach(() => void jest.useRealTimers());

function listener() {
  const logger = pino({ level: 'info' }, { write: () => undefined });
  const server = Fastify();
  serveLogLevel(server, { logger, level: new LogLevel(logger) });
  const order = async (
    body: object,
  ): Promise<[number, { readonly level?: string; readonly error?: string }]> => {
    const answer = await server.inject({ method: 'PUT', url: LOG_LEVEL_PATH, payload: body });
    return [answer.statusCode, answer.json()];
  };
  return { server, logger, order };
}

describe('orders about the level of the log', () => {
  it('hold for ten minutes unless they say for how long, and the last one counts', async () => {
    const { logger, order, server } = listener();
    await server.ready();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    expect((await order({ level: 'debug' }))[1]).toMatchObject({ level: 'debug', configured: 'info' });
    jest.advanceTimersByTime(5 * 60_000);
    expect((await order({ level: 'warn', for: '8m' }))[0]).toBe(200);
    // The end of the first order is none of the second.
    jest.advanceTimersByTime(6 * 60_000);
    expect(logger.level).toBe('warn');
    jest.advanceTimersByTime(2 * 60_000);
    expect(logger.level).toBe('info');
  });

  it('are undone at once, as often as somebody likes', async () => {
    const { logger, order, server } = listener();
    await order({ level: 'trace', for: '1d' });
    for (let i = 0; i < 2; i += 1) {
      const answer = await server.inject({ method: 'DELETE', url: LOG_LEVEL_PATH });
      expect([answer.statusCode, answer.json(), logger.level]).toEqual([
        200,
        { level: 'info', configured: 'info' },
        'info',
      ]);
    }
  });

  it.each([
    [{}, /level/],
    [{ level: 'loud' }, /level/],
    [{ level: 'debug', for: '0s' }, /for.*more than nothing/s],
    [{ level: 'debug', for: '25h' }, /for.*1d at most/s],
    [{ level: 'debug', until: 'tomorrow' }, /until/],
  ])('that say %j are refused, and change nothing', async (body, why) => {
    const { logger, order } = listener();
    expect(await order(body)).toEqual([400, { error: expect.stringMatching(why) }]);
    expect(logger.level).toBe('info');
  });
});
