import { expect } from '@jest/globals';
import type { PolicyRow } from '../../../test/support/policy-doors.ts';

const options = { consecutiveFailures: 1, openFor: '1h' };

/** After a failure nobody is let through, whichever door it was at. */
export const row: PolicyRow = {
  options,
  onRoutes: false,
  upstream: { circuitBreaker: options },
  beside: { deadline: '100ms' },
  async acts(at) {
    at.silence(true);
    // A stream over a socket has no deadline; the breaker belongs to the target that others fail at, too.
    await at.askAt(at.name === 'translatedSocket' ? 'translated' : at.name);
    at.silence(false);
    expect(await at.ask()).toMatchObject({ code: 'circuit-open' });
  },
};
