// What Jest's JSON of one run, or of a run and of one more of the suites that failed in it, amounts to.
//
//   node totals.mjs failed FIRST           the suites that failed, a path in each line
//   node totals.mjs totals FIRST [SECOND]  `N passed, N failed`, after a line for each suite that passed the second time only
import { readFileSync } from 'node:fs';

const [, , wanted, ...files] = process.argv;
const [first, second] = files.map(
  (file) => JSON.parse(readFileSync(file, 'utf8') || '{"testResults":[]}').testResults,
);

const failedOf = (suites) => suites.filter(({ status }) => status === 'failed').map(({ name }) => name);

function totalsOf(suites) {
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults } of suites) {
    const failures = assertionResults.filter((test) => test.status === 'failed').length;
    passed += assertionResults.filter((test) => test.status === 'passed').length;
    // A suite that could not even start has no failed test; it counts as one.
    failed += status === 'failed' ? Math.max(failures, 1) : 0;
  }
  return { passed, failed };
}

if (wanted === 'failed') console.log(failedOf(first).join('\n'));
else {
  const again = second ?? [];
  const twice = new Set(again.map(({ name }) => name));
  for (const { name, status } of again)
    if (status === 'passed') console.log(`UNSTEADY (passed the second time): ${name}`);
  const { passed, failed } = totalsOf([...first.filter(({ name }) => !twice.has(name)), ...again]);
  console.log(`${passed} passed, ${failed} failed`);
}
