import { expect, it } from '@jest/globals';
import { readCommands } from './commands.ts';

it('tells what clients send from what scripts do, without the clock and without what the bench sends', () => {
  const stats = [
    '# Commandstats',
    'cmdstat_evalsha:calls=7,usec=100,usec_per_call=14.00',
    'cmdstat_ping:calls=2,usec=1,usec_per_call=0.5',
    'cmdstat_client|tracking:calls=1,usec=1,usec_per_call=1.00',
    'cmdstat_time:calls=7,usec=1,usec_per_call=0.1',
    'cmdstat_hmget:calls=9,usec=1,usec_per_call=0.1',
    'cmdstat_hset:calls=9,usec=1,usec_per_call=0.1',
    'cmdstat_set:calls=5,usec=1,usec_per_call=0.1',
    'cmdstat_config|resetstat:calls=5,usec=1,usec_per_call=0.1',
  ].join('\r\n');
  expect(readCommands(stats)).toEqual({ sent: 10, touched: 18 });
});
