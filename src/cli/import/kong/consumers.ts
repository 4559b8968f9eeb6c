import { createHash } from 'node:crypto';
import { z } from 'zod';
import { identitySchema, JWT_ALGORITHMS } from '../../../policies/authentication/identity.schema.ts';
import { Names, Variable, variableName, type Draft, type Section } from '../draft.ts';
import type { Source } from '../source.ts';
import { BOOKKEEPING, referenceOf } from './plugin.ts';
import { mayShutOut } from './plugin-index.ts';

/** What a digest hides; a shorter key can be found by trying. */
const GUESSABLE_LENGTH = 20;
const AUDIENCE = 'KONG_JWT_AUDIENCE';

/** The consumers of a Kong file: who has credentials, and which groups they are in. */
export class Consumers {
  readonly #names = new Names(/[^!-+\--~]+/g, 'consumer');
  readonly #variables = new Names(/[^A-Z0-9_]/g, 'KONG', '_');
  readonly #root: Source;
  readonly #draft: Draft;

  constructor(root: Source, draft: Draft) {
    this.#root = root;
    this.#draft = draft;
    for (const source of root.list('consumers')) this.#read(source);
    // With several issuers one id would name several people.
    if (draft.issuers.length > 1)
      for (const issuer of draft.issuers)
        issuer['idPrefix'] = `${String(issuer['issuer'])
          .replaceAll(/[^!-~]/g, '-')
          .slice(0, 60)}:`;
  }

  #read(source: Source): void {
    const wanted = source.get('username', z.string()) ?? source.get('custom_id', z.string()) ?? '';
    const name = this.#names.take(wanted);
    if (name !== wanted) source.note('differs', `the client is called ${name} here`);
    source.skip(...BOOKKEEPING);
    if (source.has('username') && source.has('custom_id'))
      source.note('left', 'services are not told of it', 'custom_id');
    source.skip('custom_id');
    const roles = this.#of(source, 'acls').flatMap((acl) => {
      acl.skip(...BOOKKEEPING);
      return acl.get('group', z.string()) ?? [];
    });
    const isShutOut = this.#isShutOut(source);
    const [keys, tokens] = [this.#of(source, 'keyauth_credentials'), this.#of(source, 'jwt_secrets')];
    for (const credential of keys) this.#readKey(credential, name, { roles, isShutOut });
    for (const credential of tokens) this.#readJwt(credential, name, { roles, isShutOut });
    if (keys.length + tokens.length === 0) source.note('left', 'has neither API keys nor JWT credentials');
  }

  // Beside the consumer, or in a list of the file that names it.
  #of(consumer: Source, kind: string): Source[] {
    const names = namesOf(consumer);
    const listed = this.#root.list(kind).filter((one) => names.includes(referenceOf(one, 'consumer') ?? ''));
    return [...consumer.list(kind), ...listed];
  }

  #isShutOut(consumer: Source): boolean {
    const names = namesOf(consumer);
    const listed = this.#root.list('plugins');
    let isShutOut = listed.some(
      (one) => names.includes(referenceOf(one, 'consumer') ?? '') && mayShutOut(one),
    );
    for (const plugin of consumer.list('plugins')) {
      isShutOut ||= mayShutOut(plugin);
      plugin.note('left', 'policies hold for all callers of a route, not for one consumer');
      plugin.settle();
    }
    return isShutOut;
  }

  #readKey(source: Source, clientId: string, { roles, isShutOut }: Standing): void {
    source.skip(...BOOKKEEPING);
    const key = source.get('key', z.string());
    if (key === undefined)
      return source.note(
        'todo',
        'Kong makes this key up at its start; make one with `gatehouse keys create`',
      );
    const isHidden = key.length >= GUESSABLE_LENGTH && !key.startsWith('{vault:');
    const name = this.#variables.take(variableName('KONG_KEY', clientId, 'SHA256'));
    if (!isHidden)
      source.note(
        'todo',
        `set ${name} to the SHA-256 of the key in hex: of a short key it would give the key away`,
        'key',
      );
    if (isShutOut)
      source.note(
        'differs',
        'the key is not accepted until somebody has looked at the plugins of the consumer',
      );
    this.#draft.apiKeys.push({
      sha256: isHidden ? createHash('sha256').update(key).digest('hex') : new Variable(name),
      clientId,
      ...(roles.length > 0 ? { roles } : {}),
      ...(isShutOut ? { enabled: false } : {}),
    });
  }

  #readJwt(source: Source, consumer: string, { roles, isShutOut }: Standing): void {
    source.skip(...BOOKKEEPING);
    const issuer = source.get('key', z.string());
    const algorithm = source.get('algorithm', z.string()) ?? 'HS256';
    const pem = source.get('rsa_public_key', z.string());
    source.skip('secret');
    if (issuer === undefined)
      return source.note(
        'todo',
        'Kong makes this key up at its start; add its issuer under `identity.issuers`',
      );
    if (isShutOut)
      return source.note(
        'left',
        'the consumer has plugins that may shut it out; add its issuer under `identity.issuers` if not',
      );
    const secretEnv = algorithm.startsWith('HS')
      ? this.#variables.take(variableName('KONG_JWT', consumer, 'SECRET'))
      : undefined;
    const section = {
      issuer,
      ...(secretEnv === undefined ? { publicKey: pem } : { secretEnv }),
      algorithms: [algorithm],
    };
    // What is no public key is never written, for it may be a private one.
    if (!isAccepted(section))
      return source.note(
        'left',
        `tokens are verified with ${JWT_ALGORITHMS.join(', ')}, and a public key in PEM form`,
      );
    if (secretEnv !== undefined)
      source.note(
        'todo',
        `set ${secretEnv} to the secret, decoded where the plugin says secret_is_base64`,
        'secret',
      );
    source.note(
      'todo',
      `Kong does not look at \`aud\`: set ${AUDIENCE} to what the tokens say; nobody gets in before`,
    );
    if (roles.length > 0)
      source.note('differs', 'groups of the consumer: its tokens have to have them in the claim `roles`');
    const audiences = [new Variable(AUDIENCE, `set-${AUDIENCE}`)];
    this.#draft.issuers.push({ ...section, audiences });
  }
}

interface Standing {
  readonly roles: readonly string[];
  readonly isShutOut: boolean;
}

function namesOf(consumer: Source): string[] {
  return ['username', 'custom_id', 'id'].flatMap((key) => consumer.get(key, z.string()) ?? []);
}

function isAccepted(issuer: Section): boolean {
  return identitySchema.safeParse({ issuers: [{ ...issuer, audiences: ['any'] }] }).success;
}
