import { describe, expect, it } from '@jest/globals';
import { learnSecret } from '../telemetry/redaction.ts';
import { redactNames } from '../telemetry/secret-names.ts';
import { shownText } from './shown-text.ts';

describe(shownText.name, () => {
  it.each([
    ['a field', 'a: 1\npassword: hunter2 # why\nb: 2', 'a: 1\npassword: "[redacted]" # why\nb: 2'],
    [
      'a header',
      'headers: { x-api-key: "hunter2", accept: text/html }',
      'headers: { x-api-key: "[redacted]", accept: text/html }',
    ],
    [
      'a name of a variable',
      'headers: { authorization: "${TOKEN}" }',
      'headers: { authorization: "${TOKEN}" }',
    ],
    ['a default of one', 'password: ${P:-hunter2}', 'password: "[redacted]"'],
    ['a block', 'secret: |\n  hunter2\n  more\nb: 2', 'secret: "[redacted]"\nb: 2'],
    [
      'a list',
      'headers:\n  cookie:\n    - hunter2\n    - hunter3\n',
      'headers:\n  cookie:\n    - "[redacted]"\n    - "[redacted]"\n',
    ],
    ['an anchor', 'a: &it hunter2\npassword: *it', 'a: &it "[redacted]"\npassword: *it'],
    [
      'a pair of name and value',
      '- { name: authorization, value: hunter2 }',
      '- { name: authorization, value: "[redacted]" }',
    ],
    ['a comment', '# password: hunter2\na: 1', '# password: "[redacted]"\na: 1'],
    ['user information', 'url: https://me:hunter2@host/', 'url: https://[redacted]@host/'],
    [
      'JSON',
      '{"headers":{"authorization":"hunter2"},"a":1}',
      '{"headers":{"authorization":"[redacted]"},"a":1}',
    ],
    [
      'what is no YAML',
      'a: [1\npassword: hunter2\nsecret:\n  hunter2\nb: 2',
      'a: [1\npassword: "[redacted]"\nsecret:\n  [redacted]\nb: 2',
    ],
    [
      'nothing',
      'upstreams:\n  a: { targets: [http://a:1] } # it\n',
      'upstreams:\n  a: { targets: [http://a:1] } # it\n',
    ],
  ])('hides %s', async (_, text, shown) => {
    expect(await shownText(text)).toBe(shown);
  });

  it('reads a long list in pieces, with the same result', async () => {
    const item = (i: number): string =>
      `  - id: r${i}\n    policies:\n      transform: { request: { setHeaders: { x-token: hunter${i} } } }\n`;
    const routes = Array.from({ length: 2000 }, (_, i) => item(i)).join('');
    const text = `password: hunter2\nroutes:\n${routes}last: { headers: { cookie: hunter2 } }\n`;
    const shown = await shownText(text);
    expect(shown).not.toContain('hunter');
    expect(shown).toBe(text.replaceAll(/hunter\d+/g, '"[redacted]"'));
  });

  it('makes a text once for all who look at it, and anew when more has become secret', async () => {
    const text = 'headers: { sso_badge: hunter2, x-any: opensesame3 }';
    const first = shownText(text);
    expect(shownText(text)).toBe(first);
    expect(await first).toBe(text);
    redactNames(['sso-badge']);
    expect(await shownText(text)).toBe('headers: { sso_badge: "[redacted]", x-any: opensesame3 }');
    learnSecret('opensesame3');
    expect(await shownText(text)).toBe('headers: { sso_badge: "[redacted]", x-any: [redacted] }');
    redactNames([]);
    expect(await shownText(text)).toContain('hunter2');
  });

  it('keeps four of them at most', async () => {
    const first = shownText('a: 0');
    for (let i = 1; i <= 4; i += 1) await shownText(`a: ${i}`);
    expect(shownText('a: 0')).not.toBe(first);
  });
});
