/**
 * Replicas are replaced, cut off and led astray under steady load behind a load balancer: `npm run availability`. It ends with
 * a line for each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { runLane } from '../chaos/lane.ts';
import { clockSkew } from './scenarios/clock-skew.ts';
import { cutOff } from './scenarios/cut-off.ts';
import { redisFailoverWhileRolling } from './scenarios/redis-failover-while-rolling.ts';
import { rollingRestart } from './scenarios/rolling-restart.ts';
import { zoneLost } from './scenarios/zone-lost.ts';

await runLane({
  name: 'availability',
  scenarios: {
    'rolling-restart': rollingRestart,
    'redis-failover-while-rolling': redisFailoverWhileRolling,
    'cut-off': cutOff,
    'clock-skew': clockSkew,
    'zone-lost': zoneLost,
  },
  // Replicas that share one core would fight for it while one of them starts.
  cores: { measured: undefined, others: undefined },
});
