import { readLongSecret } from '../../../config/secrets.ts';
import { secretAt } from '../identity-fault.ts';
import type { IdentityOptions } from '../identity.schema.ts';
import type { SchemeContext, Upkeep } from '../scheme.ts';
import type { Clock } from '../verifier.ts';
import { DpopNonces } from './dpop-nonces.ts';
import type { VerifiedDpopOptions } from './dpop.schema.ts';
import { DpopProofs } from './dpop.ts';
import type { PossessionRules } from './possession.ts';
import { SeenProofs, type SeenProofsDeps } from './seen-proofs.ts';

/** What outlives a reload: proofs hold once, and nonces for a while. */
interface DpopMemory extends Upkeep {
  readonly seen: SeenProofs;
  readonly nonces: DpopNonces | undefined;
}

/**
 * Makes what tokens of a section have to be presented with.
 *
 * @throws {IdentityFault} naming the key and the fix, when a shared secret is missing or too short.
 */
export function possessionRules({ tokens }: IdentityOptions, context: SchemeContext): PossessionRules {
  const { dpop, certificateBound } = tokens;
  const rules = { certificateBound, certificates: context.certificates };
  if (typeof dpop === 'string') return { ...rules, mode: dpop, proofs: undefined };
  const clock = context.clock ?? Date.now;
  const secret = secretOf(dpop, context);
  // The secret is not part of the name: it does not change while the process runs.
  const same = JSON.stringify([dpop.window, dpop.nonces ?? null, dpop.replay]);
  const { seen, nonces } = context.kept(`dpop ${same}`, () => memoryOf(dpop, secret, context, clock));
  return { ...rules, mode: dpop.mode, proofs: new DpopProofs({ options: dpop, nonces, seen, clock }) };
}

function memoryOf(
  { window, nonces, replay }: VerifiedDpopOptions,
  secret: string | undefined,
  { redis, guard }: SchemeContext,
  clock: Clock,
): DpopMemory {
  const store: SeenProofsDeps['store'] = redis && guard && { redis, guard };
  return {
    // To either side, for as long as a proof may hold.
    seen: new SeenProofs({ keepMs: 2 * (nonces?.lifetime ?? window), ...replay, store, clock }),
    nonces: nonces && new DpopNonces(nonces.lifetime, secret, clock),
    start: nothing,
    stop: nothing,
  };
}

function secretOf({ nonces }: VerifiedDpopOptions, { environment }: SchemeContext): string | undefined {
  const variable = nonces?.secretEnv;
  if (variable === undefined) return undefined;
  return secretAt(['tokens', 'dpop', 'nonces', 'secretEnv'], () => readLongSecret({ variable, environment }));
}

function nothing(): void {
  // It needs nobody to look after it.
}
