import { describe, expect, it } from '@jest/globals';
import { areCollected, collectDeclarations, ledgerOf, noteCall, refuseDeclaration } from './code-ledger.ts';
import { ConfigError, withPlaces } from './config-fault.ts';

const fault = { file: 'calls', key: '', message: 'makes no sense', code: { name: '' } };

describe('a ledger of declarations', () => {
  it('keeps what is wrong and what was declared, with where it stands', async () => {
    const loaded = await collectDeclarations(async () => {
      refuseDeclaration([fault]);
      noteCall({ name: 'users.get', upstream: 'users', protocol: 'http' });
      return [areCollected()];
    });
    const { faults = [], calls = [] } = ledgerOf(loaded) ?? {};
    expect([loaded, areCollected(), ledgerOf([])]).toEqual([[true], false, undefined]);
    expect(calls).toMatchObject([{ name: 'users.get', site: { line: expect.any(Number) } }]);
    expect(withPlaces(faults)).toEqual([
      { file: 'src/config/code-ledger.spec.ts', line: 10, key: '', message: 'makes no sense' },
    ]);
  });

  it('throws at once where nobody collects', () => {
    expect(() => refuseDeclaration([fault])).toThrow(ConfigError);
    noteCall({ name: 'users.get', upstream: 'users', protocol: 'http' });
  });

  it('tells what was wrong before something ended the loading, and leaves such an error alone otherwise', async () => {
    const ended = collectDeclarations(() => {
      refuseDeclaration([fault]);
      throw new SyntaxError('no such export');
    });
    await expect(ended).rejects.toThrow(/makes no sense\n.*no such export\n2 faults/);
    await expect(collectDeclarations(() => Promise.reject(new SyntaxError('alone')))).rejects.toThrow(
      SyntaxError,
    );
    expect(areCollected()).toBe(false);
  });
});
