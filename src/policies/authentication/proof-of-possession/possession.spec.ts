import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exchangeFor } from '../../../../test/support/stage-server.ts';
import { PresentedCertificates } from '../client-certificates/presented-certificates.ts';
import { principalOf } from '../tokens/token-principal.ts';
import { Possession, type PossessionRules } from './possession.ts';

const request = new IncomingMessage(new Socket());
const exchange = exchangeFor(request, new ServerResponse(request));
const certificates = new PresentedCertificates();
const CLAIMS = { roles: [], permissions: [], email: 'email', tenant: 'tid', tier: 'tier' };
const x5t = { 'x5t#S256': 'A'.repeat(43) };
const jkt = { jkt: 'A'.repeat(43) };

describe('a token that comes without a proof', () => {
  it.each<[string, Partial<PossessionRules>, unknown, boolean]>([
    ['is taken if it is bound to nothing', {}, undefined, true],
    ['is refused if it is bound to a certificate', {}, x5t, false],
    ['is refused where certificates can be found', { certificates }, x5t, false],
    ['is taken where nobody cares for certificates', { certificateBound: 'ignore' }, x5t, true],
    ['is refused where nobody cares for certificates, and it has a key', { certificateBound: 'ignore' }, jkt, false],
    ['is taken where nobody cares for keys', { mode: 'ignore' }, jkt, true],
    ['is refused where nobody cares for keys, and it has a certificate', { mode: 'ignore' }, x5t, false],
    ['is refused where nobody cares for keys, and it has both', { mode: 'ignore' }, { ...x5t, ...jkt }, false],
    ['is refused if it is bound to what is not known', { mode: 'ignore', certificateBound: 'ignore' }, { kid: 'a' }, false],
    ['is refused if what it is bound to cannot be read', { mode: 'ignore', certificateBound: 'ignore' }, { 'x5t#S256': 1 }, false],
    ['is refused by a certificate alone where a key is required', { mode: 'require', certificateBound: 'ignore' }, x5t, false],
  ])('%s', (...[, rules, cnf, isTaken]) => {
    const possession = new Possession({ mode: 'off', proofs: undefined, ...rules });
    const principal = principalOf({ iss: 'i', sub: '1', ...(cnf === undefined ? {} : { cnf }) }, CLAIMS);
    let isRefused = false;
    try {
      expect(possession.check(exchange, principal)).toBeUndefined();
    } catch (error) {
      isRefused = (error as { code?: string }).code === 'credentials-invalid';
    }
    expect(isRefused).toBe(!isTaken);
  }); // prettier-ignore
});
