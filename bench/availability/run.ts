/**
 * Replicas are replaced, cut off and led astray under steady load behind a load balancer: `npm run availability`. It ends with
 * a line for each promise, and with 1 when one was broken. See README.md in this folder.
 *
 * @module
 */
import { runLane } from '../chaos/lane.ts';
import { rollingRestart } from './scenarios/rolling-restart.ts';

await runLane({
  name: 'availability',
  scenarios: { 'rolling-restart': rollingRestart },
  // Replicas that share one core would fight for it while one of them starts.
  cores: { measured: undefined, others: undefined },
});
