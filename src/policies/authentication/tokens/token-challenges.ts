import type { Problem } from '../../../problems/problem.ts';
import { REALM } from '../verifier.ts';

/** What `WWW-Authenticate` says of tokens (RFC 6750 section 3). */
export class TokenChallenges {
  /** @param refusal why a token was refused; undefined when there was none. */
  of(refusal: Problem | undefined): readonly string[] {
    const plain = `Bearer realm="${REALM}"`;
    if (refusal === undefined) return [plain];
    return [`${plain}, error="invalid_token", error_description="${refusal.message}"`];
  }
}
