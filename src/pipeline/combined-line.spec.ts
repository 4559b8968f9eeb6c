import { describe, expect, it } from '@jest/globals';
import { createExchange, createPrincipal } from '../../test/support/exchange.ts';
import { combinedLine } from './combined-line.ts';

/** As tools that read logs of Apache take a line apart. */
const COMBINED =
  /^(\S+) (\S+) (\S+) \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*)\n$/;

function taken(line: string): readonly string[] {
  const found = COMBINED.exec(line);
  if (found === null) throw new Error(`no line: ${line}`);
  return found.slice(1);
}

function answered(options: Parameters<typeof createExchange>[0], headers: Record<string, string> = {}) {
  const exchange = createExchange(options);
  exchange.status = 200;
  exchange.bytesOut = 17;
  Object.assign(exchange.request.headers, headers);
  return exchange;
}

describe(combinedLine.name, () => {
  it('is what Apache and nginx write', () => {
    const exchange = answered(
      { method: 'POST', target: '/orders?token=secret&page=2', principal: createPrincipal('u1') },
      { referer: 'https://me:pw@shop.example/cart;sid=1?code=secret', 'user-agent': 'curl/8.0 (x)' },
    );
    const [client, , user, time, request, ...rest] = taken(combinedLine(exchange));
    expect([client, user]).toEqual(['203.0.113.7', 'u1']);
    const [date = '', ...clock] = (time ?? '').replace(' +0000', '').split(':');
    const at = new Date(`${date.replaceAll('/', ' ')} ${clock.join(':')} UTC`).getTime();
    expect(Math.abs(at - Date.now())).toBeLessThan(5000);
    expect(request).toBe(`POST /orders?token=&page= HTTP/${exchange.request.httpVersion}`);
    expect(rest).toEqual(['200', '17', 'https://shop.example/cart;*?code=', 'curl/8.0 (x)', '']);
  });

  it('has dashes for what nobody has said', () => {
    const [, ident, user, , , , , referer, agent] = taken(combinedLine(answered({})));
    expect([ident, user, referer, agent]).toEqual(['-', '-', '-', '-']);
    expect(taken(combinedLine(answered({}, { referer: 'javascript:alert(1)' })))[7]).toBe('-');
  });

  it.each([
    ['quotes', 'a" 200 1 "-" "-', 'a\\" 200 1 \\"-\\" \\"-'],
    ['backslashes', 'a\\', 'a\\\\'],
    ['line breaks', 'a\r\nb', 'a\\x0d\\x0ab'],
    ['control characters', '\u001b[31m\u0000\u007f', '\\x1b[31m\\x00\\x7f'],
    ['letters beyond ASCII', 'ë\u2028', '\\xc3\\xab\\xe2\\x80\\xa8'],
    ['half of a pair', '\ud800', '\\xef\\xbf\\xbd'],
  ])('writes %s so that nobody can forge a line or a column', (_, text, shown) => {
    const principal = createPrincipal(text);
    const line = combinedLine(answered({ principal }, { 'user-agent': text }));
    expect(line.split('\n')).toHaveLength(2);
    const [, , user, , , , , , agent] = taken(line);
    expect(agent).toBe(shown);
    expect(user).toBe(shown.replaceAll(' ', '\\x20'));
  });

  it('tells a user who is called - from none', () => {
    expect(taken(combinedLine(answered({ principal: createPrincipal('-') })))[2]).toBe('\\x2d');
  });

  it('bounds what the client says, and hides tokens', () => {
    const agent = `x eyJhbGciOiJIUzI1NiJ9.${'x'.repeat(20)}.y ${'z'.repeat(10_000)}`;
    const line = combinedLine(
      answered(
        { target: `/${'p'.repeat(9000)}` },
        { 'user-agent': agent, referer: `https://a.example/${'r'.repeat(9000)}` },
      ),
    );
    expect(line.length).toBeLessThan(2000);
    expect(line).toContain('x [redacted] zz');
  });
});
