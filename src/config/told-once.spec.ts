import { describe, expect, it } from '@jest/globals';
import type { ConfigFault } from './config-fault.ts';
import { toldOnce } from './told-once.ts';

const TEXT = 'the call a.b needs the upstream "c", which is not configured';
const call: ConfigFault = { file: 'calls', key: '', message: TEXT, suggestion: 'd' };
const made = (by: string): ConfigFault => ({
  file: 'GraphQL',
  key: '',
  message: `${by}: ${TEXT}; did you mean "d"?`,
});

describe('toldOnce', () => {
  it('tells a call that several make once, with the first of them', () => {
    expect(toldOnce([made('Page.items'), call, made('Other.one')])).toEqual([{ ...call, key: 'Page.items' }]);
  });

  it('leaves what nobody else tells, and calls that nobody makes', () => {
    const other = { file: 'g.yaml', key: 'routes[a]', message: 'note: nothing' };
    expect(toldOnce([made('Page.items'), other])).toEqual([made('Page.items'), other]);
    expect(toldOnce([call, other])).toEqual([call, other]);
  });
}); // prettier-ignore
