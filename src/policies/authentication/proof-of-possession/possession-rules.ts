import { hash } from 'node:crypto';
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
interface Kept<Memory> extends Upkeep {
  readonly memory: Memory;
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
  // Apart from the secret of nonces: when that changes, a proof holds once as before.
  const same = JSON.stringify([dpop.window, dpop.nonces?.lifetime ?? null, dpop.replay]);
  const seen = context.kept(`dpop seen ${same}`, () => kept(seenProofs(dpop, context, clock))).memory;
  const nonces = noncesOf(dpop, secret, context, clock);
  return { ...rules, mode: dpop.mode, proofs: new DpopProofs({ options: dpop, nonces, seen, clock }) };
}

function seenProofs(
  { window, nonces, replay }: VerifiedDpopOptions,
  { redis, guard }: SchemeContext,
  clock: Clock,
): SeenProofs {
  const store: SeenProofsDeps['store'] = redis && guard && { redis, guard };
  // To either side, for as long as a proof may hold.
  return new SeenProofs({ keepMs: 2 * (nonces?.lifetime ?? window), ...replay, store, clock });
}

function noncesOf(
  { nonces }: VerifiedDpopOptions,
  secret: string | undefined,
  context: SchemeContext,
  clock: Clock,
): DpopNonces | undefined {
  if (nonces === undefined) return undefined;
  const { lifetime } = nonces;
  const same = hash('sha256', JSON.stringify([lifetime, secret ?? null]), 'base64url');
  return context.kept(`dpop nonces ${same}`, () => kept(new DpopNonces(lifetime, secret, clock))).memory;
}

function kept<Memory>(memory: Memory): Kept<Memory> {
  return { memory, start: nothing, stop: nothing };
}

function secretOf({ nonces }: VerifiedDpopOptions, { environment }: SchemeContext): string | undefined {
  const { secretEnv: variable, secretFile: file } = nonces ?? {};
  if (variable === undefined && file === undefined) return undefined;
  const key = file === undefined ? 'secretEnv' : 'secretFile';
  const place = ['tokens', 'dpop', 'nonces', key];
  return secretAt(place, () => readLongSecret({ variable, file, environment }));
}

function nothing(): void {
  // It needs nobody to look after it.
}
