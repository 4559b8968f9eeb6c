import type { Results, ShownResult } from './results.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};
/** Whether XML 1.0 has a way to say a character (section 2.2). */
function isSayable(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return (code < 0xd800 || code > 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

/** Shows results as JUnit's XML, as systems of continuous integration read it: a suite for each file. */
export function renderJunit({ tests }: Results): string {
  const files = Map.groupBy(tests, ({ file }) => file);
  const suites = [...files].map(([file, its]) => suiteOf(file, its));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function suiteOf(file: string, tests: readonly ShownResult[]): string {
  const errors = tests.filter(({ error }) => error !== undefined).length;
  const failures = tests.filter(({ passed }) => !passed).length - errors;
  const time = seconds(tests.reduce((sum, { ms }) => sum + ms, 0));
  const counts = `tests="${tests.length}" failures="${failures}" errors="${errors}" time="${time}"`;
  return `  <testsuite name="${escaped(file)}" ${counts}>\n${tests.map(caseOf).join('\n')}\n  </testsuite>`;
}

function caseOf({ name, file, line, ms, failures, error }: ShownResult): string {
  const about = `name="${escaped(name)}" classname="${escaped(file)}" file="${escaped(file)}" line="${line}" time="${seconds(ms)}"`;
  const said = [
    ...(error === undefined ? [] : [`      <error message="${escaped(error)}"/>`]),
    ...(failures.length === 0 ? [] : [failureOf(failures)]),
  ];
  return said.length === 0
    ? `    <testcase ${about}/>`
    : `    <testcase ${about}>\n${said.join('\n')}\n    </testcase>`;
}

// One for each case: more than that is not read by all.
function failureOf(failures: ShownResult['failures']): string {
  const [first] = failures;
  const message = `${first?.key}: expected ${first?.expected}, received ${first?.received}`;
  const text = failures.map(({ key, at, expected, received, rule }) =>
    [
      `${key} ${at}`,
      `expected: ${expected}`,
      `received: ${received}`,
      ...(rule === undefined ? [] : [`by: ${rule}`]),
    ].join('\n'),
  );
  return `      <failure message="${escaped(message)}">${escaped(text.join('\n\n'))}</failure>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function escaped(text: string): string {
  const said = [...text].map((one) => (isSayable(one) ? (ESCAPES[one] ?? one) : '\ufffd'));
  return said.join('');
}
