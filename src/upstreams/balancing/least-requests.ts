import type { Target } from '../target.ts';
import { LeastLoaded } from './least-loaded.ts';

/** Takes the target with the fewest calls under way, relative to its share. */
export class LeastRequests extends LeastLoaded {
  protected override loadOf({ inFlight, share }: Target): number {
    return inFlight / share;
  }
}
