import { expect, it } from '@jest/globals';
import { KeptLines } from './kept-lines.ts';
import { createLogger, keptLinesOf } from './logger.ts';

it('keeps the last 500 lines, in their order, and long ones in part', () => {
  const kept = new KeptLines();
  for (let i = 0; i < 503; i += 1) kept.add(`${i}\n`);
  const all = kept.all();
  expect([all.length, all[0], all.at(-1)]).toEqual([500, '3', '502']);
  kept.add('x'.repeat(100_000));
  expect(kept.all().at(-1)?.length).toBe(4097);
});

it('keeps of a logger what it has written, without secrets', () => {
  const logger = createLogger('info', { write() {} });
  logger.info({ password: 'hunter2' }, 'Authorization: Bearer abcdefgh');
  logger.debug('not written');
  expect(keptLinesOf(logger)).toEqual([expect.stringContaining('Bearer [redacted]')]);
  expect(keptLinesOf(logger)[0]).not.toContain('hunter2');
});
